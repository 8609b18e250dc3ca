"""Whether a cohort may open: pure functions over frozen facts.

Every objection is a code with its figures and, where a rule of law decides, that rule; `wording` says it in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from xueji.cohorts.terms import CohortTerms
from xueji.rulebook.industries import (
    UNKNOWN,
    Risk,
    members,
    risk,
    situation,
    subject_categories,
    subject_industries,
    table_subjects,
)
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.rules import FigureOrigin as WhyRuled
from xueji.rulebook.rules import (
    InForce,
    OnlineCap,
    Ruling,
    Situation,
    all_online_forbidden,
    online_cap,
    required_hours,
)
from xueji.rulebook.vocabulary import Category, Part, Training

PER_CLASS_HOUR = "class_hour"
"""Unit of hours asked of one training; the other, per year, may be met by several."""

LONGEST_TRAINING = 1000
"""No syllabus comes near a thousand class hours; more is a slip of the pen."""


class Ground(StrEnum):
    """Why a cohort cannot open, or what should be known before it does."""

    NO_HOURS = "no_hours"
    TOO_MANY_HOURS = "too_many_hours"
    PARTS_DO_NOT_ADD_UP = "parts_do_not_add_up"
    PLACES_DO_NOT_ADD_UP = "places_do_not_add_up"
    SUBJECT_CATEGORY = "subject_category"
    SUBJECT_INDUSTRY = "subject_industry"
    SUBJECT_MISSING = "subject_missing"
    INDUSTRY_MISSING = "industry_missing"
    REVIEW_ABOLISHED = "review_abolished"
    ALL_ONLINE = "all_online"
    IN_PERSON_TOKEN = "in_person_token"
    OVER_SHARE = "over_share"
    OVER_THEORY = "over_theory"
    TOTAL_SHORT = "total_short"
    THEORY_SHORT = "theory_short"
    PRACTICAL_SHORT = "practical_short"
    PRACTICAL_ONLINE = "practical_online"
    LESSON_WITHOUT_FILM = "lesson_without_film"
    SAME_FILM = "same_film"
    LESSONS_SHORT = "lessons_short"
    LESSONS_LONG = "lessons_long"
    LESSONS_WITHOUT_HOURS = "lessons_without_hours"
    ENDS_BEFORE_START = "ends_before_start"
    ALREADY_OVER = "already_over"
    TOO_FEW_DAYS = "too_few_days"
    NO_CHANCE = "no_chance"
    TOO_FEW_PROMPTS = "too_few_prompts"
    YEARLY_HOURS_SHORT = "yearly_hours_short"
    HOURS_UNKNOWN = "hours_unknown"
    SHARE_NOT_LIMITED = "share_not_limited"
    PLAN_LAXER = "plan_laxer"
    HELD_ELSEWHERE = "held_elsewhere"
    LITTLE_CHANCE = "little_chance"
    INDUSTRY_UNKNOWN = "industry_unknown"
    SHORT_NOTICE = "short_notice"


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that stands against opening a cohort, or is worth knowing before."""

    why: Ground
    figures: Mapping[str, int] = field(default_factory=dict)
    """Amounts in milliseconds, percentages, counts, by name."""
    ruling: Ruling | None = None
    """The rule that decided, where it is one of law."""
    subject: str = ""
    """What it is about, when there are several: a lesson's title, a field of the plan."""


@dataclass(frozen=True, slots=True)
class ProposedLesson:
    """A lesson that is to be taught online."""

    title: str
    part: Part
    duration_ms: int | None
    """None while there is no film, or none that is ready."""
    film: str = ""
    """What tells films apart, the SHA-256 of the file; empty while there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(CohortTerms):
    """A cohort as its institution means to hold it."""

    plan: ProctoringPlan
    lessons: tuple[ProposedLesson, ...] = ()

    def situation(self, in_force: InForce) -> Situation:
        """What is trained; whether the industry is high-risk follows from the law."""
        return situation(in_force, self.category, self.industry, self.training, self.subject)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of a proposal. It may open when there is no refusal."""

    refusals: tuple[Objection, ...]
    notices: tuple[Objection, ...]
    cap: OnlineCap
    lessons_ms: int
    risk: Risk
    class_hour_ms: int

    @property
    def may_open(self) -> bool:
        """Whether nothing stands against it."""
        return not self.refusals


