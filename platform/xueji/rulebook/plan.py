"""A cohort's proctoring plan: how closely a sitting is watched. Frozen into each enrolment and each sitting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any

from xueji.python38 import Self, dataclass


class InvalidPlan(ValueError):
    """A proctoring plan that cannot be used; `field` names the field to correct, `problem` is a stable code."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


# The least and the most each field may hold. These are not law but sense: outside them a sitting could not be run.
_LIMITS: Mapping[str, tuple[int, int]] = {
    "checks_min_gap_ms": (1_000, 6 * 3_600_000),
    "checks_max_gap_ms": (1_000, 6 * 3_600_000),
    "answer_ms": (5_000, 600_000),
    "retries": (0, 10),
    "idle_ms": (10_000, 7_200_000),
    "idle_answer_ms": (5_000, 600_000),
    "max_rate": (500, 4_000),
    "offline_ms": (10_000, 3_600_000),
    "slack_ms": (0, 60_000),
    "lease_ms": (5_000, 600_000),
    "beat_ms": (1_000, 120_000),
    "daily_max_ms": (60_000, 86_400_000),
    # As many as one answer to a check may carry (`proctoring`).
    "frames": (1, 12),
    "prompts": (0, 4),
    "min_pixels": (1, 50_000_000),
    "match_threshold": (1, 2_000_000),
    "settle_days": (0, 366),
    # The most is a century: no term.
    "appeal_days": (1, 36_600),
    "confirm_reference": (0, 1),
    "attendance_days": (0, 366),
    "deny_days": (0, 366),
    # The longest is as long as a check-in may last: no round is needed then.
    "round_ms": (60_000, 18_000_000),
    "room_code": (0, 1),
    "film_handed_out": (0, 1),
}


class Laxer(Enum):
    """Which way a field of the plan watches less closely."""

    MORE = "more"
    LESS = "less"


LAXER: Mapping[str, Laxer] = {
    "checks_min_gap_ms": Laxer.MORE,
    "checks_max_gap_ms": Laxer.MORE,
    "answer_ms": Laxer.MORE,
    "retries": Laxer.MORE,
    "idle_ms": Laxer.MORE,
    "idle_answer_ms": Laxer.MORE,
    "max_rate": Laxer.MORE,
    "offline_ms": Laxer.MORE,
    "slack_ms": Laxer.MORE,
    # The sooner a silent device gives way, the sooner somebody else may sit at the next one.
    "lease_ms": Laxer.LESS,
    "beat_ms": Laxer.MORE,
    "daily_max_ms": Laxer.MORE,
    "frames": Laxer.LESS,
    "prompts": Laxer.LESS,
    "min_pixels": Laxer.LESS,
    "match_threshold": Laxer.MORE,
    "settle_days": Laxer.MORE,
    "appeal_days": Laxer.MORE,
    "confirm_reference": Laxer.LESS,
    "round_ms": Laxer.MORE,
    "room_code": Laxer.LESS,
    "film_handed_out": Laxer.LESS,
    "attendance_days": Laxer.MORE,
    "deny_days": Laxer.LESS,
}
"""For each field, the direction in which it is laxer. It is no property of the figure's bound: a preset may be exact
and a plan still be laxer than it. A new field is not complete without its line."""


BEFORE_IT_WAS: Mapping[str, int] = {
    "appeal_days": 36_600,
    "confirm_reference": 0,
    "attendance_days": 366,
    "deny_days": 0,
    "round_ms": 18_000_000,
    "room_code": 0,
    "film_handed_out": 0,
}
"""For each field that came with a later release: what a plan written before it means. Such a plan stays valid for ever,
and is watched as it was then; a new field therefore needs a limit above, a preset in the rulebook and a line here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProctoringPlan:
    """The figures of one plan; the presets are data of the rulebook (`Rulebook.proctoring_plan`).

    Raises InvalidPlan, naming the field, when a figure is missing, not a whole number, out of range or contradicts
    another one.
    """

    checks_min_gap_ms: int
    """least study time between two scheduled checks"""
    checks_max_gap_ms: int
    """most study time between two scheduled checks, counted across sittings"""
    answer_ms: int
    """time to answer a check, from the moment it is first told"""
    retries: int
    """further attempts after an unclear or failed picture"""
    idle_ms: int
    """time without a sign of the person after which she is asked whether she is there"""
    idle_answer_ms: int
    """time to answer that question"""
    max_rate: int
    """fastest playback of a first viewing, in thousandths of normal speed"""
    offline_ms: int
    """how much study a lost connection may keep and hand in later"""
    slack_ms: int
    """how much longer than its media a request may have taken on the server's clock"""
    lease_ms: int
    """silence after which another device may continue"""
    beat_ms: int
    """how often the player reports"""
    daily_max_ms: int
    """most online time credited in one day (Asia/Shanghai)"""
    frames: int
    """pictures taken for one check"""
    prompts: int
    """fewest movements asked for in one check; zero asks for none"""
    min_pixels: int
    """least width × height of a picture"""
    match_threshold: int
    """greatest distance that is still the same person, in millionths"""
    settle_days: int
    """days after the cohort's end in which held time may still be made up"""
    appeal_days: int
    """days after a check's outcome in which she may contest it, and days after the settlement in which a person may
    still decide"""
    confirm_reference: int
    """1: what face checks confirm is held until staff have held her first photo against her identity document;
    0: the first photo is taken as hers"""
    attendance_days: int
    """days after the day of a class session within which one person may enter who attended; later it takes two"""
    deny_days: int
    """days after an attendance was entered within which the trainee may say that she was not there"""
    round_ms: int
    """longest time between two looks of staff at who studies without a camera; what is later is held"""
    room_code: int
    """1 where the code shown in the room is typed once for each check-in, 0 where none is asked for"""
    film_handed_out: int
    """1: study of what the server had not handed out of the film is held; 0: nobody asks"""

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int:
                raise InvalidPlan(name, "not_a_whole_number")
            if value < least:
                raise InvalidPlan(name, "too_small")
            if value > most:
                raise InvalidPlan(name, "too_large")
        if self.checks_min_gap_ms > self.checks_max_gap_ms:
            raise InvalidPlan("checks_min_gap_ms", "above_checks_max_gap_ms")
        if self.beat_ms > self.lease_ms:
            raise InvalidPlan("beat_ms", "above_lease_ms")

    def laxer_than(self, preset: ProctoringPlan) -> tuple[str, ...]:
        """The fields in which this plan watches less closely than the preset, in the order of the plan."""
        found: list[str] = []
        for field in fields(self):
            own, theirs = getattr(self, field.name), getattr(preset, field.name)
            if own > theirs if LAXER[field.name] is Laxer.MORE else own < theirs:
                found.append(field.name)
        return tuple(found)

    @property
    def spread_ms(self) -> int:
        """How far apart the earliest and the latest moment of a next check lie: what chance has to choose from."""
        return self.checks_max_gap_ms - self.checks_min_gap_ms

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The plan in `values`, whatever release wrote it: what a later one added is passed over.

        Raises InvalidPlan, naming the field, when one is missing that every plan has.
        """
        known = {name: values[name] for name in FIELDS if name in values}
        for name in FIELDS - known.keys() - BEFORE_IT_WAS.keys():
            raise InvalidPlan(name, "missing")
        return cls(**{**BEFORE_IT_WAS, **known})

    def to_dict(self) -> dict[str, int]:
        """The plan as it stands in a leaf."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


FIELDS = frozenset(field.name for field in fields(ProctoringPlan))
