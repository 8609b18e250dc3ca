"""Sittings that a class opens in the same moment: together, or each by itself where one is refused."""

from __future__ import annotations

import pickle
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from support.lesson_page import Page, opened_page
from support.scenario import DEVICE, Scenario, Student

from courses.models import Film, FilmState, Lesson
from xueji.cohorts.models import Cohort
from xueji.enrolment.one_lesson import lesson_of_enrolment
from xueji.enrolment.queries import enrolment_facts
from xueji.hours import services as hours
from xueji.hours.queries import account_of
from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import NotFound
from xueji.kernel.groupcommit import GroupCommitter
from xueji.progress import opening_groups
from xueji.progress.errors import LeaseHeld, OutsideDates
from xueji.progress.models import Sitting
from xueji.progress.opening import OpenedSitting, OpeningRequest, open_sittings
from xueji.progress.opening_facts import NewSitting
from xueji.progress.opening_groups import open_here
from xueji.trace import queries as trace


def opening_of(scenario: Scenario, student: Student) -> OpeningRequest:
    return OpeningRequest(
        student.actor, uuid4(), student.enrolment.id, scenario.lessons[0].id, DEVICE, continue_here=False
    )


def opened_by(context: Context, *group: OpeningRequest) -> list[OpenedSitting | Exception]:
    """What a committer answers that was handed all of these at once."""
    committer: GroupCommitter[OpeningRequest, OpenedSitting] = GroupCommitter(open_here(context))
    return list(committer._try(group))


def events_of(context: Context, student: Student) -> list[str]:
    with context.database.reading() as session:
        return [leaf["event"] for leaf in trace.chain(session, str(student.enrolment.id))]


