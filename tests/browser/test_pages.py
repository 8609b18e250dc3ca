"""Every page, as each role meets it, on a phone and at a desk: usable by everybody, quiet, no wider than the screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from threading import Thread
from typing import Any

import pyotp
import pytest
from browser.campus import Campus
from browser.visitor import DESK, PHONE, Visitor
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from support.people import PASSWORD, Someone, someone, with_factor
from werkzeug.serving import make_server

from xueji.app import create_app
from xueji.identity.models import Organisation
from xueji.kernel.actor import Role
from xueji.oversight.models import Inspection

Visit = Callable[..., Visitor]
pytestmark = pytest.mark.browser

PAGES: dict[str, tuple[str, ...]] = {
    "": ("/sign-in", "/tour", "/no-such-page"),
    "history": (
        "/training",
        "/today",
        "/attendance",
        "/enrolments/{enrolment}/hours",
        "/enrolments/{enrolment}/checks",
        "/account",
        "/account/looks",
        "/account/photos",
        "/account/password",
        "/account/second-factor",
        "/account/consents/face",
        "/account/consents/calibration",
        "/welcome",
    ),
    # Nothing has happened to her yet: the same pages, empty. And a lesson that can be played.
    "trainee1": (
        "/training",
        "/attendance",
        "/hours",
        "/enrolments/{own}/checks",
        "/account",
        "/account/photos",
        "/learn/{own}/{film}",
        "/tour/cheat",
    ),
    "institution": (
        "/today",
        "/cohorts",
        "/cohorts/new",
        "/cohorts/{cohort}",
        "/cohorts/{draft}/edit",
        "/cohorts/{cohort}/amend",
        "/amendments",
        "/cohorts/{cohort}/trainees",
        "/cohorts/{cohort}/slips",
        "/cohorts/{cohort}/sessions",
        "/cohorts/{cohort}/hours",
        "/references",
        "/references/{enrolment}",
        "/sessions/{session}",
        "/sessions/{session}/sheet",
        "/courses",
        "/courses/{course}",
        "/lessons/{lesson}/edit",
        "/check-ins",
        "/check-ins/{cohort}",
        "/check-ins/{cohort}/code",
        "/check-ins/{cohort}/past",
        "/review",
        "/review/{check}",
        "/findings",
        "/findings/{finding}",
        "/people/{person}/account",
        "/resets",
        "/corrections",
    ),
    "enterprise": ("/today", "/people", "/enrolments/{own}/hours", "/account"),
    "regulator": (
        "/oversight",
        "/oversight/trainees",
        "/oversight/trainees/{enrolment}",
        "/oversight/sittings/{sitting}",
        "/oversight/draws",
        "/oversight/draws/{draw}",
        "/oversight/flags",
        "/oversight/rooms",
        "/oversight/staff",
        "/oversight/exceptions",
        "/oversight/cohorts",
        "/oversight/institutions",
        "/inspections",
        "/amendments",
        "/findings",
        "/findings/{finding}",
        "/enrolments/{enrolment}/hours",
    ),
    "inspector": (
        "/inspections",
        "/inspections/{inspection}",
        "/inspections/{inspection}/trainees/{own}",
    ),
    # In her city nobody is in training: the regulator's pages, empty.
    "regulator2": (
        "/oversight",
        "/oversight/trainees",
        "/oversight/draws",
        "/oversight/flags",
        "/oversight/rooms",
        "/oversight/staff",
        "/findings",
    ),
    "admin": (
        "/today",
        "/installation",
        "/administration",
        "/administration/people/new",
        "/administration/people/{person}",
        "/administration/organisations",
        "/administration/duplicates",
        "/joinings",
        "/resets",
    ),
}
"""By account; ``history`` is the trainee of `history.History`."""

STEPS = ("/sign-in/new-password", "/sign-in/code", "/sign-in/set-up-code")
"""What may follow on the password before somebody is in."""

NO_PAGES = {
    "navigation.home": "leads on to the first page of one's role",
    "cohorts.figures": "a piece of the cohort editor",
    "enrolment.roster_template": "a workbook to fill in",
    "evidence.verifier": "a list for a program that checks sums",
    "courses.film_file": "a film",
    "guide.leaves": "data of the page that tries to cheat",
    "courses.film_part": "a film",
    "enrolment.reference_picture": "a picture",
    "identity.set_up_factor": "what /sign-in/set-up-code shows, after the password was asked again",
    "identity.duplicate_picture": "a picture",
    "identity.joining_picture": "a picture",
    "identity.photo_picture": "a picture",
    "oversight.draw_population": "a file",
    "desks.compare_cohorts_csv": "a file",
    "desks.compare_institutions_csv": "a file",
    "hours.cohort_hours_csv": "a file",
    "desks.own_people_csv": "a file",
    "desks.sitting_timeline": "data of the replay",
}

_AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
_RUN_AXE = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const grave = violations.filter((each) => ["serious", "critical"].includes(each.impact));
    const where = (each) => each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ");
    return grave.map((each) => `${each.id}: ${where(each)}`);
}"""
# What sticks out of the page to the right; pieces inside a box that scrolls by itself do not.
_TOO_WIDE = """() => {
    const room = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth > room + 1 ? document.documentElement.scrollWidth : 0;
}"""


