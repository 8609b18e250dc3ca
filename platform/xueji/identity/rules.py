"""Decisions about people and sign-in, as pure functions. Standard library only."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from operator import ne
from uuid import UUID

from xueji.identity import spelling
from xueji.kernel.actor import STAFF, Actor, Role
from xueji.rulebook.divisions import lies_in
from xueji.trace.rules import Event

MOST_REFERENCE_PHOTOS = 3
MARK_OF_LIFE = timedelta(minutes=1)
"""A session's last use is written at most this often: a read must not cost a write each time."""
FACES_WARNING = 80_000
FACES_FILING = 100_000
"""Persons with stored faces from which the authority must be told within 30 working days."""
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 128
FEWEST_DIFFERENT = 5
"""Characters of a password that differ, and characters that do not follow from the one before."""
MOST_AROUND = 8
"""Signs and digits around a common word that do not yet make it another: a birthday has eight."""
_AROUND = "0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_SIGNS_FOR_LETTERS = str.maketrans("@4301!5$7", "aaeoiisst")
_TELEPHONE_OR_DAY = re.compile(r"(?:86)?1[3-9]\d{9}|(?:19|20)\d{6}\d{0,4}|[1-9]\d{16}[\dx]")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qazwsxedcrfvtgbyhnujm")
_STEPS = frozenset(step for row in _ROWS for one, next_ in pairwise(row) for step in (one + next_, next_ + one))
YOUNGEST, OLDEST = 14, 110
"""Years; an identity number with a birth date outside is a slip of the pen."""


class OrganisationKind(StrEnum):
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


class SignInStep(StrEnum):
    """What is still to be done before there is a session."""

    NEW_PASSWORD = "new_password"
    CODE = "code"
    SET_UP_CODE = "set_up_code"


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
    return YOUNGEST <= today.year - born.year <= OLDEST


def born_on(number: str) -> date:
    """The birth date in an identity number of eighteen characters. Raises ValueError."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def is_female(number: str) -> bool:
    """By the last digit but one, even of women."""
    return int(number[16]) % 2 == 0


class PasswordProblem(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_EVEN = "too_even"
    """Hardly any different characters, or a walk along the alphabet or the keyboard."""
    TOO_COMMON = "too_common"
    """A word that many people use, with or without a few signs around it."""
    TELLS_THE_ACCOUNT = "tells_the_account"


def password_problem(password: str, account: str, common: Container[str]) -> PasswordProblem | None:
    """Why a new password cannot be taken: length, and what a guesser tries first. No mixture of signs is asked for.

    ``common``: words many people use, as `folded` writes them.
    """
    if len(password) < SHORTEST_PASSWORD:
        return PasswordProblem.TOO_SHORT
    if len(password) > LONGEST_PASSWORD:
        return PasswordProblem.TOO_LONG
    plain = folded(password)
    if len(set(plain)) < FEWEST_DIFFERENT or _free_characters(plain) < FEWEST_DIFFERENT:
        return PasswordProblem.TOO_EVEN
    if len(account) > 3 and account in plain:
        return PasswordProblem.TELLS_THE_ACCOUNT
    return PasswordProblem.TOO_COMMON if too_common(plain, common) else None


def folded(password: str) -> str:
    return unicodedata.normalize("NFKC", password).casefold()


def too_common(plain: str, common: Container[str]) -> bool:
    """Whether a folded password is a common one: also doubled, with signs for letters, or with digits around it."""
    if _TELEPHONE_OR_DAY.fullmatch(plain):
        return True
    half = plain[: len(plain) // 2]
    word = half if half * 2 == plain else plain
    words = {word, word.strip(_AROUND), word.rstrip(_AROUND)}
    words |= {each.translate(_SIGNS_FOR_LETTERS) for each in words}
    return any(each in common and len(word) - len(each) <= MOST_AROUND for each in words)


def _free_characters(plain: str) -> int:
    """How many characters do not simply follow from the one before: on the keyboard, in the alphabet, or the same."""
    return 1 + sum(before != char and before + char not in _STEPS for before, char in pairwise(plain))


@dataclass(frozen=True)
class Origin:
    """From where somebody tries to sign in."""

    address: str = ""
    """An IPv4 address, or the /64 an IPv6 address belongs to."""
    device: str = ""
    """The name of a device that is known to the account tried; empty for a stranger's."""


