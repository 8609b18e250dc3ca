"""What cohorts bring to the application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.web.manifest import Listener, Manifest, MenuEntry, Tab


def _blueprints() -> Iterable[Blueprint]:
    from xueji.cohorts import views

    return (views.blueprint,)


def _listeners(_context: Context) -> Iterable[Listener[Any]]:
    from courses.events import LessonChanging
    from xueji.cohorts.services.planning import guard_lesson

    return (Listener(LessonChanging, guard_lesson),)


MANIFEST = Manifest(
    "xueji.cohorts",
    blueprints=_blueprints,
    listeners=_listeners,
    menu=(
        MenuEntry(
            20,
            "cohorts.cohort_list",
            _("培训班"),
            "mortarboard",
            (Role.INSTITUTION,),
            ("cohorts.", "enrolment.", "attendance."),
        ),
    ),
    account_links=(
        MenuEntry(40, "cohorts.amendment_list", _("开班更正"), "pencil", (Role.INSTITUTION, Role.REGULATOR)),
    ),
    tabs=(Tab("cohort", 10, "cohort", "cohorts.cohort", _("计划")),),
    schedule={"cohorts.close_cohorts": timedelta(minutes=5)},
)
