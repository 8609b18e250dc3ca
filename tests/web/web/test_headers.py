"""What every answer tells the browser, how cookies are kept, and what never stands in an address."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from architecture.house import HOUSE
from flask import Flask
from support.people import Browser, someone
from support.scenario import Scenario, Student

from xueji.app import create_app
from xueji.desks import queries
from xueji.identity.services.passwords import common_passwords
from xueji.kernel.actor import Role
from xueji.kernel.context import Context

HERE = "https://study.example"
PAGES = sorted(HOUSE.glob("platform/xueji/*/templates/**/*.html")) + sorted(HOUSE.glob("courses/templates/**/*.html"))


@pytest.mark.parametrize("path", ["/sign-in", "/nowhere", "/api/v1/me", "/healthz", "/readyz", "/api/openapi.json"])
def test_every_answer_says_what_may_be_loaded(app: Flask, path: str) -> None:
    policy = app.test_client().get(path).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy


def test_cookies_over_https_are_this_host_s_alone(context: Context) -> None:
    settings = replace(context.settings, secure_cookies=True)
    client = create_app(context=replace(context, settings=settings)).test_client()
    cookies = client.get("/sign-in", base_url=HERE).headers.getlist("Set-Cookie")
    page = client.get("/sign-in", base_url=HERE).text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token.group(1), "language": "en"}
    cookies += client.post(
        "/language", data=form, base_url=HERE, headers={"Referer": f"{HERE}/sign-in"}
    ).headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-xueji", "__Host-language"}
    for cookie in cookies:
        parts = {part.strip() for part in cookie.split(";")}
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts and "Domain" not in cookie
    assert "Sign in" in client.get("/sign-in", base_url=HERE).text


def test_https_stays_https(context: Context) -> None:
    for secure in (True, False):
        settings = replace(context.settings, secure_cookies=secure)
        answer = create_app(context=replace(context, settings=settings)).test_client().get("/sign-in", base_url=HERE)
        assert ("max-age=31536000" in answer.headers.get("Strict-Transport-Security", "")) is secure


def test_an_address_is_never_read_for_a_person(app: Flask, scenario: Scenario, student: Student) -> None:
    """What is looked for may be an identity number, and addresses are kept in histories and logs."""
    browser = Browser(app)
    browser.sign_in(scenario.regulator)
    stranger = f"/oversight/trainees?q={student.who.id_number[:-1]}0"
    assert f"/oversight/trainees/{student.enrolment.id}" in browser.get(stranger).text  # looked for: nobody
    found = browser.post("/oversight/trainees", {"q": student.who.id_number}, look="/oversight/trainees")
    assert f"/oversight/trainees/{student.enrolment.id}" in found.text
    assert student.who.id_number not in "".join(re.findall(r'(?:href|action)="([^"]*)"', found.text))
    table = browser.post("/oversight/trainees.csv", {"q": student.who.id_number, "page": "1"})
    assert table.status_code == 200 and "王**" in table.get_data().decode("utf-8-sig")
    nobody = browser.post("/oversight/trainees", {"q": ""}, look="/oversight/trainees")
    assert nobody.location == "/oversight/trainees"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_form_that_asks_for_a_person_is_sent_as_an_address(path: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", path.read_text("utf-8"), re.DOTALL):
        if 'method="post"' not in form.split(">")[0]:
            assert not re.search(r"姓名|身份证|账号|id_number", form), form[:200]


@pytest.mark.parametrize("password", ["password12", "1234567890a", "qwertyuiop1", "Woaini1314520", "安全生产20260101"])
def test_a_password_many_people_use_is_not_taken(app: Flask, context: Context, password: str) -> None:
    browser, who = Browser(app), someone(context, Role.INSTITUTION)
    browser.sign_in(who)
    form = {"current": "correct-horse-7", "password": password, "again": password}
    refused = browser.post("/account/password", form, look="/account/password")
    assert refused.status_code == 422 and "不能使用这个密码" in refused.text


def test_the_list_of_common_passwords_covers_what_may_be_chosen() -> None:
    """Three thousand at least that are long enough, as ten signs are with a short word and a few digits."""
    assert sum(1 for word in common_passwords() if len(word) + 8 >= 10) >= 3000


def test_a_failure_promises_nothing(app: Flask, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(app)
    browser.sign_in(scenario.regulator)

    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(queries, "overview", broken)
    page = browser.get("/oversight")
    assert page.status_code == 500 and "没有丢失" not in page.text and "是否已经生效" in page.text


@pytest.fixture
def student(scenario: Scenario) -> Student:
    return scenario.student()
