"""What the desks bring to the application: pages alone."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import Role
from xueji.web.manifest import Manifest, MenuEntry


def _blueprints() -> Iterable[Blueprint]:
    from xueji.desks import views

    return (views.blueprint,)


_REGULATOR = (Role.REGULATOR,)

MANIFEST = Manifest(
    "xueji.desks",
    blueprints=_blueprints,
    menu=(
        MenuEntry(
            10,
            "desks.today",
            _("今天"),
            "calendar-check",
            (Role.INSTITUTION, Role.ENTERPRISE, Role.ADMINISTRATOR, Role.TRAINEE),
        ),
        MenuEntry(5, "desks.my_training", _("我的培训"), "mortarboard", (Role.TRAINEE,), ("progress.",)),
        MenuEntry(20, "desks.own_people", _("本单位人员"), "people", (Role.ENTERPRISE,), ("hours.",)),
        MenuEntry(20, "desks.installation", _("运行状态"), "activity", (Role.ADMINISTRATOR,)),
        MenuEntry(10, "desks.regulator_home", _("概况"), "speedometer2", _REGULATOR),
        MenuEntry(20, "desks.compare_cohorts", _("培训班"), "bar-chart", _REGULATOR, ("desks.compare_",)),
        MenuEntry(30, "desks.trainees", _("学员"), "people", _REGULATOR, ("desks.trainee", "desks.sitting", "hours.")),
        MenuEntry(50, "desks.flags", _("异常学时"), "exclamation-triangle", _REGULATOR),
        MenuEntry(60, "desks.exceptions", _("例外入班"), "person-plus", _REGULATOR),
        MenuEntry(70, "desks.in_rooms", _("线下与签到"), "geo-alt", _REGULATOR),
        MenuEntry(80, "desks.staff", _("工作人员"), "person-check", _REGULATOR),
    ),
)
