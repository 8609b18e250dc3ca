"""Checking Ed25519 signatures (RFC 8032) with nothing but whole numbers.

Only checking: nothing secret passes through here, so nothing needs to take constant time. A table of multiples is kept
for the base point and for each public key, which brings a check to about a millisecond.
Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha512

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
ROOT_OF_MINUS_ONE = pow(2, (PRIME - 1) // 4, PRIME)
TWICE_D = 2 * D % PRIME

WINDOW_BITS = 4
WINDOWS = 64

# A point is (X, Y, Z, T) with x = X / Z, y = Y / Z, x * y = T / Z (RFC 8032, 5.1.4).
NEUTRAL = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes) over the message was made with the key's (32 bytes) secret half."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER:
        return False
    try:
        multiples = _multiples_of_negated(public_key)
    except ValueError:
        return False
    k = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    # R = s B - k A, compared in its encoded form.
    point = _add_multiple(_add_multiple(NEUTRAL, s, _multiples_of_base()), k, multiples)
    return _encode(point) == signature[:32]


def _add(p: tuple[int, int, int, int], q: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % PRIME
    b = (y1 + x1) * (y2 + x2) % PRIME
    c = t1 * TWICE_D * t2 % PRIME
    d = 2 * z1 * z2 % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _encode(point: tuple[int, int, int, int]) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, PRIME - 2, PRIME)
    x, y = x * inverse % PRIME, y * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(encoded: bytes) -> tuple[int, int, int, int]:
    """Raises ValueError when the bytes are no point of the curve (RFC 8032, 5.1.3)."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= PRIME:
        raise ValueError("not a reduced coordinate")
    u, v = (y * y - 1) % PRIME, (D * y * y + 1) % PRIME
    x = u * pow(v, 3, PRIME) * pow(u * pow(v, 7, PRIME), (PRIME - 5) // 8, PRIME) % PRIME
    if (v * x * x - u) % PRIME != 0:
        x = x * ROOT_OF_MINUS_ONE % PRIME
        if (v * x * x - u) % PRIME != 0:
            raise ValueError("not on the curve")
    if x == 0 and sign:
        raise ValueError("zero has no sign")
    if x & 1 != sign:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


def _multiples(point: tuple[int, int, int, int]) -> list[list[tuple[int, int, int, int]]]:
    """table[i][j] = j * 16^i * point, so that a multiple is a sum of 64 entries."""
    table = []
    for _ in range(WINDOWS):
        row = [NEUTRAL]
        for _ in range((1 << WINDOW_BITS) - 1):
            row.append(_add(row[-1], point))
        table.append(row)
        point = _add(row[-1], point)
    return table


def _add_multiple(
    total: tuple[int, int, int, int], scalar: int, table: list[list[tuple[int, int, int, int]]]
) -> tuple[int, int, int, int]:
    for row in table:
        digit = scalar & 15
        if digit:
            total = _add(total, row[digit])
        scalar >>= WINDOW_BITS
    return total


@lru_cache(maxsize=1)
def _multiples_of_base() -> list[list[tuple[int, int, int, int]]]:
    y = 4 * pow(5, PRIME - 2, PRIME) % PRIME
    return _multiples(_decode(y.to_bytes(32, "little")))


@lru_cache(maxsize=32)
def _multiples_of_negated(public_key: bytes) -> list[list[tuple[int, int, int, int]]]:
    x, y, z, t = _decode(public_key)
    return _multiples((PRIME - x, y, z, PRIME - t))
