"""The forms of the cohort pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange, Optional, Regexp

from xueji.enrolment.column_headings import NEEDED, Column
from xueji.enrolment.declarations import LONGEST_EARLIER, LONGEST_EMPLOYER, LONGEST_REASON, Declaration
from xueji.enrolment.fields import (
    FIRST_DAY,
    NEEDED_FIELD,
    AmountField,
    CountField,
    DayField,
    choices_of,
    text_field,
)
from xueji.enrolment.models import Cohort
from xueji.enrolment.people_table import SheetReading
from xueji.enrolment.services.cohorts import CohortPlan
from xueji.enrolment.wording import CATEGORY, COLUMN, INDUSTRY, SUBJECT, TRAINING
from xueji.identity.forms import StrictForm
from xueji.kernel import clock
from xueji.rulebook import divisions
from xueji.rulebook import rules as rulebook
from xueji.rulebook.industries import UNKNOWN
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Category, Training

Word = TypeVar("Word", bound=StrEnum)


def _hours(label: Any, **keywords: Any) -> AmountField:
    return AmountField(label, [NEEDED_FIELD], render_kw={"inputmode": "decimal"}, **keywords)


def _amount(label: Any, unit_ms: int) -> AmountField:
    return AmountField(label, [NEEDED_FIELD], unit_ms=unit_ms, render_kw={"inputmode": "decimal"})


class CohortForm(StrictForm):
    """A cohort's plan. Hours are class hours on the page and milliseconds everywhere else."""

    title = text_field(_("培训班名称"), 120)
    region = SelectField(
        _("举办地"),
        [DataRequired(_("请填写此项。")), Regexp(r"[1-9][0-9]{5}\Z", message=_("请选择一个地区。"))],
        description=_("决定适用的规定和监管部门。"),
        validate_choice=False,
    )
    category = SelectField(_("培训对象"), [NEEDED_FIELD], choices=choices_of(CATEGORY))
    industry = SelectField(
        _("行业"),
        [NEEDED_FIELD],
        choices=choices_of(INDUSTRY),
        description=_("学员所在单位的行业；是否高危行业由规定判断。"),
    )
    training = SelectField(_("培训类型"), [NEEDED_FIELD], choices=choices_of(TRAINING))
    subject = SelectField(_("科目"), choices=choices_of({"": _("不分科目"), **SUBJECT}))
    syllabus = text_field(_("大纲名称"), 120)
    venue = text_field(_("面授地点"), 200, needed=False)
    starts_on = DayField(_("开始日期"), [NEEDED_FIELD])
    ends_on = DayField(_("结束日期"), [NEEDED_FIELD], description=_("含当日。"))

    total = _hours(_("总学时"), description=_("按大纲。"))
    theory = _hours(_("理论学时"))
    practical = _hours(_("实操学时"))
    online = _hours(_("线上学时"))
    in_person = _hours(_("线下面授学时"))
    lessons = SelectMultipleField(_("线上课时"))

    checks_min_gap_ms = _amount(_("两次抽查的最短间隔（分钟）"), 60_000)
    checks_max_gap_ms = _amount(_("两次抽查的最长间隔（分钟）"), 60_000)
    answer_ms = _amount(_("抽查作答时间（秒）"), 1000)
    retries = CountField(_("抽查重试次数"), [NEEDED_FIELD, NumberRange(0, 10)])
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


class DeclarationForm(StrictForm):
    """What is declared of everybody in a list."""

    post = SelectField(
        _("岗位"),
        [NEEDED_FIELD],
        choices=choices_of(CATEGORY),
        description=_("以下各项对名单中的每个人都适用；不同的请分批导入。"),
    )
    employer = text_field(_("用人单位"), LONGEST_EMPLOYER)
    industry = SelectField(_("单位所属行业"), [NEEDED_FIELD], choices=choices_of(INDUSTRY))
    earlier = text_field(
        _("以前的培训或证书"),
        LONGEST_EARLIER,
        needed=False,
        description=_("再培训、复审、换证时填写证书编号，或上次培训的机构和日期。"),
    )
    reason = text_field(
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

    carried = HiddenField(validators=[NEEDED_FIELD])
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


class AmendmentForm(StrictForm):
    """What may be put right after the opening; each field says what stands now."""

    title = text_field(_("培训班名称"), 120)
    syllabus = text_field(_("大纲名称"), 120)
    venue = text_field(_("面授地点"), 200, needed=False)
    ends_on = DayField(_("结束日期"), [NEEDED_FIELD], description=_("含当日；只能推后。"))
    industry = SelectField(_("行业"), [NEEDED_FIELD], choices=choices_of(INDUSTRY))
    subject = SelectField(_("科目"), choices=choices_of({"": _("不分科目"), **SUBJECT}))
    reason = text_field(_("理由"), 300, description=_("例如：开班时漏选科目。另一位确认人和监管部门会看到。"))

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


def _member(kind: type[Word], value: str | None) -> Word:
    """The member of that value; the first one while nothing usable was chosen."""
    return next((member for member in kind if member == value), next(iter(kind)))
