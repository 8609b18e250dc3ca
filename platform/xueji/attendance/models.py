"""Class sessions, and who took part in them from when to when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from xueji.attendance.rules import AttendanceState
from xueji.kernel.database import Base, UTCDateTime, word
from xueji.rulebook.vocabulary import HerWord, Part


class ClassSession(Base):
    """Teaching in a room: where, when, by whom. Personal data: the teacher's name."""

    __tablename__ = "in_person_session"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """Leaves name it as ``session``."""
    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id"), index=True)
    """Of which cohort."""
    title: Mapped[str] = mapped_column(String(120))
    """What is taught."""
    place: Mapped[str] = mapped_column(String(200))
    """Where."""
    teacher: Mapped[str] = mapped_column(String(64))
    """By whom, in words."""
    part: Mapped[Part] = mapped_column(word(Part))
    """Theory or practice."""
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When it begins, as planned."""
    ended_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When it ends, as planned; at most a day later."""
    planned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was entered; None where that was not kept."""
    plan_leaf: Mapped[str | None] = mapped_column(String(64))
    """Hash of the leaf of the cohort's chain that planned it."""


class Attendance(Base):
    """From when to when one trainee took part in a class session, as staff say; or that she was absent.

    What is entered is never changed: it is revoked with a reason and entered anew. Beside it stands what others say of
    it: a second person, the regulator, she herself.

    Personal data: that she was there; who entered it; reasons in words; what she says about it.
    """

    __tablename__ = "attendance"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """Of this entry; one entered anew has another."""
    session_id: Mapped[UUID] = mapped_column(ForeignKey("in_person_session.id"))
    """In which class session."""
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), index=True)
    """Of whose enrolment."""
    from_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When she came."""
    to_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """Of an absence the same instant: the session's beginning."""
    absent: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether staff say that she was not there."""
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When it was entered."""
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    """Who entered it."""
    recorded_reason: Mapped[str | None] = mapped_column(String(500))
    """Why it comes late, or why its session was not planned before."""
    waits: Mapped[list[str]] = mapped_column(JSON, default=list)
    """`Doubt`: what has to be settled before it counts."""
    overlaps: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """Where else she was meanwhile, each ``{from_ms, to_ms, enrolment, session}``; ``session`` is null for study
    online. The institution sees the times only, the trainee all of it."""
    word: Mapped[HerWord] = mapped_column(word(HerWord), default=HerWord.SILENT)
    """What she says of it."""
    word_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When she said it, or signed; None while she is silent."""
    denied: Mapped[bool] = mapped_column(Boolean, default=False)
    """Whether her denial stands and is not settled."""
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When somebody decided what waited; None before."""
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who decided: a second person of the institution, or the regulator."""
    settled_reason: Mapped[str | None] = mapped_column(String(500))
    """Why, in words."""
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was taken back; None while it stands."""
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who took it back."""
    revoked_reason: Mapped[str | None] = mapped_column(String(500))
    """Why, in words."""

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

    @property
    def ms(self) -> int:
        """How long she was there (ms)."""
        return (self.to_at - self.from_at) // timedelta(milliseconds=1)

    @property
    def state(self) -> AttendanceState:
        """What has become of it."""
        if self.revoked_at is not None:
            return AttendanceState.REVOKED
        if self.absent:
            return AttendanceState.ABSENT
        if self.denied:
            return AttendanceState.DENIED
        return AttendanceState.WAITING if self.waits else AttendanceState.ENTERED
