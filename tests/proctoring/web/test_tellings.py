"""From the telling of a check to its answer: connections that break, pages that close, verdicts that come late.

Everything is sent as the page sends it: whatever has not been answered goes out together.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from support.lesson_page import Page, judge_all, sweep
from support.scenario import Scenario, Student, playing, portrait
from support.school import declared

from media_pipeline.harmless import scripted
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.enrolment.services import trainees
from xueji.identity.models import Person
from xueji.kernel import clock
from xueji.proctoring import rules

SECOND = timedelta(seconds=1)


class Told:
    """A page's last request before it knew of a check, and what the answer said of it."""

    def __init__(self, page: Page) -> None:
        while True:
            page.scenario.time.advance(10 * SECOND)
            self.beat = page.beat(interacted=True)
            answer = page.send(self.beat).json or {}
            page.at_ms = answer["furthest_ms"]
            if answer["check"]:
                self.check: dict[str, Any] = answer["check"]
                return


def pause(page: Page) -> dict[str, Any]:
    """What the page sends when its dialog opens: it shows that the telling arrived."""
    return dict(page.send(page.beat(0, state="paused")).json or {})


def fail(page: Page, check: dict[str, Any], outcome: Judged = Judged.UNCLEAR) -> dict[str, Any]:
    """Answer as often as she may, and never well; the page stays open."""
    page.scenario.judge.otherwise = scripted(outcome)
    while True:
        assert page.answer(check).status_code == 202
        judge_all(page)
        check = page.check_state(check)
        if check["state"] != "due":
            page.scenario.judge.otherwise = scripted(Judged.MATCH)
            return check


def seconds_left(check: dict[str, Any]) -> float:
    return (datetime.fromisoformat(check["answer_by"]) - clock.now()).total_seconds()


class TestLostConnections:
    def test_the_answer_that_told_of_it_was_lost_and_the_page_sends_everything_again(self, page: Page) -> None:
        told = Told(page)
        page.scenario.time.advance(55 * SECOND)
        assert sweep(page) == 0
        again = page.send(told.beat, *(page.beat(interacted=True) for _ in range(5))).json or {}
        assert again["check"]["check_id"] == told.check["check_id"]
        assert seconds_left(again["check"]) == 60
        page.scenario.time.advance(50 * SECOND)
        assert page.answer(again["check"]).status_code == 202
        assert len(page.leaves("check.redeliver")) == 1

    def test_it_is_still_no_miss_when_that_takes_longer_than_the_window(self, page: Page) -> None:
        told = Told(page)
        page.scenario.time.advance(200 * SECOND)
        assert sweep(page) == 0, "nobody misses what she cannot have heard"
        again = page.send(told.beat, *(page.beat(interacted=True) for _ in range(19))).json or {}
        assert seconds_left(again["check"]) == 60

    def test_once_the_page_showed_that_it_knew_the_window_runs_out(self, page: Page) -> None:
        told = Told(page)
        page.scenario.time.advance(SECOND)
        assert pause(page)["check"] == told.check
        page.scenario.time.advance(90 * SECOND)
        assert page.send(told.beat, page.beat(0, state="paused")).status_code == 200
        assert page.check_state(told.check)["outcome"] == "missed"
        assert page.leaves("check.redeliver") == []

    def test_a_page_that_withholds_its_beats_again_and_again_gains_the_offline_limit_once(self, page: Page) -> None:
        told = Told(page)
        asked_at, check, beat = clock.now(), told.check, told.beat
        while True:
            withheld = [page.beat(interacted=True) for _ in range(5)]
            page.scenario.time.advance(55 * SECOND)
            sweep(page)
            answer = page.send(beat, *withheld).json or {}
            page.at_ms, beat = answer["furthest_ms"], withheld[-1]
            if answer["check"] is None or answer["check"]["check_id"] != check["check_id"]:
                break
            assert clock.now() - asked_at < timedelta(minutes=8)
        assert page.check_state(check)["outcome"] == "missed"
        assert clock.now() - asked_at <= timedelta(minutes=7)

    def test_what_is_handed_in_for_the_time_in_which_an_answer_was_owed_is_made_up(self, page: Page) -> None:
        told = Told(page)
        told_at = page.at_ms
        beats = [page.beat(interacted=True) for _ in range(24)]
        page.scenario.time.advance(240 * SECOND)
        answer = page.send(told.beat, *beats).json or {}
        assert answer["refused"] == [], "she could not know: nothing is refused"
        page.at_ms = answer["furthest_ms"]
        assert page.answer(answer["check"]).status_code == 202
        judge_all(page)
        statement = page.account()
        assert statement.online.counted_ms == told_at + 60_000, "nor confirmed, for nobody saw who studied"
        assert statement.online.held_ms == 180_000
        assert statement.lessons[0].make_up == ((told_at + 60_000, told_at + 240_000),)
        assert dict(statement.marks) == {"retold": 1}

    def test_no_study_without_a_picture_counts_beyond_the_longest_gap_and_its_room(self, page: Page) -> None:
        """Offers left open, beats handed in late, every telling called lost."""
        plan = page.scenario.cohort.plan
        asked: dict[str, Any] | None = None
        beat: list[dict[str, Any]] = []
        while page.at_ms < 26 * 60_000:
            page.ask_check()
            withheld = [page.beat(interacted=True) for _ in range(28)]
            page.scenario.time.advance(280 * SECOND)
            sweep(page)
            answer = page.send(*beat, *withheld).json or {}
            page.at_ms, beat, asked = answer["furthest_ms"], [withheld[-1]], answer["check"] or asked
        assert asked is not None
        if page.check_state(asked)["state"] == "due":
            page.answer(asked)
            judge_all(page)
        assert page.account().online.counted_ms <= plan["checks_max_gap_ms"] + plan["offline_ms"] + plan["answer_ms"]


