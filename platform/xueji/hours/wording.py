"""The account in words: every status, reason, flag and note of a statement, in plain Chinese with the article."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from xueji.attendance.wording import DOUBT as DOUBT
from xueji.attendance.wording import HER_WORD as HER_WORD
from xueji.cohorts.wording import amount
from xueji.cohorts.wording import article as article
from xueji.hours.display import shown
from xueji.hours.rules import FlagCode, LessonLine, Mark, MissingCode, OnlineSums, Statement
from xueji.rulebook.rules import CapNote
from xueji.rulebook.vocabulary import Clearer, Reason

STATUS: Mapping[str, Any] = {
    "confirmed": _("已确认"),
    "provisional": _("等核验"),
    "held": _("先不算"),
    "refused": _("不计入"),
}

STATUS_SENTENCE: Mapping[str, Any] = {
    "confirmed": _("前后两次身份核验都通过，已计入学时。"),
    "provisional": _("已经学过，等下一次核验通过或工作人员确认后计入。"),
    "held": _("旁边有一次核验没有通过，或者这一段时间没有人能确认是您本人。补学这一段即可计入；对核验结果也可以申诉。"),
    "refused": _("按规则不能计入，原因逐条列在下面。"),
}

AWAITED: Any = _("核验已通过，但登记照片还没有与身份证件核对。核对后这些时间自动计入，不用重学。")
AWAITED_OWN: Any = _(
    "核验已通过，但登记照片还没有与身份证件核对。请带身份证件到培训机构，由工作人员核对一次；核对后这些时间自动计入，不用重学。"
)

UNPLAYED: Any = _("学习记录报来时，平台还没有把这一段视频发给学习页面。请在学习页面播放、补学这一段，播放过就能计入。")

REASON: Mapping[str, Any] = {
    Reason.ALREADY_COUNTED: _("重复观看"),
    Reason.TOO_MANY_PIECES: _("补学过于零碎"),
    Reason.AHEAD: _("超前跳看"),
    Reason.BEYOND_END: _("超出课时长度"),
    Reason.FASTER_THAN_CLOCK: _("快于实际时间"),
    Reason.TOO_LATE: _("补传过晚"),
    Reason.TOO_FAST: _("倍速播放"),
    Reason.PAUSED: _("暂停"),
    Reason.HIDDEN: _("页面不可见"),
    Reason.IDLE: _("无人应答"),
    Reason.BUFFERING: _("缓冲等待"),
    Reason.LEASE_LOST: _("已在别处学习"),
    Reason.DAILY_MAXIMUM: _("超过每日上限"),
    Reason.OUTSIDE_DATES: _("不在培训日期内"),
    Reason.PRACTICAL_ONLINE: _("实操不能线上学"),
    Reason.NOT_SUPERVISED: _("无人现场监督"),
    Reason.CHECK_FAILED: _("核验复核未通过"),
    Reason.NOT_MADE_UP: _("逾期未补学"),
    Reason.OVER_CAP: _("超过线上上限"),
    Reason.IMPOSSIBLE: _("时间自相矛盾"),
}

REASON_SENTENCE: Mapping[str, Any] = {
    Reason.ALREADY_COUNTED: _("这些内容以前已经计过一次，重看不再计。"),
    Reason.TOO_MANY_PIECES: _("补学时跳着看，剩下的片段过多；请从头连着看要补的部分。"),
    Reason.AHEAD: _("首次观看不能跳过前面的内容，跳到前面没学到的地方不计。"),
    Reason.BEYOND_END: _("超过了这节课的长度。"),
    Reason.FASTER_THAN_CLOCK: _("报上来的学习时间比服务器实际经过的时间还长，多出的部分不计。"),
    Reason.TOO_LATE: _("断网后保存的学习记录超过了可补传的时限。"),
    Reason.TOO_FAST: _("首次观看须按正常速度播放，加速的部分不计。"),
    Reason.PAUSED: _("视频暂停时不计时。"),
    Reason.HIDDEN: _("切到别的页面或锁屏时不计时。"),
    Reason.IDLE: _("长时间没有操作，询问“您还在吗”后没有应答。"),
    Reason.BUFFERING: _("视频在缓冲，没有播放。"),
    Reason.LEASE_LOST: _("同一时间只能在一处学习，这一处已被另一台设备接替。"),
    Reason.DAILY_MAXIMUM: _("一天之内计入的线上学时有上限，超出部分不计，次日可以继续。"),
    Reason.OUTSIDE_DATES: _("培训班开始之前或结束之后的学习不计。"),
    Reason.PRACTICAL_ONLINE: _("实际操作培训必须线下进行（第八条），线上不计。"),
    Reason.NOT_SUPERVISED: _("签到的时段已过，没有工作人员在场确认。"),
    Reason.CHECK_FAILED: _("旁边的核验经人工复核未获认可。补学这一段可以重新计入。"),
    Reason.NOT_MADE_UP: _("补学和申诉的期限已过，先不算和等核验的时间不再计入。"),
    Reason.OVER_CAP: _("线上理论学时有上限，超过的部分不计。"),
    Reason.IMPOSSIBLE: _("记录中的时间不可能同时成立，不计入，并提示监管部门。"),
}

FLAG: Mapping[str, Any] = {
    FlagCode.CLOCK_BACK: _("记录的时间倒退"),
    FlagCode.AHEAD_OF_CLOCK: _("用掉了还没有到来的时间"),
    FlagCode.LONGER_THAN_SERVER_TIME: _("学习比实际经过的时间长"),
    FlagCode.SERVER_TIME_TWICE: _("同一时间学了两段内容"),
    FlagCode.BEYOND_DURATION: _("学习超出课时长度"),
    FlagCode.UNKNOWN_LESSON: _("学习了规定之外的课时"),
    FlagCode.OVER_DAILY_MAXIMUM: _("一天的线上学时超过上限"),
    FlagCode.DAY_OVER_24_HOURS: _("一天合计超过24小时"),
    FlagCode.IN_PERSON_WHILE_ONLINE: _("线下上课的同时在线学习"),
    FlagCode.TWO_SESSIONS_AT_ONCE: _("同时参加两场线下课"),
    FlagCode.LONGER_THAN_SESSION: _("出勤长于线下课时长"),
    FlagCode.ATTENDED_TWICE: _("同一场线下课登记了两次"),
    FlagCode.BEFORE_BEGINNING: _("报名以前的线下课出勤"),
    FlagCode.LATE_ENTRY: _("线下课出勤逾期登记，没有第二人确认"),
    FlagCode.NOT_PLANNED: _("线下课课前没有安排，没有第二人确认"),
    FlagCode.ATTENDANCE_DENIED: _("学员说线下课时不在场"),
}

ATTENDANCE_STANDING: Mapping[str, tuple[Any, str, str]] = {
    "counted": (_("计入"), "confirmed", "check-circle-fill"),
    "held": (_("先不算"), "held", "pause-circle"),
    "refused": (_("不计入"), "refused", "x-circle-fill"),
}
"""Word, colour and icon."""

MISSING: Mapping[str, Any] = {
    MissingCode.THEORY_SHORT: _("理论还差 %(amount)s"),
    MissingCode.PRACTICAL_SHORT: _("实操还差 %(amount)s"),
    MissingCode.TOTAL_SHORT: _("总学时还差 %(amount)s"),
    MissingCode.IN_PERSON_SHORT: _("线下面授还差 %(amount)s，须达到备案的线下学时"),
    MissingCode.THEORY_IN_PERSON_SHORT: _("线下理论还差 %(amount)s，线上学时不能代替备案的线下理论"),
    MissingCode.ONLINE_SHARE_OF_DELIVERED: _("已完成的学时中线上占比过高，多出 %(amount)s，请先参加线下课"),
    MissingCode.IMPOSSIBLE_SUMS: _("有自相矛盾的时间记录，须先查清"),
}

MARK: Mapping[str, Any] = {
    "late_review": _("期限之后的人工复核，不再算数"),
    "late_amendment": _("期限之后的开班信息更正，不再算数"),
    Mark.NO_PAGE: _("没有打开学习页面就开始的学习"),
    Mark.NOT_HANDED_OUT: _("视频还没有发出就报来的学习"),
    "conflict": _("同一编号的学习记录前后不一致"),
    **{reason: REASON[reason] for reason in Reason},
}
"""Requests that were refused whole, by the reason the leaf gives, and what else is remarked about reports."""

SENT_OTHERWISE = (Mark.NO_PAGE, Mark.NOT_HANDED_OUT)
"""Of the marks, those of study that was recorded and did not come the way of a lesson page."""

RETOLD = "retold"
"""The mark that counts windows which began again because a telling was lost."""

CLEARED_BY: Mapping[str, Any] = {
    Clearer.REGULATOR: _("监管部门核查后放行"),
    Clearer.INSTITUTION: _("培训机构两人核查后放行"),
}

CAP: Mapping[str, Any] = {
    CapNote.APPLIES: _("三项岗位人员初训，线上理论不得超过总学时的 %(percent)s%%，正好 %(percent)s%% 可以。"),
    CapNote.NOT_REGULATED_POST: _("不是三项岗位人员，不受线上比例限制；线上只计理论学时。"),
    CapNote.NOT_HIGH_RISK: _("不是高危行业，不受线上比例限制；线上只计理论学时。"),
    CapNote.NOT_INITIAL: _("不是初训，不受线上比例限制；线上只计理论学时。"),
    CapNote.NO_RULE: _("当地没有线上比例的规定；线上只计理论学时。"),
}

QUESTION: Mapping[str, Any] = {
    "hours_before_licence_renewal": _("新规定下换证前应学多少学时，尚无明文，暂按机构设定。"),
    "six_month_absence_survives": _("特种作业人员离岗六个月须重新考核的规定是否继续有效，尚无明文。"),
    "total_hours_meaning": _("“总学时”指大纲学时还是已完成学时，尚无明文，两个比例都列出。"),
    "online_training_in_aq8011_2023": _("AQ 8011-2023 对线上培训的表述尚待核对原文。"),
    "jincheng_action_outlives_2024": _("晋城的专项行动2024年以后是否继续有效，尚无明文。"),
}
"""What the law at hand does not answer, by the rulebook's key."""


