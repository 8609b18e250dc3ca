"""Reads about study: how far each lesson has come, and the sittings of an enrolment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.identity.queries import same_person
from xueji.progress.models import Sitting


@dataclass(frozen=True, slots=True)
class LessonProgress:
    furthest_ms: int
    last_studied_ms: int


def lesson_progress(session: Session, enrolment_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], LessonProgress]:
    """By (enrolment, lesson), for those lessons that were ever opened; one query."""
    rows = session.execute(
        select(
            Sitting.enrolment_id,
            Sitting.lesson_id,
            func.max(Sitting.furthest_ms),
            func.max(Sitting.last_contact_ms),
        )
        .where(Sitting.enrolment_id.in_(enrolment_ids))
        .group_by(Sitting.enrolment_id, Sitting.lesson_id)
    )
    return {(enrolment, lesson): LessonProgress(furthest, last) for enrolment, lesson, furthest, last in rows}


def enrolments_studied(session: Session, person_id: UUID, from_ms: int, to_ms: int) -> set[UUID]:
    """The enrolments in which somebody may have earned between two instants of server time (epoch ms)."""
    return set(
        session.scalars(
            select(Sitting.enrolment_id).where(
                same_person(Sitting.person_id, person_id),
                Sitting.opened_ms < to_ms,
                Sitting.used_until_ms > from_ms,
                Sitting.study_ms > 0,
            )
        )
    )
