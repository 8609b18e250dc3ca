"""Reads of reference photos as staff meet them: who waits to have one confirmed, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, aliased

from xueji.cohorts.models import Cohort, CohortState
from xueji.cohorts.rules import settles_on
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.identity import vault
from xueji.identity.errors import Erased
from xueji.identity.models import Organisation, Person, PhotoDecision, ReferencePhoto
from xueji.identity.rules import PhotoStanding, PhotoState
from xueji.kernel.crypto import Keyring
from xueji.rulebook.plan import ProctoringPlan


@dataclass(frozen=True, slots=True)
class PhotoLine:
    """A reference photo in a list."""

    photo_id: UUID
    standing: PhotoStanding
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """A trainee whose photo nobody has held against her identity document."""

    enrolment_id: UUID
    person_id: UUID
    id_number_masked: str
    cohort: str
    confirm_by: date
    """The last day on which it releases what she studied (Asia/Shanghai)."""
    photos: tuple[PhotoLine, ...]

    @property
    def unlike(self) -> bool:
        """Whether one of them is unlike those that stand."""
        return any(photo.standing is PhotoStanding.WAITING for photo in self.photos)


def to_confirm(session: Session, organisation_id: UUID, today: date) -> list[ToConfirm]:
    """The institution's trainees that wait for staff, those whose time runs out first at the top; one line each.

    A first photo waits where the plan asks for it; one that took the place of another, or is unlike those that stand,
    waits wherever it is.
    """
    # Of whoever signs in: her photos, whichever of her files the enrolment stands in.
    whose = aliased(Person)
    rows = session.execute(
        select(ReferencePhoto, Enrolment, Cohort, Person.id_number_masked)
        .join(whose, whose.id == ReferencePhoto.person_id)
        .join(Person, or_(Person.id == whose.id, Person.joined_to == whose.id))
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(
            _undecided(),
            whose.joined_to.is_(None),
            Cohort.organisation_id == organisation_id,
            Cohort.state != CohortState.DRAFT,
            Enrolment.state == EnrolmentState.ACTIVE,
        )
        .order_by(Cohort.ends_on, ReferencePhoto.enrolled_at, ReferencePhoto.id)
    )
    found: dict[UUID, tuple[Enrolment, Cohort, str, date, list[PhotoLine]]] = {}
    for photo, enrolment, cohort, masked in rows:
        plan = ProctoringPlan.from_dict(cohort.plan)
        over = settles_on(cohort.ends_on, plan)
        asked = plan.confirm_reference or photo.replaces or photo.standing is PhotoStanding.WAITING
        if today >= over or not asked:
            continue
        line = found.setdefault(photo.person_id, (enrolment, cohort, masked, over, []))
        if line[0].id == enrolment.id:
            line[4].append(PhotoLine(photo.id, photo.standing, photo.enrolled_at))
    return [
        ToConfirm(
            enrolment.id,
            enrolment.person_id,
            masked,
            cohort.title,
            date.fromordinal(over.toordinal() - 1),
            tuple(photos),
        )
        for enrolment, cohort, masked, over, photos in found.values()
    ]


def _undecided() -> ColumnElement[bool]:
    return (ReferencePhoto.state == PhotoState.STORED) & or_(
        ReferencePhoto.standing == PhotoStanding.UNCONFIRMED, ReferencePhoto.standing == PhotoStanding.WAITING
    )


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """Somebody confirmed or refused a photo."""

    photo_id: UUID
    decided_at: datetime
    decided_by: UUID
    organisation: str
    confirmed: bool
    reason: str


def decisions(
    session: Session, keyring: Keyring, person_id: UUID, photo_ids: Iterable[UUID]
) -> dict[UUID, list[DecisionLine]]:
    """What was decided on each photo, the latest first."""
    found: dict[UUID, list[DecisionLine]] = {}
    rows = session.execute(
        select(PhotoDecision, Organisation.name)
        .outerjoin(Organisation, Organisation.id == PhotoDecision.organisation_id)
        .where(PhotoDecision.photo_id.in_(list(photo_ids)))
        .order_by(PhotoDecision.decided_at.desc(), PhotoDecision.id)
    )
    for decision, organisation in rows:
        reason = ""
        if decision.reason_cipher is not None:
            try:
                key = vault.person_key(session, keyring, person_id)
            except Erased:
                continue
            field = vault.decision_field(decision.photo_id)
            reason = vault.unseal(key, person_id, field, decision.reason_cipher).decode()
        line = DecisionLine(
            decision.photo_id,
            decision.decided_at,
            decision.decided_by,
            organisation or "",
            decision.confirmed,
            reason,
        )
        found.setdefault(decision.photo_id, []).append(line)
    return found
