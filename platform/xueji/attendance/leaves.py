"""What sessions in person write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from xueji.trace.leaf import (
    Chain,
    EpochMs,
    Id,
    OfPerson,
    OfPlace,
    OfStaff,
    OfTrainee,
    StaffName,
    Unit,
    Word,
    leaf,
)
from xueji.trace.rules import Event


@leaf(Event.SESSION_PLAN, Chain.COHORT)
class SessionPlanned(OfStaff):
    """A session in person is planned."""

    session: Id
    part: Word
    begins: EpochMs
    ends: EpochMs
    title: OfPlace
    place: OfPlace
    teacher: StaffName


@leaf(Event.SESSION_CANCEL, Chain.COHORT)
class SessionCancelled(OfStaff):
    """It will not be held."""

    session: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class InRoom(OfStaff):
    """What was entered of one trainee in one session."""

    session: Id
    part: Word
    began: EpochMs
    """when the session began"""
    ended: EpochMs
    method: Word
    session_title: OfPlace
    place: OfPlace
    teacher: StaffName


class InRoomFields(TypedDict):
    """The fields of `InRoom`, to make either of its classes with."""

    session: str
    part: str
    began: int
    ended: int
    method: str
    session_title: str
    place: str
    teacher: str


@leaf(Event.ATTENDANCE, former=("ms",))
class Attended(InRoom):
    """She was in the room, from when to when."""

    from_: EpochMs
    to: EpochMs
    planned: EpochMs | None = None
    """when the session was planned; absent when it never was"""
    plan: Annotated[str, Unit("hash")] | None = None
    """of the leaf that planned the session"""
    reason: OfPerson | None = None
    """why it was entered late, or in spite of a doubt"""
    overlap: Annotated[list[list[int]], Unit("list of [from, to), epoch ms")] | None = None
    """when something else places her elsewhere"""


@leaf(Event.ATTENDANCE_ABSENT)
class AbsenceEntered(InRoom):
    """She was not there."""


@leaf(Event.ATTENDANCE_CONFIRM)
class AttendanceConfirmed(OfTrainee):
    """She says that she was there."""

    session: Id


@leaf(Event.ATTENDANCE_DENY)
class AttendanceDenied(OfTrainee):
    """She says that she was not."""

    session: Id


@leaf(Event.ATTENDANCE_SIGN)
class AttendanceSigned(OfStaff):
    """She signed on paper."""

    session: Id


@leaf(Event.ATTENDANCE_SETTLE)
class AttendanceSettled(OfStaff):
    """A second person decides about an attendance that was late, overlaps another or is denied."""

    session: Id
    outcome: Word
    role: Word
    reason: OfPerson


@leaf(Event.ATTENDANCE_REVOKE)
class AttendanceTakenBack(OfStaff):
    """It was entered wrongly."""

    session: Id
    reason: OfPerson
