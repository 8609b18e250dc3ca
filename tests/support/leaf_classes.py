"""The classes of leaves that the parts declare (`xueji.trace.leaf`), read for tests: fields, units, commitments."""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Union

from architecture.house import PACKAGES

from xueji.trace.leaf import Commitment, Leaf, Members, Unit, name_in_leaf
from xueji.trace.rules import Event

XUEJI = PACKAGES[0]


@cache
def classes() -> Mapping[Event, type[Leaf]]:
    """The class of each event. Raises AssertionError when an event has two."""
    found: dict[Event, type[Leaf]] = {}
    for path in sorted(XUEJI.glob("*/leaves.py")):
        module = importlib.import_module(f"xueji.{path.parent.name}.leaves")
        for name, cls in vars(module).items():
            own = isinstance(cls, type) and issubclass(cls, Leaf) and cls.__module__ == module.__name__
            if own and "EVENT" in vars(cls):
                assert cls.EVENT not in found, name
                found[cls.EVENT] = cls
    return found


def declared(cls: type[Leaf]) -> Mapping[str, Unit | Commitment]:
    """Every field of a class by its path, ``frames.sha256`` being a field of each object in ``frames``."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        path: what
        for name, hint in hints.items()
        if typing.get_origin(hint) is not ClassVar
        for path, what in _of(name_in_leaf(name), hint)
    }


def _of(path: str, hint: Any) -> Iterator[tuple[str, Unit | Commitment]]:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        for what in hint.__metadata__:
            if isinstance(what, Unit | Commitment):
                yield path, what
            elif isinstance(what, Members):
                yield f"{path}.*", what.unit
        yield from _members(path, hint.__origin__)
    elif origin in (Union, types.UnionType, typing.NotRequired):
        for inner in typing.get_args(hint):
            yield from _of(path, inner)
    else:
        yield from _members(path, hint)


def _members(path: str, hint: Any) -> Iterator[tuple[str, Unit | Commitment]]:
    if typing.is_typeddict(hint):
        for name, inner in typing.get_type_hints(hint, include_extras=True).items():
            yield from _of(f"{path}.{name_in_leaf(name)}", inner)
    for inner in typing.get_args(hint):
        yield from _of(path, inner)


def rebuilt(event: str, values: Mapping[str, Any]) -> Leaf | None:
    """The leaf that has these values; None when its class has no place for them, as for some of earlier releases."""
    cls = classes().get(Event(event))
    if cls is None:
        return None
    attributes = {name_in_leaf(field): field for field in cls.__dataclass_fields__}
    if not values.keys() <= attributes.keys():
        return None
    try:
        return cls(**{attributes[name]: value for name, value in values.items()})
    except TypeError:
        return None