class TestInTime:
    def test_pictures_that_arrived_in_time_are_in_time_however_slow_the_store(self, page: Page) -> None:
        told = Told(page)
        pause(page)
        page.scenario.time.advance(59 * SECOND)
        store, put = page.scenario.context.store, page.scenario.context.store.put

        def slow(path: str, data: bytes) -> None:
            page.scenario.time.advance(4 * SECOND)
            assert sweep(page) == 0, "it cannot be known yet that there is no answer"
            put(path, data)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(store), "put", lambda _store, path, data: slow(path, data))
            assert page.answer(told.check).status_code == 202
        judge_all(page)
        assert page.check_state(told.check)["outcome"] == "match"
        (answer,) = page.leaves("check.answer")
        assert answer["arrived_ms"] == clock.to_ms(datetime.fromisoformat(told.check["answer_by"])) - 1000

    def test_one_second_late_is_late(self, page: Page) -> None:
        told = Told(page)
        page.scenario.time.advance(61 * SECOND)
        refused = page.answer(told.check)
        assert (refused.status_code, (refused.json or {})["type"]) == (409, "check-over")


class TestAnotherSitting:
    def test_a_reload_under_another_name_keeps_the_check_and_the_rest_of_its_window(self, page: Page) -> None:
        told = Told(page)
        pause(page)
        page.scenario.time.advance(5 * SECOND)
        other = Page(page.app, page.scenario, page.student)
        opened = other.open(continue_here=True).json or {}
        assert opened["check"] == told.check
        assert seconds_left(opened["check"]) == 55
        assert other.answer(opened["check"]).status_code == 202
        judge_all(other)
        assert other.check_state(told.check)["outcome"] == "match"
        (move,) = page.leaves("check.move")
        assert (move["sitting"], move["from_sitting"]) == (str(other.sitting_id), str(page.sitting_id))

    def test_closing_the_page_is_no_way_around_a_check(self, page: Page) -> None:
        told = Told(page)
        pause(page)
        page.scenario.time.advance(90 * SECOND)
        other = Page(page.app, page.scenario, page.student)
        opened = other.open(continue_here=True).json or {}
        assert [leaf["outcome"] for leaf in page.leaves("check.verdict")] == ["missed"]
        assert opened["check"]["check_id"] != told.check["check_id"], "and she shows herself before anything is played"

    def test_a_check_that_nobody_can_have_heard_of_is_told_where_she_is_now(self, page: Page) -> None:
        told = Told(page)
        page.scenario.time.advance(90 * SECOND)
        opened = Page(page.app, page.scenario, page.student).open(continue_here=True).json or {}
        assert opened["check"]["check_id"] == told.check["check_id"]
        assert seconds_left(opened["check"]) == 60

    def test_opening_the_same_sitting_again_goes_on_with_its_check(self, page: Page) -> None:
        told = Told(page)
        pause(page)
        page.scenario.time.advance(20 * SECOND)
        opened = page.open().json or {}
        assert opened["check"] == told.check


