"""Sittings as occasions in which checks are asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models import Lesson
from xueji.occasions.hosts import Host, Subject
from xueji.progress.models import Sitting
from xueji.progress.services import current_sitting


def lessons_of(session: Session, sitting_ids: Collection[UUID]) -> dict[UUID, Subject]:
    """The lesson of each of these sittings, by its id."""
    rows = session.execute(
        select(Sitting.id, Lesson.id, Lesson.title)
        .join(Lesson, Lesson.id == Sitting.lesson_id)
        .where(Sitting.id.in_(sitting_ids))
    )
    return {sitting_id: Subject(lesson_id, title) for sitting_id, lesson_id, title in rows}


SITTINGS: Final = Host(row=Sitting, current=current_sitting, subjects=lessons_of)
