"""A cohort's accounts in one list, for its institution: what each has, what each still owes, who is studying now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.enrolment.events import WhoStudies
from xueji.enrolment.models import EnrolmentState
from xueji.enrolment.queries import RosterLine, roster
from xueji.hours.queries import statements_of
from xueji.hours.rules import Statement
from xueji.kernel.crypto import Keyring
from xueji.kernel.events import Events


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A trainee with her statement, None when it cannot be read."""

    person: RosterLine
    statement: Statement | None
    studying: bool
    """whether her page was heard of within its lease"""

    @property
    def loses(self) -> bool:
        """Whether she would miss something if nothing new could be studied from now on."""
        if self.person.state is not EnrolmentState.ACTIVE:
            return False
        statement = self.statement
        return self.studying or statement is None or (not statement.complete and _unseen_ms(statement) > 0)

    @property
    def owes(self) -> bool:
        """Whether she is still in it and her hours are not complete, or cannot be told."""
        active = self.person.state is EnrolmentState.ACTIVE
        return active and (self.statement is None or not self.statement.complete)

    @property
    def unseen_ms(self) -> int:
        return 0 if self.statement is None else _unseen_ms(self.statement)


SHOWS: Mapping[str, Callable[[AccountLine], bool]] = {
    "": lambda line: True,
    "unfinished": lambda line: line.owes,
    "held": lambda line: line.owes and line.statement is not None and line.statement.online.held_ms > 0,
    "unbegun": lambda line: line.owes and line.statement is not None and not _begun(line.statement),
}
"""To whom the list is narrowed, by the word in the address."""


def accounts_of(session: Session, keyring: Keyring, events: Events, cohort_id: UUID) -> Sequence[AccountLine]:
    """Everybody ever enrolled, in the order of the roster."""
    people = roster(session, keyring, cohort_id)
    statements = statements_of(session, [line.enrolment_id for line in people])
    asked = WhoStudies(session, tuple(line.enrolment_id for line in people))
    events.publish(asked)
    return [AccountLine(line, statements[line.enrolment_id], line.enrolment_id in asked.studying) for line in people]


def _begun(statement: Statement) -> bool:
    in_person = statement.in_person
    return any(line.furthest_ms for line in statement.lessons) or in_person.theory_ms + in_person.practical_ms > 0


def _unseen_ms(statement: Statement) -> int:
    """Online lessons not yet watched to their end."""
    return sum(max(0, line.duration_ms - line.furthest_ms) for line in statement.lessons)
