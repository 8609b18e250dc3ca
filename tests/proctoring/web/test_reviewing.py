"""Over the interface: who may decide a check, that a match can be struck, and that her appeal is hers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from support.people import Browser, bearer
from support.scenario import Scenario, Student
from support.school import Member, new_member

from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement, assess, evidence
from xueji.identity.models import FaceView
from xueji.kernel.actor import Role
from xueji.proctoring.models import Check, Review
from xueji.rulebook.rules import load
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import queries as trace


@pytest.fixture
def second(scenario: Scenario) -> Member:
    return new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "周老师")


class Desk:
    """Whoever reviews, over the JSON interface."""

    def __init__(self, app: Flask, scenario: Scenario, student: Student, check: int = 0) -> None:
        self.app, self.scenario, self.student = app, scenario, student
        self.check_id = student.checks[check]

    def say(self, who: Any, outcome: str) -> tuple[int, dict[str, Any]]:
        answer = self.app.test_client().post(
            f"/api/v1/checks/{self.check_id}/review",
            json={"outcome": outcome, "reason": "看过照片和登记照片。"},
            headers=bearer(self.scenario.context, who),
        )
        return answer.status_code, dict(answer.json or {})

    def decided(self, who: Any, outcome: str) -> str | None:
        status, answer = self.say(who, outcome)
        assert status == 200, answer
        decision: str | None = answer["decision"]
        return decision

    def contest(self) -> int:
        client = self.app.test_client()
        headers = bearer(self.scenario.context, self.student.who)
        url = f"/api/v1/checks/{self.check_id}/appeal"
        return client.post(url, json={"reason": "确实是我本人。"}, headers=headers).status_code

    @property
    def account(self) -> Statement:
        """What the screen shows; the same must follow from the leaves alone."""
        with self.scenario.context.database.reading() as session:
            shown = statement_of(session, self.student.enrolment.id)
            leaves = list(trace.chain(session, self.student.enrolment.chain))
        again = assess(load(shown.rulebook), evidence(leaves), shown.as_of_ms)
        assert again.online == shown.online
        return shown


def test_staff_who_reject_of_their_own_accord_take_no_right_away(
    app: Flask, scenario: Scenario, second: Member
) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    desk, first = Desk(app, scenario, student), scenario.school.head.who
    assert desk.decided(first, "reject") is None
    assert desk.account.online.held_ms > 0, "one person alone takes nothing away"
    assert desk.say(first, "reject")[1]["type"] == "already-said"
    assert desk.decided(second.who, "reject") == "rejected"
    assert desk.account.online.held_ms == 0 and desk.account.online.refused
    assert desk.contest() == 201, "she has not been heard"
    assert desk.say(second.who, "accept")[1]["type"] == "another-person-needed"
    third = new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "吴老师")
    assert desk.decided(third.who, "accept") == "accepted"
    assert desk.account.online.counted_ms > 0
    assert desk.contest() == 409


def test_her_appeal_is_answered_once(app: Flask, scenario: Scenario, second: Member) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.UNCLEAR])
    desk = Desk(app, scenario, student)
    assert (desk.contest(), desk.contest()) == (201, 409)
    assert desk.decided(scenario.school.head.who, "reject") == "rejected"
    assert desk.contest() == 409


def test_a_missed_check_has_no_picture_and_takes_two_to_accept(app: Flask, scenario: Scenario, second: Member) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISSED])
    desk = Desk(app, scenario, student)
    held = desk.account.online.held_ms
    assert desk.decided(scenario.school.head.who, "accept") is None
    assert desk.account.online.held_ms == held
    assert desk.contest() == 201
    assert desk.decided(second.who, "accept") == "accepted"
    assert desk.account.online.held_ms < held


def test_a_false_match_is_struck_and_can_be_put_right(app: Flask, scenario: Scenario, second: Member) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0])
    desk, first = Desk(app, scenario, student), scenario.school.head.who
    counted = desk.account.online.counted_ms
    assert counted > 0
    assert desk.say(first, "accept")[1]["type"] == "not-to-review"
    assert desk.decided(scenario.regulator, "reject") == "struck"
    assert desk.account.online.counted_ms < counted and desk.account.online.held_ms > 0
    assert desk.decided(first, "reject") == "rejected"
    assert desk.contest() == 201
    assert desk.decided(second.who, "accept") == "rejected", "what a regulator found, a regulator lifts"
    other = scenario.regulator.__class__(**vars(scenario.regulator))
    assert desk.say(other, "accept")[1]["type"] == "another-person-needed"


def test_two_people_of_the_institution_strike_a_match_and_two_others_restore_it(
    app: Flask, scenario: Scenario, second: Member
) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0])
    desk = Desk(app, scenario, student)
    counted = desk.account.online.counted_ms
    assert desk.decided(scenario.school.head.who, "reject") is None
    assert desk.account.online.counted_ms == counted
    assert desk.decided(second.who, "reject") == "rejected"
    assert desk.account.online.counted_ms < counted
    others = [
        new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, name)
        for name in ("吴老师", "郑老师")
    ]
    assert [desk.decided(each.who, "accept") for each in others] == ["rejected", "accepted"]
    assert desk.account.online.counted_ms == counted


def test_who_said_what_after_how_long_a_look_is_kept(app: Flask, scenario: Scenario, second: Member) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    desk, staff = Desk(app, scenario, student), Browser(app)
    desk.contest()
    staff.sign_in(scenario.school.head.who)
    page = staff.get(f"/review/{desk.check_id}").text
    picture = page.split('src="/api/v1/pictures/')[1].split('"')[0]
    staff.get(f"/api/v1/pictures/{picture}")
    looked = scenario.time.instant
    desk.decided(scenario.school.head.who, "accept")
    with scenario.context.database.reading() as session:
        (review,) = session.query(Review).all()
        check = session.get_one(Check, desk.check_id)
    assert (review.by, review.office, review.led_to) == (scenario.school.head.who.id, "institution", "accepted")
    assert review.organisation_id == scenario.school.organisation.id
    assert review.looked_ms == round(looked.timestamp() * 1000)
    assert review.asked_ms == check.appeals[0].raised_ms


def test_the_reference_stands_beside_the_pictures_and_the_look_at_it_is_recorded(
    app: Flask, scenario: Scenario
) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
    desk = Desk(app, scenario, student)
    for who, purpose in ((scenario.school.head.who, "confirm"), (scenario.regulator, "audit")):
        browser = Browser(app)
        browser.sign_in(who)
        page = browser.get(f"/review/{desk.check_id}").text
        address = page.split('src="/references/')[1].split('"')[0]
        assert "这次比对用的" in page
        assert browser.get(f"/references/{address}").status_code == 200
        with scenario.context.database.reading() as session:
            looks = session.query(FaceView).filter_by(viewer_id=who.id).all()
        assert [look.purpose for look in looks] == [purpose]