def missing(code: str, ms: int, class_hour_ms: int) -> str:
    """What an account lacks, with its exact amount."""
    sentence: str = str(MISSING[code]) % {"amount": amount(ms, class_hour_ms)}
    return sentence


def in_person_refused(statement: Statement) -> str:
    """How much attendance was entered and does not count, to follow the figure that does; empty when all of it does."""
    ms = sum(item.ms for item in statement.in_person.refused)
    if not ms:
        return ""
    sentence: str = gettext("；另有 %(amount)s出勤不可能成立，未计入", amount=amount(ms, statement.class_hour_ms))
    return sentence


def cap(statement: Statement) -> str:
    """Why the limit on online hours applies or does not."""
    sentence: str = str(CAP[statement.cap.note]) % {"percent": statement.cap.percent}
    return sentence


def share(part_ms: int, whole_ms: int) -> str:
    """An exact share, cut after two decimals and never rounded up: 39.99 %."""
    hundredths = part_ms * 10_000 // whole_ms if whole_ms else 0
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def fates(sums: LessonLine | OnlineSums) -> list[tuple[str, int, int]]:
    """What became of study time, for a bar with its legend: what counts, and whatever else there is.

    Status, exact ms, and the seconds shown of it, which add up to the film's; of a film also what does not count.
    """
    seconds = shown(sums)
    found = [
        ("confirmed", sums.counted_ms, seconds.counted),
        ("provisional", sums.provisional_ms, seconds.provisional),
        ("held", sums.held_ms, seconds.held),
    ]
    if isinstance(sums, LessonLine):
        found.append(("refused", sums.gone_ms, seconds.refused))
    return [each for each in found if each[1] or each[0] == "confirmed"]


def held_sentence(sums: OnlineSums) -> Any:
    """Why time is held, and what to do about it."""
    if sums.held_ms and sums.held_ms == sums.unplayed_ms:
        return UNPLAYED
    return AWAITED if sums.held_ms and sums.held_ms == sums.awaited_ms else STATUS_SENTENCE["held"]


def span(from_ms: int, to_ms: int) -> str:
    """A stretch of a film: 12:05–14:30."""
    return f"{_position(from_ms)}–{_position(to_ms)}"


def _position(ms: int) -> str:
    hours, rest = divmod(ms // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


SHOW: Mapping[str, Any] = {
    "": _("全部"),
    "unfinished": _("未满"),
    "held": _("有先不算的"),
    "waiting": _("等核验的"),
    "unbegun": _("还没开始"),
}
"""To whom a cohort's list is narrowed (`roster.SHOWS`)."""

ORDER: Mapping[str, Any] = {
    "enrolled": _("按报名先后"),
    "least": _("已计学时少的在前"),
    "held": _("先不算多的在前"),
}
"""How a cohort's list is sorted (`roster.Order`)."""
