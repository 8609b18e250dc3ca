"""Reference photos: enrolled beside those that stand, described anew for another model, deleted."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity import faces, queries, vault
from xueji.identity.errors import ConsentNeeded, EnoughPhotos, Erased, PhotoUnusable
from xueji.identity.events import ReferenceChange, ReferenceChanged, ReferenceStored
from xueji.identity.leaves import ReferenceDeleted, ReferenceEnrolled
from xueji.identity.models import Person, ReferencePhoto
from xueji.identity.rules import MOST_REFERENCE_PHOTOS, PhotoState, photo_standing
from xueji.identity.services.recording import record_of_person
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring, Unreadable
from xueji.kernel.database import after_commit
from xueji.kernel.errors import NotFound, Unavailable
from xueji.kernel.events import Events
from xueji.kernel.storage import Store
from xueji.rulebook import rules as rulebook

log = structlog.get_logger(__name__)

_not_described: set[tuple[UUID, str]] = set()
"""Photos that a model could not describe, as far as this process has tried."""
MOST_DESCRIBED = 100
"""Photos looked up for one turn of describing."""
TURN_SECONDS = 0.5
"""After so long a turn ends with the photo at hand: checks are judged by the same processes, and wait for no more."""


def enrol_photo(context: Context, *, person_id: UUID, photo: bytes) -> UUID:
    """Judge, encrypt and store a photo, then enrol it beside those that stand; only the last step writes.

    What is stored is the picture that was judged, and nothing else of the file: neither place nor film. A photo that
    is unlike them is stored and used for nothing until a person has looked (`PhotoStanding`). Raises
    ConsentNeeded, EnoughPhotos, PhotoUnusable, Unavailable, Erased.
    """
    with context.database.reading() as session:
        _refuse(session, person_id)
        key = vault.person_key(session, context.keyring, person_id)
    judged = faces.assess(faces.engine(context), photo)
    descriptor = np.asarray(judged.descriptor, "<f4")
    photo = judged.photo or photo
    photo_id = uuid4()
    path = f"faces/reference/{photo_id}"
    ciphertext = vault.seal(key, person_id, vault.photo_field(photo_id), photo)
    enrolled = ReferencePhoto(
        id=photo_id,
        person_id=person_id,
        state=PhotoState.STORED,
        path=path,
        sha256=hashlib.sha256(ciphertext).hexdigest(),
        plain_sha256=hashlib.sha256(photo).hexdigest(),
        descriptor_cipher=vault.seal(key, person_id, vault.template_field(photo_id), descriptor.tobytes()),
        model=judged.model,
        enrolled_at=clock.now(),
    )
    context.store.put(path, ciphertext)
    try:
        with context.database.writing() as session:
            _refuse(session, person_id)
            _enrol(session, context, enrolled, descriptor, [str(code) for code in judged.codes])
    except BaseException:
        context.store.delete(path)
        raise
    return photo_id


def _enrol(
    session: Session, context: Context, photo: ReferencePhoto, descriptor: queries.Descriptor, quality: Sequence[str]
) -> None:
    """Two photos of one person that arrive at once are compared one after the other."""
    session.get_one(Person, photo.person_id, with_for_update=True)
    limit = rulebook.load().in_force("", clock.shanghai_day(photo.enrolled_at)).ruling("reference_match").whole
    others = queries.standing_photos(session, context.keyring, photo.person_id)
    near = {
        other.photo.id: _apart(other.descriptor, descriptor)
        for other in others
        if other.photo.model == photo.model and other.descriptor is not None
    }
    photo.standing = photo_standing(((each.photo.standing, near.get(each.photo.id)) for each in others), limit)
    photo.replaces = queries.has_enrolled(session, photo.person_id)
    session.add(photo)
    session.flush()
    context.events.publish(
        ReferenceChanged(session, ReferenceChange.ENROL, photo, photo.person_id, tuple(near.items()), limit)
    )
    enrolled = ReferenceEnrolled(photo=str(photo.id), sha256=photo.sha256, quality=list(quality))
    record_of_person(session, context.keyring, enrolled, photo.person_id)
    photo_id = photo.id
    after_commit(session, lambda: context.events.publish(ReferenceStored(photo_id)))


def _apart(one: queries.Descriptor, other: queries.Descriptor) -> int:
    """The distance of two faces in millionths."""
    return round(float(np.linalg.norm(one.astype(np.float64) - other.astype(np.float64))) * 1_000_000)


def _refuse(session: Session, person_id: UUID) -> None:
    if queries.standing_consent(session, person_id) is None:
        raise ConsentNeeded
    if len(queries.reference_photos(session, person_id)) >= MOST_REFERENCE_PHOTOS:
        raise EnoughPhotos


def look_behind(context: Context, *, person_id: UUID, first: bytes, later: bytes) -> str:
    """Who else is in view (`media_pipeline.behind`): asked before a check, and neither kept, described nor recorded.

    Raises ConsentNeeded, PhotoUnusable, Unavailable.
    """
    with context.database.reading() as session:
        if queries.standing_consent(session, person_id) is None:
            raise ConsentNeeded
    return faces.look_behind(faces.engine(context), first, later).value


def delete_photo(session: Session, keyring: Keyring, store: Store, events: Events, photo: ReferencePhoto) -> None:
    """Template and place go with the transaction, the file right after it."""
    path = photo.path
    photo.state = PhotoState.DELETED
    photo.descriptor_cipher = None
    photo.deleted_at = clock.now()
    events.publish(ReferenceChanged(session, ReferenceChange.DELETE, photo, photo.person_id))
    record_of_person(session, keyring, ReferenceDeleted(photo=str(photo.id), sha256=photo.sha256), photo.person_id)
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


def describe_anew(context: Context, photo_id: UUID, model: str) -> bool:
    """Have a stored photo described by the engine in use, as ``model``; whether that template stands now.

    Templates of different models must never be compared, and nobody is asked for a photo that is there already. The
    photo is read and judged outside any transaction. A photo in which the new model does not see her well enough keeps
    its old template and is compared with nothing. Raises Unavailable while engine or store are down.
    """
    with context.database.reading() as session:
        photo = session.get(ReferencePhoto, photo_id)
        if photo is None or photo.state is not PhotoState.STORED:
            return False
        try:
            key = vault.person_key(session, context.keyring, photo.person_id)
            sealed = context.store.get(photo.path or "")
            picture = vault.unseal(key, photo.person_id, vault.photo_field(photo.id), sealed)
        except (Erased, FileNotFoundError, NotFound, Unreadable):
            log.exception("identity.photo_lost", photo=str(photo_id))
            return False
    try:
        judged = faces.assess(faces.engine(context), picture)
    except PhotoUnusable as refused:
        log.warning("identity.photo_not_described", photo=str(photo_id), problems=refused.extra["problems"])
        return False
    template = np.asarray(judged.descriptor, "<f4").tobytes()
    with context.database.writing() as session:
        photo = session.get_one(ReferencePhoto, photo_id, with_for_update=True)
        if photo.state is PhotoState.STORED:
            photo.descriptor_cipher = vault.seal(key, photo.person_id, vault.template_field(photo.id), template)
            photo.model = judged.model
            photo.plain_sha256 = hashlib.sha256(picture).hexdigest()
    return judged.model == model


def describe_all_anew(context: Context) -> int:
    """One short turn of describing what another model than the engine's described; how many stand now.

    None while the engine is down: the next turn tries again. A photo that the new model cannot describe is not asked of
    it again by this process, so that it never stands in the way of the others.
    """
    described = 0
    try:
        model = faces.model(context)
        with context.database.reading() as session:
            tried = [photo_id for photo_id, by in _not_described if by == model]
            waiting = queries.photos_of_other_models(session, model, MOST_DESCRIBED + len(tried))
        ends = time.monotonic() + TURN_SECONDS
        for photo_id in [each for each in waiting if each not in tried][:MOST_DESCRIBED]:
            if describe_anew(context, photo_id, model):
                described += 1
            else:
                _not_described.add((photo_id, model))
            if described and time.monotonic() > ends:
                break
    except Unavailable:
        log.warning("identity.photos_wait_to_be_described")
    return described
