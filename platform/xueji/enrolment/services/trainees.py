"""Letting a trainee into a cohort, and out of it."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import CohortNotOpen, ReasonNeeded
from xueji.cohorts.models import Cohort, CohortState
from xueji.enrolment import queries
from xueji.enrolment.access import access_own_enrolment
from xueji.enrolment.declarations import Declaration
from xueji.enrolment.errors import AlreadyEnrolled, AlreadyWithdrawn, NotWithdrawn, WithdrawnBefore
from xueji.enrolment.events import StudyEnds
from xueji.enrolment.leaves import About, Declared, EnrolmentOpened, TraineeReadmitted, TraineeWithdrawn
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.services import references
from xueji.enrolment.services.declaring import declare
from xueji.enrolment.services.subject import subject_commitments
from xueji.identity.models import Person
from xueji.identity.queries import same_person
from xueji.identity.services.acting import Acting, record_in_enrolment
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.events import Events
from xueji.rulebook.vocabulary import RULES
from xueji.trace import services as trace


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
    any_file = same_person(Enrolment.person_id, person.id)
    same = select(Enrolment.state).where(Enrolment.cohort_id == cohort.id, any_file).order_by(Enrolment.state)
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
    opening = opening_leaf(facts, declaration, subject_commitments(session, keyring, facts))
    opening = Acting.of(session, keyring, actor).named(session, opening, chain=enrolment.chain, person_id=person.id)
    trace.record(session, opening, chain=enrolment.chain, who=keyring.pseudonym(person.id, enrolment.id))
    references.stand(session, enrolment)
    return enrolment


def opening_leaf(
    facts: queries.EnrolmentFacts, declaration: Declared | None, about: About | None = None
) -> EnrolmentOpened:
    """What the first leaf of an enrolment's chain says: the terms under which every later one is judged."""
    cohort = facts.cohort
    return EnrolmentOpened(
        cohort=str(cohort.cohort_id),
        rules=RULES,
        rulebook=cohort.rulebook,
        jurisdiction=cohort.jurisdiction,
        category=cohort.category.value,
        industry=cohort.industry or None,
        high_risk=cohort.high_risk,
        training=cohort.training.value,
        subject=cohort.subject,
        total_ms=cohort.total_ms,
        theory_ms=cohort.theory_ms,
        practical_ms=cohort.practical_ms,
        online_ms=cohort.online_ms,
        in_person_ms=cohort.in_person_ms,
        starts=cohort.starts_on.isoformat(),
        ends=cohort.ends_on.isoformat(),
        plan=cohort.plan.to_dict(),
        declared=declaration,
        about=about,
        lessons=[
            {
                "lesson": str(lesson.lesson_id),
                "part": lesson.part.value,
                "duration_ms": lesson.duration_ms,
                "film": lesson.film_sha256,
            }
            for lesson in facts.lessons
        ],
    )


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
    leaf = TraineeWithdrawn(reason=commitment)
    record_in_enrolment(session, keyring, leaf, actor=actor, enrolment_id=enrolment.id, person_id=enrolment.person_id)
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
    leaf = TraineeReadmitted(reason=commitment)
    record_in_enrolment(session, keyring, leaf, actor=actor, enrolment_id=enrolment.id, person_id=enrolment.person_id)
    return enrolment
