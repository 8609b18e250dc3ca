"""The only way to a finding or a draw for somebody: hers to see, or not found; and what a jurisdiction covers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import InstrumentedAttribute, Session

from xueji.enrolment.models import Cohort, CohortState
from xueji.identity.access import in_jurisdiction
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.oversight.models import Draw, Finding


def within(region: str | None, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition that a column's division code lies in a regulator's (as `in_jurisdiction`); nobody's is nothing."""
    if region is None or len(region) != 6:
        return false()
    if region[2:] == "0000":
        return column.startswith(region[:2])
    if region[4:] == "00":
        return column.startswith(region[:4])
    return column == region


def seen_cohorts(actor: Actor) -> ColumnElement[bool]:
    """The cohorts a regulator sees: held in her jurisdiction, and begun (drafts are the institution's own business)."""
    region = actor.region if actor.is_(Role.REGULATOR) else None
    return within(region, Cohort.region) & (Cohort.state != CohortState.DRAFT)


def access_finding(session: Session, actor: Actor, finding_id: UUID, *, lock: bool = False) -> Finding:
    """A regulator's in her jurisdiction; the institution's that has to answer. Raises NotFound."""
    finding = session.get(Finding, finding_id, with_for_update=lock)
    if finding is not None:
        regulator = actor.is_(Role.REGULATOR) and in_jurisdiction(actor.region or "", finding.region)
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
