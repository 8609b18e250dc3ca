"""Who is asking: passed by name to every service, so that the same service runs in a request, a worker and a test."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID


class Role(StrEnum):
    """What somebody may act as. The database keeps the word; tokens keep the bit.

    The number beside each word is for ever: a new role takes the next free one (up to 31), the number of a role that
    is given up is never used again (`tests/identity/rules/test_roles.py` pins them).
    """

    bit: int
    """Which bit of a token's 32 stands for the role."""

    def __new__(cls, word: str, bit: int = -1) -> Self:
        # The default is for `Role("trainee")`, which looks a role up and makes none.
        role = str.__new__(cls, word)
        role._value_ = word
        role.bit = bit
        return role

    TRAINEE = "trainee", 0
    INSTITUTION = "institution", 1
    ENTERPRISE = "enterprise", 2
    REGULATOR = "regulator", 3
    ADMINISTRATOR = "administrator", 4
    INSPECTOR = "inspector", 5
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
