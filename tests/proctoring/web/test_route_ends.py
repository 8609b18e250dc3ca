"""She takes back her consent, or chooses the other route, while she studies: from then on nobody looks at her face."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from support.lesson_page import Page, judge_all, opened_page
from support.scenario import Scenario

from media_pipeline.harmless import scripted
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.identity.rules import ProofRoute
from xueji.kernel.events import Announcement
from xueji.proctoring.models import Attempt

MINUTE = 60_000
HOW = ["consent_withdrawn", "other_route"]


def end_face_checks(page: Page, how: str) -> None:
    if how == "consent_withdrawn":
        assert page.client.delete("/api/v1/me/consents/face").status_code == 204
    else:
        assert page.client.put("/api/v1/me/proof-route", json={"route": "supervised"}).status_code == 200


def until_check(page: Page) -> dict[str, Any]:
    for _ in range(100):
        page.scenario.time.advance(timedelta(seconds=10))
        check = (page.send(page.beat(interacted=True)).json or {})["check"]
        if check:
            return dict(check)
    raise AssertionError("a thousand seconds without a check")


def refused(answer: dict[str, Any]) -> set[str]:
    return {piece["reason"] for piece in answer["refused"]}


@pytest.mark.parametrize("how", HOW)
def test_a_check_that_stands_open_is_nobodys_fault_and_takes_no_picture(page: Page, how: str) -> None:
    check = until_check(page)
    heard: list[Announcement] = []
    page.scenario.context.events.subscribe(Announcement, heard.append)
    end_face_checks(page, how)
    assert [said.payload["check_id"] for said in heard if said.event == "sitting.state"] == [check["check_id"]]
    state = page.check_state(check)
    assert (state["state"], state["outcome"]) == ("decided", "service_down")
    answer = page.answer(check)
    assert (answer.status_code, (answer.json or {})["type"]) == (409, "check-over")
    assert list(page.scenario.context.store.list("faces/checks")) == []
    (verdict,) = page.leaves("check.verdict")
    assert verdict["signals"] == [{"code": how}]
    assert page.account().online.held_ms == 0


@pytest.mark.parametrize("how", HOW)
def test_pictures_already_here_are_not_judged_any_more(page: Page, how: str) -> None:
    check = until_check(page)
    assert page.answer(check).status_code == 202
    end_face_checks(page, how)
    judge_all(page)
    assert page.scenario.judge.asked == []
    state = page.check_state(check)
    assert (state["outcome"], state["last_outcome"], state["signals"]) == ("service_down", "service_down", [how])
    with page.scenario.context.database.reading() as session:
        (attempt,) = session.query(Attempt).filter_by(check_id=UUID(check["check_id"])).all()
        assert attempt.score is None


def test_what_an_earlier_attempt_showed_is_not_wiped_out_by_it(page: Page) -> None:
    check = until_check(page)
    page.scenario.judge.otherwise = scripted(Judged.MISMATCH)
    page.answer(check)
    judge_all(page)
    assert page.check_state(check)["state"] == "due"
    end_face_checks(page, "consent_withdrawn")
    assert page.check_state(check)["outcome"] == "mismatch"
    assert page.account().online.held_ms == page.at_ms


def test_nothing_is_lost_of_what_was_studied_before_and_no_check_is_asked_after(page: Page) -> None:
    for _ in range(12):
        page.watch()
    late = page.beat(interacted=True)
    page.scenario.time.advance(timedelta(seconds=10))
    end_face_checks(page, "consent_withdrawn")
    page.scenario.time.advance(timedelta(seconds=3))
    answer = page.send(late, page.beat(3_000)).json or {}
    assert (answer["furthest_ms"], refused(answer)) == (130_000, {"not_supervised"})
    for _ in range(30):
        page.scenario.time.advance(timedelta(seconds=30))
        answer = page.send(page.beat(30_000, interacted=True)).json or {}
        assert answer["check"] is None
    assert page.at_ms > 15 * MINUTE and answer["furthest_ms"] == 130_000
    asked = page.ask_check()
    assert (asked.status_code, (asked.json or {})["type"]) == (409, "no-face-checks")
    assert page.account().online.provisional_ms == 130_000


def test_study_goes_on_with_staff_who_confirm_what_came_before(page: Page) -> None:
    for _ in range(12):
        page.watch()
    end_face_checks(page, "consent_withdrawn")
    refusal = page.open()
    assert (refusal.status_code, (refusal.json or {})["type"]) == (409, "sitting-ended")
    other = Page(page.app, page.scenario, page.student, at_ms=120_000)
    refusal = other.open()
    assert (refusal.status_code, (refusal.json or {})["type"]) == (409, "check-in-needed")
    here = page.scenario.check_in(page.student)
    assert (other.open().json or {})["method"] == "supervised"
    for _ in range(6):
        other.watch()
    page.scenario.check_out(here)
    assert page.account().online.counted_ms == 180_000


def test_an_answer_and_a_withdrawal_in_the_same_moment_leave_nothing_to_judge(page: Page) -> None:
    """Whichever comes first: they wait for each other, and never both for the other."""
    check = until_check(page)
    other = Page(page.app, page.scenario, page.student)
    late = page.beat(interacted=True)
    third = Page(page.app, page.scenario, page.student)
    for each in (page, other):
        each.client.environ_base["HTTP_AUTHORIZATION"] = third.client.environ_base["HTTP_AUTHORIZATION"]
    with ThreadPoolExecutor(4) as pool:
        answered = pool.submit(page.answer, check)
        withdrawn = pool.submit(other.client.delete, "/api/v1/me/consents/face")
        beat = pool.submit(Page.send, page, late)
        opened = pool.submit(third.open, continue_here=True)
    assert withdrawn.result().status_code == 204
    assert answered.result().status_code in (202, 409)
    assert beat.result().status_code in (200, 409), "another sitting may have taken its turn"
    assert opened.result().status_code in (201, 409), "it opens before, and after it asks for staff"
    judge_all(page)
    assert page.scenario.judge.asked == []
    assert third.check_state(check)["outcome"] == "service_down"


# ---- the route without a camera: until when staff vouch


@pytest.fixture
def supervised(app: Any, scenario: Scenario) -> Page:
    return opened_page(app, scenario, ProofRoute.SUPERVISED)


def test_checking_her_out_ends_what_she_earns_at_that_instant(app: Any, scenario: Scenario) -> None:
    student = scenario.student(route=ProofRoute.SUPERVISED)
    here = scenario.check_in(student)
    page = Page(app, scenario, student)
    assert page.open().status_code == 201
    page.watch()
    scenario.check_out(here)
    scenario.time.advance(timedelta(seconds=10))
    answer = page.send(page.beat(interacted=True)).json or {}
    assert (answer["furthest_ms"], refused(answer)) == (10_000, {"not_supervised"})
    assert page.account().online.counted_ms == 10_000


def test_the_window_of_a_check_in_ends_by_itself(app: Any, scenario: Scenario) -> None:
    student = scenario.student(route=ProofRoute.SUPERVISED)
    scenario.check_in(student, lasts=timedelta(minutes=5))
    page = Page(app, scenario, student)
    assert page.open().status_code == 201
    for _ in range(29):
        scenario.time.advance(timedelta(seconds=10))
        page.send(page.beat(interacted=True))
    scenario.time.advance(timedelta(seconds=20))
    answer = page.send(page.beat(20_000, interacted=True)).json or {}
    assert (answer["furthest_ms"], refused(answer)) == (300_000, {"not_supervised"})
    scenario.check_in(student)
    assert page.open().status_code == 409, "another window is another sitting"
    other = Page(page.app, page.scenario, page.student, at_ms=300_000)
    assert other.open().status_code == 201, "and there is nobody to wait for"
    assert other.watch()["furthest_ms"] == 310_000


def test_nobody_under_supervision_is_photographed(supervised: Page) -> None:
    for _ in range(100):
        supervised.scenario.time.advance(timedelta(seconds=10))
        assert (supervised.send(supervised.beat(interacted=True)).json or {})["check"] is None
    assert supervised.leaves("check.due") == []
