"""Reference photos: enrolled, compared with everybody else's, deleted."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from xueji.identity import faces, queries, vault
from xueji.identity.errors import ConsentNeeded, EnoughPhotos
from xueji.identity.events import ReferenceStored
from xueji.identity.models import DuplicateFlag, ReferencePhoto
from xueji.identity.rules import MOST_REFERENCE_PHOTOS, PhotoState
from xueji.identity.services.recording import record_of_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import after_commit
from xueji.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from xueji.kernel.storage import Store
from xueji.trace.rules import PLATFORM, SYSTEM, Event
from xueji.trace.services import record

MOST_LOOK_ALIKES = 5
"""Flags raised by one photo at most, the nearest: a list nobody can read through helps nobody."""


def enrol_photo(context: Context, *, person_id: UUID, photo: bytes) -> UUID:
    """Judge, encrypt and store a photo, then enrol it; only the last step holds a write transaction.

    Raises ConsentNeeded, EnoughPhotos, PhotoUnusable, Unavailable, Erased.
    """
    with context.database.reading() as session:
        _refuse(session, person_id)
        key = vault.person_key(session, context.keyring, person_id)
    judged = faces.assess(faces.engine(context), photo)
    photo_id = uuid4()
    path = f"faces/reference/{photo_id}"
    ciphertext = vault.seal(key, person_id, vault.photo_field(photo_id), photo)
    template = np.asarray(judged.descriptor, "<f4").tobytes()
    enrolled = ReferencePhoto(
        id=photo_id,
        person_id=person_id,
        state=PhotoState.STORED,
        path=path,
        sha256=hashlib.sha256(ciphertext).hexdigest(),
        descriptor_cipher=vault.seal(key, person_id, vault.template_field(photo_id), template),
        model=judged.model,
        enrolled_at=clock.now(),
    )
    context.store.put(path, ciphertext)
    try:
        with context.database.writing() as session:
            _refuse(session, person_id)
            session.add(enrolled)
            session.flush()
            values = {
                "photo": str(photo_id),
                "sha256": enrolled.sha256,
                "quality": [str(code) for code in judged.codes],
            }
            record_of_person(session, context.keyring, Event.REFERENCE_ENROL, person_id, values)
            after_commit(session, lambda: context.events.publish(ReferenceStored(photo_id)))
    except BaseException:
        context.store.delete(path)
        raise
    return photo_id


def _refuse(session: Session, person_id: UUID) -> None:
    if queries.standing_consent(session, person_id) is None:
        raise ConsentNeeded
    if len(queries.reference_photos(session, person_id)) >= MOST_REFERENCE_PHOTOS:
        raise EnoughPhotos


def delete_photo(session: Session, keyring: Keyring, store: Store, photo: ReferencePhoto) -> None:
    """Template and place go with the transaction, the file right after it."""
    path = photo.path
    photo.state = PhotoState.DELETED
    photo.descriptor_cipher = None
    photo.deleted_at = clock.now()
    values = {"photo": str(photo.id), "sha256": photo.sha256}
    record_of_person(session, keyring, Event.REFERENCE_DELETE, photo.person_id, values)
    if path is not None:
        after_commit(session, lambda: store.delete(path))


def remove_deleted_files(session: Session, store: Store) -> int:
    """Delete files whose photo is deleted, should the process have died between commit and deletion; how many."""
    left = session.scalars(
        select(ReferencePhoto).where(ReferencePhoto.state == PhotoState.DELETED, ReferencePhoto.path.is_not(None))
    ).all()
    for photo in left:
        store.delete(photo.path or "")
        photo.path = None
    return len(left)


def opened_photo(session: Session, keyring: Keyring, store: Store, photo: ReferencePhoto) -> bytes:
    """The picture as it was uploaded; note the look with `record_face_view` first. Raises NotFound, Erased."""
    key = vault.person_key(session, keyring, photo.person_id)
    try:
        sealed = store.get(photo.path or "")
    except FileNotFoundError as error:
        raise NotFound from error
    return vault.unseal(key, photo.person_id, vault.photo_field(photo.id), sealed)


def compare_with_everybody(context: Context, photo_id: UUID) -> int:
    """Look for the same face under other people's accounts and flag what is found for staff; how many flags.

    Reads a batch of templates at a time and writes once at the end. A photo that was compared is not compared again.
    """
    near: dict[UUID, tuple[int, UUID]] = {}
    with context.database.reading() as session:
        photo = session.get(ReferencePhoto, photo_id)
        if photo is None or photo.descriptor_cipher is None or photo.compared_at is not None:
            return 0
        key = vault.person_key(session, context.keyring, photo.person_id)
        sealed = vault.unseal(key, photo.person_id, vault.template_field(photo_id), photo.descriptor_cipher)
        own = np.frombuffer(sealed, "<f4")
        for batch in queries.everybody_elses_templates(session, context.keyring, photo.person_id, photo.model):
            distances = np.rint(np.linalg.norm(batch.descriptors - own, axis=1) * 1_000_000).astype(int)
            for row in np.flatnonzero(distances <= context.settings.duplicate_micro):
                found = (int(distances[row]), batch.photo_ids[row])
                other = batch.person_ids[row]
                near[other] = min(near.get(other, found), found)
    with context.database.writing() as session:
        photo = session.get(ReferencePhoto, photo_id)
        if photo is None or photo.state is PhotoState.DELETED or photo.compared_at is not None:
            return 0
        photo.compared_at = clock.now()
        nearest = sorted((distance, other_photo, other) for other, (distance, other_photo) in near.items())
        return sum(_flag(session, photo, *each) for each in nearest[:MOST_LOOK_ALIKES])


def _flag(session: Session, photo: ReferencePhoto, distance: int, other_photo_id: UUID, other_person_id: UUID) -> bool:
    """Whether a flag was raised: a pair of people is flagged once, whichever of them came second."""
    pair = (photo.person_id, other_person_id)
    known = select(DuplicateFlag.id).where(
        or_(
            (DuplicateFlag.person_id == pair[0]) & (DuplicateFlag.other_person_id == pair[1]),
            (DuplicateFlag.person_id == pair[1]) & (DuplicateFlag.other_person_id == pair[0]),
        )
    )
    if session.scalar(known) is not None:
        return False
    flag = DuplicateFlag(
        id=uuid4(),
        photo_id=photo.id,
        other_photo_id=other_photo_id,
        person_id=photo.person_id,
        other_person_id=other_person_id,
        distance=distance,
        raised_at=clock.now(),
    )
    session.add(flag)
    session.flush()
    values = {"finding": str(flag.id), "kind": "duplicate_face"}
    record(session, event=Event.FINDING, chain=PLATFORM, who=SYSTEM, values=values)
    return True


def decide_duplicate(
    session: Session, keyring: Keyring, *, flag_id: UUID, same_person: bool, reason: str, actor: Actor
) -> None:
    """Raises Forbidden, NotFound, Invalid without a reason, Conflict when it was decided before."""
    if not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden
    flag = session.get(DuplicateFlag, flag_id)
    if flag is None:
        raise NotFound
    if flag.decided_at is not None:
        raise Conflict(_("这一提示已有处理结果。"))
    if not reason.strip():
        raise Invalid(_("请写明理由。"))
    flag.decided_at, flag.decided_by = clock.now(), actor.person_id
    flag.same_person, flag.reason = same_person, reason.strip()[:300]
    kind = "duplicate_face.same" if same_person else "duplicate_face.different"
    record_of_person(session, keyring, Event.FINDING, actor.person_id, {"finding": str(flag.id), "kind": kind})
