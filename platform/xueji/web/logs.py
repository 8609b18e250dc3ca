"""One number for each request, and one line in the log when it was answered.

The line names the route, never the address as typed: that may hold a search for a person; and who asked, by an id that
names her to nobody else. Beats, static files and probes are only counted (see `metrics`), unless they fail or are slow:
at a thousand a second a line each says nothing.
"""

from __future__ import annotations

import itertools
import secrets
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

from xueji.web.access import rule_of
from xueji.web.metrics import MetricsRegistry

log = structlog.get_logger(__name__)

SLOW_SECONDS = 1.0
_COUNTED_ONLY = frozenset({"static", "health.alive", "health.ready", "health.measures"})
_numbers = itertools.count(1)
_process = secrets.token_hex(4)


def init_logs(app: Flask) -> None:
    """To be the first step that hooks into requests, so that its numbers cover all the others."""
    measures = MetricsRegistry()
    app.extensions["xueji_measures"] = measures

    @app.before_request
    def _number() -> None:
        held = g._get_current_object()
        held.began = time.perf_counter()
        held.request_id = next_request_id()

    @app.after_request
    def _line(response: Response) -> Response:
        held, asked = g._get_current_object(), request._get_current_object()  # type: ignore[attr-defined]
        seconds = time.perf_counter() - held.began
        status, route = response.status_code, asked.url_rule
        response.headers.set("X-Request-ID", held.request_id)
        endpoint = route.endpoint if route is not None else "none"
        measures.answered(endpoint, status, seconds)
        if status >= 400 or seconds >= SLOW_SECONDS or not _counted_only(app, endpoint):
            log.info(
                "request",
                method=asked.method,
                route=route.rule if route is not None else None,
                status=status,
                ms=round(seconds * 1000, 1),
                **_who(held),
            )
        return response


def _who(held: Any) -> dict[str, str]:
    """Whose request it was, by ids that name nobody to a stranger; nothing of somebody who is not signed in."""
    actor = held.get("actor")
    return {"actor": str(actor.person_id), "login": str(actor.login_session_id)} if actor is not None else {}


def next_request_id() -> str:
    """Under which the log and the answer speak of the same request."""
    return f"{_process}-{next(_numbers):x}"


def _counted_only(app: Flask, endpoint: str) -> bool:
    rule = rule_of(app, endpoint)
    return endpoint in _COUNTED_ONLY or (rule is not None and rule.decided_below)
