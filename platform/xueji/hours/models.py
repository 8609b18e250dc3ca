"""Statements kept so that lists need not read every chain again. Never the truth itself: that is the trace."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, Boolean, Date, ForeignKey, Integer, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime


class HoursAccount(Base):
    """The statement of one enrolment as it was last worked out, and on what it rests.

    Shown only while it is still what `hours.rules.assess` would answer (see `queries`). Personal data: the hours of
    one enrolment.
    """

    __tablename__ = "hours_account"

    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    due_ms: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """When it is to be worked out next (epoch ms): after its chain has grown, or when the time to make up ends."""
    leaves: Mapped[int] = mapped_column(Integer, default=0)
    """How many leaves it rests on; 0 before it was ever worked out."""
    rules: Mapped[str] = mapped_column(String(64), default="", index=True)
    """`queries.rules_digest` of the functions that worked it out."""
    settles_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    settled: Mapped[bool] = mapped_column(Boolean, default=False)
    flags: Mapped[int] = mapped_column(Integer, default=0, index=True)
    """How many kinds of impossible sums it shows."""
    complete: Mapped[bool | None] = mapped_column(Boolean)
    """With the five that follow what a cohort's list is narrowed and sorted by (`figures.glance_of`), so that it need
    not open every statement; None where no statement is kept."""
    begun: Mapped[bool | None] = mapped_column(Boolean)
    held_ms: Mapped[int | None] = mapped_column(BigInteger)
    waiting_ms: Mapped[int | None] = mapped_column(BigInteger)
    unseen_ms: Mapped[int | None] = mapped_column(BigInteger)
    done_ms: Mapped[int | None] = mapped_column(BigInteger)
    statement: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    worth: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """`queries.Worth`: what study is worth after all this, so that a sitting can open without reading the chain."""


class Reminder(Base):
    """Staff told a trainee that she is behind. Personal data: that she was, who told her, when she read it."""

    __tablename__ = "reminder"
    __table_args__ = (UniqueConstraint("enrolment_id", "day"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"))
    by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date] = mapped_column(Date)
    """In Asia/Shanghai: nobody is told twice on one day."""
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FlagClearance(Base):
    """Somebody's word that an impossible sum need not hold an account back; see `hours.flag_clearing`.

    Personal data: who proposed and decided; reasons in words.
    """

    __tablename__ = "flag_clearance"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), index=True)
    code: Mapped[str] = mapped_column(String(64))
    """The kind of sum: `hours.rules.FlagCode`."""
    ids: Mapped[list[str]] = mapped_column(JSON)
    """What it concerned when it was looked into."""
    ms: Mapped[int] = mapped_column(BigInteger)
    """How much could not be."""
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """The first of two people of the institution; None when a regulator cleared it unasked."""
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(24), default="")
    """In which capacity it was decided: `rulebook.vocabulary.Clearer`; empty before."""
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[str] = mapped_column(String(500), default="")
    """The reason of whoever decided."""
    restored_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    restored_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was taken back."""


class PersonAccount(Base):
    """What cannot be of one person over all her enrolments, as it was last worked out (`hours.rules.person_flags`).

    Personal data: whose enrolments contradict each other.
    """

    __tablename__ = "person_account"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    """How many kinds of contradiction there are."""
    flags: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class HoursReading(Base):
    """How far the log has been read for chains that have grown: one row. Personal data: none."""

    __tablename__ = "hours_reading"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
