"""One way of writing a JSON value as bytes (RFC 8785), for the small space of values a leaf may hold.

Allowed: objects with ASCII keys, lists, strings, booleans, null and whole numbers up to 2^53 - 1. Within that space the
standard library's encoder, told to sort and not to pad, already writes the canonical form; numbers with a fraction,
where it would not, are refused. Strings are taken as they are: nothing is normalised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

LARGEST_INTEGER = 2**53 - 1

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class NotCanonical(ValueError):
    """A value lies outside what a leaf may hold, or bytes are not the canonical form of what they say."""


def encode(value: Any) -> bytes:
    """The canonical bytes of a value. Raises NotCanonical."""
    try:
        _check(value)
        return _encode(value).encode("utf-8")
    except NotCanonical:
        raise
    except (UnicodeEncodeError, ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from error


def decode(data: bytes) -> Any:
    """The value canonical bytes stand for. Raises NotCanonical when any other bytes would say the same.

    So two readers cannot see two things in one leaf: no repeated keys, no second spelling, no blank space.
    """
    try:
        value = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from error
    if encode(value) != data:
        raise NotCanonical("the bytes are not the canonical form of what they say")
    return value


def _check(value: Any) -> None:
    """Refuse what the encoder would write in a form of its own, or not at all."""
    kind = type(value)
    if kind is dict:
        for key in value:
            if type(key) is not str or not key.isascii():
                raise NotCanonical(f"the key {key!r} is not an ASCII string")
        _check_all(value.values())
    elif kind is list or kind is tuple:
        _check_all(value)
    elif kind is int:
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            raise NotCanonical("an integer above 2^53 - 1")
    elif kind is not bool and value is not None and not isinstance(value, str):
        raise NotCanonical(f"a {kind.__name__} cannot stand in a leaf")


def _check_all(values: Iterable[Any]) -> None:
    """`_check` of each; the two commonest kinds here, because every recorded leaf passes this way."""
    for value in values:
        kind = type(value)
        if kind is not str and (kind is not int or not -LARGEST_INTEGER <= value <= LARGEST_INTEGER):
            _check(value)
