"""The lesson page is told the lesson's line of the statement: at the opening, with every beat, after every verdict."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from support.lesson_page import Page, opened_page
from support.scenario import MINUTE, Scenario

from media_pipeline.verdict import FaceOutcome as Judged
from xueji.hours.queries import worked_out
from xueji.hours.running_line import line_values
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.events import Announcement
from xueji.proctoring import services as proctoring
from xueji.proctoring.models import Check, CheckIn
from xueji.progress.models import Sitting
from xueji.progress.terms import read_terms
from xueji.rulebook.vocabulary import ReviewOutcome


def stated(page: Page) -> dict[str, Any]:
    """The line of her statement as it is worked out now."""
    lesson = str(page.scenario.lessons[page.lesson].id)
    context = page.scenario.context
    with context.database.reading() as session:
        found = worked_out(session, page.student.enrolment.id, clock.to_ms(clock.now()))
        method = session.get_one(Sitting, page.sitting_id).method
    line = next(line for line in found.statement.lessons if line.lesson == lesson)
    values = line_values(line, found.media[lesson], found.worth.ahead(method))
    return dict(json.loads(json.dumps(values)))


def asked_for(page: Page) -> dict[str, Any]:
    answer = page.client.post(f"/api/v1/sittings/{page.sitting_id}/ledger")
    assert answer.status_code == 200, answer.json
    line = dict(answer.json or {})
    assert line.pop("check") is None
    return line


def did(page: Page, check: dict[str, Any]) -> dict[str, Any]:
    """What a check did to her hours, as its page asks for it."""
    answer = page.client.post(f"/api/v1/sittings/{page.sitting_id}/ledger?check={check['check_id']}")
    assert answer.status_code == 200, answer.json
    return dict((answer.json or {})["check"])


def watched(page: Page, beats: int = 1) -> dict[str, Any]:
    """Watch on; the line the last answer told, which must be the statement's."""
    for _beat in range(beats):
        answer = page.watch()
        assert answer["ledger"] == stated(page)
        if answer["question"]:
            page.say_here(answer["question"]["question_id"])
    return dict(answer["ledger"])


def test_every_answer_tells_the_line_of_the_statement(page: Page) -> None:
    line = watched(page, 6)
    assert (line["counted_ms"], line["provisional_ms"], line["held_ms"]) == (0, MINUTE, 0)
    page.scenario.time.advance(timedelta(seconds=10))
    hidden = page.send(page.beat(state="hidden")).json or {}
    assert hidden["ledger"] == stated(page)
    assert hidden["ledger"]["refused"] == [{"reason": "hidden", "ms": 10_000}]
    assert (page.open().json or {})["ledger"] == hidden["ledger"], "a reload shows the same"


def test_after_a_good_check_the_line_is_asked_for_and_carried_on(page: Page) -> None:
    check = page.until_check()
    before = page.at_ms
    page.show_face(check)
    assert page.send(page.beat(0, state="paused")).json["ledger"] is None  # type: ignore[index]
    line = asked_for(page)
    assert line == stated(page) and (line["counted_ms"], line["provisional_ms"]) == (before, 0)
    assert watched(page, 3)["provisional_ms"] == 30_000


def test_after_a_failed_check_and_after_making_up_all_figures_agree(page: Page) -> None:
    page.show_face(page.until_check(), Judged.NO_FACE)
    held_ms = page.at_ms
    line = asked_for(page)
    assert line == stated(page)
    assert (line["counted_ms"], line["held_ms"], line["make_up"]) == (0, held_ms, [[0, held_ms]])

    page.scenario.time.advance(timedelta(minutes=5))
    again = Page(page.app, page.scenario, page.student)
    opened = again.open().json or {}
    assert opened["ledger"] == stated(again) and opened["make_up"] == [[0, held_ms]]
    again.show_face(opened["check"])
    assert asked_for(again) == stated(again)
    for at in range(0, MINUTE, 10_000):
        again.at_ms = at
        answer = again.watch()
        assert answer["ledger"] == stated(again)
    line = answer["ledger"]
    assert (line["provisional_ms"], line["held_ms"]) == (MINUTE, held_ms - MINUTE)


