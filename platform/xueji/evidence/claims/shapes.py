"""What a part of a bundle must look like before anything is concluded from it: each refusal names part and value.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from xueji.evidence.bundle import BundleError
from xueji.trace.canonical import LARGEST_INTEGER

_HASH = re.compile(r"[0-9a-f]{64}")


def fields(value: Any, what: str, *names: str) -> dict[str, Any]:
    """An object that has these fields, and perhaps others. Raises BundleError."""
    if type(value) is not dict:
        raise BundleError(f"{what} is not an object")
    for name in names:
        if name not in value:
            raise BundleError(f"{what} has no {name}")
    return value


def only_fields(value: Any, what: str, *names: str) -> dict[str, Any]:
    """An object of exactly these fields. Raises BundleError."""
    unknown = sorted(fields(value, what, *names).keys() - set(names))
    if unknown:
        raise BundleError(f"{what} has {unknown[0]!r}, which is not known here")
    return fields(value, what)


def each(value: Any, what: str) -> list[Any]:
    """A list. Raises BundleError."""
    if type(value) is not list:
        raise BundleError(f"{what} is not a list")
    return value


def text(value: Any, what: str) -> str:
    """Text that can be written as UTF-8. Raises BundleError."""
    if type(value) is not str:
        raise BundleError(f"{what} is not text")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise BundleError(f"{what} holds half a character")
    return value


def whole(value: Any, what: str, *, most: int = LARGEST_INTEGER) -> int:
    """A whole number from 0. Raises BundleError."""
    if type(value) is not int or not 0 <= value <= most:
        raise BundleError(f"{what} is not a whole number from 0 to {most}")
    return value


def sha256(value: Any, what: str) -> str:
    """64 hexadecimal digits. Raises BundleError."""
    if type(value) is not str or _HASH.fullmatch(value) is None:
        raise BundleError(f"{what} is not 64 hexadecimal digits")
    return value


def base64_bytes(value: Any, what: str) -> bytes:
    """What base64 says, in its one spelling. Raises BundleError."""
    try:
        decoded = base64.b64decode(text(value, what), validate=True)
    except ValueError as error:
        raise BundleError(f"{what} is not base64") from error
    if base64.b64encode(decoded).decode() != value:
        raise BundleError(f"{what} is not base64 in its one spelling")
    return decoded


def hashes(value: Any, what: str) -> list[bytes]:
    """A list of 32-byte hashes in base64. Raises BundleError."""
    decoded = [base64_bytes(encoded, what) for encoded in each(value, what)]
    if any(len(one) != 32 for one in decoded):
        raise BundleError(f"{what} holds something that is no hash")
    return decoded
