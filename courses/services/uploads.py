"""Receiving a large file in pieces, over a line that breaks.

A piece goes into the store under its own hash before the database hears of it; then the upload's offset is moved on,
by a statement that does so only from where the piece begins. So of two senders one goes on and the other is told where,
a piece sent twice is counted once, and what is in the store without being in the database is only ever swept away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from courses import errors, rules
from courses.access import access_lesson_to_change, access_upload
from courses.models import Film, FilmState, Upload, UploadPiece
from courses.services.editing import show_film
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.errors import Invalid, NotFound
from xueji.kernel.events import Events
from xueji.kernel.storage import Store


def begin_upload(
    session: Session,
    *,
    actor: Actor,
    events: Events,
    name: str,
    size: int,
    limit: int,
    sha256: str | None = None,
    lesson_id: UUID | None = None,
) -> Upload:
    """Make room for a file of ``size`` bytes; ``limit`` is the most allowed.

    Raises UploadTooLarge, TooManyUploads, NotFound (no such lesson of one's own), LessonInUse.
    """
    if actor.organisation_id is None:
        raise NotFound
    if size > limit:
        raise errors.UploadTooLarge(limit=limit)
    if lesson_id is not None:
        access_lesson_to_change(session, actor, lesson_id, events)
    unfinished = select(func.count()).where(Upload.organisation_id == actor.organisation_id, Upload.film_id.is_(None))
    if (session.scalar(unfinished) or 0) >= rules.MOST_UNFINISHED_UPLOADS:
        raise errors.TooManyUploads
    upload = Upload(
        organisation_id=actor.organisation_id,
        person_id=actor.person_id,
        name=rules.shown_name(name),
        size=size,
        offset=0,
        sha256=sha256,
        lesson_id=lesson_id,
        touched_at=clock.now(),
    )
    session.add(upload)
    session.flush()
    return upload


def store_piece(store: Store, upload: Upload, *, offset: int, piece: bytes) -> str:
    """Keep a piece's bytes, before the transaction that counts it. Returns its hash.

    Raises UploadFinished, WrongOffset, PieceTooLarge, UploadTooLarge (more than was announced), Invalid (empty).
    """
    if upload.film_id is not None:
        raise errors.UploadFinished(film_id=str(upload.film_id))
    if offset != upload.offset:
        raise errors.WrongOffset(offset=upload.offset)
    if not piece:
        raise Invalid
    if len(piece) > rules.PIECE_BYTES:
        raise errors.PieceTooLarge(limit=rules.PIECE_BYTES)
    if offset + len(piece) > upload.size:
        raise errors.UploadTooLarge(limit=upload.size)
    digest = hashlib.sha256(piece).hexdigest()
    store.put(piece_path(upload.id, offset, digest), piece)
    return digest


def count_piece(session: Session, *, upload_id: UUID, offset: int, size: int, digest: str) -> int:
    """Move the upload on over a stored piece. Returns the new offset. Raises WrongOffset when another was first."""
    moved = session.execute(
        update(Upload)
        .where(Upload.id == upload_id, Upload.offset == offset, Upload.film_id.is_(None))
        .values(offset=offset + size, touched_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        now_at = session.scalar(select(Upload.offset).where(Upload.id == upload_id))
        if now_at is None:
            raise NotFound
        raise errors.WrongOffset(offset=now_at)
    session.add(UploadPiece(upload_id=upload_id, start=offset, size=size, sha256=digest))
    session.flush()
    return offset + size


def check_whole(store: Store, upload: Upload, paths: list[str]) -> None:
    """Compare a complete upload with the hash its sender gave; read outside any write transaction.

    Raises UploadIncomplete, UploadDamaged.
    """
    if upload.film_id is not None:
        return
    if upload.offset < upload.size:
        raise errors.UploadIncomplete(offset=upload.offset)
    if upload.sha256 is None:
        return
    whole = hashlib.sha256()
    for path in paths:
        whole.update(store.get(path))
    if whole.hexdigest() != upload.sha256:
        raise errors.UploadDamaged


def finish_upload(session: Session, *, actor: Actor, events: Events, upload_id: UUID) -> tuple[UUID, bool]:
    """Turn a complete upload, checked by `check_whole`, into a film waiting for its work.

    Returns the film's id and whether it is new: finished twice, even at once, it is one film.
    Raises NotFound, UploadIncomplete, LessonInUse.
    """
    upload = access_upload(session, actor, upload_id, lock=True)
    if upload.film_id is not None:
        return upload.film_id, False
    if upload.offset < upload.size:
        raise errors.UploadIncomplete(offset=upload.offset)
    film = Film(
        organisation_id=upload.organisation_id,
        name=upload.name,
        size=upload.size,
        state=FilmState.QUEUED,
        uploaded_at=clock.now(),
    )
    session.add(film)
    session.flush()
    upload.film_id = film.id
    if upload.lesson_id is not None:
        lesson = access_lesson_to_change(session, actor, upload.lesson_id, events)
        show_film(lesson, film)
    return film.id, True


def discard_upload(session: Session, *, actor: Actor, upload_id: UUID) -> str:
    """Forget an unfinished upload; returns the folder to delete after the commit. Raises NotFound, UploadFinished."""
    upload = access_upload(session, actor, upload_id, lock=True)
    if upload.film_id is not None:
        raise errors.UploadFinished(film_id=str(upload.film_id))
    session.delete(upload)
    return upload_folder(upload_id)


def discard_abandoned(session: Session, *, now: datetime) -> list[str]:
    """Forget the uploads nobody goes on with. Returns the folders to be deleted after the commit."""
    abandoned = list(
        session.scalars(
            select(Upload.id)
            .where(Upload.film_id.is_(None), Upload.touched_at < now - rules.ABANDONED_AFTER)
            .order_by(Upload.touched_at)
            .limit(100)
        )
    )
    session.execute(delete(Upload).where(Upload.id.in_(abandoned)).execution_options(synchronize_session=False))
    return [upload_folder(upload_id) for upload_id in abandoned]


def delete_folder(store: Store, folder: str) -> None:
    """With everything in it, also what the database never heard of."""
    for path in list(store.list(folder)):
        store.delete(path)


def upload_folder(upload_id: UUID) -> str:
    return f"uploads/{upload_id}"


def piece_path(upload_id: UUID, start: int, digest: str) -> str:
    return f"{upload_folder(upload_id)}/{start:013d}-{digest}"


def piece_paths(session: Session, upload_id: UUID) -> list[str]:
    """Where an upload's pieces lie in the store, in order."""
    pieces = session.execute(
        select(UploadPiece.start, UploadPiece.sha256)
        .where(UploadPiece.upload_id == upload_id)
        .order_by(UploadPiece.start)
    )
    return [piece_path(upload_id, start, digest) for start, digest in pieces]


def take_in_file(context: Context, *, actor: Actor, file: Path, lesson_id: UUID | None = None) -> UUID:
    """Upload a file that lies on this machine, by the same steps as from outside. Returns the film's id, queued."""
    with context.database.writing() as session:
        upload = begin_upload(
            session,
            actor=actor,
            events=context.events,
            name=file.name,
            size=file.stat().st_size,
            limit=file.stat().st_size,
            lesson_id=lesson_id,
        )
    for offset, piece in _pieces(file):
        digest = store_piece(context.store, upload, offset=offset, piece=piece)
        with context.database.writing() as session:
            upload.offset = count_piece(session, upload_id=upload.id, offset=offset, size=len(piece), digest=digest)
    with context.database.writing() as session:
        film_id, _new = finish_upload(session, actor=actor, events=context.events, upload_id=upload.id)
    return film_id


def _pieces(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as stream:
        offset = 0
        while piece := stream.read(rules.PIECE_BYTES):
            yield offset, piece
            offset += len(piece)
