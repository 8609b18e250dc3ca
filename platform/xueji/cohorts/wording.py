"""Cohorts in words: what the rules object to, by which article and figures, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from xueji.cohorts.models import CohortState
from xueji.cohorts.rules import Ground, Objection
from xueji.identity.wording import INDUSTRY as INDUSTRY
from xueji.rulebook.divisions import name_of
from xueji.rulebook.rules import CapNote, Ruling
from xueji.rulebook.vocabulary import Category, Part, Training

CATEGORY: Mapping[Category, Any] = {
    Category.PRINCIPAL: _("主要负责人"),
    Category.SAFETY_MANAGER: _("安全生产管理人员"),
    Category.SPECIAL_OPERATOR: _("特种作业人员"),
    Category.OTHER: _("其他从业人员"),
}

TRAINING: Mapping[Training, Any] = {
    Training.INITIAL: _("初训"),
    Training.REFRESHER: _("再培训"),
    Training.REVIEW: _("复审"),
    Training.RENEWAL: _("换证"),
}

PART: Mapping[Part, Any] = {Part.THEORY: _("理论"), Part.PRACTICAL: _("实操")}

COHORT_STATE: Mapping[CohortState, Any] = {
    CohortState.DRAFT: _("草稿"),
    CohortState.OPEN: _("已开班"),
    CohortState.CLOSED: _("已结班"),
}

SUBJECT: Mapping[str, Any] = {
    "underground_metal_mines": _("金属非金属地下矿山"),
    "hazardous_chemical_production": _("危险化学品生产"),
    "metal_smelting": _("金属冶炼"),
    "low_voltage_electrician": _("低压电工作业"),
    "high_voltage_electrician": _("高压电工作业"),
    "power_cable": _("电力电缆作业"),
    "relay_protection": _("继电保护作业"),
    "electrical_test": _("电气试验作业"),
    "explosion_proof_electrical": _("防爆电气作业"),
    "welding": _("焊接与热切割作业"),
    "scaffolding": _("登高架设作业"),
    "height_installation": _("高处安装、维护、拆除作业"),
}

_FINDING: Mapping[Ground, Any] = {
    Ground.NO_HOURS: _("没有填写总学时。请按大纲填写。"),
    Ground.TOO_MANY_HOURS: _("总学时 %(total)s超过可填写的上限 %(limit)s。请核对大纲。"),
    Ground.PARTS_DO_NOT_ADD_UP: _("理论 %(theory)s与实操 %(practical)s之和不等于总学时 %(total)s。请改正其中一项。"),
    Ground.PLACES_DO_NOT_ADD_UP: _(
        "线上 %(online)s与线下面授 %(in_person)s之和不等于总学时 %(total)s。请改正其中一项。"
    ),
    Ground.SUBJECT_CATEGORY: _("科目“%(subject)s”不是所选培训对象的科目。请改正培训对象或科目。"),
    Ground.SUBJECT_INDUSTRY: _("科目“%(subject)s”与所选行业不符。请改正行业或科目。"),
    Ground.SUBJECT_MISSING: _(
        "当地学时表按科目规定学时，请选择科目。表中没有的科目，须先由平台运营方按官方文件补充规则。"
    ),
    Ground.INDUSTRY_MISSING: _("当地学时表对不同行业规定了不同学时，请选定行业。"),
    Ground.REVIEW_ABOLISHED: _("自2026年6月1日起不再复审，不能再开复审班。证件到期前请办“换证”培训。"),
    Ground.IN_PERSON_TOKEN: _(
        "线下面授 %(in_person)s不足总学时的 %(percent)s%%，即 %(needed)s，实际上等于全部线上。请增加线下面授学时。"
    ),
    Ground.SAME_FILM: _("“%(subject)s”是同一个视频。同一视频在一个班里只计一次，请换掉其中一个。"),
    Ground.NO_CHANCE: _("抽查间隔的最短和最长都是 %(minutes)s 分钟，抽查时刻可以预知。请让两者不同。"),
    Ground.TOO_FEW_PROMPTS: _(
        "三项岗位人员的每次抽查至少要求 %(needed)s 个动作，本班计划为 %(prompts)s 个；不做动作，一张照片就能通过。"
    ),
    Ground.LITTLE_CHANCE: _(
        "抽查间隔的最短和最长只差 %(minutes)s 分钟，抽查时刻容易猜到；预设至少相差 %(needed)s 分钟。开班后不能更改。"
    ),
    Ground.INDUSTRY_UNKNOWN: _("没有选定行业，按高危行业核算。"),
    Ground.SHORT_NOTICE: _("距开始日期还有 %(days)s 天；培训计划应提前 %(needed)s 天报送监管部门。"),
    Ground.ALL_ONLINE: _("不得举办全部为线上的培训班。请安排线下面授学时。"),
    Ground.OVER_SHARE: _(
        "线上 %(online)s超过总学时 %(total)s的 %(percent)s%%，即 %(limit)s。请减少线上学时，改为线下面授。"
    ),
    Ground.OVER_THEORY: _("线上 %(online)s超过理论学时 %(limit)s，实操不得线上进行。请减少线上学时。"),
    Ground.TOTAL_SHORT: _("总学时 %(planned)s少于规定的 %(needed)s。请增加学时。"),
    Ground.THEORY_SHORT: _("理论 %(planned)s少于规定的 %(needed)s。请增加理论学时。"),
    Ground.PRACTICAL_SHORT: _("实操 %(planned)s少于规定的 %(needed)s。请增加实操学时。"),
    Ground.PRACTICAL_ONLINE: _("“%(subject)s”是实操课时，不得线上进行。请把它从线上课时中去掉，安排线下面授。"),
    Ground.LESSON_WITHOUT_FILM: _("“%(subject)s”还没有可以播放的视频。请上传视频并等待转码完成，或去掉这个课时。"),
    Ground.LESSONS_SHORT: _(
        "所选课时共 %(lessons)s，不足线上学时 %(online)s，学员无法学满。请增加课时，或减少线上学时。"
    ),
    Ground.LESSONS_LONG: _("所选课时共 %(lessons)s，多于线上学时 %(online)s；超过上限的部分不计入学时。"),
    Ground.LESSONS_WITHOUT_HOURS: _("线上学时为零，却选了线上课时。请填写线上学时，或去掉这些课时。"),
    Ground.ENDS_BEFORE_START: _("结束日期早于开始日期。请改正日期。"),
    Ground.ALREADY_OVER: _("结束日期已过。请改正日期。"),
    Ground.TOO_FEW_DAYS: _("线上 %(online)s无法在 %(days)s 天内学完，每日最多计 %(daily_max)s。请延长培训日期。"),
    Ground.YEARLY_HOURS_SHORT: _("每年应达到 %(needed)s，本班为 %(planned)s，其余学时须另行安排。"),
    Ground.HOURS_UNKNOWN: _("没有查到这类培训的最低学时规定，请按当地大纲核对。"),
    Ground.HELD_ELSEWHERE: _("举办地不在本机构所在地区：两地监管部门都能看到本班，两地规定从严适用。"),
    Ground.PLAN_LAXER: _("监督方案比预设宽松：%(subject)s。开班后不能更改。"),
}

_SHARE_NOT_LIMITED: Mapping[str, Any] = {
    CapNote.NOT_REGULATED_POST: _("不是三项岗位人员，线上比例不受 40% 限制，但不得超过理论学时。"),
    CapNote.NOT_HIGH_RISK: _("不属于高危行业，线上比例不受 40% 限制，但不得超过理论学时。"),
    CapNote.NOT_INITIAL: _("不是初训，线上比例不受 40% 限制，但不得超过理论学时。"),
    CapNote.NO_RULE: _("没有查到线上比例的规定，线上学时不得超过理论学时。"),
}

_PLAN_FIELD: Mapping[str, Any] = {
    "checks_min_gap_ms": _("两次抽查的最短间隔"),
    "checks_max_gap_ms": _("两次抽查的最长间隔"),
    "answer_ms": _("抽查作答时间"),
    "retries": _("抽查重试次数"),
    "idle_ms": _("无操作提问时间"),
    "idle_answer_ms": _("提问作答时间"),
    "max_rate": _("首次观看最高倍速"),
    "offline_ms": _("断网可补传时长"),
    "slack_ms": _("计时宽限"),
    "daily_max_ms": _("每日最多学时"),
    "frames": _("抽查拍照张数"),
    "prompts": _("每次抽查最少动作数"),
    "min_pixels": _("照片最低像素"),
    "match_threshold": _("比对阈值"),
    "lease_ms": _("换设备继续学习的等待时间"),
    "beat_ms": _("上报间隔"),
    "settle_days": _("结班后补学天数"),
    "confirm_reference": _("登记照片与身份证件核对"),
    "appeal_days": _("申诉期限（天）"),
    "attendance_days": _("考勤登记期限"),
    "deny_days": _("学员提出异议的期限"),
    "round_ms": _("现场巡查间隔"),
    "room_code": _("现场验证码"),
    "film_handed_out": _("须播放视频"),
}

AMENDABLE: Mapping[str, Any] = {
    "title": _("培训班名称"),
    "syllabus": _("大纲名称"),
    "venue": _("面授地点"),
    "ends_on": _("结束日期"),
    "industry": _("行业"),
    "subject": _("科目"),
}
"""Fields of an open cohort that two people may put right."""


def industry(code: str) -> str:
    """An industry in words; the code of one that this release has no words for."""
    return str(INDUSTRY.get(code, code))


def amended(field: str, value: Any) -> str:
    """What a field said or is to say, in words."""
    if field == "industry":
        return industry(value) if value else str(_("开班时没有登记"))
    if field == "subject":
        return str(SUBJECT.get(value, value)) if value else str(_("不分科目"))
    return str(value or "—")


def finding(found: Objection, class_hour_ms: int) -> str:
    """A finding in one sentence or two: what is wrong, by which figures, and what to change."""
    if found.why is Ground.SHARE_NOT_LIMITED:
        return str(_SHARE_NOT_LIMITED[found.subject])
    words: dict[str, Any] = {
        name.removesuffix("_ms"): amount(figure, class_hour_ms) if name.endswith("_ms") else figure
        for name, figure in found.figures.items()
    }
    subject = _PLAN_FIELD.get(found.subject, SUBJECT.get(found.subject, found.subject))
    sentence: str = str(_FINDING[found.why]) % {**words, "subject": subject}
    return sentence


def source(ruling: Ruling | None) -> str | None:
    """The document and article a finding stands on."""
    if ruling is None:
        return None
    return f"{ruling.figure.document} {article(ruling.figure.article)}".strip()


def article(named: str) -> str:
    """An article as documents call it; a line of a table of subjects by the subject's name."""
    return str(SUBJECT.get(named, named))


def amount(ms: int, class_hour_ms: int) -> str:
    """An amount of training exactly: 19 学时, 19 学时 12 分, 5 分 30 秒."""
    hours, rest = divmod(ms, class_hour_ms)
    minutes, rest = divmod(rest, 60_000)
    units: list[tuple[int, Callable[[int], str]]] = [
        (hours, lambda n: ngettext("%(n)s 学时", "%(n)s 学时", n, n=n)),
        (minutes, lambda n: gettext("%(n)s 分", n=n)),
        (rest // 1000, lambda n: gettext("%(n)s 秒", n=n)),
    ]
    return " ".join(unit(number) for number, unit in units if number) or ngettext("%(n)s 学时", "%(n)s 学时", 0, n=0)


def place(code: str) -> str:
    """A division by its name, with the code that papers give."""
    name = name_of(code)
    return name if name == code else f"{name}（{code}）"
