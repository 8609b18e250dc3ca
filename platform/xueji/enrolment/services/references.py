"""Her reference photos in the chains of her enrolments: what stood at the beginning, and every change since.

A chain knows each photo by a commitment of its own, so that nobody links two chains by it; verdicts name what they
were made against by the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.cohorts.rules import settles_on
from xueji.enrolment.leaves import ReferencesStand, StandingReference
from xueji.enrolment.models import Enrolment, EnrolmentReference
from xueji.identity.events import ReferenceChange, ReferenceChanged
from xueji.identity.leaves import (
    NearReference,
    ReferenceConfirmed,
    ReferenceDeleted,
    ReferenceEnrolled,
    ReferenceRefused,
)
from xueji.identity.models import ReferencePhoto
from xueji.identity.queries import is_herself, same_person, used_photos
from xueji.identity.rules import PhotoStanding
from xueji.identity.services.acting import Acting
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.rulebook.plan import ProctoringPlan
from xueji.trace import services as trace
from xueji.trace.leaf import Entry, OfStaff
from xueji.trace.rules import SYSTEM


def stand(session: Session, enrolment: Enrolment, *, but: UUID | None = None) -> dict[UUID, str]:
    """The commitments of her photos in the enrolment's chain, by photo; what stands unknown to it is recorded first.

    That is so when the enrolment is opened while photos stand, and of enrolments that are older than these leaves.
    ``but``: a photo that is being enrolled now, and has a leaf of its own.
    """
    rows = select(EnrolmentReference).where(EnrolmentReference.enrolment_id == enrolment.id)
    known = {row.photo_id: row.commitment for row in session.scalars(rows)}
    new = [photo for photo in used_photos(session, enrolment.person_id) if photo.id not in known and photo.id != but]
    if new:
        listed = []
        for photo in new:
            known[photo.id] = _commit(session, enrolment, photo)
            confirmed = photo.standing in (PhotoStanding.CONFIRMED, PhotoStanding.ALIKE)
            listed.append(StandingReference(reference=known[photo.id], model=photo.model, confirmed=confirmed))
        trace.record(session, ReferencesStand(references=listed), chain=enrolment.chain, who=SYSTEM)
    return known


def _commit(session: Session, enrolment: Enrolment, photo: ReferencePhoto) -> str:
    commitment = trace.commit(
        session,
        photo.plain_sha256 or photo.sha256,
        chain=enrolment.chain,
        field="reference",
        person=str(photo.person_id),
        reference=photo.path,
    )
    session.add(EnrolmentReference(enrolment_id=enrolment.id, photo_id=photo.id, commitment=commitment))
    session.flush()
    return commitment


def reference_changed(keyring: Keyring, changed: ReferenceChanged) -> None:
    """A leaf in each of her enrolments whose hours can still change (`identity` tells)."""
    entries = []
    for enrolment in _unsettled(changed.session, changed.photo.person_id):
        known = stand(changed.session, enrolment, but=changed.photo.id)
        # A refused or waiting photo of before these leaves is unknown here until something becomes of it.
        reference = known.get(changed.photo.id) or _commit(changed.session, enrolment, changed.photo)
        herself = is_herself(changed.session, changed.by, enrolment.person_id)
        who = keyring.pseudonym(enrolment.person_id if herself else changed.by, enrolment.id)
        entry = _entry(changed, enrolment, who, reference, known)
        if isinstance(entry.leaf, OfStaff):
            acting = Acting.by_id(changed.session, keyring, changed.by)
            named = acting.named(changed.session, entry.leaf, chain=enrolment.chain, person_id=enrolment.person_id)
            entry = entry._replace(leaf=named)
        entries.append(entry)
    trace.record_many(changed.session, entries)


def _entry(
    changed: ReferenceChanged, enrolment: Enrolment, who: str, reference: str, known: Mapping[UUID, str]
) -> Entry:
    if changed.change is ReferenceChange.ENROL:
        near = [
            NearReference(reference=known[photo_id], distance=distance)
            for photo_id, distance in changed.near
            if photo_id in known
        ]
        enrolled = ReferenceEnrolled(
            reference=reference,
            model=changed.photo.model,
            standing=changed.photo.standing.value,
            near=near,
            limit=changed.limit,
        )
        return Entry(enrolled, enrolment.chain, who)
    if changed.change is ReferenceChange.DELETE:
        return Entry(ReferenceDeleted(reference=reference), enrolment.chain, who)
    if changed.change is ReferenceChange.CONFIRM:
        return Entry(ReferenceConfirmed(reference=reference, by=who), enrolment.chain, who)
    reason = None
    if changed.reason:
        reason = trace.commit(
            changed.session,
            changed.reason,
            chain=enrolment.chain,
            field="review",
            person=str(enrolment.person_id),
        )
    return Entry(ReferenceRefused(reference=reference, by=who, reason=reason), enrolment.chain, who)


def _unsettled(session: Session, person_id: UUID) -> Iterable[Enrolment]:
    """In the order of their chains' names: two transactions never wait for each other."""
    today = clock.shanghai_day(clock.now())
    rows = session.execute(
        select(Enrolment, Cohort)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(same_person(Enrolment.person_id, person_id))
    )
    found = [
        enrolment
        for enrolment, cohort in rows
        if today < settles_on(cohort.ends_on, ProctoringPlan.from_dict(cohort.plan))
    ]
    return sorted(found, key=lambda enrolment: enrolment.chain)
