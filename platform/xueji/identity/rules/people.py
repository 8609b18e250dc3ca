"""Decisions about people and sign-in, as pure functions. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from xueji.identity import spelling
from xueji.kernel.actor import STAFF, Role
from xueji.rulebook.divisions import lies_in
from xueji.trace.rules import Event

MOST_REFERENCE_PHOTOS = 3
MARK_OF_LIFE = timedelta(minutes=1)
"""A session's last use is written at most this often: a read must not cost a write each time."""
FACES_WARNING = 80_000
FACES_FILING = 100_000
"""Persons with stored faces from which the authority must be told within 30 working days."""
YOUNGEST, OLDEST = 14, 110
"""Years; an identity number with a birth date outside is a slip of the pen."""


class OrganisationKind(StrEnum):
    """What an organisation is; it decides which roles it gives."""

    INSTITUTION = "institution"
    ENTERPRISE = "enterprise"
    AUTHORITY = "authority"
    OPERATOR = "operator"


class ProofRoute(StrEnum):
    """How a trainee proves that it is she who studies; both weigh the same."""

    FACE = "face"
    SUPERVISED = "supervised"


class ConsentKind(StrEnum):
    """What may be agreed to, each for itself."""

    FACE = "face"
    """to show her face in checks"""
    CALIBRATION = "calibration"
    """to let the site measure with her pictures how well faces are told apart; nothing else hangs on it"""


class PhotoState(StrEnum):
    """Whether the picture itself is still there."""

    STORED = "stored"
    DELETED = "deleted"


class PhotoStanding(StrEnum):
    """What a reference photo may be used for, and on whose word."""

    UNCONFIRMED = "unconfirmed"
    """used for checks; nobody has held it against her identity document yet"""
    ALIKE = "alike"
    """used for checks: near enough to one that was confirmed"""
    CONFIRMED = "confirmed"
    """used for checks: a member of staff held it against her identity document"""
    WAITING = "waiting"
    """used for nothing: unlike those that stand, until a person has looked"""
    REFUSED = "refused"
    """used for nothing: a member of staff did not find her in it"""


USED = frozenset({PhotoStanding.UNCONFIRMED, PhotoStanding.ALIKE, PhotoStanding.CONFIRMED})
"""What checks are made against."""


def photo_standing(others: Iterable[tuple[PhotoStanding, int | None]], limit_micro: int) -> PhotoStanding:
    """Where a new photo stands beside her others; each with its distance in millionths, None where none can be had.

    What a person confirmed decides, else whatever is in use: near all of it, the photo is taken; far from any, it
    waits for a person. Only what a person confirmed vouches for another photo, so that a face cannot change step by
    step. A photo with nothing beside it is taken and not confirmed.
    """
    used = [(standing, distance) for standing, distance in others if standing in USED]
    confirmed = [distance for standing, distance in used if standing is PhotoStanding.CONFIRMED]
    compared = confirmed or [distance for _standing, distance in used]
    if any(distance is None or distance > limit_micro for distance in compared):
        return PhotoStanding.WAITING
    return PhotoStanding.ALIKE if confirmed else PhotoStanding.UNCONFIRMED


class SessionKind(StrEnum):
    """By what somebody is signed in."""

    COOKIE = "cookie"
    TOKEN = "token"


class SessionEnd(StrEnum):
    """Why a session is over, as its holder is told."""

    SIGNED_OUT = "signed_out"
    SIGNED_IN_ELSEWHERE = "signed_in_elsewhere"
    EXPIRED = "expired"
    PASSWORD_CHANGED = "password_changed"
    FACTOR_CHANGED = "factor_changed"
    RESET_BY_OTHERS = "reset_by_others"
    RIGHTS_CHANGED = "rights_changed"
    SUSPENDED = "suspended"
    ENDED_BY_OWNER = "ended_by_owner"
    SWITCHED = "switched"


TOLD = frozenset(
    {
        Event.ACCOUNT_SUSPEND,
        Event.ACCOUNT_RESTORE,
        Event.ACCOUNT_RECOVER,
        Event.PASSWORD_CHANGE,
        Event.PASSWORD_RESET,
        Event.RESET_ASK,
        Event.CORRECTION_ASK,
        Event.CORRECTION_REFUSE,
        Event.PERSON_CORRECT,
        Event.RESET_REFUSE,
        Event.FILE_JOIN,
        Event.FILE_PART,
        Event.FACTOR_SET,
        Event.FACTOR_DROP,
        Event.ROLE_GIVE,
        Event.ROLE_TAKE,
    }
)
"""What a person is told of when another did it to her account."""
TOLD_OF_ONESELF = frozenset({Event.FACTOR_SET, Event.FACTOR_DROP, Event.FILE_COPY})
"""What she is told of even when it was done in her own name: somebody else may have held her session."""

