"""What people and sign-in bring to the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import STAFF, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Problem
from xueji.web.access import Rule
from xueji.web.manifest import Listener, Manifest, MenuEntry
from xueji.web.session import READ_METHODS


def _blueprints() -> Iterable[Blueprint]:
    from xueji.identity import api, views

    return views.blueprint, api.blueprint


def _steps() -> Iterable[Callable[[Flask], None]]:
    from xueji.identity.authentication import init_identity

    return (init_identity,)


def _listeners(_context: Context) -> Iterable[Listener[Any]]:
    from xueji.identity.events import ReferenceStored
    from xueji.identity.tasks import compare_soon

    return (Listener(ReferenceStored, compare_soon),)


def _refusals(_endpoint: str, access: Rule | None, method: str) -> Iterable[type[Problem]]:
    from xueji.identity.errors import Forged, SessionEnded, SignedOut

    if method not in READ_METHODS:
        yield Forged  # a cookie that came along without the page's own token
    if access is None or not access.open_to_strangers:
        yield from (SignedOut, SessionEnded)


MANIFEST = Manifest(
    "xueji.identity",
    blueprints=_blueprints,
    steps=_steps,
    listeners=_listeners,
    refusals=_refusals,
    menu=(
        MenuEntry(
            30,
            "identity.administration",
            _("人员"),
            "people",
            (Role.ADMINISTRATOR,),
            ("identity.person", "identity.new_person"),
        ),
        MenuEntry(40, "identity.organisations", _("单位"), "building", (Role.ADMINISTRATOR,)),
        MenuEntry(50, "identity.duplicates", _("疑似重复"), "person-bounding-box", (Role.ADMINISTRATOR,)),
        MenuEntry(60, "identity.joinings", _("档案合并"), "people", (Role.ADMINISTRATOR,)),
        MenuEntry(90, "identity.account", _("我的账号"), "person", (Role.TRAINEE,), ("identity.",)),
    ),
    account_links=(
        MenuEntry(10, "identity.account", _("我的账号"), "person-vcard", tuple(Role)),
        MenuEntry(20, "identity.resets", _("重置申请"), "key", tuple(STAFF)),
        MenuEntry(30, "identity.corrections", _("信息更正"), "person-vcard", tuple(STAFF)),
        MenuEntry(50, "identity.joinings", _("档案合并"), "people", (Role.REGULATOR,)),
        MenuEntry(70, "identity.looks", _("谁看过我的照片"), "eye", (Role.TRAINEE,)),
    ),
    schedule={
        "identity.compare_waiting": timedelta(minutes=5),
        "identity.remove_deleted_files": timedelta(minutes=10),
        "identity.describe_anew": timedelta(minutes=10),
    },
)
