"""Whether a class session can stand, and whether an attendance of it may be entered: pure functions over facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID


class AttendanceState(StrEnum):
    """What has become of an attendance; `ATTENDANCE_MOVES` says what may become of it."""

    ENTERED = "entered"
    """It counts."""
    WAITING = "waiting"
    """For a second person or the regulator; nothing counts."""
    DENIED = "denied"
    """The trainee says that she was not there; nothing counts until somebody settles it."""
    ABSENT = "absent"
    """She was not there, as staff say."""
    REVOKED = "revoked"


ATTENDANCE_MOVES: Mapping[AttendanceState, frozenset[AttendanceState]] = {
    AttendanceState.ENTERED: frozenset({AttendanceState.DENIED, AttendanceState.REVOKED}),
    AttendanceState.WAITING: frozenset({AttendanceState.ENTERED, AttendanceState.DENIED, AttendanceState.REVOKED}),
    AttendanceState.DENIED: frozenset({AttendanceState.ENTERED, AttendanceState.WAITING, AttendanceState.REVOKED}),
    AttendanceState.ABSENT: frozenset({AttendanceState.REVOKED}),
    AttendanceState.REVOKED: frozenset(),
}
"""From each state to those that may follow. A revoked one stays; what is entered anew is another one."""


class NotAttended(StrEnum):
    """Why an attendance cannot be entered."""

    NOT_OVER_YET = "not_over_yet"
    NO_TIME = "no_time"
    OUTSIDE_SESSION = "outside_session"
    BEFORE_ENROLMENT = "before_enrolment"
    AFTER_SETTLEMENT = "after_settlement"
    OVERLAPS = "overlaps"
    ALREADY_ENTERED = "already_entered"
    NOT_ACTIVE = "not_active"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Stay:
    """A time one person was in a session, [began, ended)."""

    session_id: UUID
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class ClassSessionTimes:
    """A class session as its roster is entered."""

    session_id: UUID
    began: datetime
    ended: datetime
    settles: datetime
    """From when on nothing of the cohort may be entered any more."""


def attendance_refusal(
    times: ClassSessionTimes, stay: Stay, others: Sequence[Stay], *, active: bool, enrolled: datetime, now: datetime
) -> NotAttended | None:
    """Why a stay in a session cannot be entered, or None.

    ``others`` are the same person's attendances in the same cohort: nobody is in two rooms at once. Those of other
    cohorts do not refuse it, for they may be the false ones: it waits then (see `services.attendance`).
    """
    if not active:
        return NotAttended.NOT_ACTIVE
    if now < times.ended:
        return NotAttended.NOT_OVER_YET
    if now >= times.settles:
        return NotAttended.AFTER_SETTLEMENT
    if stay.ended <= stay.began:
        return NotAttended.NO_TIME
    if stay.began < times.began or stay.ended > times.ended:
        return NotAttended.OUTSIDE_SESSION
    if stay.began < enrolled:
        return NotAttended.BEFORE_ENROLMENT
    if any(other.session_id == stay.session_id for other in others):
        return NotAttended.ALREADY_ENTERED
    if any(other.began < stay.ended and stay.began < other.ended for other in others):
        return NotAttended.OVERLAPS
    return None


class BadClassSession(StrEnum):
    """Why a class session cannot be entered."""

    ENDS_BEFORE_START = "ends_before_start"
    LONGER_THAN_A_DAY = "longer_than_a_day"
    OUTSIDE_COHORT = "outside_cohort"
    BEFORE_OPENING = "before_opening"


def class_session_refusal(
    began: datetime, ended: datetime, *, opened: datetime, days: tuple[date, date], starts_on: date, ends_on: date
) -> BadClassSession | None:
    """Why a session cannot stand in a cohort, or None.

    ``days`` are the first and the last day it touches in Asia/Shanghai: one that ends at midnight ends on the day
    before. ``opened`` is when the cohort opened: nothing is taught in it before.
    """
    if ended <= began:
        return BadClassSession.ENDS_BEFORE_START
    if ended - began > timedelta(days=1):
        return BadClassSession.LONGER_THAN_A_DAY
    if days[0] < starts_on or days[1] > ends_on:
        return BadClassSession.OUTSIDE_COHORT
    if began < opened:
        return BadClassSession.BEFORE_OPENING
    return None
