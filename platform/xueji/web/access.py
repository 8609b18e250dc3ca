"""Who may call a view. Every route carries one rule; a route without one answers nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask, current_app, request

from xueji.kernel.actor import STAFF, Role
from xueji.kernel.errors import Forbidden
from xueji.web.session import actor

V = TypeVar("V", bound=Callable[..., object])


@dataclass(frozen=True)
class Rule:
    """``roles`` None: everybody signed in. Empty: nobody. ``open_to_strangers``: no sign-in needed."""

    roles: frozenset[Role] | None = frozenset()
    open_to_strangers: bool = False
    decided_below: bool = False
    """The service itself decides from a signed token, in the same query that does the work (the beat path)."""


def _mark(view: V, rule: Rule) -> V:
    view.access_rule = rule  # type: ignore[attr-defined]
    return view


def public(view: V) -> V:
    return _mark(view, Rule(roles=None, open_to_strangers=True))


def signed_in(view: V) -> V:
    return _mark(view, Rule(roles=None))


def staff(view: V) -> V:
    return _mark(view, Rule(roles=STAFF))


def decided_below(view: V) -> V:
    return _mark(view, Rule(roles=None, decided_below=True))


def roles(*allowed: Role) -> Callable[[V], V]:
    """No roles named means nobody."""
    return lambda view: _mark(view, Rule(roles=frozenset(allowed)))


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    view = app.view_functions.get(endpoint)
    return getattr(view, "access_rule", None)


def init_access(app: Flask) -> None:
    # Flask's own file view; the files are the built front end, the same for everybody.
    if "static" in app.view_functions:
        public(app.view_functions["static"])

    @app.before_request
    def _decide() -> None:
        if request.endpoint is None:
            return  # no such address: the error page says so
        rule = rule_of(current_app, request.endpoint)
        if rule is None:
            raise Forbidden
        if rule.open_to_strangers or rule.decided_below:
            return
        someone = actor()
        if rule.roles is not None and not someone.is_(*rule.roles):
            raise Forbidden
