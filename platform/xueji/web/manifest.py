"""What a part brings to the application.

Each part's ``part.py`` holds one `Manifest`, `xueji.parts` lists the parts, and the modules that put a process together
(`app`, `wiring`, `navigation`, `tables`, `probes`, `openapi`, `worker`) read that list and name no part themselves.

Every process reads every manifest, and most processes need little of most parts. So whatever takes an import of weight
(pages, services, tasks) is a function here and is called by the processes that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from flask import Blueprint, Flask

from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.database import Database
from xueji.kernel.errors import Problem
from xueji.web.access import Rule

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

E = TypeVar("E")
Subject = Literal["cohort", "enrolment", "person", "institution"]
"""What the pages of several parts can be about."""


@dataclass(frozen=True)
class MenuEntry:
    """A page in the frame, for everybody who has one of the roles."""

    place: int
    """Entries stand in ascending order; a role's first one is its way in."""
    endpoint: str
    label: Any
    """A lazy sentence."""
    icon: str
    roles: tuple[Role, ...]
    under: tuple[str, ...] = ()
    """Beginnings of the endpoints for which the entry is shown as the current one too."""


@dataclass(frozen=True)
class Tab:
    """A page among those about one thing. Its address takes the thing's id as ``<subject>_id``."""

    subject: Subject
    place: int
    """Tabs of one subject stand in ascending order."""
    name: str
    """By which a page says that it is the open one."""
    endpoint: str
    label: Any
    """A lazy sentence."""


@dataclass(frozen=True)
class Listener(Generic[E]):
    """``handler`` is called with each ``event`` that is published, at once and in the publisher's transaction."""

    event: type[E]
    handler: Callable[[E], object]
    before: Callable[[E], object] | None = None
    """A lower part's handler of the same event that must come after this one; by itself the lower part comes first."""


@dataclass(frozen=True)
class Measures:
    """What ``/metrics`` asks the database, at each scrape."""

    source: Callable[[Database], Iterable[Metric]]


def _nothing(*_: object) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Manifest:
    """One part. Its ``models.py``, ``tasks.py`` and ``translations/`` are found in its package by these names."""

    package: str
    """The name it is imported by, such as ``xueji.progress``."""
    blueprints: Callable[[], Iterable[Blueprint]] = _nothing
    """Pages, and as `flask_openapi3.APIBlueprint` what stands in the description of the interface."""
    steps: Callable[[], Iterable[Callable[[Flask], None]]] = _nothing
    """What sets the application up, once access rules are decided and before any body is read."""
    outer_steps: Callable[[], Iterable[Callable[[Flask], None]]] = _nothing
    """What wraps the finished application as WSGI."""
    listeners: Callable[[Context], Iterable[Listener[Any]]] = _nothing
    """What it hears from lower parts; handlers of one event are called in this order, the lower part's first."""
    connected: Callable[[Context], object] = _nothing
    """What else it does in each process that has a context, before anything is published. May be done again."""
    menu: tuple[MenuEntry, ...] = ()
    account_links: tuple[MenuEntry, ...] = ()
    """Pages beside the name of who is signed in."""
    tabs: tuple[Tab, ...] = ()
    schedule: Mapping[str, timedelta] = field(default_factory=dict)
    """Names of its tasks that are done regularly, with the time between two turns."""
    probes: Callable[[], Mapping[str, Callable[[Context], object]]] = dict
    """What it needs in order to work, by name; each raises when that is not there."""
    measures: Callable[[], Iterable[Measures]] = _nothing
    refusals: Callable[[str, Rule | None, str], Iterable[type[Problem]]] = _nothing
    """With what it refuses requests to other parts' operations, by endpoint, access rule and HTTP method."""
    settings: frozenset[str] = frozenset()
    """Fields of `kernel.settings.Settings` that are its own: no lower part reads them."""

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(self.package)
        return Path(spec.origin).parent