class TestOffers:
    def test_an_offer_is_withdrawn_as_soon_as_a_scheduled_check_falls_due(self, page: Page) -> None:
        while True:
            offer = (page.ask_check().json or {}).get("check")
            answer = page.watch()
            if answer["check"] and answer["check"]["kind"] == "scheduled":
                break
        if offer is not None:
            assert page.check_state(offer)["outcome"] == "missed"
        assert page.at_ms <= 15 * 60_000 + 10_000
        assert page.answer(answer["check"]).status_code == 202
        judge_all(page)
        assert page.account().online.held_ms == 0, "leaving an offer alone is neutral"

    @pytest.mark.parametrize("shown", [Judged.MISMATCH, Judged.NO_FACE])
    def test_an_offer_answered_once_is_not_undone_by_leaving_the_retry_alone(self, page: Page, shown: Judged) -> None:
        for _ in range(12):
            page.watch()
        offer = (page.ask_check().json or {})["check"]
        page.scenario.judge.otherwise = scripted(shown)
        assert page.answer(offer).status_code == 202
        judge_all(page)
        assert page.check_state(offer)["state"] == "due"
        pause(page)
        pause(page)
        page.scenario.time.advance(90 * SECOND)
        sweep(page)
        assert page.check_state(offer)["outcome"] == shown
        assert page.account().online.held_ms == page.at_ms
        opened = Page(page.app, page.scenario, page.student).open(continue_here=True).json or {}
        assert opened["check"] is not None, "after a failed check she shows herself before anything is played"

    def test_an_offer_failed_once_and_overtaken_by_the_schedule_stays_failed(self, page: Page) -> None:
        page.watch()
        offer = (page.ask_check().json or {})["check"]
        page.scenario.judge.otherwise = scripted(Judged.MISMATCH)
        page.answer(offer)
        judge_all(page)
        page.scenario.judge.otherwise = scripted(Judged.MATCH)
        while page.check_state(offer)["state"] == "due":
            page.watch()
        assert page.check_state(offer)["outcome"] == "mismatch"


