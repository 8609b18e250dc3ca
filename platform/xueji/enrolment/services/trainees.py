"""Letting trainees into a cohort, one by one or a pasted table at once, and out of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.enrolment import queries
from xueji.enrolment.access import access_own_cohort, access_own_enrolment
from xueji.enrolment.declarations import Declaration
from xueji.enrolment.errors import (
    AlreadyEnrolled,
    AlreadyWithdrawn,
    CohortNotOpen,
    ImportRefused,
    NothingToImport,
    NotWithdrawn,
    ReasonNeeded,
    TooManyLines,
    WithdrawnBefore,
)
from xueji.enrolment.events import StudyEnds
from xueji.enrolment.models import Cohort, CohortState, Enrolment, EnrolmentState
from xueji.enrolment.rules import MOST_PASTED, BadLine, PastedPerson, pasted_people
from xueji.enrolment.services import references
from xueji.enrolment.services.declaring import declare
from xueji.enrolment.services.subject import subject_commitments
from xueji.identity import queries as identity
from xueji.identity import rules as identity_rules
from xueji.identity import spelling
from xueji.identity.models import Account, Person
from xueji.identity.numbers import identity_number
from xueji.identity.services.acting import Acting, record_in_enrolment
from xueji.identity.services.passwords import HashedPassword, hash_password
from xueji.identity.services.people import register_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Invalid
from xueji.kernel.events import Events
from xueji.rulebook.vocabulary import RULES
from xueji.trace import services as trace
from xueji.trace.rules import ABOUT, DECLARED, Event

_UNAMBIGUOUS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"


def enrol(
    session: Session,
    keyring: Keyring,
    *,
    cohort: Cohort,
    person: Person,
    actor: Actor,
    declared: Declaration | None = None,
    events: Events | None = None,
) -> Enrolment:
    """Let a person into an open cohort; her chain in the trace begins with everything that was settled by then.

    Without ``events`` no earlier training is known. Raises NotFound (not the actor's cohort), CohortNotOpen,
    AlreadyEnrolled, WithdrawnBefore, DeclarationRefused.
    """
    cohort = access_own_cohort(session, actor, cohort.id, lock=True)
    if cohort.state is not CohortState.OPEN or cohort.last_day < clock.shanghai_day(clock.now()):
        raise CohortNotOpen
    mine = identity.same_person(Enrolment.person_id, person.id)
    same = select(Enrolment.state).where(Enrolment.cohort_id == cohort.id, mine).order_by(Enrolment.state)
    state = session.scalar(same.limit(1))
    if state is not None:
        raise AlreadyEnrolled if state is EnrolmentState.ACTIVE else WithdrawnBefore
    enrolment = Enrolment(
        id=uuid4(),
        cohort_id=cohort.id,
        person_id=person.id,
        enrolled_at=clock.now(),
        state=EnrolmentState.ACTIVE,
    )
    session.add(enrolment)
    session.flush()
    facts = queries.enrolment_facts(session, enrolment.id)
    assert facts is not None
    declaration = declare(session, events, enrolment=enrolment, cohort=cohort, declared=declared, actor=actor)
    trace.record(
        session,
        event=Event.ENROLMENT_OPEN,
        chain=enrolment.chain,
        who=keyring.pseudonym(person.id, enrolment.id),
        values={
            **opening_values(facts),
            DECLARED: declaration,
            ABOUT: subject_commitments(session, keyring, facts),
            **Acting.of(session, keyring, actor).values(session, chain=enrolment.chain, person_id=person.id),
        },
    )
    references.stand(session, enrolment)
    return enrolment


def opening_values(facts: queries.EnrolmentFacts) -> dict[str, object]:
    """What the first leaf of an enrolment's chain says: the terms under which every later one is judged."""
    cohort = facts.cohort
    return {
        "cohort": str(cohort.cohort_id),
        "rules": RULES,
        "rulebook": cohort.rulebook,
        "jurisdiction": cohort.jurisdiction,
        "category": cohort.category.value,
        "industry": cohort.industry or None,
        "high_risk": cohort.high_risk,
        "training": cohort.training.value,
        "subject": cohort.subject,
        "total_ms": cohort.total_ms,
        "theory_ms": cohort.theory_ms,
        "practical_ms": cohort.practical_ms,
        "online_ms": cohort.online_ms,
        "in_person_ms": cohort.in_person_ms,
        "starts": cohort.starts_on.isoformat(),
        "ends": cohort.ends_on.isoformat(),
        "plan": cohort.plan.to_dict(),
        "lessons": [
            {
                "lesson": str(lesson.lesson_id),
                "part": lesson.part.value,
                "duration_ms": lesson.duration_ms,
                "film": lesson.film_sha256,
            }
            for lesson in facts.lessons
        ],
    }


def withdraw(
    session: Session, keyring: Keyring, events: Events, *, enrolment_id: UUID, reason: str, actor: Actor
) -> Enrolment:
    """Let a trainee out. What was recorded stays, and with the reason it says why nothing follows.

    Raises NotFound, AlreadyWithdrawn, ReasonNeeded.
    """
    enrolment, _cohort = access_own_enrolment(session, actor, enrolment_id)
    if enrolment.state is EnrolmentState.WITHDRAWN:
        raise AlreadyWithdrawn
    if not reason.strip():
        raise ReasonNeeded
    enrolment.state = EnrolmentState.WITHDRAWN
    # What ends with it is said first: sittings are locked before a chain grows, as everywhere.
    events.publish(StudyEnds(session, (enrolment.id,)))
    person = str(enrolment.person_id)
    commitment = trace.commit(session, reason.strip(), chain=enrolment.chain, field="reason", person=person)
    record_in_enrolment(
        session,
        keyring,
        actor=actor,
        event=Event.ENROLMENT_WITHDRAW,
        enrolment_id=enrolment.id,
        person_id=enrolment.person_id,
        values={"reason": commitment},
    )
    return enrolment


def readmit(session: Session, keyring: Keyring, *, enrolment_id: UUID, reason: str, actor: Actor) -> Enrolment:
    """Take a withdrawal back: her chain goes on with everything she has earned, and says why.

    Raises NotFound, NotWithdrawn, CohortNotOpen, ReasonNeeded.
    """
    enrolment, cohort = access_own_enrolment(session, actor, enrolment_id)
    if enrolment.state is not EnrolmentState.WITHDRAWN:
        raise NotWithdrawn
    if cohort.state is not CohortState.OPEN or cohort.last_day < clock.shanghai_day(clock.now()):
        raise CohortNotOpen
    if not reason.strip():
        raise ReasonNeeded
    enrolment.state = EnrolmentState.ACTIVE
    person = str(enrolment.person_id)
    commitment = trace.commit(session, reason.strip(), chain=enrolment.chain, field="reason", person=person)
    record_in_enrolment(
        session,
        keyring,
        actor=actor,
        event=Event.ENROLMENT_READMIT,
        enrolment_id=enrolment.id,
        person_id=enrolment.person_id,
        values={"reason": commitment},
    )
    return enrolment


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is shown once, to be handed to the trainee."""

    name: str
    account: str
    password: str


@dataclass(frozen=True, slots=True)
class Imported:
    enrolled: int
    accounts: tuple[NewAccount, ...]
    """Of those the platform did not know before."""


def import_trainees(
    context: Context, *, actor: Actor, cohort_id: UUID, text: str, declared: Declaration | None = None
) -> Imported:
    """Enrol everybody in a pasted table, registering those who are new. All of them, or nobody.

    The declaration is that of each of them. Opens its own sessions, because the passwords are hashed between reading
    and writing. Raises NotFound, CohortNotOpen, DeclarationRefused, NothingToImport, TooManyLines, ImportRefused with
    every bad line.
    """
    people, bad = pasted_people(text)
    if len(people) > MOST_PASTED:
        raise TooManyLines(limit=MOST_PASTED)
    if not people and not bad:
        raise NothingToImport
    with context.database.reading() as session:
        cohort = access_own_cohort(session, actor, cohort_id)
        bad += _bad_lines(session, context.keyring, cohort, people)
        if bad:
            raise ImportRefused(bad)
        numbers = [person.id_number for person in people]
        known = identity.known_to(session, context.keyring, cohort.organisation_id, numbers).keys()
    prepared = [_prepared(person, new=person.id_number not in known) for person in people]
    with context.database.writing() as session:
        cohort = access_own_cohort(session, actor, cohort_id, lock=True)
        for person, (account, _shown, hashed) in zip(people, prepared, strict=True):
            registered = register_person(
                session,
                context.keyring,
                name=person.name,
                id_number=person.id_number,
                account=account,
                password=hashed,
                role=Role.TRAINEE,
                organisation_id=cohort.organisation_id,
                actor=actor,
                temporary=True,
            )
            enrol(
                session,
                context.keyring,
                cohort=cohort,
                person=registered,
                actor=actor,
                declared=declared,
                events=context.events,
            )
    accounts = tuple(
        NewAccount(person.name, account, shown)
        for person, (account, shown, _hashed) in zip(people, prepared, strict=True)
        if person.id_number not in known
    )
    return Imported(len(people), accounts)


def _prepared(person: PastedPerson, *, new: bool) -> tuple[str, str, HashedPassword]:
    """Account, password to be shown, and its hash; somebody known keeps her own and these are not used."""
    if not new:
        return "", "", HashedPassword("")
    shown = "".join(secrets.choice(_UNAMBIGUOUS) for _ in range(6)) + "".join(secrets.choice(_DIGITS) for _ in range(6))
    account = identity_rules.account_name(person.account) if person.account else _new_account_name()
    return account, shown, hash_password(shown)


def _new_account_name() -> str:
    return "xj" + "".join(secrets.choice(_DIGITS) for _ in range(10))


def _bad_lines(
    session: Session, keyring: Keyring, cohort: Cohort, people: Sequence[PastedPerson]
) -> list[tuple[int, BadLine]]:
    """Whatever would be refused when writing, found beforehand so that all of it can be said at once."""
    numbers = [person.id_number for person in people]
    registered = identity.known_to(session, keyring, cohort.organisation_id, numbers)
    known_here = session.execute(select(Enrolment.person_id, Enrolment.state).where(Enrolment.cohort_id == cohort.id))
    enrolled = {row.person_id: row.state for row in known_here}
    names = [identity_rules.account_name(person.account) for person in people if person.account]
    taken = set(session.scalars(select(Account.account).where(Account.account.in_(names))))
    bad: list[tuple[int, BadLine]] = []
    for person in people:
        known = registered.get(person.id_number)
        why = _bad_known(session, keyring, known, person, enrolled) if known is not None else _bad_new(person, taken)
        if why is not None:
            bad.append((person.line, why))
        elif known is None and person.account:
            taken.add(identity_rules.account_name(person.account))
    return bad


def _bad_known(
    session: Session, keyring: Keyring, known: Person, person: PastedPerson, enrolled: Mapping[UUID, EnrolmentState]
) -> BadLine | None:
    if not identity.is_named(session, keyring, known, spelling.person_name(person.name)):
        return BadLine.OTHER_NAME
    state = enrolled.get(known.id)
    if state is None:
        return None
    return BadLine.ALREADY_ENROLLED if state is EnrolmentState.ACTIVE else BadLine.WITHDRAWN


def _bad_new(person: PastedPerson, taken: set[str]) -> BadLine | None:
    try:
        identity_number(person.id_number, clock.shanghai_day(clock.now()))
    except Invalid:
        return BadLine.NUMBER_LOST if spelling.is_approximate(person.id_number) else BadLine.BAD_NUMBER
    if not 2 <= len(spelling.person_name(person.name)) <= 40:
        return BadLine.BAD_NAME
    account = identity_rules.account_name(person.account)
    if account and identity_rules.account_problem(account) is not None:
        return BadLine.BAD_ACCOUNT
    return BadLine.ACCOUNT_TAKEN if account in taken else None
