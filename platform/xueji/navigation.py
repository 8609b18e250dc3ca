"""Where everybody goes: each role's pages in the frame, the way home, and the choice of language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, redirect, request, url_for
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from xueji.identity.rules import local_path
from xueji.kernel.actor import STAFF, Actor, Role
from xueji.kernel.errors import Invalid
from xueji.web.access import public
from xueji.web.cookies import cookie_name
from xueji.web.language import COOKIE, LANGUAGES
from xueji.web.session import actor_or_none, context

blueprint = Blueprint("navigation", __name__)

YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class MenuEntry:
    """A page in the navigation; ``under`` are the endpoints for which it is shown as the current one too."""

    endpoint: str
    label: Any
    icon: str
    under: tuple[str, ...] = ()


PAGES: dict[Role, tuple[MenuEntry, ...]] = {
    Role.INSTITUTION: (
        MenuEntry("oversight.today", _("今天"), "calendar-check"),
        MenuEntry("cohorts.cohort_list", _("培训班"), "mortarboard", ("cohorts.", "enrolment.", "attendance.")),
        MenuEntry("courses.course_list", _("课程"), "film", ("courses.",)),
        MenuEntry("proctoring.check_in_cohorts", _("签到"), "person-check", ("proctoring.check_in",)),
        MenuEntry(
            "enrolment.references",
            _("登记照片核对"),
            "person-bounding-box",
            ("enrolment.reference", "enrolment.decide_ref"),
        ),
        MenuEntry("proctoring.review_queue", _("核验复核"), "clipboard-check", ("proctoring.review",)),
        MenuEntry("oversight.findings", _("监管问题"), "flag", ("oversight.finding",)),
    ),
    Role.ENTERPRISE: (
        MenuEntry("oversight.today", _("今天"), "calendar-check"),
        MenuEntry("oversight.own_people", _("本单位人员"), "people", ("hours.",)),
    ),
    Role.REGULATOR: (
        MenuEntry("oversight.home", _("概况"), "speedometer2"),
        MenuEntry("oversight.compare_cohorts", _("培训班"), "bar-chart", ("oversight.compare_",)),
        MenuEntry("oversight.trainees", _("学员"), "people", ("oversight.trainee", "oversight.sitting", "hours.")),
        MenuEntry("oversight.draws", _("随机抽查"), "shuffle", ("oversight.draw",)),
        MenuEntry("oversight.flags", _("异常学时"), "exclamation-triangle"),
        MenuEntry("oversight.exceptions", _("例外入班"), "person-plus"),
        MenuEntry("oversight.in_rooms", _("线下与签到"), "geo-alt"),
        MenuEntry("oversight.staff", _("工作人员"), "person-check"),
        MenuEntry("oversight.findings", _("问题整改"), "flag", ("oversight.finding",)),
    ),
    Role.ADMINISTRATOR: (
        MenuEntry("oversight.today", _("今天"), "calendar-check"),
        MenuEntry("oversight.installation", _("运行状态"), "activity"),
        MenuEntry("identity.administration", _("人员"), "people", ("identity.person", "identity.new_person")),
        MenuEntry("identity.organisations", _("单位"), "building"),
        MenuEntry("identity.duplicates", _("疑似重复"), "person-bounding-box"),
        MenuEntry("identity.joinings", _("档案合并"), "people"),
    ),
    Role.INSPECTOR: (MenuEntry("oversight.inspections", _("专项检查"), "search", ("oversight.inspect",)),),
    Role.TRAINEE: (
        MenuEntry("hours.my_training", _("我的培训"), "mortarboard", ("progress.",)),
        MenuEntry("oversight.today", _("今天"), "calendar-check"),
        MenuEntry("hours.my_hours", _("我的学时"), "clock-history", ("hours.",)),
        MenuEntry("identity.account", _("我的账号"), "person", ("identity.",)),
    ),
}
"""Of each role; somebody who holds several sees all of theirs, what she works at first."""


def pages_of(actor: Actor) -> list[MenuEntry]:
    found = (entry for role, entries in PAGES.items() if actor.is_(role) for entry in entries)
    return list({entry.endpoint: entry for entry in found}.values())


def home_of(actor: Actor) -> str:
    """The address of somebody's first page."""
    pages = pages_of(actor)
    return url_for(pages[0].endpoint if pages else "identity.account")


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
        away = not (request.endpoint or "").startswith("identity.sign_in")
        return {**common, "sign_in_url": url_for("identity.sign_in") if away else None}
    entries = pages_of(actor)
    here = current(entries, request.endpoint or "")
    links = [(url_for("identity.account"), _("我的账号"), "person-vcard")]
    if actor.is_(*STAFF):
        links.append((url_for("identity.resets"), _("重置申请"), "key"))
        links.append((url_for("identity.corrections"), _("信息更正"), "person-vcard"))
    if actor.is_(Role.INSTITUTION, Role.REGULATOR):
        links.append((url_for("cohorts.amendment_list"), _("开班更正"), "pencil"))
    if actor.is_(Role.REGULATOR):
        links.append((url_for("identity.joinings"), _("档案合并"), "people"))
        links.append((url_for("oversight.inspections"), _("专项检查"), "search"))
    if actor.is_(Role.TRAINEE):
        links.append((url_for("identity.looks"), _("谁看过我的照片"), "eye"))
    return {
        **common,
        "navigation": [(url_for(entry.endpoint), entry.label, entry.icon, entry is here) for entry in entries],
        "account_links": links,
        "sign_out_url": url_for("identity.sign_out"),
    }


@blueprint.get("/")
@public
def home() -> Response:
    actor = actor_or_none()
    return redirect(home_of(actor) if actor is not None else url_for("identity.sign_in"))


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
