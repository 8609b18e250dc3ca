"""Trainees in cohorts, and what was declared of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import JSON, Boolean, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from xueji.kernel.database import Base, UTCDateTime, word
from xueji.rulebook.vocabulary import Category


class EnrolmentState(StrEnum):
    """active → withdrawn; a withdrawn trainee keeps her trace and studies no further."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class Enrolment(Base):
    """One person in one cohort. Its id names the chain of everything recorded about it. Personal data: who it is."""

    __tablename__ = "enrolment"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """Also the name of its chain in the log."""
    cohort_id: Mapped[UUID] = mapped_column(ForeignKey("cohort.id"))
    """In which cohort."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    """Whose it is: the file it was opened in, also after files were joined."""
    enrolled_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When she was let in."""
    state: Mapped[EnrolmentState] = mapped_column(word(EnrolmentState), default=EnrolmentState.ACTIVE)
    """Whether she may study."""

    __table_args__ = (UniqueConstraint("cohort_id", "person_id"),)

    @property
    def chain(self) -> str:
        """Its chain in the trace."""
        return str(self.id)


class EnrolmentReference(Base):
    """Under which commitment a reference photo is known in one enrolment's chain.

    Personal data: that a photo is hers. Chains are not linked by it: each knows the photo by a commitment of its own.
    """

    __tablename__ = "enrolment_reference"

    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    """In whose chain."""
    photo_id: Mapped[UUID] = mapped_column(ForeignKey("reference_photo.id"), primary_key=True, index=True)
    """Which photo."""
    commitment: Mapped[str] = mapped_column(String(64))
    """As the chain writes it (64 hex digits)."""


class EnrolmentDeclaration(Base):
    """What was declared of a trainee at enrolment, and why she was let in where it does not fit.

    Personal data: her post and employer, earlier certificates, a reason in words, and who entered them.
    """

    __tablename__ = "enrolment_declaration"

    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    """Of which enrolment; each has one at most."""
    post: Mapped[Category] = mapped_column(word(Category))
    """Her post, as the institution declares it."""
    employer: Mapped[str] = mapped_column(String(120))
    """Its name as entered."""
    employer_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    """The registered organisation of that name, if there is one."""
    industry: Mapped[str] = mapped_column(String(64))
    """The employer's, by the rulebook's code, or ``unknown``."""
    earlier: Mapped[str] = mapped_column(String(200), default="")
    """Which certificate or training came before."""
    reason: Mapped[str] = mapped_column(String(300), default="")
    """Why she was let in where something does not fit; else empty."""
    misfits: Mapped[list[str]] = mapped_column(JSON)
    """What does not fit (`declarations.Misfit`)."""
    to_look_at: Mapped[bool] = mapped_column(Boolean, index=True)
    """Whether the regulator's list shows it: something does not fit, or only a word stands for earlier training."""
    declared_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    """Who of the institution entered it."""
    declared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When."""
