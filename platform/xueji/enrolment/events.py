"""What enrolment tells the parts above it, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class StudyEnds:
    """A trainee was let out, or her cohort was closed: what she has under way earns no further."""

    session: Session
    enrolment_ids: tuple[UUID, ...]
