"""Beats as a page, a phone after an outage, and a script send them; every attack gains nothing and leaves a mark."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from support.lesson_page import Page, opened_page
from support.people import signed_in
from support.scenario import LESSON_MS, Scenario, playing

from xueji.cohorts.services import closing
from xueji.enrolment.services import trainees
from xueji.identity.rules import ProofRoute


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    return opened_page(app, scenario, ProofRoute.SUPERVISED)


def reasons(answer: dict[str, Any]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for piece in answer["refused"]:
        sums[piece["reason"]] = sums.get(piece["reason"], 0) + piece["to_ms"] - piece["from_ms"]
    return sums


def test_opening_says_where_to_resume_and_under_which_rules(page: Page) -> None:
    page.watch(10_000)
    opened = page.open().json or {}
    assert opened["furthest_ms"] == opened["resume_ms"] == 10_000
    assert opened["beat_seconds"] == 10
    assert opened["method"] == "supervised"
    assert "@" in opened["rulebook"]


def test_what_was_watched_is_credited_to_the_millisecond(page: Page) -> None:
    assert page.watch(10_000)["credited_ms"] == 10_000
    assert page.watch(9_876)["credited_ms"] == 19_876


def test_the_same_beat_again_gets_the_same_answer_and_counts_once(page: Page) -> None:
    page.scenario.time.advance(timedelta(seconds=10))
    beat = page.beat()
    first, again = page.send(beat).json, page.send(beat).json
    assert first == again
    assert len(page.leaves("beat")) == 1


def test_a_beat_said_twice_in_one_request_counts_once_and_is_no_conflict(page: Page) -> None:
    page.scenario.time.advance(timedelta(seconds=20))
    first, second = page.beat(), page.beat()
    answer = page.send(first, second, first, second)
    assert (answer.status_code, (answer.json or {})["credited_ms"]) == (200, 20_000)
    assert len(page.leaves("beat")) == 2
    assert page.leaves("beat.conflict") == []


def test_two_beats_under_one_number_in_one_request_are_a_conflict(page: Page) -> None:
    page.scenario.time.advance(timedelta(seconds=20))
    first, second = page.beat(), page.beat(seq=1)
    answer = page.send(first, second)
    assert (answer.status_code, (answer.json or {})["sequences"]) == (409, [1])
    assert page.leaves("beat") == []
    assert len(page.leaves("beat.conflict")) == 1


def test_another_beat_under_the_same_number_is_a_conflict_and_recorded(page: Page) -> None:
    page.watch()
    page.scenario.time.advance(timedelta(seconds=10))
    answer = page.send(page.beat(seq=1))
    assert (answer.status_code, answer.json["type"]) == (409, "beat-conflict")  # type: ignore[index]
    assert len(page.leaves("beat.conflict")) == 1
    assert page.watch()["furthest_ms"] == 10_000, "the conflict moved nothing"


def test_beats_kept_through_an_outage_count_when_they_come(page: Page) -> None:
    kept = [page.beat() for _ in range(12)]
    page.scenario.time.advance(timedelta(minutes=2))
    answer = page.send(*kept).json or {}
    assert answer["credited_ms"] == 120_000
    assert answer["refused"] == []


def test_a_lease_outlives_a_crash_and_another_page_continues_after_it(page: Page) -> None:
    page.watch()
    page.scenario.time.advance(timedelta(seconds=61))
    other = Page(page.app, page.scenario, page.student)
    opened = other.open()
    assert opened.status_code == 201
    assert (opened.json or {})["resume_ms"] == 10_000


def test_two_pages_at_once_are_refused_with_a_way_on(page: Page) -> None:
    page.watch()
    other = Page(page.app, page.scenario, page.student)
    refused = other.open()
    assert (refused.status_code, refused.json["type"]) == (409, "sitting-lease-held")  # type: ignore[index]
    assert other.open(continue_here=True).status_code == 201
    page.sign_in()
    page.scenario.time.advance(timedelta(seconds=10))
    lost = page.send(page.beat())
    assert (lost.status_code, lost.json["type"]) == (409, "sitting-lease-lost")  # type: ignore[index]
    assert [leaf["reason"] for leaf in page.leaves("beat.refused")] == ["lease_lost"]
    for refused in (page.say_here(), page.ask_check()):
        assert (refused.status_code, refused.json["type"]) == (409, "sitting-lease-lost")  # type: ignore[index]


def test_a_second_sign_in_ends_the_first_and_says_why(page: Page) -> None:
    signed_in(page.scenario.context, page.student.who)
    page.scenario.time.advance(timedelta(seconds=10))
    answer = page.send(page.beat())
    assert (answer.status_code, answer.json["type"]) == (401, "session-ended")  # type: ignore[index]
    assert answer.json["reason"] == "signed_in_elsewhere"  # type: ignore[index]


@pytest.mark.parametrize("how", ["withdrawn", "closed"])
def test_what_is_under_way_ends_with_the_enrolment(page: Page, how: str) -> None:
    page.watch()
    context, staff = page.scenario.context, page.scenario.school.staff
    # Nobody closes a cohort while somebody studies.
    page.scenario.time.advance(timedelta(minutes=2))
    with context.database.writing() as session:
        if how == "withdrawn":
            enrolment_id = page.student.enrolment.id
            trainees.withdraw(
                session, context.keyring, context.events, enrolment_id=enrolment_id, reason="转岗", actor=staff
            )
        else:
            closing.close_cohort(session, context.events, actor=staff, cohort_id=page.scenario.cohort.id)
    page.scenario.time.advance(timedelta(seconds=10))
    answer = page.send(page.beat())
    assert (answer.status_code, answer.json["type"]) == (409, "sitting-ended")  # type: ignore[index]
    assert len(page.leaves("beat")) == 1
    for refused in (page.say_here(), page.ask_check()):
        assert (refused.status_code, refused.json["type"]) == (409, "sitting-ended")  # type: ignore[index]


class TestAttacks:
    def test_one_post_with_the_full_length(self, page: Page) -> None:
        page.scenario.time.advance(timedelta(seconds=3))
        answer = page.send(page.beat(LESSON_MS)).json or {}
        assert answer["credited_ms"] == 3_000
        assert reasons(answer) == {"faster_than_clock": LESSON_MS - 3_000}
        assert page.leaves("beat")[0]["refused"]

    def test_saving_every_second_without_watching(self, page: Page) -> None:
        answer: dict[str, Any] = {}
        for _ in range(20):
            page.scenario.time.advance(timedelta(seconds=1))
            answer = page.send(page.beat(from_ms=0, to_ms=10_000)).json or {}
        assert answer["credited_ms"] == 10_000
        assert reasons(answer) == {"already_counted": 10_000}

    def test_playing_at_five_times_the_speed(self, page: Page) -> None:
        page.scenario.time.advance(timedelta(seconds=10))
        answer = page.send(page.beat(50_000, rate=5.0)).json or {}
        assert answer["credited_ms"] == 0
        assert reasons(answer) == {"too_fast": 50_000}

    def test_seeking_ahead(self, page: Page) -> None:
        page.scenario.time.advance(timedelta(seconds=10))
        answer = page.send(page.beat(from_ms=600_000, to_ms=610_000)).json or {}
        assert answer["furthest_ms"] == 0
        assert reasons(answer) == {"ahead": 10_000}

    def test_hoarding_an_hour_and_cashing_it_in(self, page: Page) -> None:
        page.scenario.time.advance(timedelta(hours=1))
        page.sign_in()
        answer = page.send(page.beat(LESSON_MS, interacted=True)).json or {}
        assert answer["credited_ms"] <= 300_000

    def test_replaying_recorded_packets_in_a_new_sitting(self, page: Page) -> None:
        recorded = []
        for _ in range(3):
            page.scenario.time.advance(timedelta(seconds=10))
            recorded.append(page.beat())
            page.send(recorded[-1])
        page.scenario.time.advance(timedelta(minutes=2))
        other = Page(page.app, page.scenario, page.student)
        other.open()
        page.scenario.time.advance(timedelta(minutes=2))
        answer = other.send(*recorded).json or {}
        assert answer["credited_ms"] == 30_000
        assert reasons(answer) == {"already_counted": 30_000}

    def test_clicking_the_idle_question_away(self, page: Page) -> None:
        answer: dict[str, Any] = {}
        for _ in range(60):
            answer = page.watch()
        assert answer["question"] is not None
        assert answer["credited_ms"] <= 370_000
        assert reasons(answer) == {"idle": 10_000}
        assert page.say_here(answer["question"]["question_id"]).status_code == 200
        before = answer["furthest_ms"]
        assert page.watch()["furthest_ms"] == before + 10_000

    def test_somebody_elses_sitting(self, page: Page) -> None:
        stranger = Page(page.app, page.scenario, page.scenario.student("赵六"), page.sitting_id)
        assert stranger.send(stranger.beat()).status_code == 404

    def test_a_forged_token(self, page: Page) -> None:
        page.client.environ_base["HTTP_AUTHORIZATION"] = "Bearer " + "A" * 116
        assert page.send(page.beat()).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"to_ms": -1}, 422),
        ({"from_ms": 10, "to_ms": 5}, 422),
        ({"rate": "fast"}, 422),
        ({"state": "flying"}, 422),
        ({"seq": 0}, 422),
        ({"seq": 1.5}, 422),
        ({"beat_id": "no"}, 422),
        ({"sent_at": "yesterday"}, 422),
        ({"extra": 1}, 422),
        ({"from_ms": True}, 422),
    ],
)
def test_bad_input_is_named_and_loses_nothing(page: Page, changes: dict[str, Any], status: int) -> None:
    page.scenario.time.advance(timedelta(seconds=10))
    answer = page.send({**page.beat(), **changes})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    page.seq, page.at_ms = 0, 0
    assert page.watch(5_000)["credited_ms"] == 5_000


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        *((unreadable, (400, "malformed")) for unreadable in (b"", b"{", b"\xff\xfe")),
        *((another, (422, "invalid")) for another in (b"[]", b"null", b'{"beats": []}', b'{"beats": [{}]}')),
    ],
)
def test_a_body_that_is_no_report_is_refused_by_name(page: Page, body: bytes, refused: tuple[int, str]) -> None:
    answer = page.client.post(f"/api/v1/sittings/{page.sitting_id}/beats", data=body, content_type="application/json")
    assert (answer.status_code, json.loads(answer.data)["type"]) == refused


def test_the_day_ends_at_eight_class_hours_over_all_its_sittings(app: Flask) -> None:
    hour, eight_class_hours = 3_600_000, 8 * 45 * 60_000
    with playing(app, lessons=1, lesson_ms=10 * hour) as scenario:
        student = scenario.student(route=ProofRoute.SUPERVISED)
        reached, answers = 0, []
        for _sitting in range(3):
            here = scenario.check_in(student, lasts=timedelta(hours=5))
            page = Page(app, scenario, student, at_ms=reached)
            assert page.open(continue_here=True).status_code == 201
            for _ in range(30):
                scenario.time.advance(timedelta(minutes=5))
                answers.append(page.send(page.beat(300_000, interacted=True)).json or {})
            reached = answers[-1]["furthest_ms"]
            scenario.check_out(here)
        assert [answer["furthest_ms"] for answer in answers[29::30]] == [150 * 60_000, 300 * 60_000, eight_class_hours]
        assert reasons(answers[71]) == {}, "the last five minutes of the eighth class hour"
        for answer in answers[72:]:
            assert set(reasons(answer)) <= {"daily_maximum", "ahead"}
        assert reasons(answers[72]) == {"daily_maximum": 300_000}

        scenario.time.advance(timedelta(hours=16))
        scenario.check_in(student)
        page = Page(app, scenario, student, at_ms=reached)
        assert page.open(continue_here=True).status_code == 201
        assert page.watch()["furthest_ms"] == eight_class_hours + 10_000, "the next day has hours of its own"