def counted_commits(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions that groups of openings have committed, as they do."""
    commits: list[Session] = []

    def counted(session: Session) -> None:
        commits.append(session)
        commit(session)

    monkeypatch.setattr(opening_groups, "commit", counted)
    return commits


def test_a_class_opens_together(scenario: Scenario, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = counted_commits(monkeypatch)
    students = [scenario.student() for _ in range(3)]
    answers = opened_by(context, *(opening_of(scenario, student) for student in students))
    assert [answer.sitting.enrolment_id for answer in cast(list[OpenedSitting], answers)] == [
        student.enrolment.id for student in students
    ]
    assert len(commits) == 1
    for student, answer in zip(students, cast(list[OpenedSitting], answers), strict=True):
        assert events_of(context, student)[-1] == "sitting.open"
        assert answer.line is not None
        assert answer.sitting.ledger_leaves == len(events_of(context, student))


def test_a_new_sitting_has_a_value_for_each_column() -> None:
    columns = {column.key for column in Sitting.__table__.columns}
    assert {field.name for field in fields(NewSitting)} == columns


def test_what_an_opening_knows_of_its_class_is_what_everybody_else_reads(scenario: Scenario, context: Context) -> None:
    enrolment_id, lesson_id = scenario.student().enrolment.id, scenario.lessons[0].id

    def both() -> tuple[object, object]:
        with context.database.reading() as session:
            whole = enrolment_facts(session, enrolment_id)
            assert whole is not None
            lesson = whole.lesson(lesson_id)
            assert lesson is not None
            return lesson_of_enrolment(session, enrolment_id, lesson_id), (replace(whole, lessons=(lesson,)), lesson)

    asked, read = both()
    assert asked == read
    with context.database.writing() as session:
        # What may change after others of the class have opened theirs.
        cohort = session.get_one(Cohort, scenario.cohort.id)
        cohort.ends_on += timedelta(days=3)
        cohort.closes_on = cohort.ends_on - timedelta(days=1)
        cohort.plan = {**cohort.plan, "settle_days": cohort.plan["settle_days"] + 1}
        film = session.get_one(Film, session.get_one(Lesson, lesson_id).film_id)
        film.state = FilmState.QUEUED
    changed, read = both()
    assert changed == read != asked
    with context.database.reading() as session:
        assert lesson_of_enrolment(session, enrolment_id, uuid4()) is None
        assert lesson_of_enrolment(session, uuid4(), lesson_id) is None


def test_the_same_sitting_twice_in_a_group_is_opened_once(scenario: Scenario, context: Context) -> None:
    student = scenario.student()
    opening = opening_of(scenario, student)
    one, other = cast(list[OpenedSitting], opened_by(context, opening, opening))
    assert one.sitting.id == other.sitting.id == opening.sitting_id
    assert events_of(context, student).count("sitting.open") == 1


def test_one_that_is_refused_leaves_nothing_and_costs_nobody_else_an_opening(
    scenario: Scenario, context: Context
) -> None:
    studies, comes, withdrawn = (scenario.student() for _ in range(3))
    first = opening_of(scenario, studies)
    opened_by(context, first)
    before = events_of(context, studies)
    answers = opened_by(
        context,
        opening_of(scenario, comes),
        opening_of(scenario, studies),  # while her other page studies
        opening_of(scenario, withdrawn),
    )
    assert [type(answer) for answer in answers] == [OpenedSitting, LeaseHeld, OpenedSitting]
    assert events_of(context, studies) == before


def test_a_refusal_takes_no_transaction_of_its_own(
    scenario: Scenario, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies, comes, too = (scenario.student() for _ in range(3))
    opened_by(context, opening_of(scenario, studies))
    commits = counted_commits(monkeypatch)
    group = [opening_of(scenario, student) for student in (comes, studies, too)]
    foreign = opening_of(scenario, comes)._replace(sitting_id=uuid4(), enrolment_id=too.enrolment.id)
    assert [type(each) for each in opened_by(context, *group, foreign)] == [
        OpenedSitting,
        LeaseHeld,
        OpenedSitting,
        NotFound,
    ]
    assert len(commits) == 1


def test_whose_check_waits_is_opened_after_the_others_and_goes_on_with_it(
    app: Flask, scenario: Scenario, context: Context
) -> None:
    asked = opened_page(app, scenario)
    asked.until_check()
    scenario.time.advance(timedelta(seconds=5))
    waits = opening_of(scenario, asked.student)._replace(continue_here=True)
    one, other = (opening_of(scenario, scenario.student()) for _ in range(2))
    answers = cast(list[OpenedSitting], opened_by(context, one, waits, other))
    assert [answer.sitting.open_check is not None for answer in answers] == [False, True, False]
    events = events_of(context, asked.student)
    assert events.index("lease.take") < events.index("check.move")
    assert events.count("sitting.open") == 2


def test_groups_that_share_people_never_wait_for_each_other(scenario: Scenario, context: Context) -> None:
    students = [scenario.student() for _ in range(5)]
    with context.database.writing() as session:
        for student in students[:2]:  # two have a sitting that will be taken from
            assert open_sittings(
                session, [opening_of(scenario, student)], keyring=context.keyring, events=context.events
            )
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            groups = [
                [opening_of(scenario, student)._replace(continue_here=True) for student in ordered]
                for ordered in (students, students[::-1])
            ]
            # Whoever waited for another would be ended by the server, and the group would fail here.
            for answers in pool.map(open_here(context), groups):
                assert [type(answer) for answer in answers] == [OpenedSitting] * len(students)
    for student in students:
        assert events_of(context, student).count("sitting.open") >= 10


def test_a_refusal_with_days_in_it_reads_the_same_from_another_process(
    app: Flask, scenario: Scenario, context: Context
) -> None:
    opening = opening_of(scenario, scenario.student())
    scenario.time.advance(timedelta(days=100))
    (refused,) = opened_by(context, opening)
    assert isinstance(refused, OutsideDates)
    with app.test_request_context():
        assert str(pickle.loads(pickle.dumps(refused)).detail) == str(refused.detail) != str(OutsideDates.detail)


def test_a_refusal_is_worded_for_whoever_asked(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    assert page.open().status_code == 201
    other = Page(app, scenario, page.student)
    other.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    answer = other.open()
    assert (answer.status_code, (answer.json or {})["type"]) == (409, "sitting-lease-held")
    assert DEVICE in str(answer.json)


class Sent:
    """What the driver is told to do: every statement, whoever wrote it, and the ends of transactions."""

    def __init__(self, context: Context) -> None:
        self.statements: list[str] = []
        self._listening = context.database.engine, "checkout", self._listen

    def __enter__(self) -> list[str]:
        event.listen(*self._listening)
        return self.statements

    def __exit__(self, *_: object) -> None:
        event.remove(*self._listening)

    def _listen(self, driver: Any, record: Any, _proxy: object) -> None:
        said = self.statements.append
        if isinstance(driver, sqlite3.Connection):
            driver.set_trace_callback(said)
            return

        class Cursor(psycopg.Cursor[Any]):
            def execute(self, query: Any, *rest: Any, **how: Any) -> Any:
                said(str(query))
                return super().execute(query, *rest, **how)

            def executemany(self, query: Any, *rest: Any, **how: Any) -> None:
                said(str(query))
                super().executemany(query, *rest, **how)

        driver.cursor_factory = Cursor


def sent_for(context: Context, *group: OpeningRequest) -> list[str]:
    open_group = open_here(context)
    with pytest.MonkeyPatch.context() as patch, Sent(context) as statements:
        patch.setattr(hours, "account_of", account_of)  # without this folder's comparison with the whole chain
        assert all(isinstance(each, OpenedSitting) for each in open_group(group))
    return list(statements)


def sent(statements: list[str]) -> str:
    return "\n".join(each[:100] for each in statements)


MOST_STATEMENTS = 18
"""Of a group of beginners, however many they are."""
MOST_FOR_EACH = 4
"""More for each who has studied before: what her account rests on, and her checks."""


def test_a_class_of_beginners_takes_as_many_statements_as_one_of_them(scenario: Scenario, context: Context) -> None:
    one, *others = (opening_of(scenario, scenario.student()) for _ in range(6))
    opened_by(context, opening_of(scenario, scenario.student()))  # so that what is read once has been read
    alone, together = sent_for(context, one), sent_for(context, *others)
    assert len(together) == len(alone) <= MOST_STATEMENTS, sent(together)


def test_on_her_second_day_each_takes_few_statements_more(scenario: Scenario, context: Context) -> None:
    students = [scenario.student() for _ in range(4)]
    for student in students:
        student.study(scenario.lessons[0], 60_000)
    scenario.time.advance(timedelta(hours=1))
    one, *others = (opening_of(scenario, student) for student in students)
    alone, together = sent_for(context, one), sent_for(context, *others)
    assert len(alone) <= MOST_STATEMENTS + 2 + MOST_FOR_EACH, sent(alone)
    assert len(together) - len(alone) <= 2 * MOST_FOR_EACH, sent(together)
