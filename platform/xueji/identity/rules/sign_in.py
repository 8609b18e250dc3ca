"""Which passwords are good enough, and how often somebody may try: pure functions. Standard library only."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

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


class SignInStep(StrEnum):
    """What is still to be done before there is a session."""

    NEW_PASSWORD = "new_password"
    CODE = "code"
    SET_UP_CODE = "set_up_code"


class PasswordProblem(StrEnum):
    """Why a password is not good enough."""

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
    """Without the differences that a guesser tries anyway: width and case."""
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
        """Whether nobody may try now."""
        return self.locked_until is not None and now < self.locked_until


def after_failure(tries: Tries, now: datetime, *, most: int, locked_for: timedelta) -> Tries:
    """One more failure; the ``most``-th locks. After a lock has run out the count begins anew."""
    failed = 1 if tries.locked_until is not None and now >= tries.locked_until else tries.failed + 1
    return Tries(failed, now + locked_for if failed >= most else None)
