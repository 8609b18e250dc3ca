"""Courses, their lessons, the films the lessons show and the uploads films come from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime, word
from xueji.rulebook.vocabulary import Part


class FilmState(StrEnum):
    """queued → working → ready or refused; a worker that dies gives its film back to the queue."""

    QUEUED = "queued"
    WORKING = "working"
    READY = "ready"
    REFUSED = "refused"


class Course(Base):
    """What an institution teaches: an ordered list of lessons. Personal data: none."""

    __tablename__ = "course"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Film(Base):
    """A video as uploaded and, once ready, as HLS in the store. Personal data: none but what the film itself shows.

    The original is deleted when the film is ready; its hash stays, so that the institution can show which file it was.
    """

    __tablename__ = "film"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    """What the uploader called the file: shown, never used as a path."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes of the original."""
    sha256: Mapped[str] = mapped_column(String(64), default="")
    """Of the original, in hex; known once a worker has read it."""
    state: Mapped[FilmState] = mapped_column(word(FilmState), default=FilmState.QUEUED)
    progress: Mapped[int] = mapped_column(Integer, default=0)
    """Of the work, in thousandths."""
    refused_reason: Mapped[str | None] = mapped_column(String(32))
    """A code of `courses.wording.REFUSED`."""
    refused_at_ms: Mapped[int | None] = mapped_column(Integer)
    """Where in the film it is wrong, in milliseconds from its beginning; None when it is wrong as a whole."""
    remarks: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What is odd about an accepted film: codes of `courses.wording.REMARK`."""
    has_strip: Mapped[bool] = mapped_column(default=False)
    """Whether ``<folder>/strip.jpg`` shows pictures from all over the film; films made earlier have none."""
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    folder: Mapped[str | None] = mapped_column(String(128))
    """Where the finished files lie in the store: ``<folder>/master.m3u8``, ``<folder>/poster.jpg``."""
    renditions: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it became ready or was refused."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    lease: Mapped[UUID | None] = mapped_column(Uuid)
    """Whose work it is now; a worker that no longer finds its own lease here has lost the film."""
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Before then nobody else takes it: the lease's end, or of a waiting film the end of its rest."""

    __table_args__ = (Index(None, "state", "lease_until"),)


class Lesson(Base):
    """One lesson of a course: a title and, for theory taught online, a film. Personal data: none."""

    __tablename__ = "lesson"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    """From 1, without gaps."""
    title: Mapped[str] = mapped_column(String(120))
    part: Mapped[Part] = mapped_column(word(Part), default=Part.THEORY)
    film_id: Mapped[UUID | None] = mapped_column(ForeignKey("film.id"), index=True)

    __table_args__ = (Index(None, "course_id", "position"),)


class Upload(Base):
    """A file on its way in, piece by piece. Personal data: who is sending it."""

    __tablename__ = "upload"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    """Bytes received, without gaps."""
    sha256: Mapped[str | None] = mapped_column(String(64))
    """What the sender says the whole file's hash is."""
    lesson_id: Mapped[UUID | None] = mapped_column(ForeignKey("lesson.id", ondelete="SET NULL"))
    """Which lesson is to show the film, when that was said."""
    film_id: Mapped[UUID | None] = mapped_column(ForeignKey("film.id"), unique=True)
    """Set once it is finished."""
    touched_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class UploadPiece(Base):
    """One received piece; its bytes lie in the store under its own hash. Personal data: none."""

    __tablename__ = "upload_piece"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
