"""What those who look on bring to the application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.web.manifest import Listener, Manifest, MenuEntry


def _blueprints() -> Iterable[Blueprint]:
    from xueji.oversight import views

    return (views.blueprint,)


def _listeners(_context: Context) -> Iterable[Listener[Any]]:
    from xueji.enrolment.events import HeldAsked
    from xueji.oversight.queries import hold_objected

    return (Listener(HeldAsked, hold_objected),)


_REGULATOR = (Role.REGULATOR,)

MANIFEST = Manifest(
    "xueji.oversight",
    blueprints=_blueprints,
    listeners=_listeners,
    menu=(
        MenuEntry(
            10,
            "oversight.today",
            _("今天"),
            "calendar-check",
            (Role.INSTITUTION, Role.ENTERPRISE, Role.ADMINISTRATOR, Role.TRAINEE),
        ),
        MenuEntry(70, "oversight.findings", _("监管问题"), "flag", (Role.INSTITUTION,), ("oversight.finding",)),
        MenuEntry(20, "oversight.own_people", _("本单位人员"), "people", (Role.ENTERPRISE,), ("hours.",)),
        MenuEntry(10, "oversight.home", _("概况"), "speedometer2", _REGULATOR),
        MenuEntry(20, "oversight.compare_cohorts", _("培训班"), "bar-chart", _REGULATOR, ("oversight.compare_",)),
        MenuEntry(
            30,
            "oversight.trainees",
            _("学员"),
            "people",
            _REGULATOR,
            ("oversight.trainee", "oversight.sitting", "hours."),
        ),
        MenuEntry(40, "oversight.draws", _("随机抽查"), "shuffle", _REGULATOR, ("oversight.draw",)),
        MenuEntry(50, "oversight.flags", _("异常学时"), "exclamation-triangle", _REGULATOR),
        MenuEntry(60, "oversight.exceptions", _("例外入班"), "person-plus", _REGULATOR),
        MenuEntry(70, "oversight.in_rooms", _("线下与签到"), "geo-alt", _REGULATOR),
        MenuEntry(80, "oversight.staff", _("工作人员"), "person-check", _REGULATOR),
        MenuEntry(90, "oversight.findings", _("问题整改"), "flag", _REGULATOR, ("oversight.finding",)),
        MenuEntry(20, "oversight.installation", _("运行状态"), "activity", (Role.ADMINISTRATOR,)),
        MenuEntry(10, "oversight.inspections", _("专项检查"), "search", (Role.INSPECTOR,), ("oversight.inspect",)),
    ),
    account_links=(MenuEntry(60, "oversight.inspections", _("专项检查"), "search", _REGULATOR),),
)
