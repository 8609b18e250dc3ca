"""Answers are judged in turn, each once, by any number of processes; what cannot be judged now waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from support.lesson_page import Page
from support.scenario import Scenario

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.proctoring import services as proctoring
from xueji.proctoring.judging_order import TAKEN_MS
from xueji.proctoring.models import Attempt, Check
from xueji.proctoring.rules import CheckState
from xueji.proctoring.services.judging import JUDGE_AGAIN_AFTER_MS
from xueji.proctoring.services.judging_queue import judge_left_over, judge_next


@pytest.fixture
def pages(app: Flask, scenario: Scenario) -> list[Page]:
    """Three students, each with an answer that waits to be judged."""
    made = []
    for name in ("王小明", "李小红", "张小强"):
        page = Page(app, scenario, scenario.student(name))
        assert page.open().status_code == 201
        page.watch()
        check = dict(page.ask_check().json or {})
        assert page.answer(check.get("check", check)).status_code == 202
        made.append(page)
    return made


def unjudged(context: Context) -> int:
    with context.database.reading() as session:
        return len(session.scalars(select(Attempt.id).where(Attempt.outcome.is_(None))).all())


def person_of(context: Context, attempt_id: UUID) -> UUID:
    with context.database.reading() as session:
        return session.get_one(Check, session.get_one(Attempt, attempt_id).check_id).person_id


def test_each_turn_judges_one_answer_the_oldest_first(pages: list[Page], context: Context) -> None:
    judged = [judge_next(context) for _ in range(4)]
    assert judged[3] is None
    people = [person_of(context, each) for each in judged[:3] if each is not None]
    assert people == [page.student.actor.person_id for page in pages]
    assert unjudged(context) == 0


def test_many_answers_of_one_person_delay_nobody_by_more_than_one_judgement(
    pages: list[Page], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = pages[0].student.actor.person_id
    with context.database.writing() as session:
        check = session.scalars(select(Check).where(Check.person_id == hers, Check.state == CheckState.ANSWERED)).one()
        for number in range(5):
            twin = Check(**{each.key: getattr(check, each.key) for each in Check.__table__.c if each.key != "id"})
            session.add(twin)
            session.flush()
            # All of them older than what the others answered.
            answered_ms = check.attempts[0].answered_ms - 1000 * number
            values = {"nonce": "", "prompts": [], "device": "", "answered_ms": answered_ms}
            session.add(Attempt(check_id=twin.id, number=1, **values))

    def judge(_context: Context, attempt_id: UUID) -> None:
        pages[0].scenario.time.advance(timedelta(seconds=1))
        with context.database.writing() as session:
            attempt = session.get_one(Attempt, attempt_id)
            attempt.outcome, attempt.judged_ms = "match", clock.to_ms(clock.now())

    monkeypatch.setattr("xueji.proctoring.services.judging_queue.judge_attempt", judge)
    order = [person_of(context, each) for each in (judge_next(context) for _ in range(8)) if each is not None]
    assert order[:3] == [page.student.actor.person_id for page in pages]
    assert order[3:] == [hers] * 5


def test_processes_that_look_at_once_take_different_answers(pages: list[Page], context: Context) -> None:
    with ThreadPoolExecutor(3) as pool:
        judged = list(pool.map(lambda _: judge_next(context), range(3)))
    assert None not in judged and len(set(judged)) == 3
    assert len(pages[0].scenario.judge.asked) == 3


def test_an_answer_that_somebody_is_at_is_left_to_him_until_he_is_given_up(pages: list[Page], context: Context) -> None:
    with context.database.writing() as session:
        for attempt in session.scalars(select(Attempt)):
            attempt.taken_ms = clock.to_ms(clock.now())
    assert judge_next(context) is None
    pages[0].scenario.time.advance(timedelta(milliseconds=TAKEN_MS))
    assert judge_next(context) is not None


def test_what_cannot_be_judged_now_is_tried_once_and_again_at_the_next_turn(
    pages: list[Page], context: Context
) -> None:
    judge = pages[0].scenario.judge
    judge.down = True
    pages[0].scenario.time.advance(timedelta(milliseconds=JUDGE_AGAIN_AFTER_MS))
    assert judge_left_over(context, 10) == 3
    assert unjudged(context) == 3
    judge.down = False
    assert judge_left_over(context, 10) == 3
    assert unjudged(context) == 0


def test_what_was_answered_just_now_is_left_to_its_own_task(pages: list[Page], context: Context) -> None:
    # The three answered ten seconds apart, the first of them twenty seconds ago.
    assert judge_left_over(context, 10) == 1
    assert unjudged(context) == 2


def test_a_process_that_is_stopped_in_the_middle_leaves_nothing_taken(
    pages: list[Page], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("xueji.proctoring.services.judging_queue.judge_attempt", stopped)
    with pytest.raises(TimeoutError):
        proctoring.judge_next(context)
    with context.database.reading() as session:
        assert session.scalars(select(Attempt.taken_ms)).all() == [None] * 3
