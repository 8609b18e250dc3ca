"""What takes two people: resetting an account, joining files, correcting a name or number. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import ne
from uuid import UUID

from xueji.identity.rules.people import Capacity, in_jurisdiction
from xueji.kernel.actor import Actor, Role


class ResetKind(StrEnum):
    """What of an account is reset."""

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
        """Division codes of the organisations she belongs to."""
        return frozenset(each.region for each in self.capacities)

    @property
    def organisations(self) -> frozenset[UUID]:
        """Organisations she belongs to."""
        return frozenset(each.organisation_id for each in self.capacities)

    @property
    def regulator(self) -> bool:
        """Whether she is a regulator anywhere."""
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
