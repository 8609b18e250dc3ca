"""Is the process alive, may it be sent people, and what does it measure.

``/healthz`` asks nothing of anybody, so that a slow database does not get a healthy process killed. ``/readyz`` asks
the probes that `xueji.app` handed in. ``/metrics`` answers this machine itself, or whoever has the token.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Mapping

import structlog
from flask import Blueprint, Flask, Response, current_app, jsonify, request
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from xueji.kernel.errors import Forbidden
from xueji.web import metrics
from xueji.web.access import public
from xueji.web.session import context

log = structlog.get_logger(__name__)

Probe = Callable[[], object]
"""Returns when all is well, raises when not."""


class Failing(Exception):
    """Something the installation needs is not there; the message says what."""


blueprint = Blueprint("health", __name__)


def set_probes(app: Flask, probes: Mapping[str, Probe]) -> None:
    app.extensions["xueji_probes"] = dict(probes)


def add_probe(app: Flask, name: str, probe: Probe) -> None:
    app.extensions["xueji_probes"][name] = probe


@blueprint.get("/healthz")
@public
def alive() -> Response:
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def ready() -> tuple[Response, int]:
    """Which of the things needed are there. What exactly is wrong stands in the log, not in the answer."""
    found: dict[str, str] = {}
    for name, probe in current_app.extensions.get("xueji_probes", {}).items():
        try:
            probe()
        except Exception as error:
            log.warning("not_ready", probe=name, error=str(error))
            found[name] = "failed"
        else:
            found[name] = "ok"
    fine = all(outcome == "ok" for outcome in found.values())
    return jsonify(ready=fine, **found), 200 if fine else 503


def _from_this_machine() -> bool:
    """Not what a proxy on this machine passes on for somebody else."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP")):
        return False
    return request.remote_addr is not None and ipaddress.ip_address(request.remote_addr).is_loopback


def _has_token() -> bool:
    token = context().settings.metrics_token
    given = request.authorization.token if request.authorization and request.authorization.type == "bearer" else None
    return bool(token and given) and hmac.compare_digest(token.encode(), str(given).encode())


@blueprint.get("/metrics")
@public
def measures() -> Response:
    if not (_from_this_machine() or _has_token()):
        raise Forbidden
    return Response(generate_latest(metrics.measures(current_app).registry), content_type=CONTENT_TYPE_LATEST)


def init_health(app: Flask) -> None:
    app.register_blueprint(blueprint)
