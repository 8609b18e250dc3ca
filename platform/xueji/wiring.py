"""How parts hear each other in one process: lower ones publish events, and each one's manifest says what it hears."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.parts import PARTS
from xueji.web.manifest import Listener
from xueji.web.sockets import announce_from_worker


def connect(context: Context) -> None:
    """Every subscription there is."""
    for part in PARTS:
        part.connected(context)
    for listener in in_order(listener for part in PARTS for listener in part.listeners(context)):
        context.events.subscribe(listener.event, listener.handler)


def in_order(listeners: Iterable[Listener[Any]]) -> list[Listener[Any]]:
    """As they come, but each ahead of the one it must come before. Raises LookupError when that one is not there."""
    ordered: list[Listener[Any]] = []
    for listener in listeners:
        place = len(ordered) if listener.before is None else _place_of(listener, ordered)
        ordered.insert(place, listener)
    return ordered


def _place_of(listener: Listener[Any], ordered: list[Listener[Any]]) -> int:
    for place, other in enumerate(ordered):
        if other.event is listener.event and other.handler is listener.before:
            return place
    raise LookupError(f"{listener.handler} is to come before {listener.before}, which does not hear {listener.event}")


def open_for_worker(settings: Settings) -> Context:
    """The context of a worker process: what its tasks announce reaches the pages the web processes hold open."""
    context = Context.open(settings)
    connect(context)
    announce_from_worker(context)
    return context
