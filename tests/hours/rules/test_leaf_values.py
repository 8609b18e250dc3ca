"""Each value of a leaf is taken out as what it must be, and what is not that is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from support.trace_stories import PLAN

from xueji.hours.rules.leaf_values import Values, at_ms
from xueji.hours.rules.records import MalformedLeaf
from xueji.rulebook.vocabulary import Part

LEAF = {"n": 7, "event": "weather", "at": "2026-11-02T01:00:00.000Z", "who": "staff"}
Taken = Callable[[Values], Any]


def values(given: object) -> Values:
    return Values(LEAF, {"x": given})


TAKES: list[tuple[Taken, object, object]] = [
    (lambda found: found.text("x"), "", ""),
    (lambda found: found.text_or_none("x"), "rain", "rain"),
    (lambda found: found.text_or_none("x"), None, None),
    (lambda found: found.text_or_none("y"), "rain", None),
    (lambda found: found.has("x"), 0, True),
    (lambda found: found.has("x"), None, False),
    (lambda found: found.has("y"), 0, False),
    (lambda found: found.texts_or_none("x"), ["a", "b"], ("a", "b")),
    (lambda found: found.texts_or_none("y"), ["a"], ()),
    (lambda found: found.texts("x"), [], ()),
    (lambda found: found.texts("x"), ["a", "b"], ("a", "b")),
    (lambda found: found.flag("x"), False, False),
    (lambda found: found.flag("x"), True, True),
    (lambda found: found.whole("x"), 0, 0),
    (lambda found: found.whole_or("x", 5), 3, 3),
    (lambda found: found.whole_or("y", 5), 3, 5),
    (lambda found: found.one_of("x", Part), "theory", "theory"),
    (lambda found: found.day("x"), "2026-11-02", date(2026, 11, 2)),
    (lambda found: found.instant("x"), 1_777_000_000_000, 1_777_000_000_000),
    (lambda found: found.instant("x"), "1970-01-01T00:00:01.500+00:00", 1_500),
    (lambda found: found.instant("x"), "1970-01-01T08:00:00.002+08:00", 2),
    (lambda found: found.inside("x").text("y"), {"y": "z"}, "z"),
    (lambda found: [each.whole("y") for each in found.each("x")], [{"y": 1}, {"y": 2}], [1, 2]),
    (lambda found: found.span("x"), [0, 1], (0, 1)),
    (lambda found: found.span("x"), (3, 9), (3, 9)),
    (lambda found: found.spans("x"), [[0, 1], [5, 9]], [(0, 1), (5, 9)]),
    (lambda found: found.plan("x"), PLAN.to_dict(), PLAN),
    (lambda found: found.must_say(["x"]), None, None),
    (lambda found: found.must_say_only(["x", "y"]), 1, None),
]


@pytest.mark.parametrize(("take", "given", "expected"), TAKES)
def test_a_value_is_taken_as_what_it_is(take: Taken, given: object, expected: object) -> None:
    taken = take(values(given))
    assert taken == expected and type(taken) is type(expected)


REFUSES: list[tuple[Taken, object, str, str]] = [
    (lambda found: found.text("y"), "", "y", "is missing"),
    (lambda found: found.text("x"), 5, "x", "must be text"),
    (lambda found: found.text_or_none("x"), 5, "x", "must be text"),
    (lambda found: found.texts_or_none("x"), "ab", "x", "must be a list of texts"),
    (lambda found: found.texts_or_none("x"), ["a", 1], "x", "must be a list of texts"),
    (lambda found: found.texts("x"), "ab", "x", "must be a list of texts"),
    (lambda found: found.texts("x"), ["a", 1], "x", "must be a list of texts"),
    (lambda found: found.texts("y"), [], "y", "is missing"),
    (lambda found: found.flag("x"), 1, "x", "must be true or false"),
    (lambda found: found.whole("x"), True, "x", "must be a whole number"),
    (lambda found: found.whole("x"), 1.0, "x", "must be a whole number"),
    (lambda found: found.whole("x"), -1, "x", "must not be negative"),
    (lambda found: found.whole_or("x", 5), -1, "x", "must not be negative"),
    (lambda found: found.one_of("x", Part), "cooking", "x", "is an unknown word"),
    (lambda found: found.day("x"), "2026-02-30", "x", "must be a date"),
    (lambda found: found.instant("x"), "soon", "x", "must be an instant"),
    (lambda found: found.instant("x"), 1.5, "x", "must be an instant"),
    (lambda found: found.instant("x"), "1970-01-01T00:00:01.5+00:00", "x", "must be an instant"),
    (lambda found: found.instant("x"), "2026-11-02T09:00:00", "x", "must have an offset"),
    (lambda found: found.must_say(["z", "x", "y"]), 1, "y", "is missing"),
    (lambda found: found.must_say_only([]), 1, "x", "is not to be said here"),
    (lambda found: found.must_say_only(["y"]), 1, "x", "is not to be said here"),
    (lambda found: found.inside("x"), [], "x", "must be an object"),
    (lambda found: found.inside("x").text("y"), {}, "y", "is missing"),
    (lambda found: found.each("x"), {}, "x", "must be a list of objects"),
    (lambda found: found.each("x"), [1], "values", "must be an object"),
    (lambda found: found.spans("x"), {}, "x", "must be a list of intervals"),
    *[
        (lambda found: found.span("x"), pair, "x", "must be an interval")
        for pair in (
            [1, 1],
            [2, 1],
            [-1, 1],
            [0],
            [0, 1, 2],
            [0.0, 1],
            [0, 1.0],
            [True, 2],
            [0, True],
            "01",
            None,
            {0: 1},
        )
    ],
    (lambda found: found.spans("x"), [[0, 1], [1, 1]], "x", "must be an interval"),
    (lambda found: found.plan("x"), {**PLAN.to_dict(), "retries": 99}, "x.retries", "too_large"),
    (lambda found: found.plan("x"), 5, "x", "must be an object"),
]


@pytest.mark.parametrize(("take", "given", "field", "problem"), REFUSES)
def test_what_it_must_not_be_is_refused_with_its_name(take: Taken, given: object, field: str, problem: str) -> None:
    with pytest.raises(MalformedLeaf) as caught:
        take(values(given))
    assert (caught.value.field, caught.value.problem) == (field, problem)
    assert str(caught.value) == f"leaf 7 (weather): {field} {problem}"


def test_a_leaf_says_when_and_who() -> None:
    assert at_ms(LEAF) == 1_793_581_200_000
    assert values(1).who == "staff"
    with pytest.raises(MalformedLeaf) as caught:
        at_ms({**LEAF, "at": None})
    assert (caught.value.field, caught.value.problem) == ("at", "must be an instant")


def test_values_that_are_no_object_are_refused() -> None:
    with pytest.raises(MalformedLeaf, match=r"^leaf 7 \(weather\): values must be an object$"):
        Values(LEAF, [])
