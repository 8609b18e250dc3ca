"""How a lower part tells an upper one: by an event that `xueji.wiring` has connected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

E = TypeVar("E")


@dataclass(frozen=True)
class Announcement:
    """Something a page that is open should hear at once, if its socket is up; every page can also ask for it."""

    room: str
    event: str
    payload: dict[str, Any]


class Events:
    """Handlers run at once, in the caller's transaction, in the order they were subscribed."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[..., Any]]] = {}

    def subscribe(self, event: type[E], handler: Callable[[E], object]) -> None:
        self._handlers.setdefault(event, []).append(handler)

    def publish(self, event: object) -> None:
        for handler in self._handlers.get(type(event), ()):
            handler(event)
