"""Accounts whose faces look alike: found when a photo is enrolled, decided by people."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from xueji.identity import queries, vault
from xueji.identity.leaves import DuplicateDecided, DuplicateNoticed
from xueji.identity.models import DuplicateFlag, FileJoining, ReferencePhoto
from xueji.identity.rules import PhotoState
from xueji.identity.services.acting import record_in_office
from xueji.identity.services.joining import ask_joining
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from xueji.trace.rules import PLATFORM, SYSTEM
from xueji.trace.services import record

MOST_LOOK_ALIKES = 5
"""Flags raised by one photo at most, the nearest: a list nobody can read through helps nobody."""


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
    if session.scalar(known) is not None or queries.is_herself(session, *pair):
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
    record(session, DuplicateNoticed(duplicate=str(flag.id)), chain=PLATFORM, who=SYSTEM)
    return True


def decide_duplicate(session: Session, keyring: Keyring, *, flag_id: UUID, reason: str, actor: Actor) -> None:
    """They are two people. Raises Forbidden, NotFound, Invalid without a reason, Conflict when it was decided before.

    That they are one is decided by two, with a consequence: `joining.ask_joining`.
    """
    flag = _open_flag(session, flag_id, actor)
    if not reason.strip():
        raise Invalid(_("请写明理由。"))
    flag.decided_at, flag.decided_by = clock.now(), actor.person_id
    flag.same_person, flag.reason = False, reason.strip()[:300]
    record_in_office(session, keyring, DuplicateDecided(duplicate=str(flag.id), same=False), actor=actor)


def ask_joining_of_duplicate(
    session: Session, keyring: Keyring, *, flag_id: UUID, reason: str, actor: Actor, stands: UUID | None = None
) -> FileJoining:
    """They are one person: ask a second one. Raises as `decide_duplicate` and `joining.ask_joining`."""
    flag = _open_flag(session, flag_id, actor)
    pair = (flag.person_id, flag.other_person_id)
    if stands is not None and stands not in pair:
        raise NotFound
    return ask_joining(
        session, keyring, one=pair[0], other=pair[1], reason=reason, actor=actor, stands=stands, flag_id=flag.id
    )


def _open_flag(session: Session, flag_id: UUID, actor: Actor) -> DuplicateFlag:
    if not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden
    flag = session.get(DuplicateFlag, flag_id, with_for_update=True)
    if flag is None:
        raise NotFound
    if flag.decided_at is not None:
        raise Conflict(_("这一提示已有处理结果。"))
    return flag
