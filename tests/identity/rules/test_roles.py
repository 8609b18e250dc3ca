"""Roles keep their numbers, and tokens that are in circulation are read as they were meant."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from struct import pack
from uuid import UUID

import pytest

from xueji.identity import tokens
from xueji.kernel.actor import Role
from xueji.kernel.crypto import Keyring

KEYRING = Keyring(b"k" * 32)
PERSON, LOGIN, HOUSE = UUID(int=1), UUID(int=2), UUID(int=3)


def signed(body: bytes) -> str:
    return urlsafe_b64encode(body + hmac.digest(KEYRING.derived("tokens"), body, "sha256")).decode()


def unversioned(mask: int, organisation: bytes = HOUSE.bytes, region: bytes = b"220102") -> str:
    """A token as it was issued before it had a version: one byte of roles in front of the rest."""
    return signed(pack("B16s16s16s6s", mask, PERSON.bytes, LOGIN.bytes, organisation, region))


def test_each_role_keeps_its_number_for_ever() -> None:
    assert {role.value: role.bit for role in Role} == {
        "trainee": 0,
        "institution": 1,
        "enterprise": 2,
        "regulator": 3,
        "administrator": 4,
        "inspector": 5,
    }


def test_no_two_roles_share_a_number_and_32_bits_hold_them() -> None:
    assert len({role.bit for role in Role}) == len(Role)
    assert all(0 <= role.bit < 32 for role in Role)


@pytest.mark.parametrize("role", Role)
def test_a_token_says_which_role_was_given(role: Role) -> None:
    claims = tokens.Claims(PERSON, LOGIN, frozenset({role}), None, None)
    assert tokens.read(KEYRING, tokens.issue(KEYRING, claims)) == claims


def test_a_token_carries_all_roles_organisation_and_region() -> None:
    claims = tokens.Claims(PERSON, LOGIN, frozenset(Role), HOUSE, "220102")
    token = tokens.issue(KEYRING, claims)
    assert urlsafe_b64decode(token)[0] == tokens.VERSION
    assert tokens.read(KEYRING, token) == claims


@pytest.mark.parametrize(
    ("mask", "roles"),
    [
        (0b000001, {Role.TRAINEE}),
        (0b000011, {Role.TRAINEE, Role.INSTITUTION}),
        (0b001000, {Role.REGULATOR}),
        (0b110000, {Role.ADMINISTRATOR, Role.INSPECTOR}),
    ],
)
def test_a_token_without_a_version_is_read_as_it_was_meant(mask: int, roles: set[Role]) -> None:
    claims = tokens.Claims(PERSON, LOGIN, frozenset(roles), HOUSE, "220102")
    assert tokens.read(KEYRING, unversioned(mask)) == claims
    alone = tokens.Claims(PERSON, LOGIN, frozenset(roles), None, None)
    assert tokens.read(KEYRING, unversioned(mask, bytes(16), b"")) == alone


def test_a_version_that_is_not_known_is_not_guessed_at() -> None:
    token = tokens.issue(KEYRING, tokens.Claims(PERSON, LOGIN, frozenset({Role.TRAINEE}), None, None))
    body = urlsafe_b64decode(token)[:61]
    assert tokens.read(KEYRING, signed(body)) is not None
    assert tokens.read(KEYRING, signed(bytes([tokens.VERSION + 1]) + body[1:])) is None


def test_a_role_of_a_later_release_gives_nothing_here() -> None:
    token = tokens.issue(KEYRING, tokens.Claims(PERSON, LOGIN, frozenset({Role.TRAINEE}), None, None))
    body = bytearray(urlsafe_b64decode(token)[:61])
    body[1] |= 0x80  # bit 31
    claims = tokens.read(KEYRING, signed(bytes(body)))
    assert claims is not None and claims.roles == {Role.TRAINEE}


@pytest.mark.parametrize("place", [0, 1, 4, 20, 58, 61, 92])
def test_no_byte_of_a_token_can_be_changed(place: int) -> None:
    token = tokens.issue(KEYRING, tokens.Claims(PERSON, LOGIN, frozenset({Role.TRAINEE}), HOUSE, "220102"))
    whole = bytearray(urlsafe_b64decode(token))
    whole[place] ^= 1
    assert tokens.read(KEYRING, urlsafe_b64encode(bytes(whole)).decode()) is None
