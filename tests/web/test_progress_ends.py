"""The last day and after it: what still counts, until when, and what is refused at which instant."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from lesson_page import Page, opened_page
from scenario import MINUTE, Scenario
from sqlalchemy import select

from media_pipeline.verdict import Outcome as Judged
from xueji.enrolment.queries import enrolment_facts
from xueji.hours.rules import evidence
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.snapshots.models import CheckIn
from xueji.trace import queries as trace


@pytest.fixture
def last_day(app: Flask, scenario: Scenario) -> Page:
    """Half past eight in the morning of the cohort's last day; a page on which nothing was watched yet."""
    ends = clock.shanghai_day(clock.now()) + timedelta(days=1)
    scenario.cohort = scenario.school.cohort(*scenario.lessons[:2], ends_on=ends)
    student = scenario.student()
    scenario.time.advance(timedelta(days=1))
    page = Page(app, scenario, student)
    assert page.open().status_code == 201
    return page


def instants(page: Page) -> tuple[datetime, datetime]:
    """The first after the cohort, and the first after the days to make up."""
    with page.scenario.context.database.reading() as session:
        facts = enrolment_facts(session, page.student.enrolment.id)
    assert facts is not None
    return clock.from_ms(facts.cohort.closes_ms), clock.from_ms(facts.cohort.settles_ms)


def later(page: Page, lesson: int = 0) -> Page:
    """She comes back to another sitting."""
    return Page(page.app, page.scenario, page.student, lesson=lesson)


def refusals(answer: dict[str, object]) -> set[str]:
    return {piece["reason"] for piece in answer["refused"]}  # type: ignore[attr-defined,index]


def test_the_account_and_the_door_name_the_same_last_instant(last_day: Page) -> None:
    with last_day.scenario.context.database.reading() as session:
        found = evidence(trace.chain(session, str(last_day.student.enrolment.id)))
    assert clock.from_ms(found.enrolment.settles_ms) == instants(last_day)[1]


def test_what_a_check_held_on_the_last_day_is_made_up_after_it(last_day: Page) -> None:
    last_day.show_face(last_day.until_check(), Judged.NO_FACE)
    held = last_day.account()
    assert held.online.held_ms == last_day.at_ms and held.lessons[0].make_up == ((0, last_day.at_ms),)

    closes, _settles = instants(last_day)
    last_day.scenario.time.instant = closes
    again = later(last_day)
    opened = again.open().json or {}
    assert opened["make_up"] == [[0, held.online.held_ms]] and opened["resume_ms"] == 0
    # After the failed check she shows herself first.
    assert again.show_face(opened["check"])["outcome"] == "match"
    while again.at_ms < held.online.held_ms:
        at = again.at_ms
        answer = again.watch(min(10_000, held.online.held_ms - at))
        again.at_ms = at + min(10_000, held.online.held_ms - at)
        if answer["question"]:
            again.say_here(answer["question"]["question_id"])
        if answer["check"] and answer["check"]["kind"] == "scheduled":
            again.show_face(answer["check"])
    assert answer["check"]["kind"] == "closing", "with nothing left to make up, a check confirms it"
    again.show_face(answer["check"])
    assert again.account().online.counted_ms == held.online.held_ms
    assert again.account().online.held_ms == 0


def test_nothing_new_is_studied_in_the_days_to_make_up(last_day: Page) -> None:
    last_day.show_face(last_day.until_check(), Judged.NO_FACE)
    reached = last_day.at_ms
    last_day.scenario.time.instant = instants(last_day)[0]
    again = later(last_day)
    again.show_face((again.open().json or {})["check"])
    again.at_ms = reached - 5_000
    answer = again.watch()
    assert answer["furthest_ms"] == reached and refusals(answer) == {"outside_dates"}
    assert again.account().lessons[0].furthest_ms == reached


