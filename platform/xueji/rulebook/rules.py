"""The rules of training as dated figures with their source, and the functions that say which one applies.

A rulebook is one published version of all figures. It is data: a figure changes by publishing a new version, and an
enrolment keeps the version it was opened under, so that its hours can be worked out again years later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from xueji.python38 import Self, StrEnum, dataclass
from xueji.rulebook.figures import (
    Bound,
    Conditions,
    Confidence,
    Figure,
    InvalidRulebook,
    OpenQuestion,
    RulebookError,
    Situation,
    Value,
    reaches,
)
from xueji.rulebook.plan import FIELDS, InvalidPlan, ProctoringPlan
from xueji.rulebook.vocabulary import Training

__all__ = [
    "USED_BY_THE_ACCOUNT",
    "Bound",
    "CapNote",
    "Conditions",
    "Confidence",
    "Figure",
    "FigureOrigin",
    "InForce",
    "InvalidRulebook",
    "NoSuchRule",
    "NoSuchRulebook",
    "OnlineCap",
    "OpenQuestion",
    "RequiredHours",
    "Rulebook",
    "RulebookError",
    "Ruling",
    "Situation",
    "Value",
    "all_online_forbidden",
    "load",
    "online_cap",
    "published",
    "required_hours",
]

DATA = Path(__file__).parent / "data"
MOST_KEPT_IN_FORCE = 4_000
"""Pairs of a region and a day whose figures a rulebook remembers."""
MOST_KEPT_RULINGS = 100
"""Answers that the figures of one region and day remember."""


class NoSuchRulebook(RulebookError):
    """No published rulebook has this reference."""


class NoSuchRule(RulebookError):
    """No figure of this key applies in the jurisdiction, on the day, to the situation."""


class FigureOrigin(StrEnum):
    """Why this figure and not another one."""

    ONLY_ONE = "only_one"
    STRICTEST = "strictest"
    MOST_SPECIFIC = "most_specific"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The figure that wins, why, and the ones it was preferred to."""

    figure: Figure
    why: FigureOrigin
    set_aside: tuple[Figure, ...] = ()

    @property
    def value(self) -> Value:
        return self.figure.value

    @property
    def whole(self) -> int:
        """The value as a whole number; RulebookError when it is none."""
        if type(self.figure.value) is not int:
            raise RulebookError(f"{self.figure.id} is not a whole number")
        return self.figure.value

    def to_dict(self) -> dict[str, Any]:
        return {
            "figure": self.figure.to_dict(),
            "why": self.why.value,
            "set_aside": [figure.id for figure in self.set_aside],
        }


