"""RFC 3161 time-stamp tokens: what they say, and whether an authority that is trusted said it.

A token is a CMS SignedData (RFC 5652) over a TSTInfo. It is believed when the TSTInfo speaks of our bytes, the
signature over it holds, the signer's certificate is for time-stamping and nothing else, and certificates that may
issue others (CA:TRUE) lead from it to a trusted one, each of them in force at the time the token says.
Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

import calendar
import hashlib
import re
import time
from collections.abc import Sequence
from functools import lru_cache

from xueji.python38 import dataclass
from xueji.trace import der, publickeys

SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
EXTENDED_KEY_USAGE = "2.5.29.37"
BASIC_CONSTRAINTS = "2.5.29.19"
KEY_USAGE = "2.5.29.15"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
LONGEST_CHAIN = 6
_SIGNS_CERTIFICATES = 0x04
"""keyCertSign, the sixth bit of a key usage."""


class TokenError(ValueError):
    """The token does not hold; the message says why."""


@dataclass(frozen=True)
class Certificate:
    """What of an X.509 certificate is read here."""

    whole: bytes
    signed_part: bytes
    serial: int
    issuer: bytes
    subject: bytes
    public_key: bytes
    not_before: int
    not_after: int
    """Epoch seconds; in force from the one to the other, both included."""
    key_usages: tuple[str, ...]
    usages_are_critical: bool
    issues: bool
    """Whether it may issue certificates: CA:TRUE, and no key usage that forbids it."""
    longest_below: int | None
    """How many issuing certificates may stand between it and the signer's; None for any number."""
    signature_algorithm: str
    signature: bytes

    @classmethod
    def parse(cls, whole: bytes) -> Certificate:
        """Raises der.DerError, IndexError."""
        body, algorithm, signature = der.parse(whole).expect(der.SEQUENCE).children()
        parts = body.children()
        if parts[0].tag == 0xA0:
            parts = parts[1:]
        extensions = _extensions(parts)
        usages, critical = extensions.get(EXTENDED_KEY_USAGE, (None, False))
        issues, longest_below = _may_issue(extensions)
        not_before, not_after = (_instant(each) for each in parts[3].children())
        return cls(
            whole,
            body.whole,
            parts[0].integer(),
            parts[2].whole,
            parts[4].whole,
            parts[5].whole,
            not_before,
            not_after,
            tuple(each.oid() for each in usages.children()) if usages is not None else (),
            critical,
            issues,
            longest_below,
            algorithm.children()[0].oid(),
            signature.bits(),
        )


def _extensions(parts: list[der.Element]) -> dict[str, tuple[der.Element, bool]]:
    """What stands in each extension that is read here, and whether it is critical."""
    found: dict[str, tuple[der.Element, bool]] = {}
    for part in parts[6:]:
        if part.tag == 0xA3:
            for extension in part.children()[0].children():
                fields = extension.children()
                critical = fields[1].tag == der.BOOLEAN and fields[1].content == b"\xff"
                if fields[0].oid() in (EXTENDED_KEY_USAGE, BASIC_CONSTRAINTS, KEY_USAGE):
                    found[fields[0].oid()] = der.parse(fields[-1].content), critical
    return found


def _may_issue(extensions: dict[str, tuple[der.Element, bool]]) -> tuple[bool, int | None]:
    if BASIC_CONSTRAINTS not in extensions:
        return False, None
    said = extensions[BASIC_CONSTRAINTS][0].children()
    authority = bool(said) and said[0].tag == der.BOOLEAN and said[0].content == b"\xff"
    longest = said[1].integer() if len(said) > 1 else None
    if KEY_USAGE in extensions:
        usage = extensions[KEY_USAGE][0].expect(der.BIT_STRING).content
        authority = authority and len(usage) > 1 and bool(usage[1] & _SIGNS_CERTIFICATES)
    return authority, longest


