"""Where a sitting stands: what was frozen when it opened, and what its beats have moved since."""

from __future__ import annotations

from dataclasses import dataclass

from xueji.rulebook.intervals import Interval
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Part


@dataclass(frozen=True, slots=True)
class SittingTerms:
    """What stays as it is for the whole sitting: frozen when it is opened."""

    duration_ms: int
    """length of the lesson"""
    plan: ProctoringPlan
    schedule: tuple[int, ...]
    """the study time (ms credited in this sitting) at which each scheduled check falls due"""
    opens_ms: int
    """first instant of the cohort (Asia/Shanghai midnight), epoch ms"""
    closes_ms: int
    """first instant after the cohort"""
    part: str = Part.THEORY
    only_make_up: bool = False
    """whether the cohort's days are over: nothing new earns, only what is to be made up"""
    film: str = ""
    """id of the lesson's film; empty in sittings of earlier releases"""


@dataclass(frozen=True, slots=True)
class SittingState:
    """Where a sitting stands. `furthest_ms` is the lesson's one frontier: all before it has been watched once."""

    terms: SittingTerms
    furthest_ms: int
    used_until_ms: int
    """the server's time up to which this person's time has been spent (epoch ms); the opening, at first"""
    last_interaction_ms: int
    """last sign of the person (epoch ms)"""
    make_up: tuple[Interval, ...] = ()
    """media before the frontier that earns again, once: a union"""
    study_ms: int = 0
    """ms credited in this sitting"""
    since_check_ms: int = 0
    """ms credited since a check last fell due, carried over from the enrolment's earlier sittings"""
    next_check: int = 0
    """index into the schedule of the next check to fall due"""
    question_by_ms: int | None = None
    """until when the pending question "are you there?" may be answered (epoch ms)"""
    day: int = 0
    """the day (`rulebook.shanghai.day_of`) that `day_used_ms` belongs to"""
    day_used_ms: int = 0
    """ms credited to the person on that day, in all sittings"""


def complete(state: SittingState) -> bool:
    """Whether nothing of the lesson is left to earn."""
    return not state.make_up and (state.terms.only_make_up or state.furthest_ms >= state.terms.duration_ms)
