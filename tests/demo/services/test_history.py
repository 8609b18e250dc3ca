"""The demonstration's six weeks: played once by the services, whole, and their log holds."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from support.bundles import laid_out, unpacked
from support.log_page import faults

from xueji import demo, installation
from xueji.cohorts.models import Cohort, CohortState
from xueji.demo import course
from xueji.demo.accounts import Accounts
from xueji.demo.history import is_wanted, plot
from xueji.demo.history.faces import portrait
from xueji.demo.history.people import invented_id_number, invented_name
from xueji.desks.rooms import to_settle
from xueji.enrolment.models import Enrolment
from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle
from xueji.evidence.readme import PLAYED as PLAYED_WORDS
from xueji.evidence.services import build_bundle
from xueji.evidence.verify import FALLS, verify
from xueji.hours.models import HoursAccount
from xueji.hours.queries import statement_of
from xueji.identity.models import Person
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.oversight.models import Finding
from xueji.oversight.rules import FindingState
from xueji.proctoring.models import Appeal, Check
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import alarms
from xueji.trace.audit import audit
from xueji.trace.models import LeafRow, Pending
from xueji.trace.process import run_sequencer
from xueji.trace.rules import DEMONSTRATION, PLAYED

MINUTE = 60


@pytest.fixture
def begun(context: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Set up as `make run` does, with short films: how long a film is changes nothing of what happens."""
    monkeypatch.setattr(course, "LESSONS", (("甲", 2), ("乙", 1)))
    monkeypatch.setattr(course, "LONG_SECONDS", MINUTE)
    shorter = tuple(
        (house, title, tuple((name, 2 * MINUTE) for name, _seconds in taught)) for house, title, taught in plot.COURSES
    )
    monkeypatch.setattr(plot, "COURSES", shorter)
    monkeypatch.setattr(plot, "LONG", 2 * MINUTE)
    named = replace(context.settings, log_origin=f"{DEMONSTRATION}tests/log")
    with clock.fixed(clock.now() - PLAYED):
        installation.open_log(named)
    return replace(context, settings=named)


def test_six_weeks_are_played_once_and_hold(begun: Context, tmp_path: Path) -> None:
    assert is_wanted(begun)
    demo.make(begun)
    assert not is_wanted(begun)
    with begun.database.reading() as session:
        states = dict(session.execute(select(Cohort.state, func.count()).group_by(Cohort.state)).all())
        assert sum(states.values()) == 8 and set(states) == set(CohortState)
        assert set(session.scalars(select(Check.outcome).where(Check.outcome.is_not(None)))) == set(Outcome)
        assert set(session.scalars(select(Finding.state))) == set(FindingState)
        overdue = select(func.count()).where(
            Finding.state == FindingState.OPEN, Finding.deadline < clock.shanghai_day(clock.now())
        )
        assert session.scalar(overdue) == 1
        appeals = session.scalars(select(Appeal)).all()
        assert {appeal.decided_ms is None for appeal in appeals} == {True, False}
        assert (session.scalar(select(func.count()).select_from(Person)) or 0) >= 110
        assert (session.scalar(select(func.count()).where(HoursAccount.flags > 0)) or 0) >= 1
        officer = Accounts.open_or_create(begun.settings).register(begun)["regulator"].actor
        assert len(to_settle(session, officer)) == 1
        assert list(alarms.standing(session)) == [] and audit(session) == []
        finished = session.scalars(
            select(Enrolment.id).join(Cohort).where(Cohort.title == plot.FINISHED.title).order_by(Enrolment.id)
        ).all()
        statements = [statement_of(session, each) for each in finished]
        assert all(statement is not None and statement.complete for statement in statements)
    _her_evidence_holds(begun, finished[0], tmp_path)
    assert _undescribed(begun) == set(), "docs/log-events.md does not name it"
    before = _leaves(begun)
    demo.make(begun)
    assert _leaves(begun) - before < 10, "done again it only renews a check-in"


def _her_evidence_holds(context: Context, enrolment_id: UUID, folder: Path) -> None:
    """The bundle of somebody finished verifies, and says that its times were told."""
    people = Accounts.open_or_create(context.settings).register(context)
    stop = threading.Event()
    sequencing = threading.Thread(target=run_sequencer, args=(context, stop))
    sequencing.start()
    try:
        built = build_bundle(context, enrolment_id=enrolment_id, actor=people["regulator"].actor, with_pictures=True)
    finally:
        stop.set()
        sequencing.join()
    with built.file as file:
        content = unpacked(file.read())
    assert PLAYED_WORDS in content[parts.README].decode()
    found = verify(Bundle(laid_out(folder / "bundle", content)))
    assert [claim for verdict, claim, _words in found if verdict == FALLS] == []
    assert any("demonstration" in words for _verdict, claim, words in found if claim == "signatures")


def _undescribed(context: Context) -> set[str]:
    """What leaves say that docs/log-events.md does not name."""
    with context.database.reading() as session:
        leaves = [json.loads(leaf) for table in (LeafRow, Pending) for leaf in session.scalars(select(table.leaf))]
    return {fault for leaf in leaves for fault in faults(leaf["event"], leaf["values"])}


def _leaves(context: Context) -> int:
    with context.database.reading() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in (LeafRow, Pending))


def test_an_installation_that_is_no_demonstration_plays_nothing(context: Context) -> None:
    assert not is_wanted(context)


def test_nobody_exists_twice_and_no_two_drawings_are_the_same() -> None:
    people = range(1, 160)
    assert len({invented_name(each) for each in people}) == len(people)
    assert len({invented_id_number(each) for each in people}) == len(people)
    drawn = {portrait(3, turn, Outcome.MATCH, tag) for turn in (-1, 0, 1) for tag in range(3)}
    assert len(drawn) == 9
