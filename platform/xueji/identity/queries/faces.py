"""Consents, reference photos, and who looked at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from xueji.identity import consent_text, vault
from xueji.identity.models import Consent, DuplicateFlag, FaceView, FileJoining, Organisation, Person, ReferencePhoto
from xueji.identity.queries.files import same_person, standing_file
from xueji.identity.rules import FACES_FILING, FACES_WARNING, JOINING_LASTS, USED, ConsentKind, PhotoState, ProofRoute
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.kernel.driver_sql import Cursor, uuid_of
from xueji.kernel.prefetch import Prefetched

Descriptor = NDArray[np.float32]


def standing_consent(session: Session, person_id: UUID, kind: ConsentKind = ConsentKind.FACE) -> Consent | None:
    """The consent that was given and not withdrawn."""
    return session.scalar(
        select(Consent).where(Consent.person_id == person_id, Consent.kind == kind, Consent.withdrawn_at.is_(None))
    )


@dataclass(frozen=True)
class Proof:
    """How a person is known while she studies, in one look: her route, what the one with a camera needs, a reset."""

    route: ProofRoute
    consented: bool
    has_photo: bool
    """Whether there is one that checks are made against."""
    reset_at: datetime | None
    """When others last reset her account; None when nobody did."""


# Of a file that was joined to another: what holds of the one that stands.
_PROOFS = f"""
SELECT asked.id, person.proof_route,
  EXISTS (SELECT 1 FROM consent WHERE person_id = person.id AND kind = '{ConsentKind.FACE}' AND withdrawn_at IS NULL),
  EXISTS (SELECT 1 FROM reference_photo WHERE person_id = person.id AND state = '{PhotoState.STORED}'
    AND standing IN ({", ".join(f"'{each}'" for each in sorted(USED))})),
  (SELECT reset_at FROM account WHERE person_id = person.id)
FROM person AS asked JOIN person ON person.id = coalesce(asked.joined_to, asked.id) WHERE {{}}
"""
_proofs: Prefetched[UUID, Proof] = Prefetched("how persons are known")


def proof_of(session: Session, person_id: UUID) -> Proof:
    ahead = _proofs.take(session, person_id)
    return ahead if ahead is not None else _proofs_of(session, [person_id])[person_id]


def proofs_ahead(session: Session, person_ids: Iterable[UUID]) -> None:
    """Ask at once what `proof_of` will be asked of each in this transaction."""
    _proofs.keep(session, _proofs_of(session, person_ids))


def _proofs_of(session: Session, person_ids: Iterable[UUID]) -> dict[UUID, Proof]:
    plain = Cursor(session)
    found = {}
    rows = plain.rows(_PROOFS.format(plain.any_of("asked.id")), plain.keys(person_ids))
    for person_id, route, consented, has_photo, reset_at in rows:
        reset = plain.instant(reset_at) if reset_at is not None else None
        found[uuid_of(person_id)] = Proof(ProofRoute(route), bool(consented), bool(has_photo), reset)
    return found


def agreed(session: Session, kind: ConsentKind, most: int) -> list[UUID]:
    """Who agreed to the current words of this and has not taken it back, those who did last first; no joined file."""
    return list(
        session.scalars(
            select(Consent.person_id)
            .join(Person, Person.id == Consent.person_id)
            .where(
                Consent.kind == kind,
                Consent.text_version == consent_text.CURRENT[kind],
                Consent.withdrawn_at.is_(None),
                Person.joined_to.is_(None),
            )
            .order_by(Consent.given_at.desc(), Consent.id)
            .limit(most)
        )
    )


def consents(session: Session, person_id: UUID) -> list[Consent]:
    """Every consent ever given, the latest first."""
    return list(
        session.scalars(select(Consent).where(Consent.person_id == person_id).order_by(Consent.given_at.desc()))
    )


def reference_photos(session: Session, person_id: UUID) -> list[ReferencePhoto]:
    return list(
        session.scalars(
            select(ReferencePhoto)
            .where(ReferencePhoto.person_id == person_id, ReferencePhoto.state == PhotoState.STORED)
            .order_by(ReferencePhoto.enrolled_at, ReferencePhoto.id)
        )
    )


def photos_to_compare(session: Session, enrolled_before: datetime, most: int = 100) -> list[UUID]:
    """Photos that nobody has compared with everybody else's yet, the oldest first."""
    waiting = (
        select(ReferencePhoto.id)
        .where(
            ReferencePhoto.compared_at.is_(None),
            ReferencePhoto.state == PhotoState.STORED,
            ReferencePhoto.enrolled_at < enrolled_before,
        )
        .order_by(ReferencePhoto.enrolled_at)
        .limit(most)
    )
    return list(session.scalars(waiting))


