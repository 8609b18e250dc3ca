"""What findings, random draws and inspections bring to the application."""

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
        MenuEntry(40, "oversight.draws", _("随机抽查"), "shuffle", _REGULATOR, ("oversight.draw",)),
        MenuEntry(70, "oversight.findings", _("监管问题"), "flag", (Role.INSTITUTION,), ("oversight.finding",)),
        MenuEntry(90, "oversight.findings", _("问题整改"), "flag", _REGULATOR, ("oversight.finding",)),
        MenuEntry(10, "oversight.inspections", _("专项检查"), "search", (Role.INSPECTOR,), ("oversight.inspect",)),
    ),
    account_links=(MenuEntry(60, "oversight.inspections", _("专项检查"), "search", _REGULATOR),),
)
