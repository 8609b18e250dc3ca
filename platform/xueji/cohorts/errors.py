"""What the cohorts part refuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _

from xueji.cohorts import wording
from xueji.cohorts.rules import Objection
from xueji.kernel.errors import Conflict, Invalid


class CohortRefused(Invalid):
    """Carries ``refusals``, each with its code, figures, source and words; ``findings`` for whoever catches it."""

    type, title = "cohort-refused", _("不能开班")

    def __init__(self, findings: Iterable[Objection], class_hour_ms: int) -> None:
        self.findings = tuple(findings)
        rows = [
            {
                "why": str(found.why),
                "figures": dict(found.figures),
                "source": wording.source(found.ruling),
                "message": wording.finding(found, class_hour_ms),
            }
            for found in self.findings
        ]
        super().__init__(" ".join(str(each["message"]) for each in rows), refusals=rows)


class CohortFrozen(Conflict):
    """A cohort that is open or closed is not planned any more."""

    type, title = "cohort-frozen", _("培训班已开班")
    detail = _("开班后计划不能更改。")


class TooManyLessons(Invalid):
    """More lessons than the first leaf of an enrolment can name."""

    type, title = "too-many-lessons", _("线上课时过多")
    detail = _("一个培训班最多300个线上课时，请分班。")


class CohortNotOpen(Conflict):
    """What is asked is done in an open cohort alone."""

    type, title = "cohort-not-open", _("培训班没有开班")
    detail = _("只有已开班且未到结束日期的培训班可以报名。")


class StudyUnderWay(Conflict):
    """Carries ``studying``: how many."""

    type, title = "study-under-way", _("有学员正在学习")
    detail = _("现在结班会打断他们。请选择今天或以后的一天作为最后一天，当天24时结班。")


class LastDayRefused(Invalid):
    """Carries ``earliest`` and ``latest``."""

    type, title = "last-day-refused", _("不能以这一天结班")
    detail = _("最后一天须在今天和计划的结束日期之间。")


class NothingAmended(Invalid):
    """A request that changes nothing."""

    type, title, detail = "nothing-amended", _("没有要更正的内容"), _("请至少更正一项。")


class AmendmentRefused(Invalid):
    """Carries ``refusals`` where the law or the plan speaks against it."""

    type, title = "amendment-refused", _("不能这样更正")

    def __init__(self, detail: Any, findings: Iterable[Objection] = (), class_hour_ms: int = 1) -> None:
        self.findings = tuple(findings)
        rows = [{"why": str(each.why), "message": wording.finding(each, class_hour_ms)} for each in self.findings]
        super().__init__(detail, refusals=rows)


class AmendmentOver(Conflict):
    """Somebody has decided already, or the cohort has changed since."""

    type, title, detail = "amendment-over", _("申请已处理"), _("请刷新页面查看；如仍需更正，请重新申请。")


class ReasonNeeded(Invalid):
    """The act stands in a chain with a reason, and none was given."""

    type, title = "reason-needed", _("请填写原因")