@dataclass(frozen=True)
class StandingPhoto:
    """A stored photo with its template, float32 of 128, or None where there is none."""

    photo: ReferencePhoto
    descriptor: Descriptor | None


def standing_photos(session: Session, keyring: Keyring, person_id: UUID) -> list[StandingPhoto]:
    """All her stored photos, the oldest first, whatever they may be used for; those of the file that stands.

    Raises NotFound, Erased.
    """
    person_id = standing_file(session, person_id)
    key = vault.person_key(session, keyring, person_id)
    return [
        StandingPhoto(photo, None if sealed is None else _template(key, person_id, photo.id, sealed))
        for photo in reference_photos(session, person_id)
        for sealed in (photo.descriptor_cipher,)
    ]


def used_photos(session: Session, person_id: UUID) -> list[ReferencePhoto]:
    """What face checks are made against, the oldest first: of whoever signs in, so of the file that stands."""
    return [photo for photo in reference_photos(session, standing_file(session, person_id)) if photo.standing in USED]


def references(session: Session, keyring: Keyring, person_id: UUID, model: str) -> dict[UUID, Descriptor]:
    """What a check is compared with: the templates that ``model`` made, by photo. Raises NotFound, Erased.

    Templates of another model say nothing to this one, however near they seem.
    """
    return {
        each.photo.id: each.descriptor
        for each in standing_photos(session, keyring, person_id)
        if each.photo.standing in USED and each.photo.model == model and each.descriptor is not None
    }


def has_enrolled(session: Session, person_id: UUID) -> bool:
    """Whether she ever enrolled a photo, be it deleted by now."""
    return session.scalar(select(ReferencePhoto.id).where(ReferencePhoto.person_id == person_id).limit(1)) is not None


def photos_of_other_models(session: Session, model: str, most: int) -> list[UUID]:
    """Stored photos that another model described, the oldest first."""
    chosen = (
        select(ReferencePhoto.id)
        .where(ReferencePhoto.state == PhotoState.STORED, ReferencePhoto.model != model)
        .order_by(ReferencePhoto.enrolled_at)
        .limit(most)
    )
    return list(session.scalars(chosen))


def _template(key: bytes, person_id: UUID, photo_id: UUID, sealed: bytes) -> Descriptor:
    return np.frombuffer(vault.unseal(key, person_id, vault.template_field(photo_id), sealed), dtype="<f4")


@dataclass(frozen=True)
class Templates:
    """A batch of other people's templates."""

    photo_ids: tuple[UUID, ...]
    person_ids: tuple[UUID, ...]
    descriptors: Descriptor
    """(n, 128)"""


def everybody_elses_templates(
    session: Session, keyring: Keyring, person_id: UUID, model: str, batch: int = 1000
) -> Iterator[Templates]:
    """All templates that ``model`` made of other people, a batch at a time: memory does not grow with the platform."""
    after: UUID | None = None
    while True:
        chosen = (
            select(ReferencePhoto.id, ReferencePhoto.person_id, ReferencePhoto.descriptor_cipher, Person.wrapped_key)
            .join(Person, Person.id == ReferencePhoto.person_id)
            .where(
                ReferencePhoto.state == PhotoState.STORED,
                ReferencePhoto.person_id != person_id,
                ReferencePhoto.model == model,
                ReferencePhoto.descriptor_cipher.is_not(None),
                Person.wrapped_key.is_not(None),
            )
            .order_by(ReferencePhoto.id)
            .limit(batch)
        )
        rows = session.execute(chosen if after is None else chosen.where(ReferencePhoto.id > after)).all()
        if not rows:
            return
        after = rows[-1].id
        yield Templates(
            tuple(row.id for row in rows),
            tuple(row.person_id for row in rows),
            np.stack(
                [
                    _template(
                        vault.opened_key(keyring, row.person_id, row.wrapped_key),
                        row.person_id,
                        row.id,
                        row.descriptor_cipher or b"",
                    )
                    for row in rows
                ]
            ),
        )


