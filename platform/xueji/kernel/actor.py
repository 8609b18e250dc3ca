"""Who is asking: passed by name to every service, so that the same service runs in a request, a worker and a test."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    TRAINEE = "trainee"
    INSTITUTION = "institution"
    ENTERPRISE = "enterprise"
    REGULATOR = "regulator"
    ADMINISTRATOR = "administrator"
    INSPECTOR = "inspector"
    """sees nothing but the cohorts a regulator lets her read, for a time"""


STAFF = frozenset(Role) - {Role.TRAINEE}


@dataclass(frozen=True)
class Actor:
    person_id: UUID
    login_session_id: UUID
    roles: frozenset[Role]
    organisation_id: UUID | None = None
    region: str | None = None
    """Six-digit division code of the organisation; a regulator's jurisdiction is everything below it."""

    def is_(self, *roles: Role) -> bool:
        """Whether any of the roles is held; an empty list means nobody."""
        return not self.roles.isdisjoint(roles)
