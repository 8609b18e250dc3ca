"""What the enrolment part refuses."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _

from xueji.enrolment import wording
from xueji.enrolment.declarations import Misfit
from xueji.kernel.errors import Conflict, Forbidden, Invalid
from xueji.spreadsheets.rules import SheetFault


class NotForOneself(Forbidden):
    """Nobody vouches for herself."""

    type, title = "not-for-oneself", _("不能为自己确认")
    detail = _("本人的到场须由另一位工作人员确认。")


class AlreadyEnrolled(Conflict):
    """She is in the cohort, with whichever of her files."""

    type, title = "already-enrolled", _("已在本班")
    detail = _("同一人在一个班里只报名一次。")


class WithdrawnBefore(Conflict):
    """She was let out of this cohort, and is readmitted, not enrolled anew."""

    type, title = "withdrawn-before", _("该学员曾从本班退班")
    detail = _("请在学员名单里恢复她的学籍，并写明原因；已有的学时会保留。")


class NotWithdrawn(Conflict):
    """Only who was let out is readmitted."""

    type, title = "not-withdrawn", _("该学员没有退班")
    detail = _("她在本班学习，不需要恢复。")


class DeclarationRefused(Invalid):
    """Carries ``misfits``, each with its code and words: a reason would let her in, and stand in a list."""

    type, title = "declaration-refused", _("申报内容与本班不符")

    def __init__(self, found: Iterable[Misfit]) -> None:
        self.misfits = tuple(found)
        rows = [{"why": each.value, "message": str(wording.MISFIT[each])} for each in self.misfits]
        super().__init__(wording.misfits(self.misfits), misfits=rows)


class AlreadyWithdrawn(Conflict):
    """She was let out before."""

    type, title = "already-withdrawn", _("该学员已退班")
    detail = _("如是误操作，可以在学员名单里恢复。")


class SheetRefused(Invalid):
    """Carries ``why``."""

    type, title = "sheet-refused", _("没有读到名单")

    def __init__(self, why: SheetFault) -> None:
        super().__init__(wording.SHEET_FAULT[why], why=str(why))


class TooManyLines(Invalid):
    """Carries ``limit``."""

    type, title = "too-many-lines", _("一次导入的人数过多")
    detail = _("一次最多1万人。请分几次导入。")


class NothingToImport(Invalid):
    """Neither a file nor a pasted list."""

    type, title = "nothing-to-import", _("没有可导入的内容")
    detail = _("请选择名单文件，或粘贴姓名和证件号码，每人一行。")
