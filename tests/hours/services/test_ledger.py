"""The one ledger: statements from the trace, kept for lists, and what may be made up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.scenario import LESSON_MS, MINUTE, Scenario, Student

from bench.loose_leaves import loose
from xueji.hours import queries, services, tasks
from xueji.hours.errors import AccountUnreadable
from xueji.hours.models import HoursAccount
from xueji.hours.rules import Statement, assess, evidence
from xueji.kernel import clock
from xueji.kernel.tasks import using
from xueji.progress.models import Sitting
from xueji.progress.terms import read_intervals
from xueji.rulebook import rules as rulebook
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import queries as trace
from xueji.trace import services as trace_services
from xueji.trace.rules import SYSTEM, Event
from xueji.trace.sequencer import Sequencer


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


def test_a_kept_statement_is_what_assessing_anew_says_and_no_longer_than_that(scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MISSED])
    _kept(scenario)
    with scenario.context.database.reading() as session:
        kept = session.get_one(HoursAccount, student.enrolment.id)
    assert kept.statement is not None and kept.due_ms == kept.settles_ms
    assert _statement(scenario, student) == _from_the_chain(scenario, student)

    student.contest(student.checks[0])
    contested = _statement(scenario, student)
    assert contested == _from_the_chain(scenario, student), "a leaf that does not bear on hours leaves the figures"
    assert contested.leaves == kept.leaves + 1

    student.study(scenario.lessons[1], 10 * MINUTE)
    grown = _statement(scenario, student)
    assert grown == _from_the_chain(scenario, student)
    assert grown.online.counted_ms + grown.online.provisional_ms > contested.online.counted_ms

    scenario.time.advance(timedelta(days=120))
    settled = _statement(scenario, student)
    assert settled.settled and settled.online.held_ms == settled.online.provisional_ms == 0
    assert settled == _from_the_chain(scenario, student)


def test_a_kept_statement_of_other_rules_is_not_believed(scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], 10 * MINUTE)
    _kept(scenario)
    with scenario.context.database.writing() as session:
        account = session.get_one(HoursAccount, student.enrolment.id)
        assert account.statement is not None
        account.rules = "0" * 64
        account.statement = {**account.statement, "online": {**account.statement["online"], "counted_ms": 1}}
    assert _statement(scenario, student) == _from_the_chain(scenario, student)
    with scenario.context.database.reading() as session:
        assert services.accounts_due(session) == [student.enrolment.id]


def test_accounts_are_worked_out_once_their_chain_rests_and_flags_are_counted(scenario: Scenario) -> None:
    student = scenario.student()
    student.study(scenario.lessons[0], 10 * MINUTE)
    scenario.time.advance(timedelta(minutes=1))
    sequencer = Sequencer(scenario.context.database, scenario.context.settings)
    sequencer.start()
    while sequencer.step().leaves:
        pass
    with scenario.context.database.writing() as session:
        assert services.notice_growth(session) == 1
        assert services.notice_growth(session) == 0, "what was read is not read again"
        assert services.accounts_due(session) == [student.enrolment.id], "never worked out: by no rules at all"
    with using(scenario.context):
        tasks.keep_accounts()
    with scenario.context.database.reading() as session:
        assert services.accounts_due(session) == []
        assert session.get_one(HoursAccount, student.enrolment.id).flags == 0


def test_what_a_failed_check_holds_may_be_made_up_and_then_counts(scenario: Scenario) -> None:
    student, lesson = scenario.student(), scenario.lessons[0]
    student.study(lesson, answers=[Outcome.NO_FACE])
    held = _statement(scenario, student)
    assert held.online.held_ms > 0
    scenario.time.advance(timedelta(hours=1))

    sitting_id = student.study(lesson, 0)
    with scenario.context.database.reading() as session:
        sitting = session.get_one(Sitting, sitting_id)
        interval = read_intervals(sitting.make_up)
    assert interval == held.lessons[0].make_up
    assert sitting.resume_ms == interval[0][0], "exactly the part that is missing"

    student.study(lesson, sum(last - first for first, last in interval) + MINUTE)
    made_up = _statement(scenario, student)
    assert made_up.online.held_ms < held.online.held_ms
    assert made_up.online.counted_ms > held.online.counted_ms


def test_a_page_of_enrolments_has_a_bounded_number_of_queries(scenario: Scenario) -> None:
    students = [scenario.student() for _ in range(4)]
    _kept(scenario)
    ids = [student.enrolment.id for student in students]
    with scenario.context.database.reading() as session:
        found = queries.statements_of(session, ids)
    assert [found[enrolment_id] for enrolment_id in ids] == [_from_the_chain(scenario, each) for each in students]


def test_a_chain_that_is_no_evidence_gives_no_figure(scenario: Scenario) -> None:
    student = scenario.student()
    with scenario.context.database.writing() as session:
        for _ in range(2):
            trace_services.record(
                session,
                loose(Event.CHECK_REVIEW, {"check": "never due", "outcome": "accept"}),
                chain=student.enrolment.chain,
                who=SYSTEM,
            )
    with scenario.context.database.reading() as session:
        assert queries.statements_of(session, [student.enrolment.id]) == {student.enrolment.id: None}
        with pytest.raises(AccountUnreadable):
            queries.statement_of(session, student.enrolment.id)
