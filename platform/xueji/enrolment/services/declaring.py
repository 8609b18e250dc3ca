"""Keeping what was declared of a trainee at enrolment, and refusing what does not fit unless a reason is given."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.enrolment.declarations import (
    LONGEST_EARLIER,
    LONGEST_EMPLOYER,
    LONGEST_REASON,
    Declaration,
    Misfit,
    misfits,
)
from xueji.enrolment.errors import DeclarationRefused
from xueji.enrolment.events import EarlierTraining
from xueji.enrolment.models import Cohort, Enrolment, EnrolmentDeclaration, EnrolmentState
from xueji.identity import spelling
from xueji.identity.models import Organisation
from xueji.identity.queries import same_person
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.events import Events
from xueji.rulebook.vocabulary import Training
from xueji.trace import services as trace


def declare(
    session: Session,
    events: Events | None,
    *,
    enrolment: Enrolment,
    cohort: Cohort,
    declared: Declaration | None,
    actor: Actor,
) -> dict[str, object] | None:
    """Keep the declaration of a new enrolment; what its first leaf says of it, None where nothing was declared.

    Raises DeclarationRefused when something does not fit and no reason is given.
    """
    employer = None if declared is None else _employer(session, declared.employer)
    if declared is not None and employer is not None and employer.industry:
        # What the employer says of itself stands above what the institution says of it.
        declared = Declaration(
            post=declared.post,
            employer=declared.employer,
            industry=employer.industry,
            earlier=declared.earlier,
            reason=declared.reason,
        )
    trained_before = cohort.training is not Training.INITIAL and _trained_before(session, events, enrolment, cohort)
    found = misfits(
        declared,
        category=cohort.category,
        industry=cohort.industry,
        training=cohort.training,
        trained_before=trained_before,
    )
    if found and (declared is None or not declared.reason.strip()):
        raise DeclarationRefused(found)
    if declared is None:
        return None
    row = EnrolmentDeclaration(
        enrolment_id=enrolment.id,
        post=declared.post,
        employer=spelling.person_name(declared.employer)[:LONGEST_EMPLOYER],
        employer_id=None if employer is None else employer.id,
        industry=declared.industry,
        earlier=declared.earlier.strip()[:LONGEST_EARLIER],
        reason=declared.reason.strip()[:LONGEST_REASON],
        misfits=[each.value for each in found],
        to_look_at=bool(found) or (cohort.training is not Training.INITIAL and not trained_before),
        declared_by=actor.person_id,
        declared_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return _values(session, enrolment, row, found, trained_before=trained_before)


def _values(
    session: Session,
    enrolment: Enrolment,
    row: EnrolmentDeclaration,
    found: tuple[Misfit, ...],
    *,
    trained_before: bool,
) -> dict[str, object]:
    """For the opening leaf: words about her as commitments, the rest as it is."""

    def committed(value: str, field: str) -> str | None:
        if not value:
            return None
        return trace.commit(session, value, chain=enrolment.chain, field=field, person=str(enrolment.person_id))

    return {
        "post": row.post.value,
        "industry": row.industry,
        "employer": committed(row.employer, "employer"),
        "earlier": committed(row.earlier, "earlier"),
        "reason": committed(row.reason, "reason"),
        "misfits": [each.value for each in found],
        "trained_before": trained_before,
    }


def _employer(session: Session, name: str) -> Organisation | None:
    spelled = spelling.person_name(name)
    kind = OrganisationKind.ENTERPRISE
    return session.scalar(select(Organisation).where(Organisation.name == spelled, Organisation.kind == kind))


def _trained_before(session: Session, events: Events | None, enrolment: Enrolment, cohort: Cohort) -> bool:
    """Whether the platform knows an earlier training of the same post to be complete."""
    if events is None:
        return False
    earlier = session.scalars(
        select(Enrolment.id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(
            same_person(Enrolment.person_id, enrolment.person_id),
            Enrolment.id != enrolment.id,
            Enrolment.state == EnrolmentState.ACTIVE,
            Cohort.id != cohort.id,
            Cohort.category == cohort.category,
        )
    )
    asked = EarlierTraining(session, tuple(earlier))
    if asked.enrolment_ids:
        events.publish(asked)
    return asked.complete
