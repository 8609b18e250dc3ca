"""The rules of training as dated figures with their source, and the functions that say which one applies.

A rulebook is one published version of all figures. It is data: a figure changes by publishing a new version, and an
enrolment keeps the version it was opened under, so that its hours can be worked out again years later.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Category, Training

DATA = Path(__file__).parent / "data"

Value = int | bool | str | None | tuple[int | str, ...]


class RulebookError(Exception):
    """Something about a rulebook that cannot be answered."""


class NoSuchRulebook(RulebookError):
    """No published rulebook has this reference."""


class NoSuchRule(RulebookError):
    """No figure of this key applies in the jurisdiction, on the day, to the situation."""


class InvalidRulebook(RulebookError):
    """Rulebook data that cannot be read; the message names the figure and its field."""


class Bound(StrEnum):
    """How a figure binds, and with it which of two figures is the stricter."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"


class Confidence(StrEnum):
    """How well the figure is known: official text, one decent secondary source, or a neighbouring field."""

    HIGH = "H"
    MEDIUM = "M"
    LOW = "L"


class Why(StrEnum):
    """Why this figure and not another one."""

    ONLY_ONE = "only_one"
    STRICTEST = "strictest"
    MOST_SPECIFIC = "most_specific"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is being trained: the facts that decide which figures apply."""

    category: str
    high_risk: bool
    training: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """The situations a figure is for; an empty condition holds for all."""

    category: tuple[str, ...] = ()
    high_risk: bool | None = None
    training: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()

    def hold(self, situation: Situation | None) -> bool:
        """Whether the figure is for the situation; without one, only a figure for all situations is."""
        if situation is None:
            return not (self.category or self.training or self.subject) and self.high_risk is None
        return (
            (not self.category or situation.category in self.category)
            and (self.high_risk is None or situation.high_risk == self.high_risk)
            and (not self.training or situation.training in self.training)
            and (not self.subject or situation.subject in self.subject)
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        unknown = set(values) - {"category", "high_risk", "training", "subject"}
        if unknown:
            raise ValueError(f"unknown conditions {sorted(unknown)}")
        for name in values.get("category", ()):
            Category(name)
        for name in values.get("training", ()):
            Training(name)
        return cls(
            category=tuple(values.get("category", ())),
            high_risk=values.get("high_risk"),
            training=tuple(values.get("training", ())),
            subject=tuple(values.get("subject", ())),
        )

    def to_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        if self.category:
            shown["category"] = list(self.category)
        if self.high_risk is not None:
            shown["high_risk"] = self.high_risk
        if self.training:
            shown["training"] = list(self.training)
        if self.subject:
            shown["subject"] = list(self.subject)
        return shown


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of law or custom: what it says, for whom, where, from when to when, and who says so."""

    id: str
    key: str
    bound: Bound
    value: Value
    unit: str
    conditions: Conditions
    jurisdiction: str
    """region code prefix (GB/T 2260); empty for the whole country"""
    valid_from: date
    valid_to: date | None
    """last day in force"""
    document: str
    article: str
    """empty where the copy at hand does not show it"""
    confidence: Confidence
    note: str = ""

    def applies(self, jurisdiction: str, on: date) -> bool:
        """Whether the figure is in force in the region on the day."""
        return (
            jurisdiction.startswith(self.jurisdiction)
            and self.valid_from <= on
            and (self.valid_to is None or on <= self.valid_to)
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        try:
            value = values["value"]
            return cls(
                id=values["id"],
                key=values["key"],
                bound=Bound(values["bound"]),
                value=tuple(value) if isinstance(value, list) else value,
                unit=values["unit"],
                conditions=Conditions.from_dict(values.get("when", {})),
                jurisdiction=values["jurisdiction"],
                valid_from=date.fromisoformat(values["valid_from"]),
                valid_to=None if values["valid_to"] is None else date.fromisoformat(values["valid_to"]),
                document=values["source"]["document"],
                article=values["source"]["article"],
                confidence=Confidence(values["confidence"]),
                note=values.get("note", ""),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidRulebook(f"figure {values.get('id', '?')}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "key": self.key,
            "bound": self.bound.value,
            "value": list(self.value) if isinstance(self.value, tuple) else self.value,
            "unit": self.unit,
            "when": self.conditions.to_dict(),
            "jurisdiction": self.jurisdiction,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": None if self.valid_to is None else self.valid_to.isoformat(),
            "source": {"document": self.document, "article": self.article},
            "confidence": self.confidence.value,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Something the law at hand does not answer: a setting, printed in the archive as open."""

    key: str
    about: str
    """key of the figures it touches"""
    conditions: Conditions
    default: Value
    """what is done until it is answered; None: nothing is assumed"""
    unit: str

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        try:
            return cls(
                key=values["key"],
                about=values["about"],
                conditions=Conditions.from_dict(values["when"]),
                default=values["default"],
                unit=values["unit"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidRulebook(f"open question {values.get('key', '?')}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "about": self.about,
            "when": self.conditions.to_dict(),
            "default": self.default,
            "unit": self.unit,
        }


@dataclass(frozen=True, slots=True)
class Ruling:
    """The figure that wins, why, and the ones it was preferred to."""

    figure: Figure
    why: Why
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

    rulebook: "Rulebook"
    jurisdiction: str
    on: date
    figures: tuple[Figure, ...]

    def ruling(self, key: str, situation: Situation | None = None) -> Ruling:
        """The strictest figure of this key; among equals, or where none is stricter, the most specific region's.

        Raises NoSuchRule when none applies.
        """
        found = [figure for figure in self.figures if figure.key == key and figure.conditions.hold(situation)]
        if not found:
            raise NoSuchRule(key)
        winner = min(found, key=_preference)
        others = tuple(figure for figure in found if figure is not winner)
        if not others:
            why = Why.ONLY_ONE
        elif winner.bound is not Bound.EXACTLY and any(other.value != winner.value for other in others):
            why = Why.STRICTEST
        else:
            why = Why.MOST_SPECIFIC
        return Ruling(winner, why, others)

    def find(self, key: str, situation: Situation | None = None) -> Ruling | None:
        """`ruling`, or None when nothing applies."""
        try:
            return self.ruling(key, situation)
        except NoSuchRule:
            return None

    @property
    def class_hour_ms(self) -> int:
        """One class hour 学时 in milliseconds."""
        return self.ruling("class_hour").whole * 60_000

    def proctoring_plan(self, **chosen: int) -> ProctoringPlan:
        """The preset plan, with the chosen fields instead of the preset ones. Raises InvalidPlan."""
        preset: dict[str, Any] = {}
        for key in {figure.key for figure in self.figures if figure.key.startswith("plan.")}:
            preset[key.removeprefix("plan.")] = self.ruling(key).whole
        preset["daily_max_ms"] = preset.pop("daily_max_class_hours") * self.class_hour_ms
        return ProctoringPlan.from_dict({**preset, **chosen})


def _preference(figure: Figure) -> tuple[int, int, int, str]:
    """The lesser comes first: strict before lenient, specific before general, well known before guessed."""
    value = figure.value if type(figure.value) is int else 0
    strictness = {Bound.AT_LEAST: -value, Bound.AT_MOST: value, Bound.EXACTLY: 0}[figure.bound]
    return strictness, -len(figure.jurisdiction), "HML".index(figure.confidence), figure.id


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
        """The figures that apply in the region (code, e.g. "620102") on the day."""
        return InForce(
            self, jurisdiction, on, tuple(figure for figure in self.figures if figure.applies(jurisdiction, on))
        )

    def proctoring_plan(self, jurisdiction: str, on: date, **chosen: int) -> ProctoringPlan:
        """The preset plan in force, with the chosen fields instead of the preset ones. Raises InvalidPlan."""
        return self.in_force(jurisdiction, on).proctoring_plan(**chosen)

    def questions_about(self, key: str, situation: Situation) -> tuple[OpenQuestion, ...]:
        """The open questions that touch a key in a situation."""
        return tuple(
            question
            for question in self.open_questions
            if question.about == key and question.conditions.hold(situation)
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


def online_cap(in_force: InForce, situation: Situation, *, total_ms: int, theory_ms: int) -> OnlineCap:
    """The most online time that counts (003 art. 8): theory only, and of the total no more than the share allows.

    `total_ms` is the syllabus total frozen at filing. "Not more than" includes the number: exactly the share counts.
    Where the share is not limited (refresher training, other industries, other posts) theory itself is the limit,
    and the note says why.
    """
    ruling = in_force.find("online_share", situation)
    if ruling is None:
        return OnlineCap(False, theory_ms, None, None, _why_no_cap(in_force, situation))
    percent = ruling.whole
    return OnlineCap(True, min(total_ms * percent // 100, theory_ms), percent, ruling, CapNote.APPLIES)


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


def required_hours(in_force: InForce, situation: Situation) -> RequiredHours:
    """The least total, theory and practical hours for the situation (national order 3; local tables)."""
    found = {key: in_force.find(key, situation) for key in ("training_hours", "theory_hours", "practical_hours")}
    class_hour_ms = in_force.class_hour_ms

    def ms(key: str) -> int | None:
        ruling = found[key]
        return None if ruling is None else ruling.whole * class_hour_ms

    return RequiredHours(
        total_ms=ms("training_hours"),
        theory_ms=ms("theory_hours"),
        practical_ms=ms("practical_hours"),
        rulings=tuple(ruling for ruling in found.values() if ruling is not None),
        questions=tuple(q.key for q in in_force.rulebook.questions_about("training_hours", situation)),
    )
