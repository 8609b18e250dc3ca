"""The forms of cohorts and their amendments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    SelectField,
    SelectMultipleField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, NumberRange, Optional, Regexp

from xueji.cohorts.fields import FIRST_DAY, NEEDED_FIELD, AmountField, CountField, DayField, choices_of, text_field
from xueji.cohorts.models import Cohort
from xueji.cohorts.services.planning import CohortPlan
from xueji.cohorts.wording import CATEGORY, INDUSTRY, SUBJECT, TRAINING
from xueji.identity.forms import StrictForm, places
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
        """Those chosen of the lessons that were offered, in the order of the form."""
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
    found = places(chosen)
    if chosen and not divisions.is_division(chosen):
        found = {"": [SelectChoice(chosen, chosen)], **found}
    return found


def class_hour_at(region: object, starts_on: object) -> int:
    """One class hour in milliseconds where and when a training begins, today while no date is given."""
    try:
        on = starts_on if isinstance(starts_on, date) else date.fromisoformat(str(starts_on))
    except ValueError:
        on = clock.shanghai_day(clock.now())
    in_force = rulebook.load().in_force(str(region or ""), max(on, FIRST_DAY))
    return in_force.class_hour_ms


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
        """What the form shows at first: the fields as they stand."""
        names = ("title", "syllabus", "venue", "ends_on")
        known = {name: getattr(cohort, name) for name in names}
        return {**known, "industry": cohort.industry or UNKNOWN, "subject": cohort.subject or ""}

    def changes(self) -> dict[str, Any]:
        """Every field as it is to stand; the service leaves out what is the same."""
        words = {name: self[name].data or "" for name in ("title", "syllabus", "venue")}
        return {
            **words,
            "ends_on": self.ends_on.data,
            "industry": self.industry.data,
            "subject": self.subject.data or None,
        }


class ClosingForm(StrictForm):
    """Closing a cohort, at once or with a last day."""

    last_day = DayField(_("最后一天"), [Optional()])
    now = BooleanField(_("现在就结班"))


def _member(kind: type[Word], value: str | None) -> Word:
    """The member of that value; the first one while nothing usable was chosen."""
    return next((member for member in kind if member == value), next(iter(kind)))