class TestAfterFailure:
    def test_the_next_check_is_due_with_the_next_study_in_the_same_sitting(self, page: Page) -> None:
        fail(page, Told(page).check)
        failed_at = page.at_ms
        assert pause(page)["check"] is None, "an empty chair is not asked again and again"
        answer = page.watch()
        assert (answer["check"]["kind"], page.at_ms) == ("scheduled", failed_at + 10_000)
        assert page.answer(answer["check"]).status_code == 202
        judge_all(page)
        for _ in range(6):
            assert page.watch()["check"] is None, "she has shown herself; the next comes by the schedule"
        statement = page.account()
        assert statement.online.held_ms == failed_at + 10_000
        assert statement.online.provisional_ms == 60_000

    def test_the_same_when_it_was_missed_or_declined(self, page: Page) -> None:
        check = Told(page).check
        pause(page)
        page.scenario.time.advance(90 * SECOND)
        assert pause(page)["check"] is None
        assert page.check_state(check)["outcome"] == "missed"
        again = page.watch()["check"]
        assert again is not None
        refused = page.client.post(f"/api/v1/checks/{again['check_id']}/refuse", json={"nonce": again["nonce"]})
        assert refused.status_code == 200
        assert pause(page)["check"] is None
        assert page.watch()["check"] is not None

    def test_one_that_she_wants_herself_does_as_well(self, page: Page) -> None:
        fail(page, Told(page).check)
        offer = (page.ask_check().json or {})["check"]
        assert page.answer(offer).status_code == 202
        judge_all(page)
        assert page.watch()["check"] is None

    def test_at_the_door_of_a_new_sitting_she_is_asked_once(self, page: Page) -> None:
        fail(page, Told(page).check)
        other = Page(page.app, page.scenario, page.student, at_ms=page.at_ms)
        opened = other.open(continue_here=True).json or {}
        assert other.answer(opened["check"]).status_code == 202
        judge_all(other)
        other.at_ms = opened["furthest_ms"]
        assert other.watch()["check"] is None


class TestLateVerdicts:
    @pytest.mark.parametrize("shown", [Judged.UNCLEAR, Judged.MISMATCH])
    def test_an_empty_chair_is_not_asked_again(self, page: Page, shown: Judged) -> None:
        """The engine was down when she answered, and she had left when it was back."""
        check = Told(page).check
        page.scenario.judge.down = True
        assert page.answer(check).status_code == 202
        answered_ms = page.leaves("check.answer")[0]["arrived_ms"]
        judge_all(page)
        for _ in range(3):
            page.watch()
        page.scenario.judge.down = False
        page.scenario.judge.otherwise = scripted(shown)
        judge_all(page, timedelta(hours=6))
        page.sign_in()
        state = page.check_state(check)
        assert (state["state"], state["outcome"], state["attempt"]) == ("decided", shown, 1)
        page.scenario.judge.otherwise = scripted(Judged.MATCH)
        other = Page(page.app, page.scenario, page.student)
        opened = other.open().json or {}
        assert opened["check"] is not None, "asked first when she comes again"
        assert other.answer(opened["check"]).status_code == 202
        judge_all(other)
        assert answered_ms < clock.to_ms(clock.now()) - 6 * 3_600_000
        assert page.account().online.held_ms == page.at_ms

    def test_on_another_device_she_is_asked_there(self, page: Page) -> None:
        check = Told(page).check
        assert page.answer(check, portrait()).status_code == 202
        other = Page(page.app, page.scenario, page.student)
        opened = other.open(continue_here=True).json or {}
        other.at_ms = opened["furthest_ms"]
        page.scenario.judge.otherwise = scripted(Judged.NO_FACE)
        judge_all(page)
        page.scenario.judge.otherwise = scripted(Judged.MATCH)
        assert other.check_state(check)["outcome"] == "no_face"
        assert other.watch()["check"] is not None


def test_the_judge_is_given_her_own_earlier_pictures(page: Page) -> None:
    for _ in range(2):
        assert page.answer((page.ask_check().json or {})["check"]).status_code == 202
        judge_all(page)
    first, second = page.scenario.judge.asked
    assert first.earlier == ()
    assert len(second.earlier) == 3, "what she showed before is what a replay is known by"


def test_a_stranger_cannot_move_a_check_to_a_sitting_of_his(page: Page) -> None:
    told = Told(page)
    stranger = Page(page.app, page.scenario, page.scenario.student("赵六"))
    opened = stranger.open().json or {}
    assert opened["check"] is None
    page.sign_in()
    assert UUID(told.check["check_id"]) and page.check_state(told.check)["state"] == "due"


