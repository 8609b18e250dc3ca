"""What oversight does: draw trainees at random, raise findings, and follow them to their end."""

from __future__ import annotations

import os
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.access import access_enrolment
from xueji.enrolment.models import Enrolment
from xueji.identity.services.acting import record_in_enrolment, record_in_office
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, NotFound
from xueji.oversight import rules
from xueji.oversight.access import access_finding, seen_cohorts
from xueji.oversight.errors import DeadlineNotLater, DeadlinePast, FindingOver, NobodyToDraw, TooManyToDraw
from xueji.oversight.leaves import FindingMoved, TraineesDrawn
from xueji.oversight.models import Draw, Finding, FindingTurn
from xueji.oversight.rules import FindingKind, FindingState, FindingStep
from xueji.progress.models import Sitting
from xueji.rulebook.draws import population_digest
from xueji.trace import services as trace
from xueji.trace.rules import PLATFORM

LARGEST_POPULATION = 100_000
MOST_DRAWN = 200


def draw_trainees(
    session: Session,
    keyring: Keyring,
    *,
    actor: Actor,
    size: int,
    cohort_id: UUID | None = None,
    organisation_id: UUID | None = None,
) -> Draw:
    """Draw among the trainees of the jurisdiction, narrowed to a cohort or an institution where one is given.

    The seed comes from the operating system. What is drawn follows from seed and population alone, and the trace
    commits to both before anybody has seen the result. Raises Forbidden, NobodyToDraw, TooManyToDraw.
    """
    if not actor.is_(Role.REGULATOR) or actor.region is None:
        raise Forbidden
    population = _population(session, actor, cohort_id, organisation_id)
    if not population:
        raise NobodyToDraw
    seed, draw_id = os.urandom(32), uuid4()
    commitment = trace.commit(session, seed.hex(), chain=PLATFORM, field="seed")
    draw = Draw(
        id=draw_id,
        region=actor.region,
        drawn_by=actor.person_id,
        drawn_at=clock.now(),
        among={
            "cohort": str(cohort_id) if cohort_id else None,
            "organisation": str(organisation_id) if organisation_id else None,
        },
        size=min(size, len(population), MOST_DRAWN),
        population_size=len(population),
        population=b"".join(sorted(each.bytes for each in population)),
        seed=seed,
        commitment=commitment,
    )
    session.add(draw)
    session.flush()
    drawn = TraineesDrawn(
        draw=str(draw_id),
        population=len(population),
        among=population_digest(population),
        size=draw.size,
        seed=commitment,
    )
    record_in_office(session, keyring, drawn, actor=actor)
    return draw


