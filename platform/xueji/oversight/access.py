"""The only way to a finding or a draw for somebody: hers to see, or not found; and what a jurisdiction covers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from xueji.cohorts.access import seen_cohorts
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment
from xueji.identity.access import in_jurisdiction
from xueji.identity.queries import is_herself
from xueji.identity.regions import within
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.oversight.models import Draw, Finding, Inspection

__all__ = [
    "access_draw",
    "access_finding",
    "access_inspection",
    "access_inspection_to_end",
    "seen_cohorts",
    "seen_findings",
    "within",
]


def seen_findings(actor: Actor) -> ColumnElement[bool]:
    """The findings a regulator sees: those about a cohort she sees, whoever raised them."""
    cohorts = select(Enrolment.id).join(Cohort, Cohort.id == Enrolment.cohort_id).where(seen_cohorts(actor))
    return Finding.enrolment_id.in_(cohorts)


def access_finding(session: Session, actor: Actor, finding_id: UUID, *, lock: bool = False) -> Finding:
    """A regulator's who sees the cohort; the institution's that has to answer. Raises NotFound."""
    finding = session.get(Finding, finding_id, with_for_update=lock)
    if finding is not None:
        regulator = session.scalar(select(Finding.id).where(Finding.id == finding_id, seen_findings(actor))) is not None
        institution = actor.is_(Role.INSTITUTION) and actor.organisation_id == finding.organisation_id
        if regulator or institution:
            return finding
    raise NotFound


def access_draw(session: Session, actor: Actor, draw_id: UUID) -> Draw:
    """A regulator's whose jurisdiction covers the one it was drawn in. Raises NotFound."""
    draw = session.get(Draw, draw_id)
    if draw is None or not actor.is_(Role.REGULATOR) or not in_jurisdiction(actor.region or "", draw.region):
        raise NotFound
    return draw


def access_inspection(session: Session, actor: Actor, inspection_id: UUID) -> tuple[Inspection, Cohort]:
    """To read: the inspector it was given to, until it ends. Raises NotFound."""
    found = session.get(Inspection, inspection_id)
    if (
        found is None
        or not actor.is_(Role.INSPECTOR)
        or not is_herself(session, found.person_id, actor.person_id)
        or found.ended_at is not None
        or clock.now() >= found.until
    ):
        raise NotFound
    return found, session.get_one(Cohort, found.cohort_id)


def access_inspection_to_end(session: Session, actor: Actor, inspection_id: UUID) -> Inspection:
    """A regulator's who sees the cohort. Raises NotFound."""
    found = session.get(Inspection, inspection_id, with_for_update=True)
    if found is None or not actor.is_(Role.REGULATOR):
        raise NotFound
    if session.scalar(select(Cohort.id).where(Cohort.id == found.cohort_id, seen_cohorts(actor))) is None:
        raise NotFound
    return found
