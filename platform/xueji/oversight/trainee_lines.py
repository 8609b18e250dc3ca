"""Enrolments as the lists of those who look on show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.identity.models import Organisation, Person
from xueji.identity.rules import ProofRoute
from xueji.kernel.actor import Actor
from xueji.oversight.access import seen_cohorts

PER_PAGE = 20
MOST_CHOICES = 200


@dataclass(frozen=True, slots=True)
class TraineeLine:
    """One enrolment as lists show it; names masked."""

    enrolment_id: UUID
    person_id: UUID
    name_masked: str
    id_number_masked: str
    route: ProofRoute
    state: EnrolmentState
    cohort_id: UUID
    cohort: str
    starts_on: date
    ends_on: date
    region: str
    institution: str


def _trainees() -> Select[UUID, UUID, str, str, ProofRoute, EnrolmentState, UUID, str, date, date, str, str]:
    return (
        select(
            Enrolment.id,
            Person.id,
            Person.name_masked,
            Person.id_number_masked,
            Person.proof_route,
            Enrolment.state,
            Cohort.id,
            Cohort.title,
            Cohort.starts_on,
            Cohort.ends_on,
            Cohort.region,
            Organisation.name,
        )
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .join(Person, Person.id == Enrolment.person_id)
    )


def trainee_page(session: Session, where: Sequence[ColumnElement[bool]], page: int) -> tuple[list[TraineeLine], int]:
    """A page of the enrolments that meet all conditions, the latest enrolled first, and how many there are."""
    chosen = _trainees().where(*where)
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    ordered = chosen.order_by(Enrolment.enrolled_at.desc(), Enrolment.id)
    rows = session.execute(ordered.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return [TraineeLine(*row) for row in rows], total


def trainee_line(session: Session, enrolment_id: UUID) -> TraineeLine:
    """Of an enrolment already looked up by `access_enrolment`."""
    return TraineeLine(*session.execute(_trainees().where(Enrolment.id == enrolment_id)).one())


def trainee_lines(session: Session, enrolment_ids: Iterable[UUID]) -> dict[UUID, TraineeLine]:
    rows = session.execute(_trainees().where(Enrolment.id.in_(list(enrolment_ids))))
    return {row[0]: TraineeLine(*row) for row in rows}


def cohort_trainees(session: Session, cohort_id: UUID, page: int) -> tuple[list[TraineeLine], int]:
    """A page of everybody ever enrolled in a cohort that somebody may read (`access.access_inspection`)."""
    return trainee_page(session, [Enrolment.cohort_id == cohort_id], page)


def cohort_choices(session: Session, actor: Actor) -> list[tuple[UUID, str]]:
    """The jurisdiction's cohorts for a filter, the latest first."""
    rows = session.execute(
        select(Cohort.id, Cohort.title, Organisation.name)
        .join(Organisation, Organisation.id == Cohort.organisation_id)
        .where(seen_cohorts(actor))
        .order_by(Cohort.starts_on.desc(), Cohort.title)
        .limit(MOST_CHOICES)
    )
    return [(cohort_id, f"{title} · {institution}") for cohort_id, title, institution in rows]


def institution_choices(session: Session, actor: Actor) -> list[tuple[UUID, str]]:
    """The institutions that hold cohorts in the jurisdiction, for a filter."""
    holding = select(Cohort.organisation_id).where(seen_cohorts(actor))
    rows = session.execute(
        select(Organisation.id, Organisation.name)
        .where(Organisation.id.in_(holding))
        .order_by(Organisation.name)
        .limit(MOST_CHOICES)
    )
    return [(organisation_id, name) for organisation_id, name in rows]