def test_what_a_check_missed_meanwhile_holds_is_in_the_sitting_that_opens_after_it(page: Page) -> None:
    page.until_check()
    page.send(page.beat(0, state="paused"))
    page.scenario.time.advance(timedelta(minutes=5))
    again = Page(page.app, page.scenario, page.student)
    opened = again.open().json or {}
    assert opened["ledger"] == stated(again)
    assert opened["make_up"] == [[0, page.at_ms]] == opened["ledger"]["make_up"]


def test_a_person_s_decision_reaches_the_page_that_is_open(page: Page) -> None:
    page.show_face(page.until_check(), Judged.NO_FACE)
    asked_for(page)
    context = page.scenario.context
    with context.database.reading() as session:
        check_id = session.scalars(select(Check.id)).one()
    page.student.contest(check_id)
    with context.database.writing() as session:
        proctoring.review(
            session,
            context.keyring,
            actor=page.scenario.school.staff,
            check_id=check_id,
            outcome=ReviewOutcome.ACCEPT,
            reason="是本人",
        )
    assert page.watch()["ledger"] is None
    line = asked_for(page)
    assert line == stated(page) and line["held_ms"] == 0 < line["counted_ms"]


def test_a_missed_check_reaches_the_page_whoever_notices_it(page: Page) -> None:
    page.until_check()
    page.send(page.beat(0, state="paused"))
    page.scenario.time.advance(timedelta(minutes=3))
    with page.scenario.context.database.writing() as session:
        assert proctoring.sweep_missed(session) == 1
    assert page.send(page.beat(0, state="paused")).json["ledger"] is None  # type: ignore[index]
    assert asked_for(page) == stated(page)


def test_without_a_camera_a_round_confirms_what_the_page_shows(app: Flask, scenario: Scenario) -> None:
    page = opened_page(app, scenario, ProofRoute.SUPERVISED)
    watched(page, 3)
    with scenario.context.database.writing() as session:
        here = session.scalars(select(CheckIn.id)).one()
        proctoring.confirm_presence(session, scenario.context.keyring, actor=scenario.school.staff, check_in_id=here)
    assert page.watch()["ledger"] is None
    line = asked_for(page)
    assert line == stated(page) and (line["counted_ms"], line["provisional_ms"]) == (30_000, 10_000)
    watched(page, 2)


def test_the_line_of_another_s_sitting_is_not_found(app: Flask, scenario: Scenario, page: Page) -> None:
    stranger = opened_page(app, scenario)
    assert stranger.client.post(f"/api/v1/sittings/{page.sitting_id}/ledger").status_code == 404
    assert stranger.client.post(f"/api/v1/sittings/{UUID(int=0)}/ledger").status_code == 404


@pytest.mark.parametrize("kept", [True, False])
def test_a_sitting_of_an_older_release_asks_for_its_line(page: Page, *, kept: bool) -> None:
    watched(page, 2)
    with page.scenario.context.database.writing() as session:
        session.get_one(Sitting, page.sitting_id).ledger = None
    if kept:
        assert (page.open().json or {})["ledger"] is None
    assert page.watch()["ledger"] is None
    assert asked_for(page) == stated(page)
    watched(page)


def test_a_good_check_says_how_much_it_confirmed_and_her_page_hears_it(page: Page) -> None:
    heard: list[dict[str, Any]] = []
    page.scenario.context.events.subscribe(Announcement, lambda said: heard.append(said.payload))
    check = page.until_check()
    confirmed_ms = page.at_ms
    page.show_face(check)
    told = did(page, check)
    assert told == {
        "check_id": check["check_id"],
        "confirmed_ms": confirmed_ms,
        "over_cap_ms": 0,
        "held_ms": 0,
        "make_up_ms": 0,
        "awaited_ms": 0,
        "provisional_ms": 0,
    }
    (verdict,) = [payload for payload in heard if payload.get("outcome")]
    assert verdict["did"] == told