@pytest.fixture(scope="module")
def places(campus: Campus) -> dict[str, Any]:
    history = campus.history
    with campus.context.database.reading() as session:
        inspection = session.scalars(select(Inspection.id)).first()
    return {
        "enrolment": history.enrolment_id,
        "sitting": history.sitting_id,
        "cohort": history.cohort_id,
        "draft": campus.draft_cohort(),
        "lesson": history.lesson_id,
        "course": history.course_id,
        "session": history.session_id,
        "check": history.check_to_review,
        "finding": history.finding_id,
        "draw": history.draw_id,
        "person": history.person_id,
        "own": campus.enrolments["trainee1"],
        "film": campus.lessons[0],
        "inspection": inspection,
    }


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("account", PAGES, ids=lambda account: account or "stranger")
def test_pages_are_accessible_quiet_and_no_wider_than_the_screen(
    visit: Visit, campus: Campus, places: dict[str, Any], account: str, size: dict[str, int]
) -> None:
    language = "zh-CN" if size is PHONE else "en"
    visitor = visit(campus.history.account if account == "history" else account or None, size=size, language=language)
    found: list[str] = []
    for path in PAGES[account]:
        answer = visitor.go(path.format_map(places))
        if answer.status != (404 if path == "/no-such-page" else 200):
            found.append(f"{path}: {answer.status}")
        found += [f"{path}: {fault}" for fault in _faults(visitor.page)]
    assert found == []


@pytest.mark.parametrize("account", ["history", "institution", "regulator"])
def test_letters_twice_as_large_and_the_smallest_screens_never_scroll_sideways(
    visit: Visit, campus: Campus, places: dict[str, Any], account: str
) -> None:
    visitor = visit(campus.history.account if account == "history" else account, size=PHONE, language="en")
    found: list[str] = []
    for path in PAGES[account]:
        visitor.go(path.format_map(places))
        visitor.page.wait_for_load_state("networkidle")
        for width, letters in ((320, "100%"), (390, "200%")):
            visitor.page.set_viewport_size({"width": width, "height": PHONE["height"]})
            visitor.page.evaluate("size => { document.documentElement.style.fontSize = size }", letters)
            if wide := visitor.page.evaluate(_TOO_WIDE):
                found.append(f"{path} with {letters} letters at {width}: {wide} px wide")
    assert found == []


@pytest.fixture(scope="module")
def strict(campus: Campus) -> Iterator[Campus]:
    """The installation served as every one but a demonstration is: staff must have a second factor."""
    settings = replace(campus.context.settings, staff_second_factor="required")
    server = make_server("127.0.0.1", 0, create_app(context=replace(campus.context, settings=settings)), threaded=True)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        yield replace(campus, port=server.server_port)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_signing_in_is_as_good_a_page(
    browser: Browser, strict: Campus, step: str, size: dict[str, int]
) -> None:
    who = _held_up(strict, step)
    visitor = Visitor.come(browser, strict, size=size, language="zh-CN" if size is PHONE else "en")
    page = visitor.page
    visitor.give_password(who.account)
    page.wait_for_url(f"{strict.url}{step}")
    found = _faults(page)
    if step == "/sign-in/set-up-code":
        secret = page.locator("code.hash").inner_text()
        page.locator("input[name=code]").fill(pyotp.TOTP(secret).now())
    page.locator(".plain-card form button").click()
    # Codes to write down, or the same page with what is wrong.
    page.wait_for_selector("li code.hash" if step == "/sign-in/set-up-code" else ".has-error")
    found += _faults(page)
    assert found + visitor.leave() == []


def _held_up(campus: Campus, step: str) -> Someone:
    """Somebody whose password is followed by this step."""
    with campus.context.database.reading() as session:
        school = session.get_one(Organisation, campus.people["institution"].actor.organisation_id)
    who = someone(campus.context, Role.INSTITUTION, at=school, temporary=step == "/sign-in/new-password")
    if step == "/sign-in/code":
        with_factor(campus.context, who)
    campus.passwords[who.account] = PASSWORD
    return who


def _faults(page: Page) -> list[str]:
    page.wait_for_load_state("networkidle")
    faults = [f"{wide} px wide"] if (wide := page.evaluate(_TOO_WIDE)) else []
    page.evaluate(_AXE)
    return faults + list(page.evaluate(_RUN_AXE))


def test_no_page_is_left_out(app: Flask) -> None:
    """A page that is added stands in the list above, or says why it is none."""
    adapter = app.url_map.bind("localhost")
    stand_in = "00000000-0000-4000-8000-000000000000"
    shown = set()
    for path in {path for paths in PAGES.values() for path in paths} - {"/no-such-page"} | set(STEPS):
        shown.add(adapter.match(re.sub(r"\{\w+\}", stand_in, path))[0])
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and "_api" not in rule.endpoint
        and not rule.endpoint.startswith(("trace.", "health.", "static", "openapi"))
    }
    assert pages - shown == set(NO_PAGES)
