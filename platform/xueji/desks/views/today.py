"""What somebody has to do today; the page that an institution, an enterprise and an administrator come in by."""

from __future__ import annotations

from flask import render_template

from xueji.desks import wording
from xueji.desks.today import tasks_of
from xueji.desks.views import blueprint
from xueji.kernel.actor import Role
from xueji.web.access import roles
from xueji.web.session import actor, context, db


@blueprint.get("/today")
@roles(*Role)
def today() -> str:
    return render_template(
        "desks/today.html",
        tasks=tasks_of(db(), context().keyring, actor()),
        institution=actor().is_(Role.INSTITUTION),
        words=wording,
    )
