"""Reference photos over the pages: confirmed in one click, unlike ones looked at, other models never compared."""

from __future__ import annotations

from flask import Flask
from support.people import Browser
from support.scenario import LESSON_MS, Scenario, portrait

from xueji.hours.queries import statement_of
from xueji.identity.models import ReferencePhoto
from xueji.identity.queries import reference_photos
from xueji.identity.services import enrol_photo
from xueji.trace import queries as trace


def test_one_click_releases_what_was_studied_before(app: Flask, scenario: Scenario) -> None:
    student = scenario.student(confirmed=False)
    student.study(scenario.lessons[0], LESSON_MS)
    with scenario.context.database.reading() as session:
        before = statement_of(session, student.enrolment.id).online
        (photo,) = reference_photos(session, student.who.id)
    assert before.counted_ms == 0 < before.awaited_ms
    staff = Browser(app)
    staff.sign_in(scenario.school.head.who)
    page = staff.get("/references")
    assert page.status_code == 200 and "与证件一致" in page.text
    path = f"/references/{student.enrolment.id}"
    sent = {"outcome": "confirm", "photo_id": str(photo.id), "from": "list"}
    assert staff.post(path, sent, look="/references").location == "/references"
    with scenario.context.database.reading() as session:
        after = statement_of(session, student.enrolment.id).online
        leaves = [leaf["event"] for leaf in trace.chain(session, student.enrolment.chain)]
    assert after.awaited_ms == 0 < after.counted_ms
    assert leaves.count("reference.confirm") == 1 and "reference.stand" in leaves
    assert "没有待核对的登记照片" in staff.get("/references").text
    assert staff.get(path).status_code == 200
    assert staff.post(path, {**sent, "outcome": "refuse", "reason": "不像"}, look=path).status_code == 409


def test_an_unlike_photo_is_compared_with_nothing_until_staff_have_looked(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    enrol_photo(scenario.context, person_id=student.who.id, photo=b"\xfe" + portrait())
    with scenario.context.database.reading() as session:
        assert {photo.standing for photo in reference_photos(session, student.who.id)} == {"confirmed", "waiting"}
    student.study(scenario.lessons[0], LESSON_MS)
    assert {asked.references for asked in scenario.judge.asked} == {1}
    staff = Browser(app)
    staff.sign_in(scenario.school.head.who)
    assert "与原有登记照片不像" in staff.get("/references").text


def test_photos_of_another_model_are_described_anew_before_they_are_compared(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    with scenario.context.database.writing() as session:
        for photo in session.query(ReferencePhoto).all():
            photo.model = "an older one"
    student.study(scenario.lessons[0], LESSON_MS)
    assert {asked.references for asked in scenario.judge.asked} == {1}
    with scenario.context.database.reading() as session:
        assert {photo.model for photo in session.query(ReferencePhoto)} == {"none"}