NOWHERE = Origin()


def network_of(address: str | None) -> str:
    """What counts as one address: a household or a phone has a whole /64 of IPv6."""
    if not address:
        return ""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_interface((known, 64)).network)
    return str(known)


@dataclass(frozen=True)
class Tries:
    """What is known of the failed sign-ins under one account name."""

    failed: int = 0
    locked_until: datetime | None = None

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


def after_failure(tries: Tries, now: datetime, *, most: int, locked_for: timedelta) -> Tries:
    """One more failure; the ``most``-th locks. After a lock has run out the count begins anew."""
    failed = 1 if tries.locked_until is not None and now >= tries.locked_until else tries.failed + 1
    return Tries(failed, now + locked_for if failed >= most else None)


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
        return Role.TRAINEE in self.roles

    @property
    def staff(self) -> bool:
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


class ResetKind(StrEnum):
    PASSWORD = "password"
    FACTOR = "factor"


FIRST_CODE_LASTS = timedelta(days=14)
"""For how long a code that others were given for her first sign-in, or for one after a reset, is good."""
RESET_LASTS = timedelta(days=7)
"""For how long a request waits for its second person."""
RESTS_AFTER = timedelta(days=30)
"""For how long staff are not reset after a role was taken from them: else a regulator's role would be taken,
the account reset as anybody's, and the role given back."""
CONFIRMS_AFTER = timedelta(days=3)
"""Who was given her role less long ago confirms nothing: an invented colleague is seen before she can help."""


@dataclass(frozen=True)
class ResetSubject:
    """Of an account that is to be reset: what decides who may."""

    person_id: UUID
    staff: bool
    """Whether she works or ever worked here."""
    activated: bool
    """Whether she has chosen a password of her own."""
    capacities: tuple[Capacity, ...]

    @property
    def regions(self) -> frozenset[str]:
        return frozenset(each.region for each in self.capacities)

    @property
    def organisations(self) -> frozenset[UUID]:
        return frozenset(each.organisation_id for each in self.capacities)

    @property
    def regulator(self) -> bool:
        return any(each.role is Role.REGULATOR for each in self.capacities)


def may_ask_reset(account: ResetSubject, asker: Actor) -> bool:
    """An administrator for anybody else; an institution or enterprise for its own trainees."""
    if asker.person_id == account.person_id:
        return False
    own = asker.is_(Role.INSTITUTION, Role.ENTERPRISE) and asker.organisation_id in account.organisations
    return asker.is_(Role.ADMINISTRATOR) or (own and not account.staff)


def one_person_will_do(account: ResetSubject) -> bool:
    """The first code of a trainee who has not used it protects nothing of hers yet: one person may issue it again."""
    return not account.staff and not account.activated


def may_confirm_reset(
    account: ResetSubject, asked_by: UUID, confirmer: Actor, since: datetime | None, now: datetime, *, alone: bool
) -> bool:
    """Whether somebody may be the second person: never who asked.

    A trainee may herself; else staff of her organisation, a regulator over it or an administrator. An account of staff
    is confirmed by an administrator or a regulator over it, a regulator's by another regulator over hers, unless
    there is none (``alone``). ``since``: when the confirmer was given the role she acts in.
    """
    if confirmer.person_id == asked_by:
        return False
    if confirmer.person_id == account.person_id:
        return not account.staff
    if since is None or now < since + CONFIRMS_AFTER:
        return False
    over = confirmer.is_(Role.REGULATOR) and any(
        in_jurisdiction(confirmer.region or "", each) for each in account.regions
    )
    if account.regulator and not alone:
        return over
    own = confirmer.is_(Role.INSTITUTION, Role.ENTERPRISE) and confirmer.organisation_id in account.organisations
    return over or confirmer.is_(Role.ADMINISTRATOR) or (own and not account.staff)


JOINING_LASTS = timedelta(days=30)
"""For how long it waits for its second person that two files are to be joined or put apart."""


