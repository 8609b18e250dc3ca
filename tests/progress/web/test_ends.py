"""The last day and after it: what still counts, until when, and what is refused at which instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from support.lesson_page import Page, opened_page
from support.people import bearer
from support.scenario import MINUTE, Scenario
from werkzeug.test import TestResponse

from media_pipeline.verdict import FaceOutcome as Judged
from xueji.cohorts.errors import LastDayRefused, StudyUnderWay
from xueji.cohorts.models import Cohort, CohortState
from xueji.cohorts.services import closing
from xueji.enrolment.queries import enrolment_facts
from xueji.enrolment.services import trainees
from xueji.hours.rules import assess, evidence
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.proctoring.models import Check, CheckIn
from xueji.rulebook import rules as rulebook
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
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


def refusals(answer: dict[str, Any]) -> set[str]:
    return {piece["reason"] for piece in answer["refused"]}


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


def close(page: Page, last_day: date | None = None) -> None:
    context = page.scenario.context
    with context.database.writing() as session:
        closing.close_cohort(
            session,
            context.events,
            actor=page.scenario.school.staff,
            cohort_id=page.scenario.cohort.id,
            last_day=last_day,
        )


def review(page: Page, check_id: str, outcome: str = "accept") -> TestResponse:
    staff = bearer(page.scenario.context, page.scenario.school.head.who)
    body = {"outcome": outcome, "reason": "照片可辨认，是本人。"}
    return page.app.test_client().post(f"/api/v1/checks/{check_id}/review", json=body, headers=staff)


class TestClosing:
    """A cohort ends on a day, not in the middle of somebody's minute."""

    def test_nobody_is_cut_off_while_studying(self, page: Page) -> None:
        page.watch()
        with pytest.raises(StudyUnderWay) as refused:
            close(page)
        assert refused.value.extra["studying"] == 1
        assert page.watch()["furthest_ms"] == 20_000

    def test_a_chosen_day_lasts_until_its_midnight(self, page: Page) -> None:
        page.watch()
        today = clock.shanghai_day(clock.now())
        close(page, today)
        assert page.watch()["furthest_ms"] == 20_000, "the page that is open goes on"
        page.scenario.time.instant = clock.from_ms(date_begins_ms(today) + DAY_MS)
        page.sign_in()
        assert refusals(page.watch(60_000)) == {"outside_dates"}
        assert page.open().status_code == 409

    def test_what_waits_is_confirmed_after_it(self, page: Page) -> None:
        for _beat in range(3):
            page.watch()
        page.scenario.time.advance(timedelta(minutes=2))
        close(page)
        again = later(page)
        assert again.open().status_code == 201
        again.show_face((again.ask_check().json or {})["check"])
        assert again.account().online.counted_ms == 30_000
        again.at_ms = 30_000
        assert refusals(again.watch()) == {"outside_dates"}

    def test_the_task_closes_it_once_the_day_is_over(self, page: Page) -> None:
        context = page.scenario.context
        close(page, clock.shanghai_day(clock.now()))
        for days, state in ((0, CohortState.OPEN), (1, CohortState.CLOSED)):
            page.scenario.time.advance(timedelta(days=days))
            with context.database.writing() as session:
                closing.close_due_cohorts(session, context.events)
            with context.database.reading() as session:
                assert session.get_one(Cohort, page.scenario.cohort.id).state is state

    def test_the_planned_day_may_be_chosen_again(self, page: Page) -> None:
        close(page, clock.shanghai_day(clock.now()))
        close(page, page.scenario.cohort.ends_on)
        page.scenario.time.advance(timedelta(days=2))
        page.sign_in()
        assert later(page).open().status_code == 201
        with pytest.raises(LastDayRefused):
            close(page, clock.shanghai_day(clock.now()) - timedelta(days=1))

    def test_a_check_that_waits_ends_as_nobody_s_fault(self, page: Page) -> None:
        check = page.until_check()
        before = page.account()
        context, staff = page.scenario.context, page.scenario.school.staff
        with context.database.writing() as session:
            trainees.withdraw(
                session,
                context.keyring,
                context.events,
                enrolment_id=page.student.enrolment.id,
                reason="点错了人",
                actor=staff,
            )
        assert page.check_state(check)["outcome"] == "service_down"
        assert page.account().online == before.online, "held by nothing, lost by nothing"

        with context.database.writing() as session:
            enrolment_id = page.student.enrolment.id
            trainees.readmit(session, context.keyring, enrolment_id=enrolment_id, reason="点错了人", actor=staff)
        assert [len(page.leaves(f"enrolment.{what}")) for what in ("open", "withdraw", "readmit")] == [1, 1, 1]
        assert not page.account().withdrawn
        again = later(page)
        opened = again.open(continue_here=True).json or {}
        assert opened["furthest_ms"] == page.at_ms and opened["ledger"]["provisional_ms"] == page.at_ms


class TestTerms:
    """She contests while the outcome is fresh; a person decides while the account may still change."""

    @pytest.fixture
    def failed(self, page: Page) -> dict[str, object]:
        return page.show_face(page.until_check(), Judged.NO_FACE)

    def appeal_days(self, page: Page) -> int:
        return int(page.scenario.cohort.plan["appeal_days"])

    @pytest.mark.parametrize(("before_ms", "status"), [(1, 201), (0, 409)])
    def test_she_contests_within_the_plan_s_days(
        self, page: Page, failed: dict[str, object], before_ms: int, status: int
    ) -> None:
        with page.scenario.context.database.reading() as session:
            decided_ms = session.scalars(select(Check.decided_ms)).one()
        assert decided_ms is not None
        ends = clock.from_ms(decided_ms + self.appeal_days(page) * DAY_MS)
        page.scenario.time.instant = ends - timedelta(milliseconds=before_ms)
        page.sign_in()
        url = f"/api/v1/checks/{failed['check_id']}/appeal"
        assert page.client.post(url, json={"reason": "灯坏了，是我本人。"}).status_code == status

    @pytest.mark.parametrize(("before_ms", "status"), [(1, 200), (0, 409)])
    def test_a_person_decides_until_the_term_after_the_settlement(
        self, page: Page, failed: dict[str, object], before_ms: int, status: int
    ) -> None:
        page.student.contest(UUID(str(failed["check_id"])))
        page.scenario.time.instant = (
            instants(page)[1] + timedelta(days=self.appeal_days(page)) - timedelta(milliseconds=before_ms)
        )
        assert page.account().settled
        answer = review(page, str(failed["check_id"]))
        assert answer.status_code == status, answer.json
        assert (page.account().online.counted_ms > 0) is (status == 200)

    def test_a_later_decision_counts_for_nothing_in_the_account(self, page: Page, failed: dict[str, object]) -> None:
        """However it came into the chain."""
        page.student.contest(UUID(str(failed["check_id"])))
        late = instants(page)[1] + timedelta(days=self.appeal_days(page))
        with page.scenario.context.database.reading() as session:
            leaves = list(trace.chain(session, str(page.student.enrolment.id)))
        values = {"check": failed["check_id"], "outcome": "accept", "reason": "0" * 64, "by": "staff"}
        decided = {**leaves[-1], "event": "check.review", "values": values, "n": len(leaves), "at": clock.rfc3339(late)}
        book = rulebook.load(evidence(leaves).enrolment.rulebook)
        before, after = (assess(book, evidence(each), late) for each in (leaves, [*leaves, decided]))
        assert after.online == before.online
        assert ("late_review", 1) in after.marks


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
        online = page.account().online
        assert online.counted_ms + online.held_ms == 5_000
