"""A cohort's accounts in one list, for its institution: what each has, what each still owes, who is studying now.

Whom the list is narrowed to, in which order, and how many there are, is told by the figures kept of each account; those
whose chain has grown since are worked out anew, as many as a page shows. What a page shows is always worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from xueji.enrolment.events import WhoStudies
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.roster_queries import PER_PAGE, RosterLine, roster, roster_lines
from xueji.hours.figures import glance_of, unseen_ms
from xueji.hours.models import HoursAccount
from xueji.hours.queries import rules_digest, statements_of
from xueji.hours.rules import Statement
from xueji.kernel.crypto import Keyring
from xueji.kernel.events import Events
from xueji.trace.queries import chain_lengths

MOST_ANEW = PER_PAGE
"""Accounts worked out anew for one list, besides those it shows."""
AT_ONCE = 200
"""Accounts of an export that are in memory together."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a list is narrowed and sorted by; amounts in ms."""

    enrolment_id: UUID
    active: bool
    readable: bool
    complete: bool
    begun: bool
    held_ms: int
    waiting_ms: int
    """Watched, and waiting for the next good check."""
    unseen_ms: int
    """Online lessons not yet watched to their end."""
    done_ms: int
    """What counts, online and in person."""

    @property
    def owes(self) -> bool:
        """Whether she is still in it and her hours are not complete, or cannot be told."""
        return self.active and not (self.readable and self.complete)

    def loses(self, studying: Collection[UUID]) -> bool:
        """Whether she would miss something if nothing new could be studied from now on."""
        if not self.active:
            return False
        return self.enrolment_id in studying or not self.readable or (not self.complete and self.unseen_ms > 0)


SHOWS: Mapping[str, Callable[[Figures], bool]] = {
    "": lambda line: True,
    "unfinished": lambda line: line.owes,
    "held": lambda line: line.owes and line.held_ms > 0,
    "waiting": lambda line: line.owes and line.waiting_ms > 0,
    "unbegun": lambda line: line.owes and line.readable and not line.begun,
}
"""To whom the list is narrowed, by the word in the address."""


class RosterOrder(StrEnum):
    """How the list is sorted; equals as they were enrolled."""

    ENROLLED = "enrolled"
    LEAST = "least"
    """who has least first"""
    HELD = "held"
    """who has most to make up first"""


_KEYS: Mapping[RosterOrder, Callable[[Figures], int]] = {
    RosterOrder.LEAST: lambda line: line.done_ms,
    RosterOrder.HELD: lambda line: -line.held_ms,
}


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A trainee with her statement, None when it cannot be read."""

    person: RosterLine
    statement: Statement | None
    studying: bool
    """whether her page was heard of within its lease"""

    @property
    def unseen_ms(self) -> int:
        return 0 if self.statement is None else unseen_ms(self.statement)


def figures_of(session: Session, cohort_id: UUID) -> list[Figures]:
    """Of everybody ever enrolled, in the order of the roster; a few queries, however many they are."""
    rows = session.execute(
        select(
            Enrolment.id,
            Enrolment.state,
            HoursAccount.leaves,
            HoursAccount.rules,
            HoursAccount.complete,
            HoursAccount.begun,
            HoursAccount.held_ms,
            HoursAccount.waiting_ms,
            HoursAccount.unseen_ms,
            HoursAccount.done_ms,
        )
        .outerjoin(HoursAccount, HoursAccount.enrolment_id == Enrolment.id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(case((Enrolment.state == EnrolmentState.ACTIVE, 0), else_=1), Enrolment.enrolled_at, Enrolment.id)
    ).all()
    lengths = chain_lengths(session, [str(row.id) for row in rows])
    digest = rules_digest()
    grown = [
        row.id
        for row in rows
        if row.rules != digest or (row.complete is not None and row.leaves != lengths.get(str(row.id)))
    ]
    anew = statements_of(session, grown[:MOST_ANEW]) if grown else {}
    return [
        _figures(row.id, row.state, anew[row.id])
        if row.id in anew
        else Figures(
            row.id,
            row.state is EnrolmentState.ACTIVE,
            # Of one that nobody has looked at yet nothing was found wrong.
            row.complete is not None or row.rules != digest,
            bool(row.complete),
            bool(row.begun),
            row.held_ms or 0,
            row.waiting_ms or 0,
            row.unseen_ms or 0,
            row.done_ms or 0,
        )
        for row in rows
    ]


def _figures(enrolment_id: UUID, state: EnrolmentState, statement: Statement | None) -> Figures:
    active = state is EnrolmentState.ACTIVE
    if statement is None:
        return Figures(enrolment_id, active, False, False, False, 0, 0, 0, 0)
    return Figures(enrolment_id, active, True, **glance_of(statement))


def sought(found: Collection[Figures], show: str, order: RosterOrder, among: Collection[UUID] | None) -> list[Figures]:
    """Those of a list whom a tab shows and somebody looked for, sorted. ``among``: None is everybody."""
    chosen = [line for line in found if SHOWS[show](line) and (among is None or line.enrolment_id in among)]
    if order in _KEYS:
        chosen.sort(key=_KEYS[order])
    return chosen


def accounts_page(
    session: Session, keyring: Keyring, events: Events, found: Sequence[Figures], page: int
) -> list[AccountLine]:
    """The lines of one page of a list, worked out now."""
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    return _lines(session, events, roster_lines(session, keyring, [line.enrolment_id for line in shown]))


def accounts_of(session: Session, keyring: Keyring, events: Events, cohort_id: UUID) -> Iterator[AccountLine]:
    """Everybody ever enrolled, in the order of the roster, a portion at a time."""
    people = roster(session, keyring, cohort_id)
    for start in range(0, len(people), AT_ONCE):
        yield from _lines(session, events, people[start : start + AT_ONCE])


def studying_in(session: Session, events: Events, found: Collection[Figures]) -> set[UUID]:
    """Who of a list is studying now."""
    asked = WhoStudies(session, tuple(line.enrolment_id for line in found))
    events.publish(asked)
    return asked.studying


def _lines(session: Session, events: Events, people: Sequence[RosterLine]) -> list[AccountLine]:
    ids = [line.enrolment_id for line in people]
    statements = statements_of(session, ids)
    asked = WhoStudies(session, tuple(ids))
    events.publish(asked)
    return [AccountLine(line, statements[line.enrolment_id], line.enrolment_id in asked.studying) for line in people]
