"""One leaf's values, each taken out as what it must be: MalformedLeaf names the leaf and the value that is not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final, Mapping

from xueji.hours.rules.records import MalformedLeaf
from xueji.python38 import UTC, day, moment
from xueji.rulebook.plan import InvalidPlan, ProctoringPlan

Leaf = Mapping[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def at_ms(leaf: Leaf) -> int:
    """The server time of a leaf (epoch ms). Raises MalformedLeaf."""
    return instant(leaf, "at", leaf.get("at"))


def instant(leaf: Leaf, name: str, value: object) -> int:
    """Epoch ms, given as such or as RFC 3339 with an offset."""
    if type(value) is int:
        return value
    if not isinstance(value, str):
        raise MalformedLeaf(leaf, name, "must be an instant")
    try:
        at = moment(value)
    except ValueError:
        raise MalformedLeaf(leaf, name, "must be an instant") from None
    if at.tzinfo is None:
        raise MalformedLeaf(leaf, name, "must have an offset")
    return (at - _EPOCH) // _MILLISECOND


class Values:
    """The values of one leaf, each taken out as what it must be."""

    __slots__ = ("_values", "leaf")

    def __init__(self, leaf: Leaf, values: object) -> None:
        if not isinstance(values, Mapping):
            raise MalformedLeaf(leaf, "values", "must be an object")
        self.leaf = leaf
        self._values: Mapping[str, Any] = values

    def _get(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise MalformedLeaf(self.leaf, name, "is missing") from None

    def wrong(self, name: str, problem: str) -> MalformedLeaf:
        return MalformedLeaf(self.leaf, name, problem)

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong(name, "must be text")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._values.get(name) is None else self.text(name)

    @property
    def who(self) -> str:
        """Who did it: a pseudonym, the same for one person all along a chain."""
        return str(self.leaf.get("who"))

    def has(self, name: str) -> bool:
        """Whether there is such a value, for leaves of several releases."""
        return self._values.get(name) is not None

    def texts_or_none(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(name, "must be a list of texts")
        return tuple(value)

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def whole(self, name: str) -> int:
        value = self._get(name)
        if type(value) is not int:
            raise self.wrong(name, "must be a whole number")
        if value < 0:
            raise self.wrong(name, "must not be negative")
        return value

    def whole_or(self, name: str, absent: int) -> int:
        """The number, or what its absence means in a leaf written before there was one."""
        return self.whole(name) if name in self._values else absent

    def one_of(self, name: str, words: type[Any]) -> str:
        value = self._get(name)
        if value not in words._value2member_map_:
            raise self.wrong(name, "is an unknown word")
        return str(value)

    def day(self, name: str) -> date:
        try:
            return day(self.text(name))
        except ValueError:
            raise self.wrong(name, "must be a date") from None

    def instant(self, name: str) -> int:
        return instant(self.leaf, name, self._get(name))

    def must_say(self, names: Iterable[str]) -> None:
        """Each of these names, whatever its value: what is silently absent is not a fact."""
        for name in sorted(names):
            self._get(name)

    def must_say_only(self, names: Iterable[str]) -> None:
        """Nothing is said that is none of these."""
        for name in sorted(self._values.keys() - set(names)):
            raise self.wrong(name, "is not to be said here")

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(name, "must be a list of texts")
        return tuple(value)

    def inside(self, name: str) -> Values:
        """The values of an object within these."""
        value = self._get(name)
        if not isinstance(value, Mapping):
            raise self.wrong(name, "must be an object")
        return Values(self.leaf, value)

    def each(self, name: str) -> list[Values]:
        """The values of each object in a list."""
        value = self._get(name)
        if not isinstance(value, list):
            raise self.wrong(name, "must be a list of objects")
        return [Values(self.leaf, item) for item in value]

    def plan(self, name: str) -> ProctoringPlan:
        try:
            return ProctoringPlan.from_dict(self.inside(name)._values)
        except InvalidPlan as error:
            raise self.wrong(f"{name}.{error.field}", error.problem) from error

    def span(self, name: str) -> tuple[int, int]:
        return self._pair(name, self._get(name))

    def spans(self, name: str) -> list[tuple[int, int]]:
        value = self._get(name)
        if not isinstance(value, list):
            raise self.wrong(name, "must be a list of intervals")
        return [self._pair(name, pair) for pair in value]

    def handed_out(self) -> list[tuple[int, int]]:
        """The media that was handed out before this leaf and stands in none before it; each with its instant."""
        if not self.has("handed_out"):
            return []
        value = self._get("handed_out")
        if not isinstance(value, list) or not all(isinstance(part, (list, tuple)) and len(part) == 3 for part in value):
            raise self.wrong("handed_out", "must be a list of parts")
        return [self._pair("handed_out", part[:2]) for part in value]

    def _pair(self, name: str, pair: object) -> tuple[int, int]:
        if (
            not isinstance(pair, (list, tuple))
            or len(pair) != 2
            or type(pair[0]) is not int
            or type(pair[1]) is not int
            or not 0 <= pair[0] < pair[1]
        ):
            raise self.wrong(name, "must be an interval")
        return pair[0], pair[1]