@dataclass(frozen=True)
class File:
    """Of a person's file that may be joined to another: what decides which of the two stands."""

    person_id: UUID
    has_joined: bool
    """Whether others are joined to it already."""
    staff: bool
    """Whether she works or ever worked here."""
    activated: bool
    """Whether she has chosen a password of her own."""
    confirmed_face: bool
    """Whether a photo of hers was held against her identity document."""
    registered_at: datetime


def stands(one: File, other: File) -> File:
    """Of two files of one person the one that is better not to suspend: it is in use, and more is known of it."""
    return max(
        (one, other),
        key=lambda file: (
            file.has_joined,
            file.staff,
            file.activated,
            file.confirmed_face,
            -file.registered_at.timestamp(),
            str(file.person_id),
        ),
    )


def may_ask_joining(files: Iterable[UUID], regions: Iterable[str], asker: Actor) -> bool:
    """An administrator, or a regulator over one of the two files; never about one's own.

    ``regions`` are those in which the two files have organisations.
    """
    if asker.person_id in set(files):
        return False
    over = asker.is_(Role.REGULATOR) and any(in_jurisdiction(asker.region or "", each) for each in regions)
    return asker.is_(Role.ADMINISTRATOR) or over


def may_decide_joining(
    files: Iterable[UUID],
    regions: Iterable[str],
    asked_by: UUID,
    decider: Actor,
    since: datetime | None,
    now: datetime,
    *,
    holder: UUID | None = None,
) -> bool:
    """Whether somebody may be the second person: whoever might have asked, but for the one who did.

    ``since``: when the decider was given the role she acts in, as for `may_confirm_reset`. ``holder``: who held the
    identity number under which an organisation opened the other file; she knows best, and may herself.
    """
    if decider.person_id == holder != asked_by:
        return True
    if decider.person_id == asked_by or since is None or now < since + CONFIRMS_AFTER:
        return False
    return may_ask_joining(files, regions, decider)


CORRECTION_LASTS = timedelta(days=30)
"""For how long a request to put a name or a number right waits for its second person."""
_MOST_DIGITS = 3
"""Digits of a number that a slip of the pen changes: one, or two that changed places, and the check digit."""


def is_slip(was: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether a name or a number, one of the two, is put right by so little that it is still the same person's.

    Names and numbers are given in their one spelling. Whatever changes more could put her hours to somebody else.
    """
    (old_name, old_number), (name, number) = was, now
    if old_name != name and old_number != number:
        return False
    if old_number != number:
        return len(old_number) == len(number) and sum(map(ne, old_number, number)) <= _MOST_DIGITS
    short, long = sorted((old_name, name), key=len)
    return _one_step(short, long) and len(long) > 1


def _one_step(short: str, long: str) -> bool:
    """Whether one character was written wrongly, left out or added, or two changed places."""
    if len(short) == len(long):
        wrong = sum(map(ne, short, long))
        return wrong <= 1 or (wrong == 2 and sorted(short) == sorted(long))
    return len(long) - len(short) == 1 and any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def may_ask_correction(account: ResetSubject, asker: Actor) -> bool:
    """Whoever it is about, an administrator, or an institution or enterprise for its own trainees."""
    own = asker.is_(Role.INSTITUTION, Role.ENTERPRISE) and asker.organisation_id in account.organisations
    return asker.person_id == account.person_id or asker.is_(Role.ADMINISTRATOR) or (own and not account.staff)


def may_decide_correction(
    account: ResetSubject, asked_by: UUID, decider: Actor, since: datetime | None, now: datetime, *, slip: bool
) -> bool:
    """Whether somebody may be the second person: never who asked, and never whom it is about.

    An administrator, or a regulator over one of her organisations; of a slip of the pen in a trainee's name or number
    also staff of her organisation. ``since``: when the decider was given the role she acts in.
    """
    if decider.person_id in (asked_by, account.person_id) or since is None or now < since + CONFIRMS_AFTER:
        return False
    over = decider.is_(Role.REGULATOR) and any(in_jurisdiction(decider.region or "", each) for each in account.regions)
    own = decider.is_(Role.INSTITUTION, Role.ENTERPRISE) and decider.organisation_id in account.organisations
    return decider.is_(Role.ADMINISTRATOR) or over or (slip and own and not account.staff)
