"""Sittings, beats and the lease: one row is read and one written for an ordinary beat.

Personal data: which person studied when; needed for the class hours, kept as long as the archive. The device's name
stands in the trace only as a commitment.
"""

from __future__ import annotations

from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base
from xueji.occasions.models import Occasion
from xueji.progress.rules import SittingState, owe_check, person_seen
from xueji.progress.terms import read_terms, state_of
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import Method

SITTING: Final = "sitting"
"""The kind of occasion that a sitting is."""


class Sitting(Occasion, Base):
    """One stretch of study of one lesson by one person at one device.

    Times are epoch ms of the server's clock; texts marked JSON are read on the beat path only when they are needed.
    """

    __tablename__ = "sitting"
    __table_args__ = (
        Index(None, "enrolment_id", "lesson_id"),
        Index(None, "person_id", "opened_ms"),
    )

    KIND: ClassVar[str] = SITTING

    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.id"))
    """The lesson that is studied in it."""
    rulebook: Mapped[str] = mapped_column(String(64))
    """Name and edition of the rulebook that the cohort was opened under."""
    device: Mapped[str] = mapped_column(String(200), info={"personal": "browser and device, to explain a sitting"})
    terms: Mapped[str] = mapped_column(Text)
    """JSON of `terms.SittingTerms`: lesson, plan, dates and the checks' schedule, frozen at opening and then secret.
    Only checks for what is more to make up are drawn later."""

    used_until_ms: Mapped[int] = mapped_column(BigInteger)
    """Until when this person's time is spent: no instant earns twice."""
    furthest_ms: Mapped[int] = mapped_column(Integer)
    """The lesson's one frontier, in ms of media: all before it has been watched once."""
    resume_ms: Mapped[int] = mapped_column(Integer)
    """Where the player begins, in ms of media; it earns nothing."""
    make_up: Mapped[str] = mapped_column(Text)
    """JSON [[from, to]…]: media below the frontier that may be earned again; renewed when a check or a person's word
    changes what time is worth."""
    study_ms: Mapped[int] = mapped_column(Integer)
    """Ms credited in this sitting."""
    since_check_ms: Mapped[int] = mapped_column(Integer)
    """Ms credited since a check last fell due, carried over from the enrolment's earlier sittings."""
    next_check: Mapped[int] = mapped_column(Integer)
    """Place in the schedule of the next check to fall due."""
    last_interaction_ms: Mapped[int] = mapped_column(BigInteger)
    """Last sign of the person."""
    question_id: Mapped[UUID | None] = mapped_column(Uuid)
    """Of the idle question that stands open, or that was just answered: the same answer may come again."""
    question_by_ms: Mapped[int | None] = mapped_column(BigInteger)
    """Until when it may be answered; None when none stands open."""
    day: Mapped[int] = mapped_column(Integer)
    """The day (`rulebook.shanghai.day_of`) that `day_used_ms` belongs to."""
    day_used_ms: Mapped[int] = mapped_column(Integer)
    """Ms credited to the person on that day, in all sittings."""
    last_seq: Mapped[int] = mapped_column(BigInteger)
    """The highest number of a beat recorded so far."""
    reports: Mapped[int] = mapped_column(Integer)
    """Beats recorded so far."""
    ledger: Mapped[str | None] = mapped_column(Text)
    """The lesson's line of the statement, carried on by the beats (`hours.running_line`); None: not asked for yet."""
    ledger_leaves: Mapped[int] = mapped_column(Integer, server_default="0")
    """How many leaves of the enrolment's chain it rests on: any that is not a beat of this sitting makes it stale."""
    handed_out: Mapped[str | None] = mapped_column(Text)
    """JSON of `served_media.HandedOut`: what the server handed out of the film in this sitting; None for nothing."""
    ended_reason: Mapped[str | None] = mapped_column(String(24))
    """Why: `rules.LeaseAnswer`, or ``enrolment_over``."""

    @property
    def plan(self) -> ProctoringPlan:
        """The proctoring plan it was opened under."""
        return read_terms(self.terms).plan

    @property
    def state(self) -> SittingState:
        """Where it stands, as `rules.credit` wants it."""
        return state_of(self)

    def person_seen(self, at_ms: int) -> None:
        """A sign of the person at this instant (epoch ms): no question whether she is there stands open any more."""
        state = person_seen(self.state, at_ms)
        self.question_id = self.question_by_ms = None
        self.last_interaction_ms = state.last_interaction_ms
        self.last_contact_ms = max(self.last_contact_ms, at_ms)
        self.used_until_ms = state.used_until_ms

    def owe_check(self) -> None:
        """The next study that earns makes a check due; without a camera there is none."""
        if self.method == Method.FACE:
            self.since_check_ms = owe_check(self.state).since_check_ms

    def settle_check(self) -> None:
        """She has shown herself: a check that is owed is owed no longer."""
        if self.since_check_ms >= self.plan.checks_max_gap_ms:
            self.since_check_ms = 0


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
