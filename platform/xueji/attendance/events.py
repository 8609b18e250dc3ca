"""What attendance asks of the parts above it, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.rulebook.intervals import Interval


@dataclass(frozen=True)
class StudiedOnline:
    """A stretch of credited study, in server time (epoch ms), in whichever enrolment of the person."""

    from_ms: int
    to_ms: int
    enrolment_id: UUID


@dataclass
class StudyAsked:
    """What each person studied online during a stay in a room (epoch ms); whoever knows says so here."""

    session: Session
    stays: Mapping[UUID, Interval]
    """By person."""
    found: dict[UUID, list[StudiedOnline]] = field(default_factory=dict)
