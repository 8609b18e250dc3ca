"""What the course part asks of those above it. `xueji.wiring` connects whoever can answer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from courses.film_parts import Part
from xueji.kernel.actor import Actor


@dataclass
class FilmAsked:
    """Somebody outside the institution wants to see a film. Whoever knows a reason to allow it says so here."""

    session: Session
    actor: Actor
    film_id: UUID
    allowed: bool = False


@dataclass(frozen=True)
class FilmHandedOut:
    """A part of a film is about to be handed to somebody who studies with it."""

    actor: Actor
    film_id: UUID
    sitting_id: UUID
    part: Part


@dataclass(frozen=True)
class LessonChanging:
    """A lesson's film or part is about to be changed, or the lesson removed. A handler may refuse by raising."""

    session: Session
    lesson_id: UUID
    removed: bool = False
