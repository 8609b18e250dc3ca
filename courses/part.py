"""What courses bring to the application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import Role
from xueji.web.manifest import Manifest, MenuEntry


def _blueprints() -> Iterable[Blueprint]:
    from courses import api, views

    return views.blueprint, api.blueprint


MANIFEST = Manifest(
    "courses",
    blueprints=_blueprints,
    menu=(MenuEntry(30, "courses.course_list", _("课程"), "film", (Role.INSTITUTION,), ("courses.",)),),
    schedule={"courses.requeue_films": timedelta(seconds=30), "courses.sweep": timedelta(hours=1)},
    settings=frozenset({"upload_limit_mib"}),
)