def judge(in_force: InForce, proposal: Proposal, today: date) -> Judgement:
    """Everything that stands against opening the cohort, and everything worth knowing (003 art. 7, 8).

    Not more than 40 % includes exactly 40 % (003 art. 46). Refusals come in the order of the form.
    """
    what = proposal.situation(in_force)
    cap = online_cap(in_force, what, total_ms=proposal.total_ms, theory_ms=proposal.theory_ms)
    lessons_ms = sum(lesson.duration_ms or 0 for lesson in proposal.lessons if lesson.part is Part.THEORY)
    minimum_refusals, minimum_notices = _required(in_force, proposal)
    refusals = [
        *_what(in_force, proposal),
        *_sums(in_force, proposal),
        *_online(in_force, proposal, cap),
        *minimum_refusals,
        *_lessons(in_force, proposal, lessons_ms),
        *_dates(proposal, today),
        *_chance(proposal.plan),
        *_movements(in_force, proposal),
    ]
    notices = [*minimum_notices, *_laxer(in_force, proposal), *_notice(in_force, proposal, today)]
    if proposal.industry == UNKNOWN:
        notices.append(Objection(Ground.INDUSTRY_UNKNOWN))
    if proposal.online_ms and not cap.applies:
        notices.append(Objection(Ground.SHARE_NOT_LIMITED, subject=cap.note))
    if proposal.online_ms and lessons_ms > proposal.online_ms:
        notices.append(Objection(Ground.LESSONS_LONG, {"lessons_ms": lessons_ms, "online_ms": proposal.online_ms}))
    high = risk(in_force, proposal.industry)
    return Judgement(tuple(refusals), tuple(notices), cap, lessons_ms, high, in_force.class_hour_ms)


def _what(in_force: InForce, proposal: Proposal) -> Iterable[Objection]:
    """Whether post, industry, subject and kind of training go together (003 art. 45; the region's table; order 19)."""
    if proposal.subject is not None:
        posts = subject_categories(in_force, proposal.subject)
        if posts is not None and proposal.category not in members(posts.figure):
            yield Objection(Ground.SUBJECT_CATEGORY, {}, posts, proposal.subject)
        taught_in = subject_industries(in_force, proposal.subject)
        if taught_in is not None and proposal.industry not in members(taught_in.figure):
            yield Objection(Ground.SUBJECT_INDUSTRY, {}, taught_in, proposal.subject)
    else:
        table = table_subjects(in_force, proposal.category, proposal.industry)
        if table:
            ruling = Ruling(next(iter(table.values())), WhyRuled.ONLY_ONE)
            decides = proposal.industry == UNKNOWN and proposal.category != Category.SPECIAL_OPERATOR
            yield Objection(Ground.INDUSTRY_MISSING if decides else Ground.SUBJECT_MISSING, {}, ruling)
    if proposal.training is Training.REVIEW:
        # Only special operators ever had a review, so its end is everybody's.
        operators = Situation(Category.SPECIAL_OPERATOR, True, Training.REVIEW)
        abolished = in_force.find("licence_review_abolished", operators)
        if abolished is not None and abolished.value is True:
            yield Objection(Ground.REVIEW_ABOLISHED, {}, abolished)


def _sums(in_force: InForce, proposal: Proposal) -> Iterable[Objection]:
    total, longest = proposal.total_ms, LONGEST_TRAINING * in_force.class_hour_ms
    if total <= 0:
        yield Objection(Ground.NO_HOURS)
        return
    if total > longest:
        yield Objection(Ground.TOO_MANY_HOURS, {"total_ms": total, "limit_ms": longest})
    if proposal.theory_ms + proposal.practical_ms != total:
        figures = {"theory_ms": proposal.theory_ms, "practical_ms": proposal.practical_ms, "total_ms": total}
        yield Objection(Ground.PARTS_DO_NOT_ADD_UP, figures)
    if proposal.online_ms + proposal.in_person_ms != total:
        figures = {"online_ms": proposal.online_ms, "in_person_ms": proposal.in_person_ms, "total_ms": total}
        yield Objection(Ground.PLACES_DO_NOT_ADD_UP, figures)


