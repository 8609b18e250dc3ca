"""Cohorts, the lessons frozen into them, the trainees in them and their attendance in person."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Boolean, Date, ForeignKey, Index, Integer, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime, word
from xueji.rulebook.vocabulary import Category, Part, Training


class CohortState(StrEnum):
    """draft → open → closed; nothing of an open cohort's plan can be changed."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class EnrolmentState(StrEnum):
    """active → withdrawn; a withdrawn trainee keeps her trace and studies no further."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class Cohort(Base):
    """A training class (培训班): who is taught what, in how many hours, when, and how it is supervised.

    Hours are kept in milliseconds, as the syllabus gives them. Personal data: none.
    """

    __tablename__ = "cohort"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    """The institution that holds it."""
    title: Mapped[str] = mapped_column(String(120))
    region: Mapped[str] = mapped_column(String(6), index=True)
    """Division code of where it is held; decides the rulebook's jurisdiction and which regulators see it."""
    category: Mapped[Category] = mapped_column(word(Category))
    high_risk: Mapped[bool] = mapped_column(Boolean)
    training: Mapped[Training] = mapped_column(word(Training))
    syllabus: Mapped[str] = mapped_column(String(120))
    """What the syllabus is called."""
    subject: Mapped[str | None] = mapped_column(String(64))
    """The rulebook's key of the subject, where the region prescribes hours for it."""
    total_ms: Mapped[int] = mapped_column(Integer)
    theory_ms: Mapped[int] = mapped_column(Integer)
    practical_ms: Mapped[int] = mapped_column(Integer)
    online_ms: Mapped[int] = mapped_column(Integer)
    in_person_ms: Mapped[int] = mapped_column(Integer)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    """The last day, included; days are those of Asia/Shanghai."""
    venue: Mapped[str] = mapped_column(String(200), default="")
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The fields of the rulebook's ProctoringPlan, frozen at opening."""
    rulebook: Mapped[str] = mapped_column(String(64), default="")
    """``id@version`` it was opened under; empty before."""
    state: Mapped[CohortState] = mapped_column(word(CohortState), default=CohortState.DRAFT)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class CohortLesson(Base):
    """A lesson taught online in a cohort. Personal data: none."""

    __tablename__ = "cohort_lesson"

    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(Integer)
    part: Mapped[Part] = mapped_column(word(Part))
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    """Of the lesson's film, frozen at opening; None before."""


class Enrolment(Base):
    """One person in one cohort. Its id names the chain of everything recorded about it. Personal data: who it is."""

    __tablename__ = "enrolment"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    enrolled_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[EnrolmentState] = mapped_column(word(EnrolmentState), default=EnrolmentState.ACTIVE)

    __table_args__ = (UniqueConstraint("cohort_id", "person_id"),)

    @property
    def chain(self) -> str:
        """Its chain in the trace."""
        return str(self.id)


class InPersonSession(Base):
    """Teaching in a room: where, when, by whom. Personal data: the teacher's name."""

    __tablename__ = "in_person_session"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    place: Mapped[str] = mapped_column(String(200))
    teacher: Mapped[str] = mapped_column(String(64))
    part: Mapped[Part] = mapped_column(word(Part))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Attendance(Base):
    """How long one trainee took part in a session in person. Never changed: revoked with a reason and entered anew.

    Personal data: that she was there; who entered it; a reason in words.
    """

    __tablename__ = "attendance"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("in_person_session.id"))
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), index=True)
    ms: Mapped[int] = mapped_column(Integer)
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    revoked_reason: Mapped[str | None] = mapped_column(String(500))

    __table_args__ = (
        # One that counts; revoked ones stay beside it.
        Index(
            "uq_attendance_counted",
            "session_id",
            "enrolment_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
