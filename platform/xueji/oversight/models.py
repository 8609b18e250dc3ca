"""What a regulator leaves behind: findings with a deadline, and random draws that anyone can draw again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, Integer, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime, word
from xueji.oversight.rules import FindingKind, FindingState, FindingStep


class Finding(Base):
    """Something a regulator objects to, and what became of it.

    Personal data: whose training it is about; who raised, answered and closed it; what they wrote.
    """

    __tablename__ = "finding"
    __table_args__ = (Index(None, "organisation_id", "state"), Index(None, "region", "state"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    enrolment_id: Mapped[UUID] = mapped_column(
        ForeignKey("enrolment.id"), index=True, info={"personal": "whose training it is about"}
    )
    sitting_id: Mapped[UUID | None] = mapped_column(ForeignKey("sitting.id"))
    moment_ms: Mapped[int | None] = mapped_column(BigInteger)
    """At which moment of the sitting (epoch ms); None where it is about all of it."""
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    """The institution that has to answer."""
    region: Mapped[str] = mapped_column(String(6))
    """Of the cohort: decides which regulators see it."""
    kind: Mapped[FindingKind] = mapped_column(word(FindingKind))
    words: Mapped[str] = mapped_column(Text, info={"personal": "may speak of the trainee"})
    deadline: Mapped[date] = mapped_column(Date)
    """The last day to answer, included (Asia/Shanghai)."""
    state: Mapped[FindingState] = mapped_column(word(FindingState), default=FindingState.OPEN)
    raised_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "who answers for it"})
    raised_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answer: Mapped[str] = mapped_column(Text, default="", info={"personal": "may speak of the trainee"})
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info={"personal": "who answered"})
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info={"personal": "who closed it"})
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FindingTurn(Base):
    """An answer to a finding, an answer sent back, or a deadline put off: each stays, whatever followed.

    Personal data: who did it, and what was written.
    """

    __tablename__ = "finding_turn"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    finding_id: Mapped[UUID] = mapped_column(ForeignKey("finding.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    """Of this finding, from 1."""
    turn: Mapped[FindingStep] = mapped_column(word(FindingStep))
    words: Mapped[str] = mapped_column(Text, info={"personal": "may speak of the trainee"})
    deadline: Mapped[date | None] = mapped_column(Date)
    """The new last day to answer, included (Asia/Shanghai); of an answer, None."""
    done_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "who answers for it"})
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Draw(Base):
    """A random draw of trainees, with all it takes to draw the same ones again.

    Personal data: who was among those that could be drawn, by their enrolments; who drew.
    """

    __tablename__ = "draw"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    region: Mapped[str] = mapped_column(String(6), index=True)
    """The jurisdiction of whoever drew."""
    drawn_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "who answers for it"})
    drawn_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    among: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What narrowed the population: ``cohort`` and ``organisation``, each an id or None."""
    size: Mapped[int] = mapped_column(Integer)
    population_size: Mapped[int] = mapped_column(Integer)
    population: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True, info={"personal": "16 bytes for each enrolment, ascending"}
    )
    seed: Mapped[bytes] = mapped_column(LargeBinary(32))
    commitment: Mapped[str] = mapped_column(String(64))
    """What the trace holds instead of the seed."""


class Inspection(Base):
    """An inspector may read one cohort until a time; kept when it is over. Personal data: who, by whose word, why."""

    __tablename__ = "inspection"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info={"personal": "who may read it"})
    given_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "who answers for it"})
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)
    """The instant at which it ends by itself."""
    reason: Mapped[str] = mapped_column(String(300), info={"personal": "may name somebody"})
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a regulator ended it before its time."""
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info={"personal": "who ended it"})
