"""Letting everybody in a table into a cohort: looked at as a whole first, written in small portions then.

The look names whatever stands against a line, of all kinds at once, and writes nothing. The same table again changes
nothing: who is in the cohort already is left as she is.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import CohortNotOpen
from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment import wording
from xueji.enrolment.declarations import LONGEST_EARLIER, LONGEST_EMPLOYER, Declaration
from xueji.enrolment.errors import AlreadyEnrolled, NothingToImport, TooManyLines
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.people_table import BadLine, People, PersonLine, Remark
from xueji.enrolment.services.declaring import Fit
from xueji.enrolment.services.trainees import enrol
from xueji.identity import queries as identity
from xueji.identity import rules as identity_rules
from xueji.identity import spelling
from xueji.identity.errors import AlreadyTaken
from xueji.identity.models import Account, Person
from xueji.identity.numbers import identity_number
from xueji.identity.services.passwords import NO_PASSWORD
from xueji.identity.services.people import register_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Invalid, Problem

MOST_LINES = 10_000
AT_ONCE = 25
"""People written in one transaction: nobody else's beats wait longer for it."""
LONGEST_SECONDS = 20.0
"""For how long one request goes on writing; who is left is taken with the next."""
_LOOKED_UP = 500
_DIGITS = "23456789"


@dataclass(frozen=True, slots=True)
class Bad:
    """Why somebody is not taken, in words."""

    line: PersonLine
    why: BadLine
    message: str
    known_as: str = ""
    """The name under which the institution's own trainee of that number is registered."""
    person_id: UUID | None = None
    """Whose name that is: it may be corrected."""