@dataclass(frozen=True)
class FaceCount:
    """How many people's faces are stored, against the number from which the authority must be told."""

    persons: int
    warning: int = FACES_WARNING
    filing: int = FACES_FILING

    @property
    def level(self) -> str:
        """``quiet``, ``near`` from 80,000, ``filing`` from 100,000."""
        return "filing" if self.persons >= self.filing else "near" if self.persons >= self.warning else "quiet"


def stored_faces(session: Session) -> FaceCount:
    stored = select(func.count(ReferencePhoto.person_id.distinct())).where(ReferencePhoto.state == PhotoState.STORED)
    return FaceCount(session.scalar(stored) or 0)


@dataclass(frozen=True)
class Look:
    """Somebody looked at a picture."""

    viewed_at: datetime
    viewer: str
    """Masked; staff are named to the person by their organisation."""
    organisation: str
    own: bool
    picture: str
    purpose: str


def face_views(session: Session, person_id: UUID, most: int = 200) -> list[Look]:
    """Who looked at my pictures, in whichever of my files, the latest first."""
    rows = session.execute(
        select(FaceView, Person.name_masked, Organisation.name)
        .join(Person, Person.id == FaceView.viewer_id)
        .outerjoin(Organisation, Organisation.id == FaceView.viewer_organisation_id)
        .where(same_person(FaceView.person_id, person_id))
        .order_by(FaceView.viewed_at.desc(), FaceView.id)
        .limit(most)
    )
    return [
        Look(view.viewed_at, masked, organisation or "", view.viewer_id == person_id, view.picture, view.purpose)
        for view, masked, organisation in rows
    ]


def first_look(session: Session, viewer_id: UUID, pictures: Iterable[str]) -> datetime | None:
    """When somebody first looked at one of these pictures; None when never.

    A calibration reads pictures in somebody's name, and no human eye sees them.
    """
    chosen = select(func.min(FaceView.viewed_at)).where(
        FaceView.viewer_id == viewer_id,
        FaceView.picture.in_(list(pictures)),
        FaceView.purpose != ConsentKind.CALIBRATION,
    )
    return session.scalar(chosen)


@dataclass(frozen=True)
class Duplicate:
    flag_id: UUID
    person_id: UUID
    name_masked: str
    id_number_masked: str
    photo_id: UUID
    other_person_id: UUID
    other_name_masked: str
    other_id_number_masked: str
    other_photo_id: UUID
    distance: int
    raised_at: datetime
    asked: bool
    """Whether somebody has asked that the two files be joined, and a second person is awaited."""


def open_duplicates(session: Session, most: int = 50) -> list[Duplicate]:
    """Pairs that nobody has decided on, the nearest first."""
    other = aliased(Person)
    asked = exists().where(
        FileJoining.flag_id == DuplicateFlag.id,
        FileJoining.decided_at.is_(None),
        FileJoining.asked_at > clock.now() - JOINING_LASTS,
    )
    rows = session.execute(
        select(
            DuplicateFlag.id,
            Person.id,
            Person.name_masked,
            Person.id_number_masked,
            DuplicateFlag.photo_id,
            other.id,
            other.name_masked,
            other.id_number_masked,
            DuplicateFlag.other_photo_id,
            DuplicateFlag.distance,
            DuplicateFlag.raised_at,
            asked,
        )
        .join(Person, Person.id == DuplicateFlag.person_id)
        .join(other, other.id == DuplicateFlag.other_person_id)
        .where(DuplicateFlag.decided_at.is_(None))
        .order_by(DuplicateFlag.distance, DuplicateFlag.id)
        .limit(most)
    )
    return [Duplicate(*tuple(row)) for row in rows]


def people_with_photos(session: Session) -> list[UUID]:
    """Whose reference photos are stored."""
    chosen = select(ReferencePhoto.person_id).where(ReferencePhoto.state == PhotoState.STORED).distinct()
    return sorted(session.scalars(chosen))


def duplicate_waits(session: Session, person_ids: Iterable[UUID]) -> bool:
    """Whether a likeness of one of these with somebody else is still to be decided."""
    ids = list(person_ids)
    named = or_(DuplicateFlag.person_id.in_(ids), DuplicateFlag.other_person_id.in_(ids))
    return (
        session.scalar(select(DuplicateFlag.id).where(DuplicateFlag.decided_at.is_(None), named).limit(1)) is not None
    )