@dataclass(frozen=True, slots=True)
class InForce:
    """The figures of one rulebook that apply in one region on one day."""

    rulebook: Rulebook
    jurisdiction: str
    figures: tuple[Figure, ...]
    _found: dict[tuple[str, Situation | None], Ruling | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What was asked for before: the figures never change, and a class asks for the same."""

    def ruling(self, key: str, situation: Situation | None = None) -> Ruling:
        """The strictest figure of this key; among equals, or where none is stricter, the most specific region's.

        Raises NoSuchRule when none applies.
        """
        ruling = self.find(key, situation)
        if ruling is None:
            raise NoSuchRule(key)
        return ruling

    def find(self, key: str, situation: Situation | None = None) -> Ruling | None:
        """`ruling`, or None when nothing applies."""
        asked = key, situation
        found = self._found.get(asked)
        if found is None and asked not in self._found:
            if len(self._found) >= MOST_KEPT_RULINGS:
                self._found.clear()
            found = self._found[asked] = self._look_up(key, situation)
        return found

    def _look_up(self, key: str, situation: Situation | None) -> Ruling | None:
        found = [figure for figure in self.figures if figure.key == key and figure.conditions.hold(situation)]
        if not found:
            return None
        winner = min(found, key=_preference)
        others = tuple(figure for figure in found if figure is not winner)
        if not others:
            why = FigureOrigin.ONLY_ONE
        elif winner.bound is not Bound.EXACTLY and any(other.value != winner.value for other in others):
            why = FigureOrigin.STRICTEST
        else:
            why = FigureOrigin.MOST_SPECIFIC
        return Ruling(winner, why, others)

    @property
    def class_hour_ms(self) -> int:
        """One class hour 学时 in milliseconds."""
        return self.ruling("class_hour").whole * 60_000

    def proctoring_plan(self, situation: Situation | None = None, /, **chosen: int) -> ProctoringPlan:
        """The preset plan for a situation, with the chosen fields instead of the preset ones. Raises InvalidPlan."""
        preset: dict[str, Any] = {}
        for key in {figure.key for figure in self.figures if figure.key.startswith("plan.")}:
            preset[key[len("plan.") :]] = self.ruling(key, situation).whole
        preset["daily_max_ms"] = preset.pop("daily_max_class_hours") * self.class_hour_ms
        for name in chosen.keys() - FIELDS:
            raise InvalidPlan(name, "unknown")
        return ProctoringPlan.from_dict({**preset, **chosen})


def _preference(figure: Figure) -> tuple[int, int, int, str]:
    """The lesser comes first: strict before lenient, specific before general, well known before guessed."""
    value = figure.value if type(figure.value) is int else 0
    strictness = {Bound.AT_LEAST: -value, Bound.AT_MOST: value, Bound.EXACTLY: 0}[figure.bound]
    return strictness, -len(figure.jurisdiction), tuple(Confidence).index(figure.confidence), figure.id


@dataclass(frozen=True)
class Rulebook:
    """One published version of all figures, known by `id@version`."""

    id: str
    version: str
    figures: tuple[Figure, ...]
    open_questions: tuple[OpenQuestion, ...]

    @property
    def reference(self) -> str:
        """How leaves, sittings and statements name the rulebook."""
        return f"{self.id}@{self.version}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `to_json`, in hex: equal digests, equal rules."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def in_force(self, jurisdiction: str, on: date) -> InForce:
        """The figures that apply in the region (code, e.g. "620102", or two as "620102+220104") on the day."""
        found = self._in_force.get((jurisdiction, on))
        if found is None:
            if len(self._in_force) >= MOST_KEPT_IN_FORCE:
                self._in_force.clear()
            figures = tuple(each for each in self.figures if each.applies(jurisdiction, on))
            found = self._in_force[jurisdiction, on] = InForce(self, jurisdiction, figures)
        return found

    @cached_property
    def _in_force(self) -> dict[tuple[str, date], InForce]:
        """What was asked for before: every account asks, and a class asks for the same."""
        return {}

    def proctoring_plan(self, jurisdiction: str, on: date, **chosen: int) -> ProctoringPlan:
        """The preset plan in force, with the chosen fields instead of the preset ones. Raises InvalidPlan."""
        return self.in_force(jurisdiction, on).proctoring_plan(**chosen)

    def open_about(self, keys: frozenset[str], situation: Situation, jurisdiction: str) -> tuple[OpenQuestion, ...]:
        """The open questions that touch any of the keys in a situation, in a region."""
        return tuple(
            question
            for question in self.open_questions
            if question.about in keys
            and reaches(question.jurisdiction, jurisdiction)
            and question.conditions.hold(situation)
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "figures": [figure.to_dict() for figure in self.figures],
            "open_questions": [question.to_dict() for question in self.open_questions],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        try:
            book = cls(
                id=values["id"],
                version=values["version"],
                figures=tuple(Figure.from_dict(figure) for figure in values["figures"]),
                open_questions=tuple(OpenQuestion.from_dict(question) for question in values["open_questions"]),
            )
        except (KeyError, TypeError) as error:
            raise InvalidRulebook(f"rulebook: {error}") from error
        if len({figure.id for figure in book.figures}) != len(book.figures):
            raise InvalidRulebook("rulebook: two figures share an id")
        return book

    def to_json(self) -> str:
        """The whole rulebook as one JSON object, always the same text for the same rules."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The rulebook that `to_json` wrote. Raises InvalidRulebook."""
        try:
            values = json.loads(text)
        except ValueError as error:
            raise InvalidRulebook(f"rulebook: {error}") from error
        if not isinstance(values, dict):
            raise InvalidRulebook("rulebook: not an object")
        return cls.from_dict(values)


def published() -> tuple[str, ...]:
    """The references of all rulebooks that come with the program, oldest first."""
    return tuple(_read(folder).reference for folder in sorted(DATA.iterdir()) if folder.is_dir())


@lru_cache(maxsize=16)
def load(reference: str | None = None) -> Rulebook:
    """The rulebook with this `id@version`, or the newest one. Raises NoSuchRulebook."""
    folders = sorted(folder for folder in DATA.iterdir() if folder.is_dir())
    if reference is None:
        return _read(folders[-1])
    for folder in folders:
        book = _read(folder)
        if book.reference == reference:
            return book
    raise NoSuchRulebook(reference)


@lru_cache(maxsize=16)
def _read(folder: Path) -> Rulebook:
    """A version's folder as one rulebook: rulebook.json names it, every other file holds one jurisdiction's figures."""
    head = json.loads((folder / "rulebook.json").read_text(encoding="utf-8"))
    figures: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.json")):
        if path.name != "rulebook.json":
            sheet = json.loads(path.read_text(encoding="utf-8"))
            figures += [{**figure, "jurisdiction": sheet["jurisdiction"]} for figure in sheet["figures"]]
    return Rulebook.from_dict({**head, "figures": figures})


USED_BY_THE_ACCOUNT = (
    "class_hour",
    "training_hours",
    "theory_hours",
    "practical_hours",
    "online_share",
    "share_denominator",
    "practical_online",
    "all_online_cohort",
    "regulated_posts",
)
"""Keys of the figures that an account rests on: what is open about any of them is told with it."""


class CapNote(StrEnum):
    """Why the cap on online hours applies or does not."""

    APPLIES = "applies"
    NOT_REGULATED_POST = "not_regulated_post"
    NOT_HIGH_RISK = "not_high_risk"
    NOT_INITIAL = "not_initial"
    NO_RULE = "no_rule"


@dataclass(frozen=True, slots=True)
class OnlineCap:
    """How much online theory may count."""

    applies: bool
    limit_ms: int
    percent: int | None
    ruling: Ruling | None
    note: CapNote


def online_cap(
    in_force: InForce, situation: Situation, *, total_ms: int, theory_ms: int, filed_ms: int | None = None
) -> OnlineCap:
    """The most online time that counts (003 art. 8): theory only, and of the total no more than the share allows.

    `total_ms` is the syllabus total frozen at filing, `filed_ms` the online hours filed with it: more than was filed
    is in no plan that an authority has seen. Without it only the law limits, as before there is a filing. "Not more
    than" includes the number: exactly the share counts. Where the share is not limited (refresher training, other
    industries, other posts) theory itself is the limit, and the note says why.
    """
    filed = theory_ms if filed_ms is None else filed_ms
    ruling = in_force.find("online_share", situation)
    if ruling is None:
        return OnlineCap(False, min(theory_ms, filed), None, None, _why_no_cap(in_force, situation))
    percent = ruling.whole
    return OnlineCap(True, min(total_ms * percent // 100, theory_ms, filed), percent, ruling, CapNote.APPLIES)


def all_online_forbidden(in_force: InForce, situation: Situation) -> Ruling | None:
    """The rule that no training may be wholly online (003 art. 8), or None where it may be."""
    ruling = in_force.find("all_online_cohort", situation)
    return ruling if ruling is not None and ruling.value is False else None


def _why_no_cap(in_force: InForce, situation: Situation) -> CapNote:
    posts = in_force.ruling("regulated_posts").value
    assert isinstance(posts, tuple)
    if situation.category not in posts:
        return CapNote.NOT_REGULATED_POST
    if not situation.high_risk:
        return CapNote.NOT_HIGH_RISK
    if situation.training != Training.INITIAL:
        return CapNote.NOT_INITIAL
    return CapNote.NO_RULE


@dataclass(frozen=True, slots=True)
class RequiredHours:
    """The least hours the law asks for; None where no figure is known. `questions` are keys of what is open."""

    total_ms: int | None
    theory_ms: int | None
    practical_ms: int | None
    rulings: tuple[Ruling, ...]
    questions: tuple[str, ...]


def required_hours(
    in_force: InForce, situation: Situation, *, about: Iterable[str] = ("training_hours",)
) -> RequiredHours:
    """The least total, theory and practical hours for the situation (national order 3; local tables).

    The questions are those that are open about any key of `about`, in the order of the rulebook.
    """
    found = {key: in_force.find(key, situation) for key in ("training_hours", "theory_hours", "practical_hours")}
    class_hour_ms = in_force.class_hour_ms
    open_questions = in_force.rulebook.open_about(frozenset(about), situation, in_force.jurisdiction)

    def ms(key: str) -> int | None:
        ruling = found[key]
        return None if ruling is None else ruling.whole * class_hour_ms

    return RequiredHours(
        total_ms=ms("training_hours"),
        theory_ms=ms("theory_hours"),
        practical_ms=ms("practical_hours"),
        rulings=tuple(ruling for ruling in found.values() if ruling is not None),
        questions=tuple(question.key for question in open_questions),
    )
