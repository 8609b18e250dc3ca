"""What a host tells of its occasions. Handlers run in the same transaction and may answer by what they set.

A handler never writes to the trace itself here: it adds to ``entries``, so that leaves stand in the order things
happened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from xueji.occasions.models import Occasion
from xueji.occasions.open_check import OpenCheck
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import CheckKind, Method
from xueji.trace.leaf import Entry


@dataclass(kw_only=True)
class OccasionsCome:
    """Some occasions are about to open, one after another: what each would ask for can be asked for all of them now.

    Their chains are held by this transaction. The handler changes nothing.
    """

    session: Session
    people: Sequence[UUID]


@dataclass(kw_only=True)
class OccasionOpens(ABC):
    """An occasion that is about to open, as `CheckLeft` and `ConditionsWanted` speak of it; a host derives its own.

    Nothing is written by a handler but what becomes of a check that waits: what is refused is to leave nothing behind.
    """

    session: Session
    occasion_kind: str
    """`Occasion.KIND`"""
    occasion_id: UUID
    enrolment_id: UUID
    person_id: UUID
    who: str
    plan: ProctoringPlan
    now_ms: int
    carried_ms: int
    """Ms since the enrolment's last check, in whatever occasion of this kind."""
    studied: bool = True
    """Whether this enrolment has had an occasion before: without one there is nothing that could follow from it."""
    check_left: bool = False
    """Whether an earlier occasion of this enrolment keeps an open check."""
    method: Method = Method.FACE
    """Set by a handler: how the person is known in it."""
    valid_until_ms: int | None = None
    """Set by a handler: until when staff vouch for her (epoch ms)."""
    schedule: tuple[int, ...] = ()
    """Set by a handler: after how many ms checks fall due."""
    check_first: bool = False
    """Set by a handler: whether she shows herself before anything else."""
    check_waits: OpenCheck | None = None
    """Set by a handler: a check that waits from an earlier occasion of this enrolment: it goes on here."""
    entries: list[Entry] = field(default_factory=list)

    @property
    @abstractmethod
    def remaining_ms(self) -> int:
        """For how long it may go on: the ms over which checks are drawn."""

    @property
    @abstractmethod
    def of_this_subject(self) -> Select[UUID]:
        """The ids of this enrolment's occasions of the same subject: one that had a check needs no first one."""


@dataclass
class CheckLeft:
    """Before anybody says what her time is worth: a check that an earlier occasion keeps is decided, or goes on here.

    The handler sets ``check_waits``.
    """

    opens: OccasionOpens


@dataclass
class ConditionsWanted:
    """The handler says how the person will be known and when checks fall due, or raises a Problem that refuses it."""

    opens: OccasionOpens


@dataclass(kw_only=True)
class ScheduleGrows:
    """An occasion may go on for longer than its checks were drawn for. The handler draws those still to come anew."""

    plan: ProctoringPlan
    remaining_ms: int
    """for how long it may go on from now"""
    carried_ms: int
    """ms since its last check; 0 where one is owed anyway"""
    drawn: tuple[int, ...] = ()
    """after how many ms from now checks fall due"""


@dataclass(kw_only=True)
class CheckMoves:
    """The occasion stands in which a waiting check goes on."""

    session: Session
    check: OpenCheck
    occasion_kind: str
    occasion_id: UUID
    who: str
    entries: list[Entry] = field(default_factory=list)


@dataclass(kw_only=True)
class CheckFallsDue:
    """The time of a scheduled check has come, or the occasion's end. The handler sets ``check``."""

    session: Session
    occasion_kind: str
    occasion_id: UUID
    enrolment_id: UUID
    person_id: UUID
    who: str
    kind: CheckKind
    plan: ProctoringPlan
    now_ms: int
    delivered_seq: int | None = None
    """The highest number in the request whose answer will deliver it; None when no report does."""
    instead_of: OpenCheck | None = None
    """An offer that stands open; it is withdrawn."""
    check: OpenCheck | None = None
    entries: list[Entry] = field(default_factory=list)


@dataclass(kw_only=True)
class CheckWanted:
    """A person wants a check now, to have her time confirmed. The occasion is hers, locked, and has not ended.

    The handler records it and sets ``check``, or raises NoFaceChecks, CheckStillOpen.
    """

    session: Session
    occasion: Occasion
    scheduled_due: bool
    """Whether the time of a scheduled check has come: it goes first."""
    check: OpenCheck | None = None


@dataclass(kw_only=True)
class ContactDuringCheck:
    """A page with an open check reported, or was opened again. The handler leaves ``check``, changes or removes it."""

    session: Session
    check: OpenCheck | None
    """Afterwards None when it is over."""
    numbers: frozenset[int]
    """Of the reports in the request, those already answered among them; none when the page was opened again."""
    plan: ProctoringPlan
    who: str
    now_ms: int
    owed: bool = False
    """Set by a handler: whether the check failed, so that another one is due."""
    entries: list[Entry] = field(default_factory=list)
