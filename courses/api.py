"""The JSON interface: resumable uploads, the films they become, and courses as a program reads them."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from courses import queries, rules, status, upload_requests
from courses.access import access_film, access_upload
from courses.errors import (
    LessonInUse,
    PieceTooLarge,
    TooManyUploads,
    UploadDamaged,
    UploadFinished,
    UploadIncomplete,
    UploadTooLarge,
    WrongOffset,
)
from courses.schemas import (
    Courses,
    FilmPath,
    FilmStatus,
    NewUpload,
    UploadAt,
    UploadBegun,
    UploadDone,
    UploadOffsetHeader,
    UploadPath,
    Uploads,
    UploadStatus,
)
from courses.services import uploads
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound
from xueji.web.access import roles
from xueji.web.api_description import files, refuses
from xueji.web.session import actor, context, db

blueprint = APIBlueprint("courses_api", __name__, url_prefix="/api/v1")


@blueprint.post("/uploads", responses={201: UploadBegun})
@roles(Role.INSTITUTION)
@refuses(UploadTooLarge, TooManyUploads, LessonInUse, NotFound)
def begin_upload(body: NewUpload) -> tuple[dict[str, Any], int]:
    upload = uploads.begin_upload(
        db(),
        actor=actor(),
        events=context().events,
        name=body.name,
        size=body.size,
        limit=context().settings.upload_limit_mib * 1024 * 1024,
        sha256=body.sha256,
        lesson_id=body.lesson_id,
    )
    begun = UploadBegun(upload_id=upload.id, offset=0, chunk_bytes=rules.PIECE_BYTES)
    return begun.model_dump(mode="json"), 201


@blueprint.get("/uploads", responses={200: Uploads})
@roles(Role.INSTITUTION)
def list_uploads() -> dict[str, Any]:
    """The institution's uploads that are not finished: each can be gone on with, or given up."""
    found = queries.unfinished_uploads(db(), actor().organisation_id)
    return Uploads(uploads=[status.of_upload(*each) for each in found]).model_dump(mode="json")


@blueprint.get("/uploads/<upload_id>", responses={200: UploadStatus})
@roles(Role.INSTITUTION)
def read_upload(path: UploadPath) -> dict[str, Any]:
    upload = access_upload(db(), actor(), path.upload_id)
    last = queries.last_pieces(db(), [upload.id]).get(upload.id)
    return status.of_upload(upload, last).model_dump(mode="json")


PIECE = {"requestBody": {"required": True, **files("application/octet-stream")}}


@blueprint.patch("/uploads/<upload_id>", responses={200: UploadAt}, openapi_extensions=PIECE)
@roles(Role.INSTITUTION)
@refuses(UploadTooLarge, PieceTooLarge, WrongOffset, UploadFinished)
def continue_upload(path: UploadPath, header: UploadOffsetHeader) -> dict[str, Any]:
    """One piece, as the raw body. A piece that does not begin where the file ends so far is answered 409."""
    upload, piece = upload_requests.receive_piece(path.upload_id)
    return UploadAt(offset=upload_requests.keep_piece(upload, header.upload_offset, piece)).model_dump()


@blueprint.post("/uploads/<upload_id>/finish", responses={202: UploadDone})
@roles(Role.INSTITUTION)
@refuses(UploadIncomplete, UploadDamaged, LessonInUse)
def finish_upload(path: UploadPath) -> tuple[dict[str, Any], int]:
    with context().database.reading() as session:
        upload = access_upload(session, actor(), path.upload_id)
        paths = uploads.piece_paths(session, upload.id)
    uploads.check_whole(context().store, upload, paths)
    return UploadDone(film_id=upload_requests.finish(upload.id)).model_dump(mode="json"), 202


@blueprint.delete("/uploads/<upload_id>", responses={204: None})
@roles(Role.INSTITUTION)
@refuses(UploadFinished)
def discard_upload(path: UploadPath) -> tuple[str, int]:
    upload_requests.give_up(path.upload_id)
    return "", 204


@blueprint.get("/films/<film_id>", responses={200: FilmStatus})
@roles(Role.INSTITUTION)
def read_film(path: FilmPath) -> dict[str, Any]:
    return status.of_film(access_film(db(), actor(), path.film_id)).model_dump(mode="json")


@blueprint.get("/courses", responses={200: Courses})
@roles(Role.INSTITUTION)
def read_courses() -> dict[str, Any]:
    """The institution's own courses with their lessons and the state of each film."""
    listed = queries.courses_of(db(), actor().organisation_id)
    return Courses(courses=[status.of_course(course) for course in listed]).model_dump(mode="json")
