"""What every interface does with an upload that arrives by requests: the pieces, its end, and giving it up."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from flask import request

from courses import rules, tasks
from courses.access import access_upload
from courses.errors import PieceTooLarge
from courses.models import Upload
from courses.services import uploads
from xueji.kernel.database import after_commit
from xueji.kernel.errors import Malformed
from xueji.web.session import actor, context, db


def receive_piece(upload_id: UUID) -> tuple[Upload, bytes]:
    """The upload and the request's body, whole. Raises NotFound, PieceTooLarge, Malformed (cut off on its way)."""
    if (request.content_length or 0) > rules.PIECE_BYTES:
        raise PieceTooLarge(limit=rules.PIECE_BYTES)
    # The body arrives at the sender's pace, and the store takes its time: no write transaction is open yet.
    with context().database.reading() as session:
        upload = access_upload(session, actor(), upload_id)
    piece = request.get_data(cache=False)
    if request.content_length is not None and len(piece) != request.content_length:
        raise Malformed
    return upload, piece


def keep_piece(upload: Upload, offset: int, piece: bytes) -> int:
    """Store and count it. Returns the new offset. Raises what `uploads.store_piece` and `uploads.count_piece` raise."""
    digest = uploads.store_piece(context().store, upload, offset=offset, piece=piece)
    return uploads.count_piece(db(), upload_id=upload.id, offset=offset, size=len(piece), digest=digest)


def finish(upload_id: UUID) -> UUID:
    """The film that a complete upload becomes, handed to the workers. Raises what `uploads.finish_upload` raises."""
    film_id, new = uploads.finish_upload(db(), actor=actor(), events=context().events, upload_id=upload_id)
    if new:
        after_commit(db(), partial(tasks.enqueue_film, film_id))
    return film_id


def give_up(upload_id: UUID) -> None:
    """Raises what `uploads.discard_upload` raises."""
    gone = uploads.discard_upload(db(), actor=actor(), upload_id=upload_id)
    after_commit(db(), partial(uploads.delete_folder, context().store, gone))
