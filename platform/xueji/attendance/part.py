"""What training in person brings to the application."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.web.manifest import Manifest, Tab


def _blueprints() -> Iterable[Blueprint]:
    from xueji.attendance import views

    return (views.blueprint,)


MANIFEST = Manifest(
    "xueji.attendance",
    blueprints=_blueprints,
    tabs=(Tab("cohort", 40, "sessions", "attendance.class_sessions", _("线下课与考勤")),),
)
