"""Where everybody goes: each role's pages in the frame, the way home, and the choice of language."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import Invalid
from xueji.parts import PARTS
from xueji.web.access import public
from xueji.web.cookies import cookie_name
from xueji.web.language import COOKIE, LANGUAGES
from xueji.web.manifest import MenuEntry, Subject, Tab
from xueji.web.redirects import local_path
from xueji.web.session import actor_or_none, context, sign_in_page

blueprint = Blueprint("navigation", __name__)

YEAR_SECONDS = 365 * 24 * 3600


ROLES = tuple(sorted(Role, key=lambda role: role is Role.TRAINEE))
"""Whose pages come first for somebody who holds several roles: what she works at before what she learns."""


@cache
def _entries() -> dict[Role, tuple[MenuEntry, ...]]:
    entries = sorted((entry for part in PARTS for entry in part.menu), key=lambda entry: entry.place)
    return {role: tuple(entry for entry in entries if role in entry.roles) for role in ROLES}


@cache
def _account_links() -> tuple[MenuEntry, ...]:
    return tuple(sorted((link for part in PARTS for link in part.account_links), key=lambda link: link.place))


@cache
def _tabs(subject: Subject) -> tuple[Tab, ...]:
    tabs = (tab for part in PARTS for tab in part.tabs if tab.subject == subject)
    return tuple(sorted(tabs, key=lambda tab: tab.place))


def pages_of(actor: Actor) -> list[MenuEntry]:
    """Somebody's pages in the frame, her first one at the head."""
    entries = (entry for role, of_role in _entries().items() if actor.is_(role) for entry in of_role)
    return list({entry.endpoint: entry for entry in entries}.values())


def account_links_of(actor: Actor) -> list[MenuEntry]:
    return [link for link in _account_links() if actor.is_(*link.roles)]


def tabs_of(subject: Subject, subject_id: UUID, open_tab: str) -> list[tuple[str, Any, bool]]:
    """Address, label and whether it is the open one, of each page about one thing."""
    values: dict[str, Any] = {f"{subject}_id": subject_id}
    return [(url_for(tab.endpoint, **values), tab.label, tab.name == open_tab) for tab in _tabs(subject)]


def home_of(actor: Actor) -> str:
    """The address of somebody's first page."""
    return url_for((pages_of(actor) or account_links_of(actor))[0].endpoint)


def current(entries: list[MenuEntry], endpoint: str) -> MenuEntry | None:
    """The entry whose page this is, else the one it lies under most closely."""
    for entry in entries:
        if entry.endpoint == endpoint:
            return entry
    under = [(len(prefix), entry) for entry in entries for prefix in entry.under if endpoint.startswith(prefix)]
    return max(under, key=lambda found: found[0])[1] if under else None


def in_the_frame() -> dict[str, object]:
    """What the frame of every page (web/base.html) shows of where somebody can go."""
    common: dict[str, object] = {"language_url": url_for("navigation.language"), "home_url": url_for("navigation.home")}
    actor = actor_or_none()
    if actor is None:
        return common
    entries = pages_of(actor)
    here = current(entries, request.endpoint or "")
    return {
        **common,
        "navigation": [(url_for(entry.endpoint), entry.label, entry.icon, entry is here) for entry in entries],
        "account_links": [(url_for(link.endpoint), link.label, link.icon) for link in account_links_of(actor)],
    }


@blueprint.get("/")
@public
def home() -> Response:
    actor = actor_or_none()
    return redirect(home_of(actor) if actor is not None else url_for(sign_in_page()))


@blueprint.post("/language")
@public
def language() -> Response:
    """Remember the choice, and back to where it was made."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise Invalid
    response = redirect(local_path(request.form.get("next")) or url_for("navigation.home"))
    settings = context().settings
    response.set_cookie(
        cookie_name(settings, COOKIE),
        chosen,
        max_age=YEAR_SECONDS,
        samesite="Lax",
        secure=bool(settings.secure_cookies),
        httponly=True,
    )
    return response


def init_navigation(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(in_the_frame)
    app.jinja_env.globals["tabs_of"] = tabs_of