@dataclass(frozen=True)
class TimestampToken:
    """A token taken apart, nothing of it believed yet."""

    info: bytes
    digest: str
    imprint: bytes
    time: int
    """Epoch seconds, fractions cut off."""
    certificates: tuple[Certificate, ...]
    issuer: bytes
    serial: int
    signer_digest: str
    signed_attributes: tuple[der.Element, ...]
    signed: bytes
    signature_algorithm: str
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> TimestampToken:
        """Raises TokenError."""
        try:
            return cls._parse(data)
        except (ValueError, IndexError, KeyError) as error:
            raise TokenError(f"this is not a time-stamp token: {error}") from error

    @classmethod
    def _parse(cls, data: bytes) -> TimestampToken:
        kind, content = der.parse(data).expect(der.SEQUENCE).children()
        if kind.oid() != SIGNED_DATA:
            raise TokenError("it is not signed data")
        fields = content.children()[0].expect(der.SEQUENCE).children()
        encapsulated = fields[2].children()
        if encapsulated[0].oid() != TST_INFO:
            raise TokenError("it does not hold a time")
        info = encapsulated[1].children()[0].expect(der.OCTET_STRING).content
        certificates = tuple(
            Certificate.parse(each.whole) for field in fields[3:] if field.tag == 0xA0 for each in field.children()
        )
        (signer,) = fields[-1].expect(der.SET).children()
        parts = signer.children()
        issuer, serial = parts[1].expect(der.SEQUENCE).children()
        attributes = parts[3]
        if attributes.tag != 0xA0:
            raise TokenError("it has no signed attributes")
        said = der.parse(info).children()
        algorithm, imprint = said[2].children()
        return cls(
            info=info,
            digest=publickeys.DIGESTS[algorithm.children()[0].oid()],
            imprint=imprint.expect(der.OCTET_STRING).content,
            time=_seconds(said[4].expect(der.GENERALIZED_TIME).content.decode("ascii")),
            certificates=certificates,
            issuer=issuer.whole,
            serial=serial.integer(),
            signer_digest=publickeys.DIGESTS[parts[2].children()[0].oid()],
            signed_attributes=tuple(attributes.children()),
            # RFC 5652, 5.4: signed as a SET, though it stands there under another tag.
            signed=bytes([der.SET]) + attributes.whole[1:],
            signature_algorithm=parts[4].children()[0].oid(),
            signature=parts[5].expect(der.OCTET_STRING).content,
        )

    def verify(self, data: bytes, trusted: Sequence[bytes]) -> int:
        """The time (epoch seconds) at which a trusted authority saw ``data``. ``trusted``: certificates in DER.

        Raises TokenError.
        """
        try:
            return self._verify(data, trusted)
        except (der.DerError, IndexError) as error:
            raise TokenError(f"this is not a time-stamp token: {error}") from error

    def _verify(self, data: bytes, trusted: Sequence[bytes]) -> int:
        if hashlib.new(self.digest, data).digest() != self.imprint:
            raise TokenError("it is a time-stamp of something else")
        attributes = {each.children()[0].oid(): each.children()[1].children() for each in self.signed_attributes}
        if CONTENT_TYPE not in attributes or attributes[CONTENT_TYPE][0].oid() != TST_INFO:
            raise TokenError("what was signed is not a time")
        digest = attributes.get(MESSAGE_DIGEST)
        if digest is None or digest[0].content != hashlib.new(self.signer_digest, self.info).digest():
            raise TokenError("the time is not the one that was signed")
        candidates = (*self.certificates, *(_certificate(each) for each in trusted))
        signer = next((each for each in candidates if (each.issuer, each.serial) == (self.issuer, self.serial)), None)
        if signer is None:
            raise TokenError("its signer's certificate is missing")
        if signer.key_usages != (TIME_STAMPING,) or not signer.usages_are_critical:
            raise TokenError("its signer may not give times")
        algorithm = publickeys.SIGNATURE_DIGESTS.get(self.signature_algorithm, self.signer_digest)
        if not publickeys.verify(signer.public_key, algorithm, self.signed, self.signature):
            raise TokenError("its signature does not hold")
        if not signer.not_before <= self.time <= signer.not_after:
            raise TokenError("its signer's certificate was not in force at that time")
        if not _leads_to(signer, candidates, frozenset(trusted), self.time):
            raise TokenError("its signer is nobody the policy trusts")
        return self.time


@lru_cache(maxsize=32)
def _certificate(whole: bytes) -> Certificate:
    try:
        return Certificate.parse(whole)
    except (ValueError, IndexError) as error:
        raise TokenError("a trusted certificate is damaged") from error


@lru_cache(maxsize=64)
def _leads_to(signer: Certificate, others: tuple[Certificate, ...], trusted: frozenset[bytes], at: int) -> bool:
    """Whether certificates in force ``at`` that time, each signed by the next, lead from the signer to a trusted one.

    As OpenSSL does, an issuer that does not say CA:TRUE, or stands further from the signer than it allows, is none.
    """
    reached = [(signer, 0)]
    for _ in range(LONGEST_CHAIN):
        if any(current.whole in trusted for current, _below in reached):
            return True
        reached = [
            (issuer, below + (current is not signer))
            for current, below in reached
            for issuer in others
            if _issued(issuer, current, below + (current is not signer), at)
        ][:LONGEST_CHAIN]
    return False


def _issued(issuer: Certificate, current: Certificate, below: int, at: int) -> bool:
    """Whether ``issuer`` might and did sign ``current``, with ``below`` issuing certificates under it."""
    digest = publickeys.SIGNATURE_DIGESTS.get(current.signature_algorithm)
    return (
        issuer.subject == current.issuer
        and issuer.whole != current.whole
        and issuer.issues
        and (issuer.longest_below is None or below <= issuer.longest_below)
        and issuer.not_before <= at <= issuer.not_after
        and digest is not None
        and publickeys.verify(issuer.public_key, digest, current.signed_part, current.signature)
    )


def _instant(element: der.Element) -> int:
    """The epoch seconds of a certificate's date, in either of its two spellings (RFC 5280, 4.1.2.5)."""
    written = element.content.decode("ascii")
    if element.tag == der.UTC_TIME:
        written = ("19" if written[:2] >= "50" else "20") + written
    return _seconds(written)


def _seconds(written: str) -> int:
    match = re.fullmatch(r"([0-9]{14})(?:\.[0-9]+)?Z", written)
    if match is None:
        raise TokenError(f"{written!r} is not a time")
    return calendar.timegm(time.strptime(match[1], "%Y%m%d%H%M%S"))
