"""Attendance in words: its states, what is doubted of it, and why it cannot be entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from xueji.attendance.rules import AttendanceState, BadClassSession, NotAttended
from xueji.cohorts.wording import CATEGORY as CATEGORY
from xueji.cohorts.wording import COHORT_STATE as COHORT_STATE
from xueji.cohorts.wording import PART as PART
from xueji.cohorts.wording import TRAINING as TRAINING
from xueji.rulebook.vocabulary import Doubt, HerWord

NOT_ATTENDED: Mapping[NotAttended, Any] = {
    NotAttended.NOT_OVER_YET: _("课还没有结束，结束后才能登记考勤。"),
    NotAttended.NO_TIME: _("请填写到课和离开的时间，离开须晚于到课。"),
    NotAttended.OUTSIDE_SESSION: _("到课和离开的时间须在这次课的起止时间之内。"),
    NotAttended.BEFORE_ENROLMENT: _("该学员当时还没有报名本班，报名以前的时间不能登记。"),
    NotAttended.AFTER_SETTLEMENT: _("本班学时已结算，不能再登记考勤。"),
    NotAttended.OVERLAPS: _("与该学员在本班另一次线下课的时间重叠。"),
    NotAttended.ALREADY_ENTERED: _("已经登记过。如需更正，请先撤销。"),
    NotAttended.NOT_ACTIVE: _("该学员已退班。"),
    NotAttended.CLOSED: _("培训班已结班，只能重新登记已撤销的考勤。"),
}

ATTENDANCE_STATE: Mapping[AttendanceState, Any] = {
    AttendanceState.ENTERED: _("到课"),
    AttendanceState.WAITING: _("等待确认"),
    AttendanceState.DENIED: _("学员有异议"),
    AttendanceState.ABSENT: _("缺勤"),
    AttendanceState.REVOKED: _("已撤销"),
}

ATTENDANCE_TONE: Mapping[AttendanceState, tuple[str, str]] = {
    AttendanceState.ENTERED: ("confirmed", "check-circle-fill"),
    AttendanceState.WAITING: ("provisional", "hourglass-split"),
    AttendanceState.DENIED: ("held", "exclamation-circle-fill"),
    AttendanceState.ABSENT: ("neutral", "dash-lg"),
    AttendanceState.REVOKED: ("neutral", "slash-circle"),
}
"""Colour and icon; the word beside them carries the meaning."""

HER_WORD: Mapping[HerWord, Any] = {
    HerWord.SILENT: _("本人未确认"),
    HerWord.CONFIRMED: _("本人已确认"),
    HerWord.SIGNED: _("本人已在纸质表上签名"),
    HerWord.DENIED: _("本人说不在场"),
}

DOUBT: Mapping[Doubt, Any] = {
    Doubt.BEFORE_BEGINNING: _("早于报名"),
    Doubt.AFTER_SETTLEMENT: _("结算以后登记"),
    Doubt.LATE_ENTRY: _("逾期登记"),
    Doubt.NOT_PLANNED: _("课前没有安排"),
    Doubt.OVERLAP: _("同一时间在别处有记录"),
    Doubt.DENIED: _("本人说不在场"),
}

DOUBT_AT_ENTRY: Mapping[Doubt, Any] = {
    Doubt.LATE_ENTRY: _("已过登记期限。"),
    Doubt.NOT_PLANNED: _("这次课是开课以后才登记的。"),
}

BAD_CLASS_SESSION: Mapping[BadClassSession, Any] = {
    BadClassSession.ENDS_BEFORE_START: _("结束时间须晚于开始时间。"),
    BadClassSession.LONGER_THAN_A_DAY: _("一次课不能超过24小时。"),
    BadClassSession.OUTSIDE_COHORT: _("不在培训班的起止日期之内。"),
    BadClassSession.BEFORE_OPENING: _("早于开班时间，开班以前的课不能登记。"),
}
