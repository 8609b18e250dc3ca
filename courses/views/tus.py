"""Uploads as tus 1.0 speaks of them (https://tus.io), for programs that know it: the same uploads as in `courses.api`.

Creation, termination, checksum and expiration. A client sends pieces of at most ``rules.PIECE_BYTES`` (its chunk size);
with the last one the upload becomes a film.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from flask import Response, request, url_for
from werkzeug.http import http_date

from courses import rules, upload_requests
from courses.access import access_upload
from courses.models import Upload
from courses.services import uploads
from courses.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, Malformed
from xueji.web.access import public, roles
from xueji.web.session import actor, context, db

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum,expiration"
ALGORITHMS = ("sha256", "sha1", "md5")
PIECE = "application/offset+octet-stream"
CHECKSUM_MISMATCH, WRONG_VERSION, WRONG_TYPE = 460, 412, 415
LONGEST_METADATA = 8192


@blueprint.route("/tus", methods=["OPTIONS"], provide_automatic_options=False)
@blueprint.route("/tus/<uuid:upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
@public
def tus_options(upload_id: UUID | None = None) -> Response:
    """What this server can do; ``upload_id`` makes no difference."""
    del upload_id
    response = _answer(204)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
    response.headers["Tus-Max-Size"] = str(_limit())
    return response


@blueprint.post("/tus")
@roles(Role.INSTITUTION)
def tus_create() -> Response:
    """``Upload-Length`` in bytes; ``Upload-Metadata`` with ``filename`` and the ``lesson_id`` that is to show it."""
    if _is_other_version():
        return _answer(WRONG_VERSION)
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    upload = uploads.begin_upload(
        db(),
        actor=actor(),
        events=context().events,
        name=said.get("filename") or said.get("name") or "film",
        size=_whole("Upload-Length", least=1),
        limit=_limit(),
        lesson_id=_lesson(said.get("lesson_id")),
    )
    response = _answer(201, upload)
    response.headers["Location"] = url_for("courses.tus_state", upload_id=upload.id, _external=True)
    return response


@blueprint.route("/tus/<uuid:upload_id>", methods=["HEAD"])
@roles(Role.INSTITUTION)
def tus_state(upload_id: UUID) -> Response:
    if _is_other_version():
        return _answer(WRONG_VERSION)
    upload = access_upload(db(), actor(), upload_id)
    response = _answer(200, upload)
    response.headers["Upload-Offset"] = str(upload.offset)
    response.headers["Upload-Length"] = str(upload.size)
    return response


@blueprint.patch("/tus/<uuid:upload_id>")
@roles(Role.INSTITUTION)
def tus_continue(upload_id: UUID) -> Response:
    """One piece. With ``Upload-Checksum`` a damaged one is refused (460) and nothing is counted."""
    if _is_other_version():
        return _answer(WRONG_VERSION)
    if request.mimetype != PIECE:
        return _answer(WRONG_TYPE)
    upload, piece = upload_requests.receive_piece(upload_id)
    offset = _whole("Upload-Offset")
    if not _is_whole(piece):
        return _answer(CHECKSUM_MISMATCH)
    now_at = upload_requests.keep_piece(upload, offset, piece)
    # Whoever announced a hash of the whole, which tus cannot, ends the upload where it is compared (`courses.api`).
    if now_at == upload.size and upload.sha256 is None:
        upload_requests.finish(upload_id)
    response = _answer(204, upload)
    response.headers["Upload-Offset"] = str(now_at)
    return response


@blueprint.delete("/tus/<uuid:upload_id>")
@roles(Role.INSTITUTION)
def tus_terminate(upload_id: UUID) -> Response:
    if _is_other_version():
        return _answer(WRONG_VERSION)
    upload_requests.give_up(upload_id)
    return _answer(204)


def _answer(status: int, upload: Upload | None = None) -> Response:
    response = Response(status=status)
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    if status == WRONG_VERSION:
        response.headers["Tus-Version"] = VERSION
    if upload is not None and upload.film_id is None:
        response.headers["Upload-Expires"] = http_date(upload.touched_at + rules.ABANDONED_AFTER)
    return response


def _is_other_version() -> bool:
    return request.headers.get("Tus-Resumable") != VERSION


def _limit() -> int:
    return context().settings.upload_limit_mib * 1024 * 1024


def _whole(name: str, least: int = 0) -> int:
    written = request.headers.get(name, "")
    if not (written.isascii() and written.isdigit() and len(written) <= 16 and int(written) >= least):
        raise Malformed
    return int(written)


def _lesson(written: str | None) -> UUID | None:
    try:
        return UUID(written) if written else None
    except ValueError as error:
        raise Invalid from error


def _metadata(header: str) -> dict[str, str]:
    """``key base64,key base64``. Raises Malformed."""
    if len(header) > LONGEST_METADATA:
        raise Malformed
    said: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            said[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Malformed from error
    return said


def _is_whole(piece: bytes) -> bool:
    """Whether the piece has the sum its sender gave, if she gave one. Raises Malformed."""
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return True
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Malformed
    try:
        given = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise Malformed from error
    return hmac.compare_digest(hashlib.new(algorithm, piece, usedforsecurity=False).digest(), given)
