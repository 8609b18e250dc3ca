"""What identity tells the parts above it: after the commit, unless an event says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.identity.models import ReferencePhoto
from xueji.kernel.events import Events


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


class WhyFaceRouteEnds(StrEnum):
    """What she did."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    OTHER_ROUTE = "other_route"


@dataclass(frozen=True)
class FaceRouteEnds:
    """She took back her consent or chose the other route; told in the same transaction."""

    session: Session
    events: Events
    person_id: UUID
    why: WhyFaceRouteEnds


class ReferenceChange(StrEnum):
    ENROL = "enrol"
    DELETE = "delete"
    CONFIRM = "confirm"
    REFUSE = "refuse"


@dataclass(frozen=True)
class ReferenceChanged:
    """What face checks compare with has changed, in the same transaction: whoever keeps her hours records it."""

    session: Session
    change: ReferenceChange
    photo: ReferencePhoto
    by: UUID
    """Who did it."""
    near: tuple[tuple[UUID, int], ...] = ()
    """Of a photo that is enrolled: how far it is from each of her others that can be compared, in millionths."""
    limit: int = 0
    """How far it may be, in millionths."""
    reason: str = ""


@dataclass(frozen=True)
class PersonCorrected:
    """A name or number was put right, in the same transaction: whoever keeps chains says in each whom it is about."""

    session: Session
    correction_id: UUID
    person_id: UUID
    asked_by: UUID
    decided_by: UUID


@dataclass(frozen=True)
class FilesJoined:
    """Two files were joined, or put apart again, in the same transaction: whoever keeps chains records it in each."""

    session: Session
    joining_id: UUID
    person_id: UUID
    """Whose file stands."""
    joined_id: UUID
    parts: bool
    asked_by: UUID
    decided_by: UUID
    reason: str
