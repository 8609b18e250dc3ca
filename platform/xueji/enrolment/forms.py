"""The forms of the cohort pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp

from xueji.enrolment.column_headings import NEEDED, Column
from xueji.enrolment.declarations import LONGEST_EARLIER, LONGEST_EMPLOYER, LONGEST_REASON, Declaration
from xueji.enrolment.fields import FIRST_DAY, AmountField, CountField, DayField
from xueji.enrolment.models import Cohort
from xueji.enrolment.people_table import SheetReading
from xueji.enrolment.services.cohorts import CohortPlan
from xueji.enrolment.services.sessions import SessionPlan
from xueji.enrolment.wording import CATEGORY, COLUMN, INDUSTRY, PART, SUBJECT, TRAINING
from xueji.identity.forms import StrictForm
from xueji.kernel import clock
from xueji.rulebook import divisions
from xueji.rulebook import rules as rulebook
from xueji.rulebook.industries import UNKNOWN
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Category, Part, Training

Word = TypeVar("Word", bound=StrEnum)

_NEEDED = InputRequired(_("请填写此项。"))


def _text(label: Any, most: int, *more: Any, needed: bool = True, **keywords: Any) -> StringField:
    checks = [
        DataRequired(_("请填写此项。")) if needed else Optional(),
        Length(max=most, message=_("内容过长。")),
        *more,
    ]
    return StringField(label, checks, filters=[lambda value: value.strip() if value else value], **keywords)


def _hours(label: Any, **keywords: Any) -> AmountField:
    return AmountField(label, [_NEEDED], render_kw={"inputmode": "decimal"}, **keywords)


def _amount(label: Any, unit_ms: int) -> AmountField:
    return AmountField(label, [_NEEDED], unit_ms=unit_ms, render_kw={"inputmode": "decimal"})


def _choices(words: Mapping[Any, Any]) -> list[SelectChoice]:
    return [SelectChoice(str(value), word) for value, word in words.items()]


class CohortForm(StrictForm):
    """A cohort's plan. Hours are class hours on the page and milliseconds everywhere else."""

    title = _text(_("培训班名称"), 120)
    region = SelectField(
        _("举办地"),
        [DataRequired(_("请填写此项。")), Regexp(r"[1-9][0-9]{5}\Z", message=_("请选择一个地区。"))],
        description=_("决定适用的规定和监管部门。"),
        validate_choice=False,
    )
    category = SelectField(_("培训对象"), [_NEEDED], choices=_choices(CATEGORY))
    industry = SelectField(
        _("行业"), [_NEEDED], choices=_choices(INDUSTRY), description=_("学员所在单位的行业；是否高危行业由规定判断。")
    )
    training = SelectField(_("培训类型"), [_NEEDED], choices=_choices(TRAINING))
    subject = SelectField(_("科目"), choices=_choices({"": _("不分科目"), **SUBJECT}))
    syllabus = _text(_("大纲名称"), 120)
    venue = _text(_("面授地点"), 200, needed=False)
    starts_on = DayField(_("开始日期"), [_NEEDED])
    ends_on = DayField(_("结束日期"), [_NEEDED], description=_("含当日。"))

    total = _hours(_("总学时"), description=_("按大纲。"))
    theory = _hours(_("理论学时"))
    practical = _hours(_("实操学时"))
    online = _hours(_("线上学时"))
    in_person = _hours(_("线下面授学时"))
    lessons = SelectMultipleField(_("线上课时"))

    checks_min_gap_ms = _amount(_("两次抽查的最短间隔（分钟）"), 60_000)
    checks_max_gap_ms = _amount(_("两次抽查的最长间隔（分钟）"), 60_000)
    answer_ms = _amount(_("抽查作答时间（秒）"), 1000)
    retries = CountField(_("抽查重试次数"), [_NEEDED, NumberRange(0, 10)])
    idle_ms = _amount(_("无操作多久提问（秒）"), 1000)
    daily_max_ms = _hours(_("每日最多计入（学时）"))

    def process(self, formdata: Any = None, obj: Any = None, data: Any = None, **keywords: Any) -> None:
        """Class hours are those of the rulebook, where and when the training begins."""
        formdata = self.meta.wrap_formdata(self, formdata)
        chosen = {name: (formdata or {}).get(name) or (data or {}).get(name) for name in ("region", "starts_on")}
        class_hour_ms = class_hour_at(chosen["region"], chosen["starts_on"])
        for name in CLASS_HOURS:
            self[name].unit_ms = class_hour_ms
        self.region.choices = _places(str(chosen["region"] or ""))
        super().process(formdata, obj, data, **keywords)

    def offer(self, lesson_ids: Iterable[UUID]) -> CohortForm:
        """The lessons there are to choose from."""
        self.lessons.choices = [SelectChoice(str(lesson_id)) for lesson_id in lesson_ids]
        return self

    @staticmethod
    def filled(cohort: Cohort, lesson_ids: Iterable[UUID]) -> dict[str, Any]:
        """What the form shows of a draft."""
        names = ("title", "region", "syllabus", "venue", "starts_on", "ends_on")
        return {
            **{name: getattr(cohort, name) for name in names},
            **{name: cohort.plan[name] for name in PROCTORING},
            "category": cohort.category.value,
            "training": cohort.training.value,
            "industry": cohort.industry or UNKNOWN,
            "subject": cohort.subject or "",
            "total": cohort.total_ms,
            "theory": cohort.theory_ms,
            "practical": cohort.practical_ms,
            "online": cohort.online_ms,
            "in_person": cohort.in_person_ms,
            "lessons": [str(lesson_id) for lesson_id in lesson_ids],
        }

    @staticmethod
    def preset(region: str, plan: ProctoringPlan) -> dict[str, Any]:
        """What the form of a new cohort shows."""
        return {"region": region, **{name: plan.to_dict()[name] for name in PROCTORING}}

    def chosen_lessons(self) -> list[UUID]:
        offered = {choice.value for choice in self.lessons.choices}
        return [UUID(lesson_id) for lesson_id in self.lessons.data or () if lesson_id in offered]

    def plan(self) -> CohortPlan:
        """Of a form that is valid, or is still being filled in: what is missing counts as nothing or as today."""
        today = clock.shanghai_day(clock.now())
        starts_on: date = self.starts_on.data or today
        proctoring: Mapping[str, int] = {
            name: self[name].data for name in PROCTORING if self[name].data is not None and not self[name].errors
        }
        return CohortPlan(
            title=self.title.data or "",
            region=self.region.data or "",
            category=_member(Category, self.category.data),
            industry=self.industry.data if self.industry.data in INDUSTRY else UNKNOWN,
            training=_member(Training, self.training.data),
            subject=self.subject.data or None,
            syllabus=self.syllabus.data or "",
            venue=self.venue.data or "",
            total_ms=self.total.data or 0,
            theory_ms=self.theory.data or 0,
            practical_ms=self.practical.data or 0,
            online_ms=self.online.data or 0,
            in_person_ms=self.in_person.data or 0,
            starts_on=starts_on,
            ends_on=self.ends_on.data or max(starts_on, today) + timedelta(days=365),
            proctoring=proctoring,
        )


