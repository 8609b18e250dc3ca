"""The account on screen and as JSON: the same figures for everybody who may see them, not found for the rest."""

from __future__ import annotations

import pytest
from flask import Flask
from support.people import Browser, Someone, bearer, organisation, someone
from support.scenario import LESSON_MS, Scenario, Student

from xueji.hours.api import statement_json
from xueji.hours.queries import statement_of
from xueji.identity.models import Membership
from xueji.identity.rules import OrganisationKind, ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.proctoring.models import Check
from xueji.rulebook.vocabulary import Outcome


@pytest.fixture
def student(scenario: Scenario) -> Student:
    """She studied one lesson; the first check failed."""
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    return student


def _employer(scenario: Scenario, student: Student) -> Someone:
    place = organisation(scenario.context, OrganisationKind.ENTERPRISE)
    with scenario.context.database.writing() as session:
        session.add(
            Membership(person_id=student.who.id, organisation_id=place.id, role=Role.TRAINEE, since=clock.now())
        )
    return someone(scenario.context, Role.ENTERPRISE, at=place)


def _browser(app: Flask, who: Someone) -> Browser:
    browser = Browser(app)
    browser.sign_in(who)
    return browser


def test_the_statement_is_the_same_for_everybody_who_may_see_it(
    app: Flask, scenario: Scenario, student: Student
) -> None:
    path = f"/api/v1/enrolments/{student.enrolment.id}/statement"
    with scenario.context.database.reading() as session:
        expected = statement_json(statement_of(session, student.enrolment.id))
    assert expected["counted_ms"] + expected["provisional_ms"] + expected["held_ms"] == LESSON_MS
    staff = scenario.school.head.who
    for who in (student.who, staff, scenario.regulator, _employer(scenario, student)):
        answer = app.test_client().get(path, headers=bearer(scenario.context, who))
        assert answer.status_code == 200
        assert {**answer.get_json(), "leaves": 0} == {**expected, "leaves": 0}


def test_the_account_is_not_found_by_anybody_else(app: Flask, scenario: Scenario, student: Student) -> None:
    context = scenario.context
    strangers = [
        someone(context, Role.TRAINEE),
        someone(context, Role.INSTITUTION),
        someone(context, Role.ENTERPRISE),
        someone(context, Role.REGULATOR, region="650100"),
        someone(context, Role.ADMINISTRATOR),
    ]
    base = f"/enrolments/{student.enrolment.id}"
    for who in strangers:
        headers = bearer(context, who)
        for path in (f"/api/v1{base}/statement", f"/api/v1{base}/checks", f"{base}/hours", f"{base}/checks"):
            assert app.test_client().get(path, headers=headers).status_code == 404
    assert app.test_client().get(f"/api/v1{base}/statement").status_code == 401


def test_checks_come_with_pictures_only_for_those_who_may_see_faces(
    app: Flask, scenario: Scenario, student: Student
) -> None:
    path = f"/api/v1/enrolments/{student.enrolment.id}/checks"

    def pictures(who: Someone) -> list[str]:
        answer = app.test_client().get(path, headers=bearer(scenario.context, who)).get_json()
        assert answer["total"] == len(answer["checks"]) == len(student.checks)
        assert answer["checks"][-1]["outcome"] == "mismatch" and answer["checks"][-1]["holds_time"]
        return [each for check in answer["checks"] for attempt in check["attempts"] for each in attempt["pictures"]]

    assert pictures(student.who) and pictures(scenario.school.head.who) and pictures(scenario.regulator)
    assert pictures(_employer(scenario, student)) == []


def test_her_first_page_says_what_counts_and_where_to_go_on(app: Flask, scenario: Scenario, student: Student) -> None:
    page = _browser(app, student.who).get("/training").text
    assert "初训第一期" in page and "先不算" in page and "上限 40%" in page
    assert f"/learn/{student.enrolment.id}/{scenario.lessons[1].id}" in page, "the next lesson"


def test_the_first_page_tells_each_route_what_is_still_to_do(app: Flask, scenario: Scenario) -> None:
    supervised = scenario.student(route=ProofRoute.SUPERVISED)
    browser = _browser(app, supervised.who)
    assert "学习前请先到现场签到" in browser.get("/training").text
    scenario.check_in(supervised)
    assert "您已在“一号教室”签到" in browser.get("/training").text
    nobody = someone(scenario.context, Role.TRAINEE)
    assert "还没有培训" in _browser(app, nobody).get("/training").text


def test_she_contests_a_check_once_and_comes_back_to_her_list(app: Flask, scenario: Scenario, student: Student) -> None:
    browser = _browser(app, student.who)
    back = f"/enrolments/{student.enrolment.id}/checks"
    assert "申诉" in browser.get(back).text
    path = f"/checks/{student.checks[0]}/contest"
    answer = browser.post(path, {"reason": "确实是我", "next": back})
    assert (answer.status_code, answer.location) == (302, back)
    with scenario.context.database.reading() as session:
        assert session.get_one(Check, student.checks[0]).state == "contested"
    assert "申诉中" in browser.get(back).text
    assert browser.post(path, {"reason": "再来一次", "next": back}).status_code == 409
    browser.get(back)
    elsewhere = browser.post(path, {"reason": "确实是我", "next": "//evil.example"})
    assert "evil" not in (elsewhere.location or "")


def test_her_own_page_offers_what_others_pages_do_not(app: Flask, scenario: Scenario, student: Student) -> None:
    path = f"/enrolments/{student.enrolment.id}/hours"
    hers = _browser(app, student.who).get(path).text
    theirs = _browser(app, scenario.school.head.who).get(path).text
    assert "怎样把先不算的时间补回来" in hers and "谁看过我的照片" in hers and "/contest" in hers
    assert "怎样把先不算的时间补回来" not in theirs and "/contest" not in theirs
    assert f'action="/enrolments/{student.enrolment.id}/evidence"' in hers and "cn-safety-training@" in hers


def test_home_and_language_lead_where_they_should(app: Flask, scenario: Scenario, student: Student) -> None:
    assert app.test_client().get("/").location == "/sign-in"
    for who, home in (
        (student.who, "/training"),
        (scenario.school.head.who, "/today"),
        (scenario.regulator, "/oversight"),
        (someone(scenario.context, Role.ENTERPRISE), "/today"),
        (someone(scenario.context, Role.ADMINISTRATOR), "/today"),
    ):
        browser = _browser(app, who)
        assert browser.get("/").location == home
        assert browser.get(home).status_code == 200
    answer = browser.post("/language", {"language": "en", "next": "/account"}, look="/account")
    assert answer.location == "/account" and "language=en" in answer.headers["Set-Cookie"]
    away = browser.post("/language", {"language": "en", "next": "//evil.example"}, look="/account")
    assert away.location == "/"
    assert browser.post("/language", {"language": "fr"}, look="/account").status_code == 422
