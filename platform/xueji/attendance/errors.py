"""What the attendance part refuses."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask_babel import lazy_gettext as _

from xueji.attendance import wording
from xueji.attendance.rules import BadClassSession, NotAttended
from xueji.kernel.errors import Conflict, Forbidden, Invalid
from xueji.rulebook.vocabulary import Doubt


class ClassSessionRefused(Invalid):
    """Carries ``why``."""

    type, title = "session-refused", _("不能登记这次线下课")

    def __init__(self, why: BadClassSession) -> None:
        super().__init__(wording.BAD_CLASS_SESSION[why], why=str(why))


class ClassSessionRecorded(Conflict):
    """A class session of which attendance was entered stays."""

    type, title = "session-held", _("这次课已有考勤")
    detail = _("已登记过考勤的课不能删除。")


class AttendanceRefused(Invalid):
    """Nothing of the roster was entered. Carries ``rows``: the enrolments that were refused, and why."""

    type, title = "attendance-refused", _("考勤没有登记")

    def __init__(self, refused: Iterable[tuple[UUID, NotAttended]]) -> None:
        self.refused = dict(refused)
        rows = [
            {"enrolment_id": str(enrolment_id), "why": str(why), "message": str(wording.NOT_ATTENDED[why])}
            for enrolment_id, why in self.refused.items()
        ]
        super().__init__(_("有学员的考勤有误，全部未登记。请改正后再提交。"), rows=rows)


class AttendanceRevoked(Conflict):
    """It was taken back before."""

    type, title = "attendance-revoked", _("这条考勤已经撤销")


class AttendanceReasonNeeded(Invalid):
    """Carries ``doubts``: what makes a second person necessary."""

    type, title = "attendance-reason-needed", _("请填写补登原因")

    def __init__(self, doubts: Iterable[Doubt]) -> None:
        why = "".join(str(wording.DOUBT_AT_ENTRY[doubt]) for doubt in doubts)
        sentence = _("%(why)s请写明原因；登记后须由另一位工作人员确认，才计入学时。", why=why)
        super().__init__(sentence, doubts=[str(doubt) for doubt in doubts])


class NotOwnEntry(Forbidden):
    """Who entered an attendance does not decide about it."""

    type, title = "not-own-entry", _("不能确认自己登记的考勤")
    detail = _("请由另一位工作人员或监管部门确认。")


class NothingToSettle(Conflict):
    """Nothing about it waits for anybody."""

    type, title = "nothing-to-settle", _("这条考勤不需要处理")
    detail = _("它已经计入、已撤销，或已有人作出决定。请刷新页面查看。")


class ForTheRegulator(Forbidden):
    """She was recorded elsewhere at the same time: the institution may not decide that."""

    type, title = "for-the-regulator", _("须由监管部门决定")
    detail = _("该学员同一时间在别处有记录，培训机构不能自行认可。可以撤销后按实际时间重新登记，或请监管部门处理。")


class DenialOver(Conflict):
    """The plan's days to deny an attendance have passed."""

    type, title = "denial-over", _("已过提出异议的期限")
    detail = _("如仍有异议，请联系培训机构或监管部门。")
