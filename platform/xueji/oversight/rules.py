"""Decisions of oversight as pure functions: how findings move, and what there is to do. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class FindingKind(StrEnum):
    """What a finding objects to."""

    IDENTITY = "identity"
    HOURS = "hours"
    TEACHING = "teaching"
    RECORDS = "records"
    OTHER = "other"


class FindingState(StrEnum):
    """open → answered by the institution → closed by the regulator, who may also close one that was a mistake; an
    answer that is not enough is sent back: the finding is open again, with a new deadline."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


MOVES: Final[Mapping[FindingState, frozenset[FindingState]]] = {
    FindingState.OPEN: frozenset({FindingState.ANSWERED, FindingState.CLOSED}),
    FindingState.ANSWERED: frozenset({FindingState.OPEN, FindingState.CLOSED}),
    FindingState.CLOSED: frozenset(),
}


class FindingStep(StrEnum):
    """What was done about a finding between its raising and its end."""

    ANSWER = "answer"
    SEND_BACK = "send_back"
    EXTEND = "extend"


class Duty(StrEnum):
    """The kinds of things to do, those with the nearest clock first."""

    OVERDUE = "overdue"
    """findings whose deadline is past"""
    APPEALS = "appeals"
    FINDINGS = "findings"
    ANSWERS = "answers"
    """answers of institutions that the regulator has not looked at"""
    ATTENDANCE = "attendance"
    """sessions that are over, without an attendance"""
    SETTLE = "settle"
    """attendances that wait for the regulator"""
    ENDING = "ending"
    """people who are not finished in a cohort that ends soon"""
    SECOND = "second"
    """checks that wait for a second person"""
    PHOTOS = "photos"
    FAILED = "failed"
    DECISIONS = "decisions"
    """amendments, corrections and resets that somebody else asked for"""
    FLAGS = "flags"
    FILMS = "films"
    ROUTE = "route"
    """a trainee has not chosen how she proves who she is"""
    PHOTO = "photo"
    """a trainee on the face route has no reference photo, or has not agreed"""
    SAME_NUMBER = "same_number"
    """an organisation registered a trainee's number"""
    CONFIRM = "confirm"
    """attendances that a trainee has said nothing about"""
    MAKE_UP = "make_up"
    """lessons with something to be watched again"""
    CHECK = "check"
    """lessons watched to their end of which something waits for a check"""
    STUDY = "study"
    """lessons not yet watched to their end"""
    STAFF_ENDING = "staff_ending"
    """an enterprise's people who are not finished where a cohort ends soon"""
    STAFF_MAKE_UP = "staff_make_up"
    STAFF_UNBEGUN = "staff_unbegun"
    ALARMS = "alarms"
    """of the log"""
    DUPLICATES = "duplicates"
    JOININGS = "joinings"


def may_move(state: FindingState, to: FindingState) -> bool:
    return to in MOVES[state]
