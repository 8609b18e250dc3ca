"""Signatures hold for what was signed alone; keys that no authority has verify nothing, and keep nobody waiting."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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


ORDER = publickeys.CURVES["1.2.840.10045.3.1.7"].order
CURVES = {"1.2.840.10045.3.1.7": ec.SECP256R1(), "1.3.132.0.34": ec.SECP384R1()}
DIGESTS = ("sha256", "sha384", "sha512")


def ec_key(secret: int, curve: ec.EllipticCurve) -> bytes:
    """The SubjectPublicKeyInfo (DER) of a key whose secret is known."""
    public = ec.derive_private_key(secret, curve).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def ec_signature(secret: int, name: str, digest: str, message: bytes, once: int) -> bytes:
    """By the book (FIPS 186-5, 6.4.1), with a number for once that the test says."""
    order = publickeys.CURVES[name].order
    hashed = hashlib.new(digest, message).digest()
    number = int.from_bytes(hashed, "big") >> max(0, 8 * len(hashed) - order.bit_length())
    r = ec.derive_private_key(once, CURVES[name]).public_key().public_numbers().x % order
    return encode_dss_signature(r, (number + r * secret) * pow(once, -1, order) % order)


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("name", CURVES)
def test_signatures_of_curves_hold_for_what_was_signed_alone(name: str, digest: str) -> None:
    for secret in (3, 2**200 + 7, publickeys.CURVES[name].order // 3):
        key = ec_key(secret, CURVES[name])
        signature = ec_signature(secret, name, digest, b"message", secret + 10**30)
        assert publickeys.verify(key, digest, b"message", signature) is True
        assert publickeys.verify(key, digest, b"messagf", signature) is False
        assert publickeys.verify(ec_key(secret + 1, CURVES[name]), digest, b"message", signature) is False


def test_another_program_s_signatures_hold() -> None:
    secret = ec.derive_private_key(2**251 + 9, ec.SECP384R1())
    public = secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signature = secret.sign(b"message", ec.ECDSA(hashes.SHA384()))
    assert publickeys.verify(public, "sha384", b"message", signature)


@pytest.mark.parametrize("secret", [1, 2, ORDER - 1, ORDER - 2], ids=["1", "2", "-1", "-2"])
def test_points_that_meet_themselves_or_their_opposite_are_added_rightly(secret: int) -> None:
    """Multiples of the base point itself: sums of equal points, and of opposite ones, come up on the way."""
    name = "1.2.840.10045.3.1.7"
    key = ec_key(secret, CURVES[name])
    for once in range(1, 41):
        signature = ec_signature(secret, name, "sha256", bytes([once]), once * 2**240 + 5)
        assert publickeys.verify(key, "sha256", bytes([once]), signature)


def test_a_signature_that_leads_to_no_point_does_not_hold() -> None:
    name, secret = "1.2.840.10045.3.1.7", 77
    number = int.from_bytes(hashlib.sha256(b"message").digest(), "big")
    r = -number * pow(secret, -1, ORDER) % ORDER
    assert publickeys.verify(ec_key(secret, CURVES[name]), "sha256", b"message", encode_dss_signature(r, 5)) is False


def test_what_cannot_hold_is_refused_before_any_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    name, size = "1.2.840.10045.3.1.7", 32
    curve, key = publickeys.CURVES[name], ec_key(77, CURVES[name])
    good = ec_signature(77, name, "sha256", b"message", 78)
    r, s = decode_dss_signature(good)
    head, point = key[: -2 * size - 1], key[-2 * size - 1 :]
    x, y = int.from_bytes(point[1 : 1 + size], "big"), int.from_bytes(point[1 + size :], "big")
    assert publickeys.verify(key, "sha256", b"message", good)

    def reached(*_given: object) -> None:
        raise AssertionError("counted")

    monkeypatch.setattr(publickeys, "_two_multiples", reached)
    with pytest.raises(AssertionError):
        publickeys.verify(key, "sha256", b"message", good)
    root = pow(curve.b, (curve.prime + 1) // 4, curve.prime)
    points = [
        b"\x05" + point[1:],
        b"\x04" + (x + 1).to_bytes(size, "big") + point[1 + size :],
        b"\x04" + x.to_bytes(size, "big") + (y + 1).to_bytes(size, "big"),
        b"\x04" + curve.prime.to_bytes(size, "big") + root.to_bytes(size, "big"),
        b"\x04" + x.to_bytes(size, "big") + (2**256 - 1).to_bytes(size, "big"),
    ]
    for wrong in points:
        assert publickeys.verify(head + wrong, "sha256", b"message", good) is False
    assert root * root % curve.prime == curve.b
    whole = der.parse(key).children()[0].whole
    for wrong in (point[:-1], point + b"\0", b""):
        longer = element(der.SEQUENCE, whole + element(der.BIT_STRING, b"\0" + wrong))
        assert publickeys.verify(longer, "sha256", b"message", good) is False
    for first, second in ((0, s), (r, 0), (ORDER, s), (r, ORDER), (-r, s), (r, -s)):
        numbers = element(der.INTEGER, first.to_bytes(33, "big", signed=True))
        numbers += element(der.INTEGER, second.to_bytes(33, "big", signed=True))
        assert publickeys.verify(key, "sha256", b"message", element(der.SEQUENCE, numbers)) is False
    for first, second in ((1, 1), (ORDER - 1, ORDER - 1)):
        with pytest.raises(AssertionError):
            publickeys.verify(key, "sha256", b"message", encode_dss_signature(first, second))


def test_keys_of_kinds_that_are_not_known_verify_nothing() -> None:
    other = ec_key(77, ec.SECP256K1())
    assert publickeys.verify(other, "sha256", b"", ec_signature(77, "1.2.840.10045.3.1.7", "sha256", b"", 78)) is False
    edwards = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = edwards.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert publickeys.verify(public, "sha256", b"", edwards.sign(b"")) is False
    assert publickeys.verify(b"\x30\x00", "sha256", b"", b"") is False
    assert publickeys.verify(element(der.SET, RSA_ALGORITHM + b"\x03\x01\x00"), "sha256", b"", b"") is False


# Primes 2^n - 1, of which a modulus of any length can be made whose secret is known without searching for primes.
MERSENNE = {
    2047: (1279, 607, 127, 31, 3),
    2048: (1279, 607, 127, 19, 13, 3),
    2049: (1279, 607, 127, 31, 5),
    16384: (4423, 4253, 3217, 2281, 1279, 607, 127, 127, 31, 31, 5, 3),
    16385: (4423, 4253, 3217, 2281, 1279, 607, 127, 127, 61, 7, 3),
}


def padded(digest: str, message: bytes, bits: int) -> int:
    """EMSA-PKCS1-v1_5 (RFC 8017, 9.2), with the heads that its notes list."""
    heads = {
        "sha256": "3031300d060960864801650304020105000420",
        "sha384": "3041300d060960864801650304020205000430",
        "sha512": "3051300d060960864801650304020305000440",
    }
    info = bytes.fromhex(heads[digest]) + hashlib.new(digest, message).digest()
    length = (bits + 7) // 8
    return int.from_bytes(b"\x00\x01" + b"\xff" * (length - len(info) - 3) + b"\x00" + info, "big")


def root(wanted: int, exponent: int, primes: Counter[int], modulus: int) -> int:
    """The number whose power is the wanted one, prime by prime."""
    found = 0
    for prime, times in primes.items():
        part, order = prime**times, (prime - 1) // 2 * prime ** (times - 1)
        # Of primes that leave 3 when divided by 4, the squares have odd order; -1 is no square.
        sign = 1 if exponent % 2 == 0 or pow(wanted, (prime - 1) // 2, prime) == 1 else -1
        power = sign * pow(sign * wanted, pow(exponent, -1, order), part)
        found += power * (modulus // part) * pow(modulus // part, -1, part)
    return found % modulus


def made(bits: int, digest: str, exponent: int = 65537) -> tuple[bytes, bytes, bytes]:
    """A key, a message and its signature."""
    primes = Counter(2**each - 1 for each in MERSENNE[bits])
    modulus = math.prod(primes.elements())
    assert modulus.bit_length() == bits
    for number in range(5000):
        message = b"message %d" % number
        wanted = padded(digest, message, bits)
        if exponent % 2 == 0 and any(pow(wanted, (prime - 1) // 2, prime) != 1 for prime in primes):
            continue
        signature = root(wanted, exponent, primes, modulus)
        if pow(signature, exponent, modulus) == wanted:
            return rsa_key(modulus, exponent), message, signature.to_bytes((bits + 7) // 8, "big")
    raise AssertionError("no message has a signature")


@pytest.mark.parametrize(
    ("bits", "digest"),
    [(2048, "sha256"), (2048, "sha384"), (2048, "sha512"), (2049, "sha256"), (16384, "sha256")],
)
def test_rsa_signatures_hold_for_what_was_signed_alone(bits: int, digest: str) -> None:
    key, message, signature = made(bits, digest)
    assert publickeys.verify(key, digest, message, signature) is True
    assert publickeys.verify(key, digest, message + b"x", signature) is False
    assert publickeys.verify(key, digest, message, b"\0" + signature) is False
    assert publickeys.verify(key, digest, message, signature[:-1]) is False
    changed = signature[:-1] + bytes([signature[-1] ^ 1])
    assert publickeys.verify(key, digest, message, changed) is False
    other = DIGESTS[(DIGESTS.index(digest) + 1) % 3]
    assert publickeys.verify(key, other, message, signature) is False


@pytest.mark.parametrize("bits", [2047, 16385])
def test_keys_shorter_or_longer_than_any_authority_s_verify_nothing(bits: int) -> None:
    key, message, signature = made(bits, "sha256")
    assert publickeys.verify(key, "sha256", message, signature) is False


def test_the_smallest_exponent_is_three_and_the_largest_has_sixty_four_bits() -> None:
    secret = rsa.generate_private_key(public_exponent=3, key_size=2048)
    public = secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signature = secret.sign(b"message", padding.PKCS1v15(), hashes.SHA256())
    assert publickeys.verify(public, "sha256", b"message", signature) is True
    key, message, long = made(2048, "sha256", 2**64)
    assert publickeys.verify(key, "sha256", message, long) is False
