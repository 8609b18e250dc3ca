"""The regulator's, the enterprise's and the operator's pages: theirs to see, or not found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from support.people import Browser, Someone, organisation, someone
from support.scenario import MINUTE, Scenario, Student

from courses.models import Film, Lesson
from xueji.identity.models import Membership
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.proctoring.models import Check
from xueji.proctoring.queries import first_tries
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import alarms


@pytest.fixture
def student(scenario: Scenario) -> Student:
    student = scenario.student("王小明")
    student.study(scenario.lessons[0], answers=[Outcome.UNCLEAR])
    return student


def _browser(app: Flask, who: Someone) -> Browser:
    browser = Browser(app)
    browser.sign_in(who)
    return browser


def test_a_regulator_goes_from_the_list_to_the_single_record(app: Flask, scenario: Scenario, student: Student) -> None:
    browser = _browser(app, scenario.regulator)
    assert "辖区概况" in browser.get("/oversight").text
    found = browser.post("/oversight/trainees", {"q": "王小明"}, look="/oversight/trainees").text
    assert f"/oversight/trainees/{student.enrolment.id}" in found and "王**" in found and "王小明</a>" not in found
    page = browser.get(f"/oversight/trainees/{student.enrolment.id}").text
    assert f"/oversight/sittings/{student.sitting_id}" in page
    assert f'action="/enrolments/{student.enrolment.id}/evidence"' in page
    assert browser.get(f"/oversight/sittings/{student.sitting_id}").status_code == 200
    timeline = browser.get(f"/oversight/sittings/{student.sitting_id}/timeline").json
    assert {track["name"] for track in timeline["tracks"]} >= {"学习", "身份核验", "设备"}
    assert browser.get("/oversight/trainees?cohort=nonsense").status_code == 422


def test_a_replay_shows_what_the_film_looks_like(app: Flask, scenario: Scenario, student: Student) -> None:
    with scenario.context.database.writing() as session:
        film_id = session.get_one(Lesson, scenario.lessons[0].id).film_id
        film = session.get_one(Film, film_id)
        film.remarks, film.has_strip = ["almost_still"], True
    page = _browser(app, scenario.regulator).get(f"/oversight/sittings/{student.sitting_id}").text
    assert f"/media/{film_id}/strip.jpg" in page
    assert "画面几乎不变" in page


def test_outside_the_jurisdiction_there_is_nothing(app: Flask, scenario: Scenario, student: Student) -> None:
    browser = _browser(app, someone(scenario.context, Role.REGULATOR, region="650100"))
    assert "没有找到" in browser.post("/oversight/trainees", {"q": "王小明"}, look="/oversight/trainees").text
    for path in (
        f"/oversight/trainees/{student.enrolment.id}",
        f"/oversight/sittings/{student.sitting_id}",
        f"/oversight/sittings/{student.sitting_id}/timeline",
    ):
        assert browser.get(path).status_code == 404


def test_these_pages_are_for_their_roles_only(app: Flask, scenario: Scenario, student: Student) -> None:
    for who in (student.who, scenario.school.head.who, someone(scenario.context, Role.ENTERPRISE)):
        browser = _browser(app, who)
        for path in ("/oversight", "/oversight/trainees", "/oversight/flags", "/oversight/draws", "/installation"):
            assert browser.get(path).status_code == 403


def test_a_finding_is_raised_answered_and_closed_on_screen(app: Flask, scenario: Scenario, student: Student) -> None:
    regulator, staff = _browser(app, scenario.regulator), _browser(app, scenario.school.head.who)
    trainee = f"/oversight/trainees/{student.enrolment.id}"
    said = {"kind": "identity", "words": "照片与登记照片不像", "sitting": str(student.sitting_id)}
    deadline = (clock.shanghai_day(clock.now()) + timedelta(days=5)).isoformat()
    refused = regulator.post(f"{trainee}/findings", {**said, "deadline": "soon"}, look=trainee)
    assert refused.status_code == 422
    raised = regulator.post(f"{trainee}/findings", {**said, "deadline": deadline}, look=trainee)
    path = raised.location
    assert "照片与登记照片不像" in staff.get(path).text and "身份存疑" in staff.get("/findings").text
    assert staff.post(f"{path}/answer", {"answer": "已请学员到场核实"}, look=path).location == path
    assert regulator.post(f"{path}/close", look=path).location == path
    assert "已请学员到场核实" in regulator.get(path).text
    assert path in regulator.get("/findings?show=closed").text and path not in regulator.get("/findings").text
    assert "没有未关闭的问题" in staff.get("/findings").text


def test_a_denied_attendance_is_seen_and_settled_and_staff_have_figures(
    app: Flask, scenario: Scenario, student: Student
) -> None:
    scenario.attend(student, ms=60 * MINUTE, confirmed=False)
    hers = _browser(app, student.who)
    assert "有 1 次线下课请您确认" in hers.get("/training").text
    page = hers.get("/attendance").text
    assert "本人未确认" in page and "我不在场" in page
    denied = page.split('/deny"')[0].rpartition("/attendance/")[2]
    hers.post(f"/attendance/{denied}/deny", look="/attendance")
    browser = _browser(app, scenario.regulator)
    assert "本人说不在场" in browser.get("/oversight/rooms").text
    settled = browser.post(
        f"/attendance/{denied}/settle",
        {"outcome": "reject", "reason": "教室录像里没有她", "next": "/oversight/rooms"},
        look="/oversight/rooms",
    )
    assert settled.location == "/oversight/rooms"
    assert "没有待决定的出勤" in browser.get("/oversight/rooms").text
    assert "登记出勤" in browser.get("/oversight/staff").text


def test_a_draw_on_screen_shows_how_to_draw_again(app: Flask, scenario: Scenario, student: Student) -> None:
    browser = _browser(app, scenario.regulator)
    assert browser.post("/oversight/draws", {"size": "7"}, look="/oversight/draws").status_code == 422
    made = browser.post("/oversight/draws", {"size": "5"}, look="/oversight/draws")
    page = browser.get(made.location).text
    assert f"/oversight/trainees/{student.enrolment.id}" in page and "HMAC-SHA256" in page
    assert browser.get(made.location + "/population.txt").text == f"{student.enrolment.id}\n"


def test_an_enterprise_reads_the_hours_of_its_own_people(app: Flask, scenario: Scenario, student: Student) -> None:
    place = organisation(scenario.context, OrganisationKind.ENTERPRISE)
    boss = _browser(app, someone(scenario.context, Role.ENTERPRISE, at=place))
    assert "本单位还没有人参加培训" in boss.get("/people").text
    with scenario.context.database.writing() as session:
        session.add(
            Membership(person_id=student.who.id, organisation_id=place.id, role=Role.TRAINEE, since=clock.now())
        )
    assert f"/enrolments/{student.enrolment.id}/hours" in boss.get("/people").text
    statement = boss.get(f"/enrolments/{student.enrolment.id}/hours")
    assert statement.status_code == 200 and "/api/v1/pictures/" not in statement.text
    export = boss.get("/people.csv")
    assert export.mimetype == "text/csv" and "王**" in export.data.decode("utf-8-sig")


def test_the_operator_sees_with_which_cameras_people_pass_at_once(
    app: Flask, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = _browser(app, someone(scenario.context, Role.ADMINISTRATOR))
    assert "最近30天没有核验" in browser.get("/installation").text
    student = scenario.student()
    # The first is passed at the second answer, the others at once.
    student.study(scenario.lessons[0], answers=[Outcome.UNCLEAR, Outcome.MATCH])
    with scenario.context.database.reading() as session:
        (line,) = first_tries(session, 0)
        checks = len(session.scalars(select(Check).where(Check.outcome.is_not(None))).all())
    # One person's camera may be called by her name.
    assert (line.device, line.checks, line.matched) == ("", checks, checks - 1)
    browser = _browser(app, someone(scenario.context, Role.ADMINISTRATOR))  # the other sat idle for too long
    page = browser.get("/installation").text
    assert "不足五人使用" in page and "Integrated Camera" not in page and f"{line.percent}%" in page
    monkeypatch.setattr("xueji.proctoring.queries.engine.LEAST_PEOPLE", 1)
    assert "Integrated Camera" in browser.get("/installation").text
    scenario.time.advance(timedelta(days=31))
    assert "最近30天没有核验" in _browser(app, someone(scenario.context, Role.ADMINISTRATOR)).get("/installation").text


def test_the_operator_sees_alarms_and_what_is_missing(app: Flask, scenario: Scenario) -> None:
    browser = _browser(app, someone(scenario.context, Role.ADMINISTRATOR))
    assert "没有警报" in browser.get("/installation").text
    with scenario.context.database.writing() as session:
        alarms.sound(session, alarms.GAP, "n 4 after n 2", chain="some-chain")
    page = browser.get("/installation").text
    assert "记录编号中断" in page and "n 4 after n 2" in page and "没有警报" not in page