def test_a_good_check_after_a_failed_one_confirms_nothing_and_says_what_is_still_held(page: Page) -> None:
    failed = page.until_check()
    held_ms = page.at_ms
    page.show_face(failed, Judged.NO_FACE)
    told = did(page, failed)
    assert (told["confirmed_ms"], told["held_ms"], told["make_up_ms"]) == (0, held_ms, held_ms)
    passed = page.until_check()
    page.show_face(passed)
    told = did(page, passed)
    assert (told["confirmed_ms"], told["held_ms"], told["make_up_ms"]) == (0, 0, page.at_ms)


def test_nothing_is_said_of_a_check_without_a_verdict_or_of_another_s(
    app: Flask, scenario: Scenario, page: Page
) -> None:
    check = page.until_check()
    answer = page.client.post(f"/api/v1/sittings/{page.sitting_id}/ledger?check={check['check_id']}")
    assert answer.json and answer.json["check"] is None
    other = opened_page(app, scenario)
    theirs = other.until_check()
    other.show_face(theirs)
    answer = page.client.post(f"/api/v1/sittings/{page.sitting_id}/ledger?check={theirs['check_id']}")
    assert answer.json and answer.json["check"] is None


def test_what_a_check_holds_is_made_up_in_the_sitting_under_way(page: Page) -> None:
    failed = page.until_check()
    held_ms = page.at_ms
    page.show_face(failed, Judged.NO_FACE)
    assert asked_for(page)["make_up"] == [[0, held_ms]]
    passed = page.until_check()
    page.show_face(passed)
    gap_ms = page.at_ms
    line = asked_for(page)
    assert (line["make_up"], line["counted_ms"]) == ([[0, gap_ms]], 0)

    for at in range(0, gap_ms, 10_000):
        page.at_ms = at
        answer = page.watch()
        assert answer["refused"] == [] and answer["ledger"] == stated(page)
        if answer["question"]:
            page.say_here(answer["question"]["question_id"])
        if answer["check"]:
            page.show_face(answer["check"])
            asked_for(page)
    page.show_face((page.ask_check().json or {})["check"])
    line = asked_for(page)
    assert (line["counted_ms"], line["held_ms"], line["make_up"]) == (gap_ms, 0, [])
    first = page.leaves("sitting.make_up")[0]
    assert first["make_up"] == [[0, held_ms]]
    assert len(first["schedule"]) == 64, "checks are drawn for it, and committed to"


def test_who_reads_what_a_failed_check_did_to_her_hours_is_not_asked_again_meanwhile(page: Page) -> None:
    page.show_face(page.until_check(), Judged.NO_FACE)
    assert asked_for(page)["make_up"]
    for _ in range(3):
        page.scenario.time.advance(timedelta(seconds=10))
        assert (page.send(page.beat(0, state="paused")).json or {})["check"] is None
    owed = page.watch()["check"]
    assert owed["kind"] == "scheduled"
    page.show_face(owed)
    assert page.watch()["check"] is None, "she has shown herself; the next comes by the schedule"


def test_one_that_she_asks_for_stands_for_the_one_that_is_owed(page: Page) -> None:
    page.show_face(page.until_check(), Judged.NO_FACE)
    assert asked_for(page)["make_up"]
    page.show_face((page.ask_check().json or {})["check"])
    assert page.watch()["check"] is None


def test_the_checks_of_what_is_more_to_make_up_cannot_be_foreseen(page: Page) -> None:
    failed = page.until_check()
    page.show_face(failed, Judged.NO_FACE)
    asked_for(page)
    with page.scenario.context.database.reading() as session:
        terms = read_terms(session.get_one(Sitting, page.sitting_id).terms)
        sitting = session.get_one(Sitting, page.sitting_id)
    still = terms.schedule[sitting.next_check :]
    # The one that is owed comes with the next study, before all of these.
    gaps = [after - before for before, after in pairwise((sitting.study_ms, *still))]
    plan = terms.plan
    assert gaps and all(plan.checks_min_gap_ms <= gap <= plan.checks_max_gap_ms for gap in gaps)
    assert sitting.study_ms + terms.duration_ms - still[-1] <= plan.checks_max_gap_ms