PROCTORING = ("checks_min_gap_ms", "checks_max_gap_ms", "answer_ms", "retries", "idle_ms", "daily_max_ms")
"""The fields of a proctoring plan that an institution may choose; the others are the rulebook's."""
CLASS_HOURS = ("total", "theory", "practical", "online", "in_person", "daily_max_ms")
"""The fields that are written in class hours."""


def _places(chosen: str) -> dict[str, list[SelectChoice]]:
    """Where a cohort may be held: the chosen one's province first, and what was chosen even if no list knows it."""
    places = {
        province: [SelectChoice(code, f"{name} {code}") for code, name in found]
        for province, found in divisions.choices(chosen).items()
    }
    if chosen and not divisions.is_division(chosen):
        places = {"": [SelectChoice(chosen, chosen)], **places}
    return places


def class_hour_at(region: object, starts_on: object) -> int:
    """One class hour in milliseconds where and when a training begins, today while no date is given."""
    try:
        on = starts_on if isinstance(starts_on, date) else date.fromisoformat(str(starts_on))
    except ValueError:
        on = clock.shanghai_day(clock.now())
    in_force = rulebook.load().in_force(str(region or ""), max(on, FIRST_DAY))
    return in_force.class_hour_ms


class SessionForm(StrictForm):
    """A session in person. Times are those of Asia/Shanghai."""

    title = _text(_("内容"), 120)
    part = SelectField(_("类别"), [_NEEDED], choices=_choices(PART))
    place = _text(_("地点"), 200)
    teacher = _text(_("教师"), 64)
    began_at = DateTimeLocalField(_("开始时间"), [_NEEDED], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    ended_at = DateTimeLocalField(_("结束时间"), [_NEEDED], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

    def plan(self) -> SessionPlan:
        return SessionPlan(
            title=self.title.data,
            part=Part(self.part.data),
            place=self.place.data,
            teacher=self.teacher.data,
            began_at=_in_shanghai(self.began_at.data),
            ended_at=_in_shanghai(self.ended_at.data),
        )


class DeclarationForm(StrictForm):
    """What is declared of everybody in a list."""

    post = SelectField(
        _("岗位"),
        [_NEEDED],
        choices=_choices(CATEGORY),
        description=_("以下各项对名单中的每个人都适用；不同的请分批导入。"),
    )
    employer = _text(_("用人单位"), LONGEST_EMPLOYER)
    industry = SelectField(_("单位所属行业"), [_NEEDED], choices=_choices(INDUSTRY))
    earlier = _text(
        _("以前的培训或证书"),
        LONGEST_EARLIER,
        needed=False,
        description=_("再培训、复审、换证时填写证书编号，或上次培训的机构和日期。"),
    )
    reason = _text(
        _("不符时的理由"),
        LONGEST_REASON,
        needed=False,
        description=_("岗位、行业与本班不符，或没有以前的培训时须写明；监管部门可以看到。"),
    )

    @staticmethod
    def preset(cohort: Cohort) -> dict[str, Any]:
        """What the form shows at first: somebody whom the cohort is for."""
        return {"post": cohort.category.value, "industry": cohort.industry or UNKNOWN}

    def declared(self) -> Declaration:
        return Declaration(
            post=Category(self.post.data),
            employer=self.employer.data,
            industry=self.industry.data,
            earlier=self.earlier.data or "",
            reason=self.reason.data or "",
        )


class ImportForm(DeclarationForm):
    """A list of people, as a file or pasted."""

    file = FileField(
        _("名单文件"),
        description=_("Excel 或 WPS 工作簿（.xlsx、.xls），或文本表格（.csv、.txt）；最大8 MB，最多1万人。"),
        render_kw={"accept": ".xlsx,.xls,.xlsb,.ods,.csv,.tsv,.txt"},
    )
    people = TextAreaField(
        _("或者直接粘贴"),
        [Length(max=1_000_000, message=_("内容过长。"))],
        description=_("每人一行：姓名、证件号码，可加手机号（作为新学员的登录账号）。有表头的以表头为准，其他列不读。"),
        render_kw={"rows": 6, "spellcheck": "false", "autocomplete": "off"},
    )


class CarriedForm(DeclarationForm):
    """A list that was looked at, on its way to be taken or looked at again."""

    carried = HiddenField(validators=[_NEEDED])
    act = StringField()

    @classmethod
    def for_sheets(cls, sheets: Sequence[SheetReading]) -> CarriedForm:
        """With a choice of columns for each sheet that has no headings."""
        fields = {
            column_field(number, column): SelectField(
                COLUMN[column],
                choices=_column_choices(reading),
                default=str(reading.columns.get(column, "")),
            )
            for number, reading in enumerate(sheets)
            if not reading.headings
            for column in Column
        }
        made: CarriedForm = type(cls.__name__, (cls,), fields)()
        for field in made:
            if field.name.startswith("column_") and field.name.endswith(tuple(NEEDED)):
                field.flags.required = True
        return made

    def columns(self, number: int) -> dict[Column, int]:
        """Which column of a sheet says what, as it was chosen."""
        chosen = {column: self[column_field(number, column)].data for column in Column}
        return {column: int(place) for column, place in chosen.items() if place}


def column_field(number: int, column: Column) -> str:
    return f"column_{number}_{column.value}"


def _column_choices(reading: SheetReading) -> list[SelectChoice]:
    """Each column by its place and the first thing that stands in it."""
    rows = reading.sheet.rows[reading.first : reading.first + 20]
    choices = [SelectChoice("", gettext("没有"))]
    for place in range(max((len(row.cells) for row in rows), default=0)):
        shown = next((row.cells[place] for row in rows if place < len(row.cells) and row.cells[place]), "")
        choices.append(SelectChoice(str(place), gettext("第%(n)s列：%(shown)s", n=place + 1, shown=shown[:30])))
    return choices


class ReasonForm(StrictForm):
    reason = _text(_("原因"), 300)


class AmendmentForm(StrictForm):
    """What may be put right after the opening; each field says what stands now."""

    title = _text(_("培训班名称"), 120)
    syllabus = _text(_("大纲名称"), 120)
    venue = _text(_("面授地点"), 200, needed=False)
    ends_on = DayField(_("结束日期"), [_NEEDED], description=_("含当日；只能推后。"))
    industry = SelectField(_("行业"), [_NEEDED], choices=_choices(INDUSTRY))
    subject = SelectField(_("科目"), choices=_choices({"": _("不分科目"), **SUBJECT}))
    reason = _text(_("理由"), 300, description=_("例如：开班时漏选科目。另一位确认人和监管部门会看到。"))

    @staticmethod
    def filled(cohort: Cohort) -> dict[str, Any]:
        names = ("title", "syllabus", "venue", "ends_on")
        known = {name: getattr(cohort, name) for name in names}
        return {**known, "industry": cohort.industry or UNKNOWN, "subject": cohort.subject or ""}

    def changes(self) -> dict[str, Any]:
        words = {name: self[name].data or "" for name in ("title", "syllabus", "venue")}
        return {
            **words,
            "ends_on": self.ends_on.data,
            "industry": self.industry.data,
            "subject": self.subject.data or None,
        }


class ClosingForm(StrictForm):
    last_day = DayField(_("最后一天"), [Optional()])
    now = BooleanField(_("现在就结班"))


class SettleForm(ReasonForm):
    outcome = StringField()
    next = StringField()


HERE, ABSENT = "here", "absent"


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster as sent; whoever was left open stands in none of these."""

    attended: dict[UUID, tuple[datetime, datetime]]
    absent: list[UUID]
    unreadable: dict[UUID, str]


def roster_sent(sent: Mapping[str, str], enrolment_ids: Iterable[UUID], began: datetime, ended: datetime) -> Roster:
    """For each enrolment whether she was there, and from when to when, by the clock on the wall."""
    roster = Roster({}, [], {})
    for enrolment_id in enrolment_ids:
        state = sent.get(f"state-{enrolment_id}", "")
        if state == ABSENT:
            roster.absent.append(enrolment_id)
        elif state == HERE:
            first = _on_the_wall(sent.get(f"from-{enrolment_id}", ""), began, began, ended)
            last = _on_the_wall(sent.get(f"to-{enrolment_id}", ""), ended, began, ended)
            if first is None or last is None:
                roster.unreadable[enrolment_id] = gettext("请填写时间，例如 14:05。")
            else:
                roster.attended[enrolment_id] = (first, last)
    return roster


def wall_clock(moment: datetime) -> str:
    """As the roster shows it: 14:05, Asia/Shanghai."""
    return moment.astimezone(clock.SHANGHAI).strftime("%H:%M")


def _on_the_wall(text: str, limit: datetime, began: datetime, ended: datetime) -> datetime | None:
    """The instant meant by an hour and a minute in a session of at most a day; None for what is no time.

    The minute of the ``limit``, its beginning or its end, means that very instant.
    """
    if text.strip() == wall_clock(limit):
        return limit
    try:
        at = time.fromisoformat(text.strip())
    except ValueError:
        return None
    first = datetime.combine(began.astimezone(clock.SHANGHAI), at.replace(tzinfo=None), clock.SHANGHAI)
    next_day = first + timedelta(days=1)
    return next_day if began <= next_day <= ended else first


def _member(kind: type[Word], value: str | None) -> Word:
    """The member of that value; the first one while nothing usable was chosen."""
    return next((member for member in kind if member == value), next(iter(kind)))


def _in_shanghai(local: datetime) -> datetime:
    return local.replace(tzinfo=clock.SHANGHAI)