class TestCameraQuestion:
    """Some browsers ask for the camera each time it is opened, and the page cannot see past their question."""

    def report(self, page: Page, check: dict[str, Any], question: str, **changes: str) -> dict[str, Any]:
        said = {"nonce": check["nonce"], "question": question, **changes}
        answer = page.client.post(f"/api/v1/checks/{check['check_id']}/camera", json=said)
        return {"status": answer.status_code, **(answer.json or {})}

    def test_the_window_begins_when_the_question_is_answered(self, page: Page) -> None:
        check = Told(page).check
        page.scenario.time.advance(SECOND)
        assert seconds_left(self.report(page, check, "asked")) == 119
        page.scenario.time.advance(25 * SECOND)
        assert seconds_left(self.report(page, check, "answered")) == 60
        page.scenario.time.advance(55 * SECOND)
        assert pause(page)["check"] is not None
        assert page.answer(check).status_code == 202
        assert [leaf["question"] for leaf in page.leaves("check.extend")] == ["asked", "answered"]

    def test_a_question_that_nobody_answers_ends_as_missed_at_its_bound(self, page: Page) -> None:
        check = Told(page).check
        self.report(page, check, "asked")
        for _ in range(13):
            page.scenario.time.advance(10 * SECOND)
            sweep(page)
            pause(page)
            state = page.check_state(check)["state"]
            if state == "decided":
                break
        assert state == "due", "the bound is two minutes, and pictures may still be on their way"
        page.scenario.time.advance(20 * SECOND)
        pause(page)
        assert page.check_state(check)["outcome"] == "missed"

    def test_it_lengthens_a_check_once(self, page: Page) -> None:
        check = Told(page).check
        self.report(page, check, "asked")
        self.report(page, check, "answered")
        page.scenario.judge.otherwise = scripted(Judged.NO_FACE)
        assert page.answer(check).status_code == 202
        judge_all(page)
        again = page.check_state(check)
        assert again["attempt"] == 2
        before = seconds_left(again)
        assert seconds_left(self.report(page, again, "asked")) == before
        assert len(page.leaves("check.extend")) == 2

    @pytest.mark.parametrize("question", ["asked", "answered"])
    def test_neither_a_late_report_nor_a_foreign_one_lengthens_anything(self, page: Page, question: str) -> None:
        check = Told(page).check
        assert self.report(page, check, question, nonce="x" * 32)["type"] == "check-nonce"
        assert self.report(page, check, "denied")["status"] == 422
        page.scenario.time.advance(61 * SECOND)
        assert self.report(page, check, question)["type"] == "check-over"
        stranger = Page(page.app, page.scenario, page.scenario.student("赵六"))
        assert self.report(stranger, check, question)["status"] == 404


def test_whatever_was_drawn_no_run_of_study_is_longer_than_the_longest_gap(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "draw_schedule", lambda *_asked, **_more: ())
    other = Page(page.app, page.scenario, page.student)
    assert other.open(continue_here=True).status_code == 201
    told = Told(other)
    assert (other.at_ms, told.check["kind"]) == (page.scenario.cohort.plan["checks_max_gap_ms"], "scheduled")


def test_a_check_that_waits_in_one_training_is_answered_before_she_goes_on_in_another(
    app: Flask, page: Page, scenario: Scenario
) -> None:
    """It belongs to that chain and cannot come along: else whoever changes trainings misses it unseen."""
    with playing(app, school=scenario.school, regulator=scenario.regulator) as there:
        there.time = scenario.time
        with there.context.database.writing() as session:
            enrolment = trainees.enrol(
                session,
                there.context.keyring,
                cohort=there.cohort,
                person=session.get_one(Person, page.student.who.id),
                actor=there.school.staff,
                declared=declared(there.cohort),
            )
    other = Page(app, there, Student(there, page.student.who, enrolment))
    page.client = other.client
    assert page.open().status_code == 201
    check = page.until_check()
    refused = other.open(continue_here=True)
    said = refused.json or {}
    assert (refused.status_code, said["type"]) == (409, "check-elsewhere")
    assert said["enrolment_id"] == str(page.student.enrolment.id) and 0 < said["free_in_seconds"] <= 60
    page.show_face(check)
    assert other.open(continue_here=True).status_code == 201