def _population(session: Session, actor: Actor, cohort_id: UUID | None, organisation_id: UUID | None) -> list[UUID]:
    chosen = (
        select(Enrolment.id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        # Whoever was let out stays among them: else a look is evaded by letting her out.
        .where(seen_cohorts(actor))
        .limit(LARGEST_POPULATION + 1)
    )
    if cohort_id is not None:
        chosen = chosen.where(Cohort.id == cohort_id)
    if organisation_id is not None:
        chosen = chosen.where(Cohort.organisation_id == organisation_id)
    population = list(session.scalars(chosen))
    if len(population) > LARGEST_POPULATION:
        raise TooManyToDraw(limit=LARGEST_POPULATION)
    return population


def raise_finding(
    session: Session,
    keyring: Keyring,
    *,
    actor: Actor,
    enrolment_id: UUID,
    kind: FindingKind,
    words: str,
    deadline: date,
    sitting_id: UUID | None = None,
    moment_ms: int | None = None,
) -> Finding:
    """Object to something in an enrolment, in one of its sittings, or at a moment of that (epoch ms).

    The institution has until the deadline. A moment outside the sitting is none.

    Raises NotFound, Forbidden, DeadlinePast.
    """
    if not actor.is_(Role.REGULATOR):
        raise Forbidden
    enrolment = access_enrolment(session, actor, enrolment_id)
    _must_lie_ahead(deadline)
    if sitting_id is not None:
        sitting = session.get(Sitting, sitting_id)
        if sitting is None or sitting.enrolment_id != enrolment.id:
            raise NotFound
        if moment_ms is not None and not sitting.opened_ms <= moment_ms <= sitting.last_contact_ms:
            moment_ms = None
    else:
        moment_ms = None
    cohort = session.get_one(Cohort, enrolment.cohort_id)
    finding = Finding(
        enrolment_id=enrolment.id,
        sitting_id=sitting_id,
        moment_ms=moment_ms,
        organisation_id=cohort.organisation_id,
        region=cohort.region,
        kind=kind,
        words=words.strip(),
        deadline=deadline,
        state=FindingState.OPEN,
        raised_by=actor.person_id,
        raised_at=clock.now(),
    )
    session.add(finding)
    session.flush()
    _record(session, keyring, actor, finding)
    return finding


def answer_finding(session: Session, keyring: Keyring, *, actor: Actor, finding_id: UUID, answer: str) -> Finding:
    """The institution says what it did. Raises NotFound, Forbidden, FindingOver."""
    finding = _to_move(session, actor, finding_id, Role.INSTITUTION, FindingState.ANSWERED)
    finding.answer, finding.answered_by, finding.answered_at = answer.strip(), actor.person_id, clock.now()
    _note(session, actor, finding, FindingStep.ANSWER, answer)
    _record(session, keyring, actor, finding)
    return finding


def send_back(
    session: Session, keyring: Keyring, *, actor: Actor, finding_id: UUID, words: str, deadline: date
) -> Finding:
    """The answer is not enough: the institution has to answer anew, until the new deadline; what it said stays.

    Raises NotFound, Forbidden, FindingOver, DeadlinePast.
    """
    _must_lie_ahead(deadline)
    finding = _to_move(session, actor, finding_id, Role.REGULATOR, FindingState.OPEN)
    finding.deadline = deadline
    finding.answer, finding.answered_by, finding.answered_at = "", None, None
    _note(session, actor, finding, FindingStep.SEND_BACK, words)
    _record(session, keyring, actor, finding)
    return finding


def extend(
    session: Session, keyring: Keyring, *, actor: Actor, finding_id: UUID, words: str, deadline: date
) -> Finding:
    """The regulator gives more time for an answer that is owed, also when the deadline is past already.

    Raises NotFound, Forbidden, FindingOver (none is owed), DeadlinePast, DeadlineNotLater.
    """
    finding = access_finding(session, actor, finding_id, lock=True)
    if not actor.is_(Role.REGULATOR):
        raise Forbidden
    if finding.state is not FindingState.OPEN:
        raise FindingOver
    _must_lie_ahead(deadline)
    if deadline <= finding.deadline:
        raise DeadlineNotLater
    finding.deadline = deadline
    _note(session, actor, finding, FindingStep.EXTEND, words)
    _record(session, keyring, actor, finding)
    return finding


def _must_lie_ahead(deadline: date) -> None:
    """Raises DeadlinePast: a deadline is a day after today."""
    if deadline <= clock.shanghai_day(clock.now()):
        raise DeadlinePast


def _note(session: Session, actor: Actor, finding: Finding, turn: FindingStep, words: str) -> None:
    """The finding is locked by whoever moves it, so turns are counted one after the other."""
    deadline = None if turn is FindingStep.ANSWER else finding.deadline
    before = session.scalar(select(func.count()).where(FindingTurn.finding_id == finding.id)) or 0
    session.add(
        FindingTurn(
            finding_id=finding.id,
            number=before + 1,
            turn=turn,
            words=words.strip(),
            deadline=deadline,
            done_by=actor.person_id,
            done_at=clock.now(),
        )
    )
    session.flush()


def close_finding(session: Session, keyring: Keyring, *, actor: Actor, finding_id: UUID) -> Finding:
    """The regulator is satisfied, or takes it back. Raises NotFound, Forbidden, FindingOver."""
    finding = _to_move(session, actor, finding_id, Role.REGULATOR, FindingState.CLOSED)
    finding.closed_by, finding.closed_at = actor.person_id, clock.now()
    _record(session, keyring, actor, finding)
    return finding


def _to_move(session: Session, actor: Actor, finding_id: UUID, role: Role, to: FindingState) -> Finding:
    finding = access_finding(session, actor, finding_id, lock=True)
    if not actor.is_(role):
        raise Forbidden
    if not rules.may_move(finding.state, to):
        raise FindingOver
    finding.state = to
    return finding


def _record(session: Session, keyring: Keyring, actor: Actor, finding: Finding) -> None:
    person_id = session.get_one(Enrolment, finding.enrolment_id).person_id
    moved = FindingMoved(
        finding=str(finding.id),
        kind=finding.kind.value,
        state=finding.state.value,
        deadline=finding.deadline.isoformat(),
    )
    record_in_enrolment(session, keyring, moved, actor=actor, enrolment_id=finding.enrolment_id, person_id=person_id)
