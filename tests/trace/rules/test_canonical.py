"""Leaves are written in one way only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.trace import canonical
from xueji.trace.canonical import NotCanonical

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def slow(value: Any) -> str:
    """RFC 8785 spelled out by hand, with nothing of the encoder under test in it."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        written = []
        for character in value:
            if character in ESCAPES:
                written.append(ESCAPES[character])
            elif ord(character) < 0x20:
                written.append("\\u" + format(ord(character), "04x"))
            else:
                written.append(character)
        return '"' + "".join(written) + '"'
    if isinstance(value, list):
        return "[" + ",".join(slow(inner) for inner in value) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
    return "{" + ",".join(slow(key) + ":" + slow(inner) for key, inner in members) + "}"


strings = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127))
integers = st.integers(-canonical.LARGEST_INTEGER, canonical.LARGEST_INTEGER)
values = st.recursive(
    st.none() | st.booleans() | integers | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
)


@given(values)
def test_the_fast_form_is_the_form_of_the_rfc(value: Any) -> None:
    assert canonical.encode(value) == slow(value).encode("utf-8")


@given(values)
def test_what_was_written_reads_back_the_same(value: Any) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@pytest.mark.parametrize(
    "value",
    [1.5, 1.0, float("nan"), 2**53, -(2**53), {"键": 1}, {1: "a"}, b"bytes", {"a": [{"b": 0.1}]}, "\ud800", {1, 2}],
)
def test_what_has_no_one_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'"\\u0041"',
        b'"\\/"',
        b"[1,]",
        b"\xff",
        b"-0",
        b'{"a":1}\n',
    ],
)
def test_another_spelling_of_the_same_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical.decode(data)


@pytest.mark.parametrize("depth", [400, 900, 200_000])
def test_what_is_nested_without_end_is_refused(depth: int) -> None:
    """Deeper than a reader can follow is no leaf, whichever of the readers gives up first."""
    data = b"[" * depth + b"]" * depth
    try:
        assert canonical.encode(canonical.decode(data)) == data
    except NotCanonical:
        assert depth > 400


def test_strings_are_not_normalised() -> None:
    composed, apart = "é", "e\u0301"
    assert canonical.encode(composed) != canonical.encode(apart)
    assert json.loads(canonical.encode(apart)) == apart


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"键": 1}, "the key '键' is not an ASCII string"),
        ({1: "a"}, "the key 1 is not an ASCII string"),
        (2**53, "an integer above 2^53 - 1"),
        ([2**53], "an integer above 2^53 - 1"),
        ({"a": -(2**53)}, "an integer above 2^53 - 1"),
        (1.5, "a float cannot stand in a leaf"),
        (b"bytes", "a bytes cannot stand in a leaf"),
    ],
)
def test_a_refusal_says_what_has_no_form(value: Any, why: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        canonical.encode(value)
    assert str(refused.value) == why


@pytest.mark.parametrize("number", [canonical.LARGEST_INTEGER, -canonical.LARGEST_INTEGER])
def test_the_largest_numbers_have_a_form(number: int) -> None:
    for value in (number, [number]):
        assert canonical.decode(canonical.encode(value)) == value


def test_a_refusal_says_what_cannot_be_read() -> None:
    with pytest.raises(NotCanonical, match="surrogates not allowed"):
        canonical.encode("\ud800")
    with pytest.raises(NotCanonical, match="invalid start byte"):
        canonical.decode(b"\xff")
    with pytest.raises(NotCanonical) as refused:
        canonical.decode(b'{"a": 1}')
    assert str(refused.value) == "the bytes are not the canonical form of what they say"
