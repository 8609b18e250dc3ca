"""What the JSON interface of courses takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from courses.models import FilmState
from xueji.rulebook.vocabulary import Part
from xueji.web.schemas import Strict

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class UploadPath(Strict):
    upload_id: UUID


class FilmPath(Strict):
    film_id: UUID


class UploadOffsetHeader(BaseModel):
    """The other headers of a request are none of our business."""

    upload_offset: int = Field(alias="Upload-Offset", ge=0)


class NewUpload(Strict):
    name: str = Field(min_length=1, max_length=1000)
    size: int = Field(gt=0, le=2**53 - 1, strict=True)
    """Bytes."""
    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    lesson_id: UUID | None = None
    """The lesson that is to show the film."""


class UploadBegun(Strict):
    upload_id: UUID
    offset: int
    chunk_bytes: int
    """The most bytes one PATCH may carry."""


class UploadAt(Strict):
    offset: int


class PieceAt(Strict):
    """A piece that arrived: whether a file is the one it came from can be told by what the file holds there."""

    start: int
    size: int
    sha256: str


class UploadStatus(Strict):
    upload_id: UUID
    name: str
    size: int
    offset: int
    chunk_bytes: int
    lesson_id: UUID | None
    film_id: UUID | None
    """Set once it is finished."""
    last_piece: PieceAt | None
    kept_until: datetime
    """When it is thrown away if nobody goes on with it."""


class Uploads(Strict):
    uploads: list[UploadStatus]


class UploadDone(Strict):
    film_id: UUID


class FilmRemarked(Strict):
    """Something odd about an accepted film."""

    code: str
    said: str
    """The same in words."""


class FilmStatus(Strict):
    film_id: UUID
    name: str
    state: FilmState
    said: str
    """The state in words."""
    progress: int
    """Thousandths of the work."""
    refused_reason: str | None
    refused: str | None
    """The same in words."""
    refused_at_ms: int | None
    """Where in the film it is wrong, when it is not wrong as a whole."""
    remarks: list[FilmRemarked]
    duration_ms: int | None
    uploaded_at: datetime
    playlist: str | None
    poster: str | None
    strip: str | None
    """Twelve pictures from all over the film in one."""


class LessonStatus(Strict):
    lesson_id: UUID
    position: int
    title: str
    part: Part
    film: FilmStatus | None


class CourseStatus(Strict):
    course_id: UUID
    title: str
    summary: str
    lessons: list[LessonStatus]


class Courses(Strict):
    courses: list[CourseStatus]
