"""The institution's pages for checks: the queue and its decisions; who is here, in rounds, and who leaves."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from flask import Flask
from sqlalchemy import select
from support.people import Browser, someone
from support.scenario import Scenario

from xueji.identity.models import FaceView
from xueji.identity.rules import ProofRoute
from xueji.kernel.actor import Role
from xueji.proctoring.models import Attempt, Check, CheckIn
from xueji.rulebook.vocabulary import Outcome


def _staff(app: Flask, scenario: Scenario) -> Browser:
    """Signed in now: a session of staff does not outlast a lesson."""
    browser = Browser(app)
    browser.sign_in(scenario.school.head.who)
    return browser


def test_contested_checks_come_with_their_clock_and_failed_ones_apart(app: Flask, scenario: Scenario) -> None:
    student = scenario.student("张三")
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    staff = _staff(app, scenario)
    assert "没有待答复的申诉" in staff.get("/review").text
    assert "张三" in staff.get("/review?show=failed").text
    student.contest(student.checks[0])
    scenario.time.advance(timedelta(days=4, hours=20, minutes=30))
    staff = _staff(app, scenario)
    assert "剩 3 小时" in staff.get("/review").text
    scenario.time.advance(timedelta(hours=5))
    staff = _staff(app, scenario)
    assert "已逾期" in staff.get("/review").text
    assert "没有未通过的核验" in staff.get("/review?show=failed").text


def test_a_decision_in_writing_ends_the_matter(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    student.contest(student.checks[0], "那天停电")
    staff, path = _staff(app, scenario), f"/review/{student.checks[0]}"
    page = staff.get(path).text
    assert "那天停电" in page and "/api/v1/pictures/" in page
    assert staff.post(path, {"outcome": "accept", "reason": ""}, look=path).status_code == 422
    assert staff.post(path, {"outcome": "perhaps", "reason": "看过了"}, look=path).status_code == 422
    assert staff.post(path, {"outcome": "accept", "reason": "看过照片，是本人"}, look=path).location == "/review"
    with scenario.context.database.reading() as session:
        assert session.get_one(Check, student.checks[0]).state == "reviewed"
    page = staff.get(path).text
    assert "看过照片，是本人" in page and "提交结论" not in page
    assert staff.post(path, {"outcome": "reject", "reason": "再想想"}, look=path).status_code == 409


def test_a_strip_is_called_by_the_movement_it_shows(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    with scenario.context.database.writing() as session:
        for attempt in session.scalars(select(Attempt)):
            attempt.prompts = ["turn_left", "blink"]
            for place, picture in enumerate(attempt.pictures[-2:]):
                picture.movement = place
    page = _staff(app, scenario).get(f"/review/{student.checks[0]}").text
    learner = Browser(app)
    learner.sign_in(student.who)
    own = learner.get(f"/enrolments/{student.enrolment.id}/checks").text
    for shown in (page, own):
        assert "照片 1" in shown and "照片 2" not in shown and "照片 3" not in shown
        assert "动作：向左转头" in shown and "动作：眨眼" in shown


def test_looking_at_a_picture_is_recorded_and_listing_checks_is_not(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])

    def looks() -> int:
        with scenario.context.database.reading() as session:
            return len(session.scalars(select(FaceView).where(FaceView.person_id == student.who.id)).all())

    staff = _staff(app, scenario)
    page = staff.get(f"/review/{student.checks[0]}").text
    staff.get("/review?show=failed")
    assert looks() == 0
    address = page.split('src="/api/v1/pictures/')[1].split('"')[0]
    assert staff.get(f"/api/v1/pictures/{address}").status_code == 200
    assert looks() == 1


def test_another_institution_finds_none_of_it(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    stranger = Browser(app)
    stranger.sign_in(someone(scenario.context, Role.INSTITUTION))
    assert "没有未通过的核验" in stranger.get("/review?show=failed").text
    assert stranger.get(f"/review/{student.checks[0]}").status_code == 404
    assert stranger.get(f"/check-ins/{scenario.cohort.id}").status_code == 404
    here = {"enrolment_id": str(student.enrolment.id), "place": "一号教室", "minutes": "60"}
    assert stranger.post(f"/check-ins/{scenario.cohort.id}", here, look="/check-ins").status_code == 404


def test_people_are_checked_in_confirmed_in_a_round_and_checked_out(app: Flask, scenario: Scenario) -> None:
    students = [scenario.student(name, ProofRoute.SUPERVISED) for name in ("张三", "李四", "王五")]
    scenario.student("赵六", ProofRoute.FACE)
    staff, path = _staff(app, scenario), f"/check-ins/{scenario.cohort.id}"
    page = staff.get(path).text
    assert all(name in page for name in ("张三", "李四", "王五")) and "赵六" not in page

    chosen = [str(student.enrolment.id) for student in students[:2]]
    refused = staff.post(path, {"enrolment_id": chosen, "place": "", "minutes": "180"}, look=path)
    assert refused.status_code == 422
    assert staff.post(path, {"enrolment_id": chosen, "place": "一号教室", "minutes": "180"}, look=path).location == path
    with scenario.context.database.reading() as session:
        here = session.scalars(select(CheckIn).order_by(CheckIn.opened_ms)).all()
    assert {str(each.enrolment_id) for each in here} == set(chosen)

    scenario.time.advance(timedelta(minutes=25))
    everybody = [str(each.id) for each in here]
    page = staff.get(path).text
    assert "checked" not in page and "未输入验证码" in page
    staff.post(f"{path}/round", {"seen": everybody}, look=path)
    staff.post(f"{path}/out", {"out": everybody[0], "check_in_id": everybody}, look=path)
    with scenario.context.database.reading() as session:
        left, stays = (session.get_one(CheckIn, each.id) for each in here)
    assert left.closed_ms is not None and stays.closed_ms is None, "one leaves, whoever else is ticked"
    assert stays.confirmed_ms - stays.opened_ms == 25 * 60_000
    for nobody in (everybody[0], str(uuid4())):
        assert staff.post(f"{path}/round", {"absent": nobody}, look=path).status_code == 409, "she has left"
    assert staff.post(f"{path}/round", {"seen": everybody[0]}, look=path).status_code == 409, "nobody is left of these"
    staff.post(f"{path}/round", {"seen": everybody, "absent": everybody[1]}, look=path)
    with scenario.context.database.reading() as session:
        assert session.get_one(CheckIn, here[1].id).ended_why == "absent"
    past = f"{path}/past"
    assert "巡查时不在场" in staff.get(past).text
    struck = staff.post(f"/check-ins/{everybody[1]}/revoke", {"reason": "认错了人", "next": past}, look=past)
    assert struck.location == past
    assert "已作废" in staff.get(past).text


def test_the_code_is_shown_in_the_room_and_typed_once(app: Flask, scenario: Scenario) -> None:
    student = scenario.student("张三", ProofRoute.SUPERVISED)
    here = scenario.check_in(student, coded=False)
    staff, hers = _staff(app, scenario), Browser(app)
    hers.sign_in(student.who)
    wall = staff.get(f"/check-ins/{scenario.cohort.id}/code")
    assert wall.headers["Refresh"].isdigit()
    code = "".join(wall.text.split('class="room-code-digits">')[1].split("<")[0].split())
    assert "请输入现场验证码" in hers.get("/training").text
    hers.post("/room-code", {"code": "x", "next": "/training"}, look="/training")
    assert "验证码不对" in hers.get("/training").text
    hers.post("/room-code", {"code": code, "next": "/training"}, look="/training")
    assert "请输入现场验证码" not in hers.get("/training").text
    with scenario.context.database.reading() as session:
        found = session.get_one(CheckIn, here)
    assert found.code_ms is not None and found.code_tries == 1
