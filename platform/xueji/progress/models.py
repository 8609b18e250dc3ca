"""Sittings, beats and the lease: one row is read and one written for an ordinary beat.

Personal data: which person studied when; needed for the class hours, kept as long as the archive. The device's name
stands in the trace only as a commitment.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base


class Sitting(Base):
    """One stretch of study of one lesson by one person at one device.

    Times are epoch ms of the server's clock; texts marked JSON are read on the beat path only when they are needed.
    """

    __tablename__ = "sitting"
    __table_args__ = (
        Index(None, "enrolment_id", "lesson_id"),
        Index(None, "person_id", "opened_ms"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    """Chosen by the client, so that opening can be repeated safely."""
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"))
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), info={"personal": "whose study it is; there is one lease for each person"}
    )
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.id"))
    who: Mapped[str] = mapped_column(String(64), info={"personal": "her pseudonym in this enrolment's chain"})
    method: Mapped[str] = mapped_column(String(16))
    rulebook: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200), info={"personal": "browser and device, to explain a sitting"})
    terms: Mapped[str] = mapped_column(Text)
    """JSON of `terms.SittingTerms`: lesson, plan, dates and the checks' schedule, frozen at opening and then secret.
    Only checks for what is more to make up are drawn later."""

    opened_ms: Mapped[int] = mapped_column(BigInteger)
    last_contact_ms: Mapped[int] = mapped_column(BigInteger)
    """The lease lives until this plus the plan's lease time."""
    valid_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Until when a member of staff vouches for the person; None on the face route, until face checks end."""
    used_until_ms: Mapped[int] = mapped_column(BigInteger)
    furthest_ms: Mapped[int] = mapped_column(Integer)
    resume_ms: Mapped[int] = mapped_column(Integer)
    make_up: Mapped[str] = mapped_column(Text)
    """JSON [[from, to]…]: media below the frontier that may be earned again; renewed when a check or a person's word
    changes what time is worth."""
    study_ms: Mapped[int] = mapped_column(Integer)
    since_check_ms: Mapped[int] = mapped_column(Integer)
    next_check: Mapped[int] = mapped_column(Integer)
    last_interaction_ms: Mapped[int] = mapped_column(BigInteger)
    question_id: Mapped[UUID | None] = mapped_column(Uuid)
    """Of the idle question that stands open, or that was just answered: the same answer may come again."""
    question_by_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Until when it may be answered; None when none stands open."""
    day: Mapped[int] = mapped_column(Integer)
    day_used_ms: Mapped[int] = mapped_column(Integer)
    last_seq: Mapped[int] = mapped_column(BigInteger)
    reports: Mapped[int] = mapped_column(Integer)
    """Beats recorded so far."""
    open_check: Mapped[str | None] = mapped_column(Text)
    """JSON of the check that stands open, as the page is told it, so that a beat needs no second query."""
    ledger: Mapped[str | None] = mapped_column(Text)
    """The lesson's line of the statement, carried on by the beats (`hours.running_line`); None: not asked for yet."""
    ledger_leaves: Mapped[int] = mapped_column(Integer, server_default="0")
    """How many leaves of the enrolment's chain it rests on: any that is not a beat of this sitting makes it stale."""
    handed_out: Mapped[str | None] = mapped_column(Text)
    """JSON of `handed.HandedOut`: what the server handed out of the film in this sitting; None for nothing."""
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Set when another sitting took the lease or the enrolment ended; a sitting that simply stops needs no end."""
    ended_reason: Mapped[str | None] = mapped_column(String(24))


class Lease(Base):
    """Which sitting a person's study is in now: one at a time."""

    __tablename__ = "lease"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), primary_key=True, info={"personal": "one sitting per person"}
    )
    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"))


class Beat(Base):
    """What a beat was answered: the same beat again gets the same answer. The facts themselves are in the trace."""

    __tablename__ = "beat"

    sitting_id: Mapped[UUID] = mapped_column(ForeignKey("sitting.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Of everything the client said; another beat under the same number is a conflict."""
    furthest_ms: Mapped[int] = mapped_column(Integer)
    refused: Mapped[str | None] = mapped_column(Text)
    """JSON list of [from_ms, to_ms, reason]; None for nothing refused."""
