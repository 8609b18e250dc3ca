"""What cohorts tell and ask the parts above them, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort, CohortAmendment
from xueji.kernel.actor import Actor


@dataclass(frozen=True)
class CohortCloses:
    """A cohort is closed: nobody in it studies any further."""

    session: Session
    cohort_id: UUID


@dataclass(frozen=True)
class LastDayChanges:
    """A cohort's last day was set."""

    session: Session
    cohort_id: UUID
    closes_ms: int
    """The first instant after the day (epoch ms)."""


@dataclass
class StudyingAsked:
    """Before a cohort is closed at once: how many study in it now. Handlers add theirs."""

    session: Session
    cohort_id: UUID
    studying: int = 0


@dataclass
class TraineesAsked:
    """How many trainees each cohort has; a cohort that is left out has none."""

    session: Session
    cohort_ids: tuple[UUID, ...]
    trainees: dict[UUID, int] = field(default_factory=dict)


@dataclass
class CohortAmended:
    """Two people have put an open cohort right; whoever keeps something under its terms says so there.

    The cohort's row has the new values already.
    """

    session: Session
    actor: Actor
    """The second person."""
    cohort: Cohort
    amendment: CohortAmendment
    terms: Mapping[str, Any]
    """What has changed of the terms, as a leaf writes it: ``ends`` (ISO 8601), ``industry``, ``subject``,
    ``high_risk``. Empty where only words were put right."""
    trainees: int = 0
    """In how many chains it is recorded."""
