"""Checking RSA and ECDSA signatures with whole numbers, for the certificates of time-stamp authorities.

Only checking, never signing. RSA with PKCS #1 v1.5 padding (RFC 8017, 8.2.2); ECDSA on P-256 and P-384 (FIPS 186-5).
Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

import hashlib

from xueji.python38 import dataclass
from xueji.trace import der

RSA = "1.2.840.113549.1.1.1"
EC = "1.2.840.10045.2.1"
DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
SIGNATURE_DIGESTS = {
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
"""Signature algorithms that name their digest."""
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 16384
_DIGEST_OIDS = {name: oid for oid, name in DIGESTS.items()}


@dataclass(frozen=True)
class Curve:
    """y^2 = x^3 - 3 x + b over the prime, with a base point of the given order."""

    prime: int
    b: int
    order: int
    base: tuple[int, int]


CURVES = {
    "1.2.840.10045.3.1.7": Curve(
        0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        (
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
    ),
    "1.3.132.0.34": Curve(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        (
            0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
            0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
        ),
    ),
}


def verify(public_key: bytes, digest: str, message: bytes, signature: bytes) -> bool:
    """Whether the signature holds under a SubjectPublicKeyInfo (DER). Unknown kinds of key verify nothing."""
    try:
        algorithm, bits = der.parse(public_key).expect(der.SEQUENCE).children()
        kind = algorithm.children()
        name = kind[0].oid()
        if name == RSA:
            modulus, exponent = (each.integer() for each in der.parse(bits.bits()).children())
            return _verify_rsa(modulus, exponent, digest, message, signature)
        if name == EC:
            curve = CURVES.get(kind[1].oid())
            return curve is not None and _verify_ecdsa(curve, bits.bits(), digest, message, signature)
    except (ValueError, IndexError):
        return False
    return False


def _verify_rsa(modulus: int, exponent: int, digest: str, message: bytes, signature: bytes) -> bool:
    length = (modulus.bit_length() + 7) // 8
    # Above, too: a key that nobody uses would only keep the reader waiting.
    if (
        modulus < 0
        or not LEAST_RSA_BITS <= modulus.bit_length() <= MOST_RSA_BITS
        or not 3 <= exponent < 2**64
        or len(signature) != length
    ):
        return False
    hashed = hashlib.new(digest, message).digest()
    oid = _DIGEST_OIDS[digest]
    encoded = bytes([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, int(oid.rsplit(".", 1)[1])])
    algorithm = bytes([der.SEQUENCE, 13, der.OBJECT_IDENTIFIER, 9]) + encoded + b"\x05\x00"
    info = algorithm + bytes([der.OCTET_STRING, len(hashed)]) + hashed
    padded = bytes([der.SEQUENCE, len(info)]) + info
    expected = b"\x00\x01" + b"\xff" * (length - len(padded) - 3) + b"\x00" + padded
    return pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(length, "big") == expected


def _verify_ecdsa(curve: Curve, point: bytes, digest: str, message: bytes, signature: bytes) -> bool:
    size = (curve.prime.bit_length() + 7) // 8
    if len(point) != 1 + 2 * size or point[0] != 4:
        return False
    x, y = int.from_bytes(point[1 : 1 + size], "big"), int.from_bytes(point[1 + size :], "big")
    if max(x, y) >= curve.prime or (y * y - (x * x * x - 3 * x + curve.b)) % curve.prime:
        return False
    r, s = (each.integer() for each in der.parse(signature).expect(der.SEQUENCE).children())
    if not (0 < r < curve.order and 0 < s < curve.order):
        return False
    hashed = hashlib.new(digest, message).digest()
    number = int.from_bytes(hashed, "big") >> max(0, 8 * len(hashed) - curve.order.bit_length())
    inverse = pow(s, -1, curve.order)
    total = _two_multiples(curve, number * inverse % curve.order, curve.base, r * inverse % curve.order, (x, y))
    if total[2] == 0:
        return False
    return total[0] * pow(total[2], -2, curve.prime) % curve.prime % curve.order == r


def _two_multiples(
    curve: Curve, first: int, p: tuple[int, int], second: int, q: tuple[int, int]
) -> tuple[int, int, int]:
    """first * p + second * q in Jacobian coordinates (Shamir's trick); Z = 0 is the point at infinity."""
    one, other = (*p, 1), (*q, 1)
    addends = {(1, 0): one, (0, 1): other, (1, 1): _add(curve, one, other)}
    total = (1, 1, 0)
    for bit in range(max(first.bit_length(), second.bit_length()) - 1, -1, -1):
        total = _double(curve, total)
        addend = addends.get((first >> bit & 1, second >> bit & 1))
        if addend is not None:
            total = _add(curve, total, addend)
    return total


def _double(curve: Curve, point: tuple[int, int, int]) -> tuple[int, int, int]:
    x, y, z = point
    if z == 0 or y == 0:
        return 1, 1, 0
    prime = curve.prime
    s = 4 * x * y * y % prime
    z_squared = z * z % prime
    m = 3 * (x - z_squared) * (x + z_squared) % prime
    x_new = (m * m - 2 * s) % prime
    return x_new, (m * (s - x_new) - 8 * pow(y, 4, prime)) % prime, 2 * y * z % prime


def _add(curve: Curve, p: tuple[int, int, int], q: tuple[int, int, int]) -> tuple[int, int, int]:
    if p[2] == 0:
        return q
    if q[2] == 0:
        return p
    prime = curve.prime
    z1, z2 = p[2] * p[2] % prime, q[2] * q[2] % prime
    u1, u2 = p[0] * z2 % prime, q[0] * z1 % prime
    s1, s2 = p[1] * z2 * q[2] % prime, q[1] * z1 * p[2] % prime
    if u1 == u2:
        return _double(curve, p) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    h_squared = h * h % prime
    h_cubed = h_squared * h % prime
    v = u1 * h_squared % prime
    x = (r * r - h_cubed - 2 * v) % prime
    return x, (r * (v - x) - s1 * h_cubed) % prime, h * p[2] * q[2] % prime
