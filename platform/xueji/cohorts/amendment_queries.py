"""What was asked to be put right in open cohorts, for the institution and for the regulators who see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import false, select
from sqlalchemy.orm import Session, aliased

from xueji.cohorts.access import seen_cohorts
from xueji.cohorts.models import Cohort, CohortAmendment
from xueji.cohorts.services.amending import may_decide
from xueji.identity.models import Organisation, Person
from xueji.kernel.actor import Actor, Role

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class AmendmentLine:
    """One request to put an open cohort right, as a list shows it."""

    amendment: CohortAmendment
    title: str
    """Of the cohort, as it is called now."""
    institution: str
    asker_masked: str
    decider_masked: str
    """Empty while nobody has decided."""
    changes: tuple[tuple[str, Any, Any], ...]
    """Field, what it said and what it is to say; days as ISO 8601."""
    mine: bool
    may_decide: bool

    @property
    def waits(self) -> bool:
        """Whether nobody has decided yet."""
        return self.amendment.decided_at is None


def amendments(session: Session, actor: Actor, cohort_id: UUID | None = None) -> list[AmendmentLine]:
    """Those somebody may see, of all cohorts or of one: what waits first, then the latest."""
    asker, decider = aliased(Person), aliased(Person)
    chosen = (
        select(CohortAmendment, Cohort.title, Organisation.name, asker.name_masked, decider.name_masked)
        .join(Cohort, Cohort.id == CohortAmendment.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .join(asker, asker.id == CohortAmendment.asked_by)
        .outerjoin(decider, decider.id == CohortAmendment.decided_by)
        .where(_seen(actor))
        .order_by(CohortAmendment.decided_at.is_not(None), CohortAmendment.asked_at.desc(), CohortAmendment.id)
        .limit(MOST_SHOWN)
    )
    if cohort_id is not None:
        chosen = chosen.where(Cohort.id == cohort_id)
    return [_line(session, actor, row) for row in session.execute(chosen)]


def _seen(actor: Actor) -> Any:
    if actor.is_(Role.INSTITUTION) and actor.organisation_id is not None:
        return (Cohort.organisation_id == actor.organisation_id) | seen_cohorts(actor)
    return seen_cohorts(actor) if actor.is_(Role.REGULATOR) else false()


def _line(session: Session, actor: Actor, row: Any) -> AmendmentLine:
    found, title, institution, asker, decider = row
    return AmendmentLine(
        found,
        title,
        institution,
        asker,
        decider or "",
        tuple((name, found.before[name], found.after[name]) for name in found.after),
        found.asked_by == actor.person_id,
        found.decided_at is None and may_decide(session, actor, found),
    )
