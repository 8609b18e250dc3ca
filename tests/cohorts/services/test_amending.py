"""A mistake found after opening is put right by two people, in every chain, and costs nobody an hour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import someone
from support.scenario import MINUTE, Scenario, Student, playing
from support.school import new_member

from xueji.cohorts.amendment_queries import amendments
from xueji.cohorts.errors import AmendmentOver, AmendmentRefused, CohortNotOpen, NothingAmended, ReasonNeeded
from xueji.cohorts.models import Cohort
from xueji.cohorts.services import amending, closing
from xueji.enrolment.queries import enrolment_facts
from xueji.hours.queries import statement_of
from xueji.identity.models import Membership
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.trace.models import Pending
from xueji.trace.rules import COHORT, Event

REASON = "开班时日期填错"


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


def _for_a_week(scenario: Scenario, actor: Actor) -> Actor:
    with scenario.context.database.writing() as session:
        since = clock.now() - timedelta(days=7)
        session.execute(update(Membership).where(Membership.person_id == actor.person_id).values(since=since))
    return actor


@pytest.fixture
def colleague(scenario: Scenario) -> Actor:
    school = scenario.school
    return _for_a_week(scenario, new_member(school.context, school.organisation, Role.INSTITUTION, "周老师").actor)


def _ask(scenario: Scenario, reason: str = REASON, **changes: Any) -> UUID:
    with scenario.context.database.writing() as session:
        return amending.ask_amendment(
            session, actor=scenario.school.staff, cohort_id=scenario.cohort.id, changes=changes, reason=reason
        ).id


def _decide(scenario: Scenario, actor: Actor, amendment_id: UUID, *, confirmed: bool = True) -> None:
    context = scenario.context
    with context.database.writing() as session:
        amending.decide_amendment(session, context, actor=actor, amendment_id=amendment_id, confirmed=confirmed)


def _leaves(scenario: Scenario, chain: str, event: Event) -> list[dict[str, Any]]:
    with scenario.context.database.reading() as session:
        found = session.scalars(select(Pending.leaf).where(Pending.chain == chain).order_by(Pending.id))
        return [leaf for leaf in map(json.loads, found) if leaf["event"] == event]


def _statement(scenario: Scenario, student: Student) -> Any:
    with scenario.context.database.reading() as session:
        return statement_of(session, student.enrolment.id)


def _ends(scenario: Scenario) -> date:
    with scenario.context.database.reading() as session:
        return session.get_one(Cohort, scenario.cohort.id).ends_on


def test_a_last_day_comes_later_in_every_chain_and_nothing_earned_is_lost(scenario: Scenario, colleague: Actor) -> None:
    one, other = scenario.student(), scenario.student()
    one.study(scenario.lessons[0])
    before, ends = _statement(scenario, one), _ends(scenario)
    later = ends + timedelta(days=30)
    amendment_id = _ask(scenario, ends_on=later)
    assert _ends(scenario) == ends
    _decide(scenario, colleague, amendment_id)
    assert _ends(scenario) == later
    for student in (one, other):
        (leaf,) = _leaves(scenario, student.enrolment.chain, Event.ENROLMENT_AMEND)
        assert leaf["values"]["terms"] == {"ends": later.isoformat()}
        pseudonym = scenario.context.keyring.pseudonym
        assert leaf["who"] == pseudonym(colleague.person_id, student.enrolment.id)
        assert leaf["values"]["asked_by"] == pseudonym(scenario.school.staff.person_id, student.enrolment.id)
    (said,) = _leaves(scenario, f"{COHORT}{scenario.cohort.id}", Event.COHORT_AMEND)
    assert (said["values"]["fields"], said["values"]["trainees"]) == (["ends_on"], 2)
    after = _statement(scenario, one)
    assert after.online.counted_ms == before.online.counted_ms > 0
    with scenario.context.database.reading() as session:
        facts = enrolment_facts(session, one.enrolment.id)
    assert facts is not None
    # Two weeks after the old last day the account is not settled, and she studies on.
    scenario.time.instant = clock.from_ms(facts.cohort.settles_ms - 20 * 24 * 60 * MINUTE)
    assert not _statement(scenario, one).settled
    one.study(scenario.lessons[1], 2 * MINUTE)


def test_two_people_are_needed(scenario: Scenario, colleague: Actor) -> None:
    amendment_id = _ask(scenario, venue="二号教室")
    new = new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION, "新老师").actor
    stranger = someone(scenario.context, Role.INSTITUTION).actor(Role.INSTITUTION)
    for nobody in (scenario.school.staff, new, _for_a_week(scenario, stranger), scenario.student().actor):
        with pytest.raises(NotFound):
            _decide(scenario, nobody, amendment_id)
    regulator = _for_a_week(scenario, scenario.regulator.actor(Role.REGULATOR, region="620100"))
    with scenario.context.database.reading() as session:
        (line,) = amendments(session, regulator)
        assert (line.waits, line.may_decide, line.changes) == (True, True, (("venue", "一号教室", "二号教室"),))
        assert amendments(session, stranger) == []
    _decide(scenario, regulator, amendment_id)
    with pytest.raises(AmendmentOver):
        _decide(scenario, colleague, amendment_id)
    with scenario.context.database.reading() as session:
        assert session.get_one(Cohort, scenario.cohort.id).venue == "二号教室"


def test_what_may_not_be_put_right_is_refused_with_the_way_out(scenario: Scenario, colleague: Actor) -> None:
    with pytest.raises(NothingAmended):
        _ask(scenario, total_ms=1, region="650100")
    with pytest.raises(ReasonNeeded):
        _ask(scenario, reason=" ", venue="二号教室")
    for ends_on, way_out in (
        (_ends(scenario) - timedelta(days=1), "请结班"),
        (_ends(scenario) + timedelta(184), "另开"),
    ):
        with pytest.raises(AmendmentRefused) as refused:
            _ask(scenario, ends_on=ends_on)
        assert way_out in str(refused.value.detail)
    with pytest.raises(AmendmentRefused) as refused:
        _ask(scenario, subject="welding")
    assert refused.value.findings and "另开" in str(refused.value.detail)
    waiting = _ask(scenario, ends_on=_ends(scenario) + timedelta(days=1))
    context = scenario.context
    with context.database.writing() as session:
        closing.close_cohort(session, context.events, actor=scenario.school.staff, cohort_id=scenario.cohort.id)
    with pytest.raises(CohortNotOpen):
        _decide(scenario, colleague, waiting)


def test_a_refused_amendment_changes_nothing_and_a_newer_one_takes_its_place(
    scenario: Scenario, colleague: Actor
) -> None:
    first = _ask(scenario, venue="二号教室")
    second = _ask(scenario, venue="三号教室")
    with pytest.raises(AmendmentOver):
        _decide(scenario, colleague, first)
    _decide(scenario, scenario.school.staff, second, confirmed=False)
    with scenario.context.database.reading() as session:
        assert session.get_one(Cohort, scenario.cohort.id).venue == "一号教室"


def test_a_new_title_is_said_in_the_chain(scenario: Scenario, colleague: Actor) -> None:
    student = scenario.student()
    _decide(scenario, colleague, _ask(scenario, title="危险化学品安全管理人员初训（更正）"))
    (leaf,) = _leaves(scenario, student.enrolment.chain, Event.ENROLMENT_IDENTIFY)
    assert leaf["values"]["of"] == _leaves(scenario, student.enrolment.chain, Event.ENROLMENT_OPEN)[0]["who"]
    assert not _leaves(scenario, student.enrolment.chain, Event.ENROLMENT_AMEND)


def test_whoever_comes_after_is_enrolled_under_the_right_terms(scenario: Scenario, colleague: Actor) -> None:
    later = _ends(scenario) + timedelta(days=3)
    _decide(scenario, colleague, _ask(scenario, ends_on=later))
    opening = _leaves(scenario, scenario.student().enrolment.chain, Event.ENROLMENT_OPEN)[0]
    assert opening["values"]["ends"] == later.isoformat()
