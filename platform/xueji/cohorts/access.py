"""The only way to get a cohort for somebody: hers to see or to change, or not found."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort, CohortState
from xueji.identity.access import in_jurisdiction
from xueji.identity.regions import within
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound


def access_whole_cohort(session: Session, actor: Actor, cohort_id: UUID) -> Cohort:
    """To look at as a whole: the institution's own, or one in the regulator's jurisdiction. Raises NotFound."""
    cohort = session.get(Cohort, cohort_id)
    if cohort is None or not sees_whole_cohort(actor, cohort):
        raise NotFound
    return cohort


def access_own_cohort(session: Session, actor: Actor, cohort_id: UUID, *, lock: bool = False) -> Cohort:
    """To change: the institution's own. With ``lock`` nobody else changes it until the transaction ends.

    Raises NotFound.
    """
    cohort = session.get(Cohort, cohort_id, with_for_update=lock, populate_existing=lock)
    if cohort is None or not _is_own(actor, cohort):
        raise NotFound
    return cohort


def _is_own(actor: Actor, cohort: Cohort) -> bool:
    return actor.is_(Role.INSTITUTION) and actor.organisation_id == cohort.organisation_id


def sees_whole_cohort(actor: Actor, cohort: Cohort) -> bool:
    """An institution its own; a regulator those held in her jurisdiction or by an institution of it, and begun."""
    return _is_own(actor, cohort) or (
        actor.is_(Role.REGULATOR)
        and any(in_jurisdiction(actor.region or "", region) for region in (cohort.region, cohort.home))
        and not _is_draft(cohort)
    )


def seen_cohorts(actor: Actor) -> ColumnElement[bool]:
    """The same as a condition: held in a regulator's jurisdiction, or by an institution whose seat is there, and begun.

    Both, because a cohort's place is what the supervised party writes; a draft is its own business.
    """
    region = actor.region if actor.is_(Role.REGULATOR) else None
    return (within(region, Cohort.region) | within(region, Cohort.home)) & (Cohort.state != CohortState.DRAFT)


def _is_draft(cohort: Cohort) -> bool:
    """A draft is the institution's own business until it opens."""
    return cohort.state is CohortState.DRAFT
