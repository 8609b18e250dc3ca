"""RSA keys that no authority has verify nothing, and keep nobody waiting."""

from __future__ import annotations

import pytest

from xueji.trace import der, publickeys

RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")


def element(tag: int, content: bytes) -> bytes:
    length = len(content)
    head = bytes([length]) if length < 128 else b"\x84" + length.to_bytes(4, "big")
    return bytes([tag]) + head + content


def rsa_key(modulus: int, exponent: int) -> bytes:
    """A SubjectPublicKeyInfo (DER)."""
    numbers = b"".join(
        element(der.INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))
        for number in (modulus, exponent)
    )
    return element(der.SEQUENCE, RSA_ALGORITHM + element(der.BIT_STRING, b"\x00" + element(der.SEQUENCE, numbers)))


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (-(2**2047) - 1, 65537),
        (2**1023 + 1, 65537),
        (2**2047 + 1, 1),
        (2**2047 + 1, -3),
        (2**2047 + 1, 2**400_000 + 1),
        (2**400_000 + 1, 65537),
    ],
    ids=["negative", "short", "no exponent", "a negative exponent", "a long exponent", "long"],
)
def test_an_impossible_rsa_key_verifies_nothing(modulus: int, exponent: int) -> None:
    key = rsa_key(modulus, exponent)
    parsed = [each.integer() for each in der.parse(der.parse(key).children()[1].bits()).children()]
    assert parsed == [modulus, exponent]
    signature = b"\x01" * ((modulus.bit_length() + 7) // 8)
    assert publickeys.verify(key, "sha256", b"message", signature) is False
