"""The one ledger: statements from the trace, kept for lists, and what may be made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from scenario import LESSON_MS, MINUTE, Scenario, Student, playing

from xueji.hours import queries, services, tasks
from xueji.hours.models import HoursAccount
from xueji.hours.rules import Statement, assess, evidence
from xueji.kernel import clock
from xueji.kernel.tasks import using
from xueji.progress.models import Sitting
from xueji.progress.terms import read_intervals
from xueji.rulebook import rules as rulebook
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import queries as trace
from xueji.trace.sequencer import Sequencer


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as played:
        yield played


def _statement(scenario: Scenario, student: Student) -> Statement:
    with scenario.context.database.reading() as session:
        return queries.statement_of(session, student.enrolment.id)


def _from_the_chain(scenario: Scenario, student: Student) -> Statement:
    with scenario.context.database.reading() as session:
        found = evidence(trace.chain(session, student.enrolment.chain))
    return assess(rulebook.load(found.enrolment.rulebook), found, clock.now())


def _kept(scenario: Scenario) -> None:
    """The log takes up what was recorded, and accounts that rest are worked out."""
    sequencer = Sequencer(scenario.context.database, scenario.context.settings)
    sequencer.start()
    scenario.time.advance(timedelta(seconds=2))
    while sequencer.step().leaves:
        pass
    with using(scenario.context):
        tasks.keep_accounts()
        scenario.time.advance(timedelta(milliseconds=services.QUIET_MS + 1))
        tasks.keep_accounts()


def test_study_between_good_checks_is_counted_to_the_millisecond(scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0])
    statement = _statement(scenario, student)
    assert statement.online.counted_ms == LESSON_MS
    assert statement.online.held_ms == statement.online.provisional_ms == 0
    assert statement == _from_the_chain(scenario, student)
