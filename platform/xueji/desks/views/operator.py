"""The operator's page: whether everything that is needed is there."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, render_template

from xueji.desks import wording
from xueji.desks.views import blueprint
from xueji.identity import queries as identity
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.proctoring import queries as proctoring
from xueji.trace import queries as trace
from xueji.web.access import roles
from xueji.web.session import db

FIRST_TRIES = timedelta(days=30)
"""Over how long the share of checks is told that were passed at once."""


@blueprint.get("/installation")
@roles(Role.ADMINISTRATOR)
def installation() -> str:
    """Whether everything that is needed is there, and how the log is doing."""
    ready: dict[str, bool] = {}
    for name, probe in current_app.extensions.get("xueji_probes", {}).items():
        try:
            probe()
        except Exception:
            # A probe says by any exception that something is missing; what exactly stands in the log of /readyz.
            ready[name] = False
        else:
            ready[name] = True
    return render_template(
        "desks/installation.html",
        ready=ready,
        log=trace.state(db()),
        faces=identity.stored_faces(db()),
        tries=proctoring.first_tries(db(), clock.to_ms(clock.now() - FIRST_TRIES)),
        calibration=proctoring.last_calibration(db()),
        words=wording,
    )