@dataclass(frozen=True, slots=True)
class Good:
    """Somebody who will be taken."""

    line: PersonLine
    new: bool
    """Whether the platform does not know her yet."""
    account: str
    """What she will sign in with; empty when she has an account, or the platform is to make one up."""
    remark: Remark | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What would become of a table."""

    good: tuple[Good, ...]
    bad: tuple[Bad, ...]
    enrolled: tuple[PersonLine, ...]
    """In the cohort already: nothing changes for them."""

    @property
    def new(self) -> int:
        """How many of them the platform does not know yet."""
        return sum(1 for each in self.good if each.new)


@dataclass(frozen=True, slots=True)
class Imported:
    """What has become of a table so far."""

    enrolled: int
    new: int
    """Of these, whom the platform did not know before: they have no password yet."""
    left: int
    """How many are still to be taken, by doing the same again."""
    bad: tuple[Bad, ...] = ()


def look(context: Context, *, actor: Actor, cohort_id: UUID, people: People, declared: Declaration | None) -> Looked:
    """The dry run. Raises NotFound, CohortNotOpen, NothingToImport, TooManyLines."""
    if not people.lines and not people.faults:
        raise NothingToImport
    if len(people.lines) > MOST_LINES:
        raise TooManyLines(limit=MOST_LINES)
    with context.database.reading() as session:
        cohort = access_own_cohort(session, actor, cohort_id)
        if cohort.state is not CohortState.OPEN or cohort.last_day < clock.shanghai_day(clock.now()):
            raise CohortNotOpen
        return _Look(session, context, cohort, declared, actor).at(people)


def take(
    context: Context,
    *,
    actor: Actor,
    cohort_id: UUID,
    people: People,
    declared: Declaration | None,
    seconds: float = LONGEST_SECONDS,
) -> Imported:
    """Enrol every good line, registering who is new, in portions; the bad ones are left out.

    Opens its own sessions. Stops after ``seconds``, and goes on where it stopped when it is called again. Raises as
    `look`.
    """
    looked = look(context, actor=actor, cohort_id=cohort_id, people=people, declared=declared)
    began, done, new = time.monotonic(), 0, 0
    bad = list(looked.bad)
    for start in range(0, len(looked.good), AT_ONCE):
        portion = looked.good[start : start + AT_ONCE]
        try:
            _write(context, actor, cohort_id, portion, declared)
        except Problem:
            # Somebody else has just enrolled one of them, or taken an account: each for herself.
            for each in portion:
                bad += _write_alone(context, actor, cohort_id, each, declared)
        done += len(portion)
        new += sum(1 for each in portion if each.new)
        if time.monotonic() - began > seconds:
            break
    refused = len(bad) - len(looked.bad)
    return Imported(done - refused, new, len(looked.good) - done, tuple(bad))


def _write(
    context: Context, actor: Actor, cohort_id: UUID, portion: Sequence[Good], declared: Declaration | None
) -> None:
    with context.database.writing() as session:
        cohort = access_own_cohort(session, actor, cohort_id, lock=True)
        for each in portion:
            person = register_person(
                session,
                context.keyring,
                name=each.line.name,
                id_number=each.line.number,
                account=each.account or _made_up(),
                password=NO_PASSWORD,
                role=Role.TRAINEE,
                organisation_id=cohort.organisation_id,
                actor=actor,
                temporary=True,
            )
            enrol(
                session,
                context.keyring,
                cohort=cohort,
                person=person,
                actor=actor,
                declared=_declared(each.line, declared),
                events=context.events,
            )


def _write_alone(
    context: Context, actor: Actor, cohort_id: UUID, each: Good, declared: Declaration | None
) -> list[Bad]:
    try:
        _write(context, actor, cohort_id, [each], declared)
    except AlreadyEnrolled:
        return []
    except AlreadyTaken as refused:
        return [Bad(each.line, BadLine.ACCOUNT_TAKEN, str(refused.detail))]
    except Invalid as refused:
        return [Bad(each.line, BadLine.DECLARATION, str(refused.detail))]
    return []


def _made_up() -> str:
    return "xj" + "".join(secrets.choice(_DIGITS) for _ in range(10))


def _declared(line: PersonLine, declared: Declaration | None) -> Declaration | None:
    """What is declared of all, with what the table says of her."""
    if declared is None:
        return None
    employer, earlier = line.employer[:LONGEST_EMPLOYER], line.earlier[:LONGEST_EARLIER]
    return replace(declared, employer=employer or declared.employer, earlier=earlier or declared.earlier)


@dataclass
class _Look:
    session: Session
    context: Context
    cohort: Cohort
    declared: Declaration | None
    actor: Actor
    taken: set[str] = field(default_factory=set)
    """Accounts that somebody has, or an earlier line will have."""

    def at(self, people: People) -> Looked:
        numbers = [line.number for line in people.lines if not line.lost]
        known = identity.known_to(self.session, self.context.keyring, self.cohort.organisation_id, numbers)
        self.taken = self._accounts_taken(people.lines)
        enrolled = self._enrolled()
        fit = Fit(self.session, self.context.events, self.cohort)
        good: list[Good] = []
        bad = [Bad(line, why, str(wording.BAD_LINE[why])) for line, why in people.faults]
        present: list[PersonLine] = []
        for line in people.lines:
            person = known.get(line.number)
            wrong = self._bad_known(person, line, enrolled) if person is not None else self._bad_new(line)
            state = enrolled.get(_stands(person)) if person is not None else None
            if wrong is not None:
                bad.append(wrong)
            elif state is EnrolmentState.ACTIVE:
                present.append(line)
            elif misfits := fit.misfits(_declared(line, self.declared), None if person is None else person.id):
                bad.append(Bad(line, BadLine.DECLARATION, wording.misfits(misfits)))
            else:
                good.append(self._good(line, new=person is None))
        bad.sort(key=lambda each: (each.line.sheet, each.line.line))
        return Looked(tuple(good), tuple(bad), tuple(present))

    def _accounts_taken(self, lines: Sequence[PersonLine]) -> set[str]:
        names = {identity_rules.account_name(line.account) for line in lines if line.account}
        names |= {spelling.telephone(line.telephone) for line in lines}
        found: set[str] = set()
        for some in _portions(sorted(names - {""})):
            found |= set(self.session.scalars(select(Account.account).where(Account.account.in_(some))))
        return found

    def _enrolled(self) -> Mapping[UUID, EnrolmentState]:
        """By the file that stands: whoever has two is in the cohort with either."""
        rows = self.session.execute(
            select(func.coalesce(Person.joined_to, Person.id).label("stands"), Enrolment.state)
            .join(Person, Person.id == Enrolment.person_id)
            .where(Enrolment.cohort_id == self.cohort.id)
            .order_by(Enrolment.state.desc())
        )
        # Of two, the one she studies in is read last and stands.
        return {row.stands: row.state for row in rows}

    def _bad_known(self, known: Person, line: PersonLine, enrolled: Mapping[UUID, EnrolmentState]) -> Bad | None:
        if not identity.is_named(self.session, self.context.keyring, known, line.name):
            shown = identity.display_names(self.session, self.context.keyring, [known.id])[known.id]
            return Bad(line, BadLine.OTHER_NAME, str(wording.BAD_LINE[BadLine.OTHER_NAME]), shown, known.id)
        if enrolled.get(_stands(known)) is EnrolmentState.WITHDRAWN:
            return Bad(line, BadLine.WITHDRAWN, str(wording.BAD_LINE[BadLine.WITHDRAWN]))
        return None

    def _bad_new(self, line: PersonLine) -> Bad | None:
        if line.lost:
            return Bad(line, BadLine.NUMBER_LOST, str(wording.BAD_LINE[BadLine.NUMBER_LOST]))
        try:
            identity_number(line.number, clock.shanghai_day(clock.now()))
        except Invalid as refused:
            return Bad(line, BadLine.BAD_NUMBER, str(refused.detail))
        if not identity_rules.is_person_name(line.name):
            return Bad(line, BadLine.BAD_NAME, str(wording.BAD_LINE[BadLine.BAD_NAME]))
        account = identity_rules.account_name(line.account)
        problem = identity_rules.account_problem(account) if account else None
        if problem is not None:
            return Bad(line, BadLine.BAD_ACCOUNT, str(wording.ACCOUNT_PROBLEM[problem]))
        if account in self.taken:
            return Bad(line, BadLine.ACCOUNT_TAKEN, str(wording.BAD_LINE[BadLine.ACCOUNT_TAKEN]))
        return None

    def _good(self, line: PersonLine, *, new: bool) -> Good:
        if not new:
            return Good(line, False, "", None)
        account, remark = identity_rules.account_name(line.account), None
        if not account and line.telephone:
            account = spelling.telephone(line.telephone)
            if not account:
                remark = Remark.TELEPHONE_UNUSABLE
            elif account in self.taken:
                account, remark = "", Remark.TELEPHONE_SHARED
        if account:
            self.taken.add(account)
        return Good(line, True, account, remark)


def _stands(person: Person) -> UUID:
    return person.joined_to or person.id


def _portions(values: list[str] | list[bytes]) -> Iterator[list[str] | list[bytes]]:
    for start in range(0, len(values), _LOOKED_UP):
        yield values[start : start + _LOOKED_UP]
