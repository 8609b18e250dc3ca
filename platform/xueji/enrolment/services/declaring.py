"""Keeping what was declared of a trainee at enrolment, and refusing what does not fit unless a reason is given."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
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
from xueji.enrolment.leaves import Declared
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration, EnrolmentState
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
) -> Declared | None:
    """Keep the declaration of a new enrolment; what its first leaf says of it, None where nothing was declared.

    Raises DeclarationRefused when something does not fit and no reason is given.
    """
    fit = Fit(session, events, cohort)
    employer = None if declared is None else fit.employer(declared.employer)
    declared, found = fit.judged(declared, enrolment.person_id)
    trained_before = fit.trained_before(enrolment.person_id)
    if fit.refused(declared, found):
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
) -> Declared:
    """For the opening leaf: words about her as commitments, the rest as it is."""

    def committed(value: str, field: str) -> str | None:
        if not value:
            return None
        return trace.commit(session, value, chain=enrolment.chain, field=field, person=str(enrolment.person_id))

    return Declared(
        post=row.post.value,
        industry=row.industry,
        employer=committed(row.employer, "employer"),
        earlier=committed(row.earlier, "earlier"),
        reason=committed(row.reason, "reason"),
        misfits=[each.value for each in found],
        trained_before=trained_before,
    )


class Fit:
    """Whether declarations fit a cohort, asked for one person or for thousands."""

    def __init__(self, session: Session, events: Events | None, cohort: Cohort) -> None:
        self._session, self._events, self._cohort = session, events, cohort
        self._employers: dict[str, Organisation | None] = {}
        self._trained: dict[UUID, bool] = {}

    def misfits(self, declared: Declaration | None, person_id: UUID | None) -> tuple[Misfit, ...]:
        """What stands against taking her, None somebody unknown; nothing where a reason is given."""
        declared, found = self.judged(declared, person_id)
        return found if self.refused(declared, found) else ()

    def judged(
        self, declared: Declaration | None, person_id: UUID | None
    ) -> tuple[Declaration | None, tuple[Misfit, ...]]:
        """The declaration with what the employer says of itself, which stands above it, and what does not fit."""
        employer = None if declared is None else self.employer(declared.employer)
        if declared is not None and employer is not None and employer.industry:
            declared = replace(declared, industry=employer.industry)
        found = misfits(
            declared,
            category=self._cohort.category,
            industry=self._cohort.industry,
            training=self._cohort.training,
            trained_before=person_id is not None and self.trained_before(person_id),
        )
        return declared, found

    @staticmethod
    def refused(declared: Declaration | None, found: tuple[Misfit, ...]) -> bool:
        """Whether something does not fit and no reason is given."""
        return bool(found) and (declared is None or not declared.reason.strip())

    def employer(self, name: str) -> Organisation | None:
        """The registered enterprise of that name; None where there is none."""
        spelled = spelling.person_name(name)
        if spelled not in self._employers:
            kind = OrganisationKind.ENTERPRISE
            self._employers[spelled] = self._session.scalar(
                select(Organisation).where(Organisation.name == spelled, Organisation.kind == kind)
            )
        return self._employers[spelled]

    def trained_before(self, person_id: UUID) -> bool:
        """Whether the platform knows an earlier training of the same post to be complete."""
        if self._events is None or self._cohort.training is Training.INITIAL:
            return False
        if person_id not in self._trained:
            earlier = self._session.scalars(
                select(Enrolment.id)
                .join(Cohort, Cohort.id == Enrolment.cohort_id)
                .where(
                    same_person(Enrolment.person_id, person_id),
                    Enrolment.state == EnrolmentState.ACTIVE,
                    Cohort.id != self._cohort.id,
                    Cohort.category == self._cohort.category,
                )
            )
            asked = EarlierTraining(self._session, tuple(earlier))
            if asked.enrolment_ids:
                self._events.publish(asked)
            self._trained[person_id] = asked.complete
        return self._trained[person_id]
