"""What progress tells the parts above it. Handlers run in the same transaction and may answer by what they set.

A handler never writes to the trace itself here: it adds to ``entries``, so that leaves stand in the order things
happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.queries import EnrolmentFacts
from xueji.progress.open_check import OpenCheck
from xueji.progress.rules import BeatResult, SittingState
from xueji.rulebook.intervals import Interval
from xueji.rulebook.vocabulary import CheckKind, Method
from xueji.trace.leaf import Entry


@dataclass
class OpeningsCome:
    """Some sittings are about to open, one after another: what each would ask for can be asked for all of them now.

    Their chains are held by this transaction. The handler changes nothing.
    """

    session: Session
    people: Sequence[UUID]
    beginners: Sequence[UUID]
    """The enrolments in which there has been no sitting before."""
    others: Sequence[UUID]
    """Those in which there has been one."""


@dataclass
class SittingOpens:
    """A sitting is about to open. Checks and hours say under what conditions, or raise a Problem that refuses it.

    Nothing is written by a handler but what becomes of a check that waits: what is refused is to leave nothing behind.
    """

    session: Session
    facts: EnrolmentFacts
    lesson: LessonFacts
    sitting_id: UUID
    who: str
    now_ms: int
    furthest_ms: int
    carried_ms: int
    """Study since the enrolment's last check, in whatever sitting."""
    studied: bool = True
    """Whether this enrolment has had a sitting before: without one there is nothing that could follow from it."""
    check_left: bool = False
    """Whether an earlier sitting of this enrolment keeps an open check."""
    only_make_up: bool = False
    """The cohort's days are over: nothing new is studied, held time is made up and waiting time confirmed."""
    method: Method = Method.FACE
    valid_until_ms: int | None = None
    make_up: list[Interval] = field(default_factory=list)
    schedule: tuple[int, ...] = ()
    account: Any = None
    """What `hours` has read of her account, for its own second look."""
    ledger: str | None = None
    """The lesson's line to begin with, as `hours` writes it for itself; None when it has to be reckoned anew."""
    waiting_ms: int = 0
    """Study of this lesson that the next good check would confirm."""
    check_first: bool = False
    """Whether she shows herself before anything is played: after a failed check no time is good until then."""
    check_waits: OpenCheck | None = None
    """A check that she was asked for elsewhere in this enrolment and that still waits: it goes on here."""
    entries: list[Entry] = field(default_factory=list)


@dataclass
class MakeUpGrows:
    """While a sitting lasts there is more to make up. The handler draws checks for it into ``schedule``."""

    state: SittingState
    """with what is to be made up now"""
    schedule: tuple[int, ...]
    """the study time at which checks fall due, as drawn so far"""


@dataclass
class CheckMoves:
    """The sitting stands in which a waiting check goes on."""

    session: Session
    check: OpenCheck
    sitting_id: UUID
    who: str
    entries: list[Entry] = field(default_factory=list)


@dataclass
class StudyCredited:
    """Beats of a sitting have earned something or been refused. The handler moves ``ledger`` on and sets ``line``.

    It forgets one that it cannot read: then the line has to be reckoned anew.
    """

    ledger: str | None
    results: Sequence[BeatResult]
    owes_from_ms: int | None = None
    """When a scheduled check stands open: the end of its window (epoch ms), from which on an answer is owed."""
    handed_out: Sequence[Interval] | None = None
    """The media that was handed out in this sitting; None where nobody asks."""
    line: dict[str, Any] | None = None


@dataclass
class LedgerShown:
    """The same for beats that are only answered again. The handler sets ``line``."""

    ledger: str
    line: dict[str, Any] | None = None


@dataclass
class CheckFallsDue:
    """The study time has reached a scheduled check, or the lesson its end. The handler sets ``check``."""

    session: Session
    sitting_id: UUID
    enrolment_id: UUID
    person_id: UUID
    who: str
    kind: CheckKind
    state: SittingState
    now_ms: int
    told_seq: int | None = None
    """The highest number in the request whose answer will tell of it; None when no report does."""
    instead_of: OpenCheck | None = None
    """An offer that stands open; it is withdrawn."""
    check: OpenCheck | None = None
    entries: list[Entry] = field(default_factory=list)


@dataclass
class ContactDuringCheck:
    """A sitting with an open check reported, or was opened again. The handler leaves ``check``, changes or removes it.

    It may also change ``state``: a check that failed makes another one due.
    """

    session: Session
    sitting_id: UUID
    check: OpenCheck | None
    numbers: frozenset[int]
    """Of the beats in the request, those already answered among them; none when the sitting was opened again."""
    state: SittingState
    who: str
    enrolment_id: UUID
    now_ms: int
    entries: list[Entry] = field(default_factory=list)