ROLES_OF = {
    OrganisationKind.INSTITUTION: frozenset({Role.INSTITUTION, Role.TRAINEE}),
    OrganisationKind.ENTERPRISE: frozenset({Role.ENTERPRISE, Role.TRAINEE}),
    OrganisationKind.AUTHORITY: frozenset({Role.REGULATOR, Role.INSPECTOR}),
    OrganisationKind.OPERATOR: frozenset({Role.ADMINISTRATOR}),
}
"""Which roles somebody can hold in which kind of organisation."""

_ACCOUNT = re.compile(r"[a-z0-9._@+\-]{3,64}")
_IDENTITY_NUMBER = re.compile(r"\d{15}|\d{17}[\dx]")


def account_name(given: str) -> str:
    """The one spelling of an account name: folded in case and width, a telephone number without ornament."""
    return spelling.telephone(given) or spelling.plain(given).casefold()


class AccountProblem(StrEnum):
    """Why an account name cannot be used."""

    LOST = "lost"
    """A number of which a spreadsheet has kept an approximate value."""
    IDENTITY_NUMBER = "identity_number"
    """Everybody who is shown the account would read it."""
    NOT_WELL_FORMED = "not_well_formed"


def account_problem(folded: str) -> AccountProblem | None:
    """Why a new account cannot bear the name, as `account_name` gives it.

    A telephone number, or letters, digits and a few signs with a letter among them: a number alone may be a line of a
    list, and a word in Chinese is another column of it.
    """
    if spelling.telephone(folded):
        return None
    if spelling.is_approximate(folded):
        return AccountProblem.LOST
    if _IDENTITY_NUMBER.fullmatch(folded):
        return AccountProblem.IDENTITY_NUMBER
    if not _ACCOUNT.fullmatch(folded) or not any(char.isalpha() for char in folded):
        return AccountProblem.NOT_WELL_FORMED
    return None


_IN_A_NAME = frozenset("·-'’. ")
_ENDS_A_COMPANY = ("公司", "集团", "学校", "学院", "有限责任", "合作社", "项目部")
SHORTEST_NAME, LONGEST_NAME = 2, 40


def is_person_name(name: str) -> bool:
    """Whether a name, as `spelling.person_name` gives it, can be somebody's: letters, and what stands between them."""
    return (
        SHORTEST_NAME <= len(name) <= LONGEST_NAME
        and all(char.isalpha() or unicodedata.category(char).startswith("M") or char in _IN_A_NAME for char in name)
        and any(char.isalpha() for char in name)
        and not name.endswith(_ENDS_A_COMPANY)
    )


def masked_name(name: str) -> str:
    """王小明 → 王**; only the first character stays, and at most four stars tell how long the rest is."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 4)


def masked_number(number: str) -> str:
    """``6201**********1234``: the first four and the last four of 18."""
    return number[:4] + "*" * 10 + number[-4:]


def plausible_birth(born: date, today: date) -> bool:
    """Whether somebody born in that year is at least `YOUNGEST` and at most `OLDEST` years old."""
    return YOUNGEST <= today.year - born.year <= OLDEST


def born_on(number: str) -> date:
    """The birth date in an identity number of eighteen characters. Raises ValueError."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def is_female(number: str) -> bool:
    """By the last digit but one, even of women."""
    return int(number[16]) % 2 == 0


@dataclass(frozen=True)
class Capacity:
    """One membership: a role in an organisation."""

    role: Role
    organisation_id: UUID
    region: str
    since: datetime


@dataclass(frozen=True)
class ActingRoles:
    """As what somebody acts in a session: for one organisation only, so that rights of two never add up."""

    roles: frozenset[Role]
    organisation_id: UUID | None
    region: str | None

    @property
    def learner(self) -> bool:
        """Whether she acts as a trainee."""
        return Role.TRAINEE in self.roles

    @property
    def staff(self) -> bool:
        """Whether she acts for an organisation."""
        return not self.roles.isdisjoint(STAFF)


def standing(capacities: Iterable[Capacity], chosen: UUID | None = None) -> ActingRoles:
    """The standing for the chosen organisation, else for the latest one she works for, else the latest she learns at.

    Being a trainee gives rights over nothing but one's own study, so it is added whatever the organisation.
    """
    known = sorted(capacities, key=lambda each: (each.role in STAFF, each.since, str(each.organisation_id)))
    if not known:
        return ActingRoles(frozenset(), None, None)
    main = next((each for each in known if each.organisation_id == chosen), known[-1])
    roles = {each.role for each in known if each.organisation_id == main.organisation_id or each.role is Role.TRAINEE}
    return ActingRoles(frozenset(roles), main.organisation_id, main.region)


def in_jurisdiction(region_of_regulator: str, region: str) -> bool:
    """Whether a division code lies in another: 620000 covers 62xxxx, 620100 covers 6201xx, 620102 only itself."""
    return lies_in(region, region_of_regulator)
