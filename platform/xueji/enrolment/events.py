"""What enrolment tells the parts above it, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class StudyEnds:
    """A trainee was let out, or her cohort was closed: what she has under way earns no further."""

    session: Session
    enrolment_ids: tuple[UUID, ...]


@dataclass
class EarlierTraining:
    """Somebody comes for a refresher: whoever keeps the accounts says whether any of these is complete."""

    session: Session
    enrolment_ids: tuple[UUID, ...]
    complete: bool = False


@dataclass
class HeldAsked:
    """Something is to be destroyed because its time is over: whoever still has to decide about any of these says so."""

    session: Session
    enrolment_ids: tuple[UUID, ...]
    held: bool = False


@dataclass(frozen=True)
class StudyDaysChange:
    """A cohort's last day was set: what is under way may earn until then, and no further."""

    session: Session
    enrolment_ids: tuple[UUID, ...]
    closes_ms: int
    """The first instant after the day (epoch ms)."""


@dataclass
class WhoStudies:
    """Somebody asks whether anybody is studying now. Handlers add the enrolments that are."""

    session: Session
    enrolment_ids: tuple[UUID, ...]
    studying: set[UUID] = field(default_factory=set)
