"""Pictures that are gone before they were judged: never held against her, and no check left undecided for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.lesson_page import Page, judge_waiting
from support.people import bearer

from media_pipeline.harmless import scripted
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.hours.queries import statement_of
from xueji.hours.rules import evidence
from xueji.kernel.storage import Store, StoreDown
from xueji.proctoring import services as proctoring
from xueji.trace import queries as trace


def until_check(page: Page) -> dict[str, Any]:
    while True:
        page.scenario.time.advance(timedelta(seconds=10))
        answer = page.send(page.beat(interacted=True)).json or {}
        if answer["check"] is not None:
            return dict(answer["check"])
        assert page.at_ms < 20 * 60_000, "twenty minutes of study without a check"


def stay(page: Page, seconds: int = 30) -> None:
    """The page stays open while she waits."""
    for _ in range(seconds // 10):
        page.scenario.time.advance(timedelta(seconds=10))
        assert page.send(page.beat(0, state="paused", interacted=True)).status_code == 200


def held_ms(page: Page) -> int:
    with page.scenario.context.database.reading() as session:
        return statement_of(session, page.student.enrolment.id).online.held_ms


def undecided(page: Page) -> tuple[str, ...]:
    with page.scenario.context.database.reading() as session:
        return evidence(trace.chain(session, str(page.student.enrolment.id))).undecided


def lose_pictures(page: Page) -> None:
    store = page.scenario.context.store
    for path in list(store.list("faces/checks")):
        store.delete(path)


def test_she_is_asked_again_and_has_as_many_tries_as_ever(page: Page) -> None:
    check = until_check(page)
    assert page.answer(check).status_code == 202
    lose_pictures(page)
    stay(page)
    judge_waiting(page.scenario)
    again = page.check_state(check)
    assert (again["state"], again["attempt"]) == ("due", 2)
    assert (again["last_outcome"], again["signals"]) == ("service_down", ["pictures_lost"])
    movements = len(check["prompts"])
    assert len(again["prompts"]) == len(again["pulses"]) == movements, "what we lost did not fail"
    page.scenario.judge.otherwise = scripted(Judged.UNCLEAR)
    for attempt in (3, 4):
        assert page.answer(again).status_code == 202
        stay(page)
        judge_waiting(page.scenario)
        again = page.check_state(check)
        assert (again["state"], again["attempt"]) == ("due", attempt)
        assert len(again["prompts"]) == len(again["pulses"]) == movements + 1
    page.scenario.judge.otherwise = scripted(Judged.MATCH)
    assert page.answer(again).status_code == 202
    stay(page)
    judge_waiting(page.scenario)
    assert page.check_state(check)["outcome"] == "match"
    assert (held_ms(page), undecided(page)) == (0, ())


def test_a_store_that_loses_everything_ends_the_check_and_nothing_is_held(page: Page) -> None:
    check = again = until_check(page)
    for _attempt in range(3):
        assert page.answer(again).status_code == 202
        lose_pictures(page)
        stay(page)
        judge_waiting(page.scenario)
        again = page.check_state(check)
    assert (again["state"], again["outcome"]) == ("decided", "service_down")
    assert [(leaf["outcome"], leaf["final"]) for leaf in page.leaves("check.verdict")] == [
        ("service_down", False), ("service_down", False), ("service_down", True),
    ]  # fmt: skip
    assert (held_ms(page), undecided(page)) == (0, ())


def test_who_does_not_come_back_to_be_asked_again_has_missed_nothing(page: Page) -> None:
    check = until_check(page)
    assert page.answer(check).status_code == 202
    lose_pictures(page)
    stay(page)
    judge_waiting(page.scenario)
    assert page.check_state(check)["state"] == "due"
    page.scenario.time.advance(timedelta(minutes=10))
    with page.scenario.context.database.writing() as session:
        assert proctoring.sweep_missed(session) == 1
    assert page.check_state(check)["outcome"] == "service_down"
    assert held_ms(page) == 0


def test_who_has_left_is_asked_when_she_opens_her_next_lesson(page: Page) -> None:
    check = until_check(page)
    assert page.answer(check).status_code == 202
    lose_pictures(page)
    page.scenario.time.advance(timedelta(minutes=10))
    judge_waiting(page.scenario)
    assert page.check_state(check)["outcome"] == "service_down"
    opened = Page(page.app, page.scenario, page.student).open(continue_here=True).json or {}
    assert opened["check"]["kind"] == "scheduled"
    assert (held_ms(page), undecided(page)) == (0, (opened["check"]["check_id"],)), "only what she is asked now"


def test_nobody_can_turn_it_against_her_or_for_her(page: Page) -> None:
    check = until_check(page)
    page.answer(check)
    lose_pictures(page)
    page.scenario.time.advance(timedelta(minutes=10))
    judge_waiting(page.scenario)
    url = f"/api/v1/checks/{check['check_id']}"
    contested = page.client.post(f"{url}/appeal", json={"reason": "是我本人。"})
    assert (contested.status_code, contested.json["type"]) == (409, "nothing-to-contest")  # type: ignore[index]
    headers = bearer(page.scenario.context, page.scenario.school.head.who)
    said = {"outcome": "reject", "reason": "没有照片"}
    reviewed = page.app.test_client().post(f"{url}/review", json=said, headers=headers)
    assert (reviewed.status_code, reviewed.json["type"]) == (409, "not-to-review")  # type: ignore[index]


def unreachable(store: Store, path: str) -> bytes:
    raise StoreDown


def test_a_store_that_is_down_is_waited_for(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    check = until_check(page)
    page.answer(check)
    stay(page)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "get", unreachable)
        judge_waiting(page.scenario)
        judge_waiting(page.scenario)
    assert page.check_state(check)["state"] == "answered"
    assert [leaf["outcome"] for leaf in page.leaves("check.verdict")] == ["service_down"]
    judge_waiting(page.scenario)
    assert page.check_state(check)["outcome"] == "match"