def _online(in_force: InForce, proposal: Proposal, cap: OnlineCap) -> Iterable[Objection]:
    online = proposal.online_ms
    if online <= 0:
        return
    all_online = all_online_forbidden(in_force, proposal.situation(in_force))
    if all_online is not None:
        share = in_force.find("in_person_share")
        if proposal.in_person_ms <= 0:
            yield Objection(Ground.ALL_ONLINE, ruling=all_online)
        elif share is not None and proposal.in_person_ms * 100 < proposal.total_ms * share.whole:
            least_ms = -(-proposal.total_ms * share.whole // 100)
            figures = {"in_person_ms": proposal.in_person_ms, "needed_ms": least_ms, "percent": share.whole}
            yield Objection(Ground.IN_PERSON_TOKEN, figures, all_online)
    if cap.applies and cap.percent is not None and online * 100 > proposal.total_ms * cap.percent:
        figures = {
            "online_ms": online,
            "limit_ms": proposal.total_ms * cap.percent // 100,
            "total_ms": proposal.total_ms,
            "percent": cap.percent,
        }
        yield Objection(Ground.OVER_SHARE, figures, cap.ruling)
    if online > proposal.theory_ms:
        figures = {"online_ms": online, "limit_ms": proposal.theory_ms}
        yield Objection(Ground.OVER_THEORY, figures, in_force.find("practical_online"))


def _required(in_force: InForce, proposal: Proposal) -> tuple[list[Objection], list[Objection]]:
    """The least hours of the law: refused when one training must have them, noted when a whole year must."""
    refusals: list[Objection] = []
    notices: list[Objection] = []
    least = required_hours(in_force, proposal.situation(in_force))
    by_key = {ruling.figure.key: ruling for ruling in least.rulings}
    for why, key, needed, planned in (
        (Ground.TOTAL_SHORT, "training_hours", least.total_ms, proposal.total_ms),
        (Ground.THEORY_SHORT, "theory_hours", least.theory_ms, proposal.theory_ms),
        (Ground.PRACTICAL_SHORT, "practical_hours", least.practical_ms, proposal.practical_ms),
    ):
        if needed is None or planned >= needed:
            continue
        ruling, figures = by_key[key], {"planned_ms": planned, "needed_ms": needed}
        if ruling.figure.unit == PER_CLASS_HOUR:
            refusals.append(Objection(why, figures, ruling))
        else:
            notices.append(Objection(Ground.YEARLY_HOURS_SHORT, figures, ruling))
    if least.total_ms is None:
        notices.append(Objection(Ground.HOURS_UNKNOWN))
    return refusals, notices


def _lessons(in_force: InForce, proposal: Proposal, lessons_ms: int) -> Iterable[Objection]:
    shown: dict[str, str] = {}
    for lesson in proposal.lessons:
        if lesson.film and lesson.film in shown:
            yield Objection(Ground.SAME_FILM, subject=f"{shown[lesson.film]} / {lesson.title}")
        shown.setdefault(lesson.film, lesson.title)
        if lesson.part is Part.PRACTICAL:
            yield Objection(Ground.PRACTICAL_ONLINE, {}, in_force.find("practical_online"), lesson.title)
        elif lesson.duration_ms is None:
            yield Objection(Ground.LESSON_WITHOUT_FILM, subject=lesson.title)
    if proposal.online_ms <= 0:
        if proposal.lessons:
            yield Objection(Ground.LESSONS_WITHOUT_HOURS, {"lessons_ms": lessons_ms})
    elif lessons_ms < proposal.online_ms:
        yield Objection(Ground.LESSONS_SHORT, {"lessons_ms": lessons_ms, "online_ms": proposal.online_ms})


def _dates(proposal: Proposal, today: date) -> Iterable[Objection]:
    if proposal.ends_on < proposal.starts_on:
        yield Objection(Ground.ENDS_BEFORE_START)
        return
    if proposal.ends_on < today:
        yield Objection(Ground.ALREADY_OVER)
        return
    # What cannot be studied in the days that are left would have to be invented.
    days = (proposal.ends_on - max(proposal.starts_on, today)).days + 1
    if proposal.online_ms > days * proposal.plan.daily_max_ms:
        figures = {"online_ms": proposal.online_ms, "days": days, "daily_max_ms": proposal.plan.daily_max_ms}
        yield Objection(Ground.TOO_FEW_DAYS, figures)


def _laxer(in_force: InForce, proposal: Proposal) -> Iterable[Objection]:
    """Where a plan watches less closely than the preset: that is custom and not law, so it is said, not refused."""
    what, plan = proposal.situation(in_force), proposal.plan
    preset = in_force.proctoring_plan(what)
    for name in plan.laxer_than(preset):
        ruling = in_force.find("plan.daily_max_class_hours" if name == "daily_max_ms" else f"plan.{name}", what)
        figures = {"chosen": getattr(plan, name), "preset": getattr(preset, name)}
        yield Objection(Ground.PLAN_LAXER, figures, ruling, name)
    spread = in_force.find("checks_spread_ms")
    if spread is not None and 0 < plan.spread_ms < spread.whole:
        figures = {"minutes": plan.spread_ms // 60_000, "needed": spread.whole // 60_000}
        yield Objection(Ground.LITTLE_CHANCE, figures, spread)


def _chance(plan: ProctoringPlan) -> Iterable[Objection]:
    """A check whose moment is known beforehand checks nobody."""
    if plan.spread_ms == 0:
        yield Objection(Ground.NO_CHANCE, {"minutes": plan.checks_max_gap_ms // 60_000})


def _movements(in_force: InForce, proposal: Proposal) -> Iterable[Objection]:
    """A check without movements is passed by a picture: nobody in a regulated post is known by one."""
    posts = in_force.find("regulated_posts")
    least = in_force.find("plan.prompts", proposal.situation(in_force))
    if proposal.online_ms <= 0 or posts is None or least is None or proposal.category not in members(posts.figure):
        return
    if proposal.plan.prompts < least.whole:
        yield Objection(Ground.TOO_FEW_PROMPTS, {"prompts": proposal.plan.prompts, "needed": least.whole}, least)


def _notice(in_force: InForce, proposal: Proposal, today: date) -> Iterable[Objection]:
    """Plans are to be filed so many days ahead (003 art. 13): remarked on, while filing itself is not built."""
    ahead = in_force.find("filing_ahead", proposal.situation(in_force))
    days = (proposal.starts_on - today).days
    if ahead is not None and days < ahead.whole:
        yield Objection(Ground.SHORT_NOTICE, {"days": max(days, 0), "needed": ahead.whole}, ahead)


def settles_on(ends_on: date, plan: ProctoringPlan) -> date:
    """The first day on which nothing about the hours can change any more."""
    return ends_on + timedelta(days=1 + plan.settle_days)