def test_waiting_time_is_confirmed_by_a_check_of_her_own_wish(last_day: Page) -> None:
    for _beat in range(6):
        last_day.watch()
    assert last_day.account().online.provisional_ms == MINUTE
    last_day.scenario.time.instant = instants(last_day)[0]
    again = later(last_day)
    assert again.open().status_code == 201
    check = (again.ask_check().json or {})["check"]
    assert again.show_face(check)["outcome"] == "match"
    online = again.account().online
    assert (online.counted_ms, online.provisional_ms) == (MINUTE, 0)


@pytest.mark.parametrize("lesson", [0, 1])
def test_a_lesson_with_nothing_left_to_do_does_not_open(last_day: Page, lesson: int) -> None:
    last_day.show_face(last_day.until_check())
    last_day.scenario.time.instant = instants(last_day)[0]
    refused = later(last_day, lesson).open()
    assert (refused.status_code, (refused.json or {})["type"]) == (409, "outside-dates")


@pytest.mark.parametrize(("before_ms", "opens"), [(1, True), (0, False)])
def test_the_days_to_make_up_end_at_their_last_midnight(last_day: Page, before_ms: int, *, opens: bool) -> None:
    last_day.watch()
    last_day.scenario.time.instant = instants(last_day)[1] - timedelta(milliseconds=before_ms)
    assert (later(last_day).open().status_code == 201) is opens
    if not opens:
        assert last_day.account().settled


def test_the_last_day_s_own_sitting_earns_no_more_after_midnight(last_day: Page) -> None:
    closes, _settles = instants(last_day)
    last_day.watch()
    last_day.scenario.time.instant = closes - timedelta(seconds=5)
    last_day.sign_in()
    assert last_day.watch()["furthest_ms"] == 20_000, "it can have been played before midnight"
    assert refusals(last_day.watch()) == {"outside_dates"}
    ended = last_day.open()
    assert (ended.status_code, (ended.json or {})["type"]) == (409, "sitting-ended")
    assert later(last_day).open().status_code == 201, "to have what waits confirmed"


class TestTheWindowThatStaffVouchFor:
    """Judged by when it was studied, whenever it arrives."""

    @pytest.fixture
    def page(self, app: Flask, scenario: Scenario) -> Page:
        """Three hours are vouched for; one minute of them is left, and she plays since five."""
        page = opened_page(app, scenario, ProofRoute.SUPERVISED)
        scenario.time.advance(timedelta(hours=3) - timedelta(minutes=5))
        page.send(page.beat(0, state="paused", interacted=True))
        scenario.time.advance(timedelta(minutes=4))
        return page

    @pytest.mark.parametrize("after_s", [-1, 0, 1, 30])
    def test_study_inside_it_counts_also_when_it_arrives_after_it(self, page: Page, after_s: int) -> None:
        page.scenario.time.advance(timedelta(seconds=60 + after_s))
        played = 4 * MINUTE + 30_000
        answer = page.send(page.beat(played)).json or {}
        # Five seconds of slack, so what is studied in the last of them may come so much later.
        inside = min(played, played + 5_000 - max(0, after_s) * 1_000)
        assert answer["furthest_ms"] == inside
        assert refusals(answer) == ({"not_supervised"} if inside < played else set())

    def test_study_after_it_does_not_count_and_says_why(self, page: Page) -> None:
        page.scenario.time.advance(timedelta(minutes=1))
        page.send(page.beat(5 * MINUTE))
        page.scenario.time.advance(timedelta(seconds=10))
        answer = page.send(page.beat()).json or {}
        assert answer["furthest_ms"] == 5 * MINUTE and refusals(answer) == {"not_supervised"}

    def test_a_check_out_ends_it(self, page: Page) -> None:
        with page.scenario.context.database.reading() as session:
            here = session.scalars(select(CheckIn.id)).one()
        page.scenario.check_out(here)
        page.scenario.time.advance(timedelta(minutes=1))
        answer = page.send(page.beat(MINUTE)).json or {}
        assert refusals(answer) == {"not_supervised"} and answer["furthest_ms"] == 5_000
        assert page.account().online.counted_ms == 5_000
