"""One figure of law or custom, with everything needed to defend it: for whom, where, since when, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Tuple, Union

from xueji.python38 import Self, StrEnum, dataclass, day
from xueji.rulebook.vocabulary import Category, Training

Value = Union[int, bool, str, None, Tuple[Union[int, str], ...]]


class RulebookError(Exception):
    """Something about a rulebook that cannot be answered."""


class InvalidRulebook(RulebookError):
    """Rulebook data that cannot be read; the message names the figure and its field."""


def reaches(prefix: str, jurisdiction: str) -> bool:
    """Whether what holds in all codes that begin so holds in a jurisdiction: a code, or two joined by ``+``."""
    return any(code.startswith(prefix) for code in jurisdiction.split("+"))


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
            reaches(self.jurisdiction, jurisdiction)
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
                valid_from=day(values["valid_from"]),
                valid_to=None if values["valid_to"] is None else day(values["valid_to"]),
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
    jurisdiction: str
    """beginning of the region codes it is asked in; empty: everywhere"""
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
                jurisdiction=values["jurisdiction"],
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
            "jurisdiction": self.jurisdiction,
            "when": self.conditions.to_dict(),
            "default": self.default,
            "unit": self.unit,
        }
