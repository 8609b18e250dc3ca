"""What identity tells the parts above it, always after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class LoginEnded:
    """A live session is over; whoever holds a socket for it should say why and close."""

    person_id: UUID
    login_session_id: UUID
    reason: str
    """One of `rules.SessionEnd`."""


@dataclass(frozen=True)
class ReferenceStored:
    """A reference photo waits to be compared with everybody else's."""

    photo_id: UUID
