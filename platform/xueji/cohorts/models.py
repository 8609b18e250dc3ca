"""Cohorts, the lessons frozen into them, and what was put right after they were opened."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Boolean, Date, ForeignKey, Integer, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel import clock
from xueji.kernel.database import Base, UTCDateTime, word
from xueji.rulebook.divisions import jurisdiction_of
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
from xueji.rulebook.vocabulary import Category, Part, Training


class CohortState(StrEnum):
    """draft → open → closed; nothing of an open cohort's plan can be changed."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class Cohort(Base):
    """A training class (培训班): who is taught what, in how many hours, when, and how it is supervised.

    Hours are kept in milliseconds, as the syllabus gives them. Personal data: none.
    """

    __tablename__ = "cohort"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """Its chain in the log is called ``cohort/<id>``."""
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    """The institution that holds it."""
    title: Mapped[str] = mapped_column(String(120))
    """What the institution calls it."""
    region: Mapped[str] = mapped_column(String(6), index=True)
    """Division code of where it is held. With `home` it decides whose law applies and which regulators see it."""
    home: Mapped[str] = mapped_column(String(6), index=True)
    """Division code of the institution, from when the cohort was drafted: nobody chooses the regulator that sees it."""
    category: Mapped[Category] = mapped_column(word(Category))
    """Whom it is for."""
    industry: Mapped[str] = mapped_column(String(64), default="")
    """The rulebook's code, or ``unknown``; empty where the cohort opened before industries were asked for."""
    high_risk: Mapped[bool] = mapped_column(Boolean)
    """What followed from the industry at opening; of a cohort without one, what was declared."""
    training: Mapped[Training] = mapped_column(word(Training))
    """Which training it is."""
    syllabus: Mapped[str] = mapped_column(String(120))
    """What the syllabus is called."""
    subject: Mapped[str | None] = mapped_column(String(64))
    """The rulebook's key of the subject, where the region prescribes hours for it."""
    total_ms: Mapped[int] = mapped_column(Integer)
    """All hours of the syllabus (ms)."""
    theory_ms: Mapped[int] = mapped_column(Integer)
    """Of the total, theory (ms)."""
    practical_ms: Mapped[int] = mapped_column(Integer)
    """Of the total, practice (ms)."""
    online_ms: Mapped[int] = mapped_column(Integer)
    """Of the total, how much is studied online (ms)."""
    in_person_ms: Mapped[int] = mapped_column(Integer)
    """Of the total, how much is taught in a room (ms)."""
    starts_on: Mapped[date] = mapped_column(Date)
    """The first day."""
    ends_on: Mapped[date] = mapped_column(Date)
    """The last day, included; days are those of Asia/Shanghai."""
    closes_on: Mapped[date | None] = mapped_column(Date)
    """The last day that staff have chosen by closing it; None while the planned one stands."""
    venue: Mapped[str] = mapped_column(String(200), default="")
    """Where it is taught in person; empty where nobody has said."""
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The fields of the rulebook's ProctoringPlan, frozen at opening."""
    rulebook: Mapped[str] = mapped_column(String(64), default="")
    """``id@version`` it was opened under; empty before."""
    state: Mapped[CohortState] = mapped_column(word(CohortState), default=CohortState.DRAFT)
    """Where it stands; changed by `services` alone."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When it was drafted."""
    opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was opened; None of a draft."""

    @property
    def last_day(self) -> date:
        """The last day of enrolment and of new study, included."""
        return self.closes_on or self.ends_on

    @property
    def settles_at(self) -> datetime:
        """From when on nothing of it can be entered, made up or reviewed any more, as `hours` reads it."""
        days = 1 + ProctoringPlan.from_dict(self.plan).settle_days
        return clock.from_ms(date_begins_ms(self.ends_on) + days * DAY_MS)

    @property
    def jurisdiction(self) -> str:
        """Whose law applies: the place's and the institution's, the stricter of the two (`Rulebook.in_force`)."""
        return jurisdiction_of(self.region, self.home)


class CohortAmendment(Base):
    """A mistake found after the opening: somebody asks that it be put right, and a second person decides.

    Personal data: who asked and decided, and a reason in words.
    """

    __tablename__ = "cohort_amendment"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """Leaves of the cohort and of its enrolments name it."""
    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id"), index=True)
    """Which cohort is to be put right."""
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the fields said when it was asked for, days as ISO 8601."""
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the same fields are to say (`services.amending.AMENDABLE`)."""
    reason: Mapped[str] = mapped_column(String(300))
    """Why, in words; in chains it stands as a commitment."""
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    """Who asked."""
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When."""
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """The second person, or who took it back; None while it waits."""
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When; None while it waits."""
    confirmed: Mapped[bool | None] = mapped_column(Boolean)
    """What was decided; None while it waits."""


class CohortLesson(Base):
    """A lesson taught online in a cohort. Personal data: none."""

    __tablename__ = "cohort_lesson"

    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id", ondelete="CASCADE"), primary_key=True)
    """In which cohort."""
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.id"), primary_key=True, index=True)
    """Which lesson of the institution."""
    position: Mapped[int] = mapped_column(Integer)
    """Its place in the cohort, from 1."""
    part: Mapped[Part] = mapped_column(word(Part))
    """Theory or practice, frozen at opening."""
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    """Of the lesson's film, frozen at opening; None before."""
    film_id: Mapped[UUID | None] = mapped_column(ForeignKey("film.id"), index=True)
    """The film it is taught by, frozen at opening: this one is played and judged by. None before."""
    film_sha256: Mapped[str] = mapped_column(String(64), default="")
    """Of that film's file, as the first leaf of each enrolment names it."""
