"""A name or a number put right by two people: who may, what it changes, and that every chain and bundle stays whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.bundles import fallen, judged, unpacked
from support.evidence import new_case
from support.growing_log import growing_log
from support.people import identity_number, someone
from support.scenario import Scenario, playing
from support.school import new_member

from xueji.enrolment.chain_binding import audit_binding
from xueji.enrolment.services.corrected import person_corrected
from xueji.evidence import bundle as parts
from xueji.evidence.verify import HOLDS
from xueji.identity import queries, rules, services
from xueji.identity.errors import CorrectionOver, NumberHeld
from xueji.identity.events import PersonCorrected
from xueji.identity.models import Membership, Person
from xueji.identity.rules import CORRECTION_LASTS
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Forbidden, Invalid, NotFound
from xueji.trace.models import Pending
from xueji.trace.rules import ABOUT, Event

REASON = "登记时写错一个字，本人出示身份证核对"
LONG_AGO = timedelta(days=30)


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


def _settled(scenario: Scenario, actor: Actor) -> Actor:
    """Long enough in her role to be a second person."""
    with scenario.context.database.writing() as session:
        since = clock.now() - LONG_AGO
        session.execute(update(Membership).where(Membership.person_id == actor.person_id).values(since=since))
    return actor


def _officer(scenario: Scenario, role: Role) -> Actor:
    return _settled(scenario, someone(scenario.context, role, region="620000").actor(role, region="620000"))


def _colleague(scenario: Scenario) -> Actor:
    return _settled(scenario, new_member(scenario.context, scenario.school.organisation, Role.INSTITUTION).actor)


def _ask(scenario: Scenario, actor: Actor, person_id: UUID, name: str = "", number: str = "") -> UUID:
    with scenario.context.database.writing() as session:
        return services.ask_correction(
            session,
            scenario.context.keyring,
            person_id=person_id,
            name=name,
            id_number=number,
            reason=REASON,
            actor=actor,
        ).id


def _confirm(scenario: Scenario, actor: Actor, correction_id: UUID) -> None:
    context = scenario.context
    with context.database.writing() as session:
        services.confirm_correction(session, context.keyring, context.events, correction_id=correction_id, actor=actor)


def _name(scenario: Scenario, person_id: UUID) -> str:
    with scenario.context.database.reading() as session:
        return queries.display_names(session, scenario.context.keyring, [person_id])[person_id]


def _identified(scenario: Scenario, chain: str) -> list[dict[str, Any]]:
    with scenario.context.database.reading() as session:
        leaves = session.scalars(select(Pending.leaf).where(Pending.chain == chain).order_by(Pending.id))
        said = [json.loads(leaf) for leaf in leaves]
    return [leaf for leaf in said if ABOUT in leaf["values"]]


def test_a_slip_is_put_right_by_two_of_the_institution_and_the_chain_says_so(scenario: Scenario) -> None:
    member, enrolment = scenario.school.trainee(scenario.cohort)
    person_id = member.person.id
    asked = _ask(scenario, scenario.school.staff, person_id, name="王晓明")
    with pytest.raises(NotFound):
        _confirm(scenario, _settled(scenario, scenario.school.staff), asked)
    with pytest.raises(NotFound):
        _confirm(scenario, member.actor, asked)
    assert _name(scenario, person_id) == "王小明"
    _confirm(scenario, _colleague(scenario), asked)
    assert _name(scenario, person_id) == "王晓明"
    opening, again = _identified(scenario, enrolment.chain)
    assert (opening["event"], again["event"]) == (Event.ENROLMENT_OPEN, Event.ENROLMENT_IDENTIFY)
    assert again["values"]["of"] == opening["who"]
    assert again["values"]["correction"] == str(asked)
    assert again["values"]["asked_by"] != again["values"]["decided_by"]
    with scenario.context.database.reading() as session:
        assert audit_binding(session) == []
        person = session.get_one(Person, person_id)
        assert person.name_masked == "王**"
        assert queries.is_named(session, scenario.context.keyring, person, "王晓明")
        assert [act.event for act in queries.unread_acts(session, person_id)].count(Event.PERSON_CORRECT) == 1
    with pytest.raises(CorrectionOver):
        _confirm(scenario, _colleague(scenario), asked)


@pytest.mark.parametrize("what", ["name", "number", "both"])
def test_what_could_be_another_person_is_decided_by_a_regulator_or_an_administrator(
    scenario: Scenario, what: str
) -> None:
    member, _enrolment = scenario.school.trainee(scenario.cohort)
    name = "欧阳海燕" if what != "number" else ""
    number = identity_number(765432) if what != "name" else ""
    asked = _ask(scenario, scenario.school.staff, member.person.id, name, number)
    with pytest.raises(NotFound):
        _confirm(scenario, _colleague(scenario), asked)
    _confirm(scenario, _officer(scenario, Role.REGULATOR), asked)
    assert _name(scenario, member.person.id) == (name or "王小明")
    if number:
        with scenario.context.database.reading() as session:
            found = queries.person_by_number(session, scenario.context.keyring, number)
        assert found == member.person.id


def test_a_number_that_somebody_holds_is_not_given_twice_and_only_officers_learn_of_it(scenario: Scenario) -> None:
    member, _enrolment = scenario.school.trainee(scenario.cohort)
    other = someone(scenario.context, name="郑晓燕")
    asked = _ask(scenario, scenario.school.staff, member.person.id, number=other.id_number)
    with pytest.raises(NotFound):
        _confirm(scenario, _colleague(scenario), asked)
    with pytest.raises(NumberHeld):
        _confirm(scenario, _officer(scenario, Role.ADMINISTRATOR), asked)


def test_who_may_ask_and_what_is_refused(scenario: Scenario) -> None:
    member, _enrolment = scenario.school.trainee(scenario.cohort)
    person_id = member.person.id
    _ask(scenario, member.actor, person_id, name="王晓明")
    stranger = someone(scenario.context, Role.INSTITUTION).actor(Role.INSTITUTION)
    with pytest.raises(NotFound):
        _ask(scenario, stranger, person_id, name="王晓明")
    with pytest.raises(Forbidden):
        _ask(scenario, _officer(scenario, Role.REGULATOR), person_id, name="王晓明")
    for name, number in (("王小明", ""), ("", ""), ("甲公司", ""), ("", "123")):
        with pytest.raises(Invalid):
            _ask(scenario, member.actor, person_id, name=name, number=number)


def test_a_request_is_refused_replaced_or_lapses(scenario: Scenario) -> None:
    member, _enrolment = scenario.school.trainee(scenario.cohort)
    person_id, colleague = member.person.id, _colleague(scenario)
    first = _ask(scenario, scenario.school.staff, person_id, name="王晓明")
    second = _ask(scenario, scenario.school.staff, person_id, name="王小敏")
    with pytest.raises(CorrectionOver):
        _confirm(scenario, colleague, first)
    with scenario.context.database.writing() as session:
        services.refuse_correction(session, scenario.context.keyring, correction_id=second, actor=member.actor)
    with pytest.raises(CorrectionOver):
        _confirm(scenario, colleague, second)
    third = _ask(scenario, scenario.school.staff, person_id, name="王晓明")
    scenario.time.advance(CORRECTION_LASTS)
    with pytest.raises(CorrectionOver):
        _confirm(scenario, colleague, third)
    with scenario.context.database.reading() as session:
        found = queries.corrections(session, scenario.context.keyring, colleague)
        assert [each.waits for each in found] == [False] * 3
        assert queries.corrections(session, scenario.context.keyring, someone(scenario.context).actor()) == []


@pytest.mark.parametrize(
    ("was", "now", "slip"),
    [
        (("王小明", "1234"), ("王晓明", "1234"), True),
        (("王小明", "1234"), ("王明小", "1234"), True),
        (("王小明", "1234"), ("王明", "1234"), True),
        (("王明", "1234"), ("王小明", "1234"), True),
        (("王小明", "1234"), ("李大明", "1234"), False),
        (("买买提·吐尔逊", "1234"), ("买买提·吐尔洪", "1234"), True),
        (("王小明", "620102199001010014"), ("王小明", "620102199001100014"), True),
        (("王小明", "620102199001010014"), ("王小明", "620102198512310014"), False),
        (("王小明", "620102199001010014"), ("王晓明", "620102199001010022"), False),
        (("王小明", "620102199001010014"), ("王小明", "62010219900101001"), False),
    ],
)
def test_a_slip_of_the_pen_is_little(was: tuple[str, str], now: tuple[str, str], slip: bool) -> None:
    assert rules.is_slip(was, now) is slip


def test_bundles_of_before_and_after_bear_the_name_of_their_time_and_both_verify(
    context: Context, tmp_path: Path
) -> None:
    with growing_log(context) as log:
        log.settle()
        case = new_case(context, log)
        case.study()
        log.settle()
        before = unpacked(case.bundle())
        context.events.subscribe(PersonCorrected, partial(person_corrected, context.keyring))
        person_id = case.enrolment.person_id
        with context.database.writing() as session:
            name = queries.display_names(session, context.keyring, [person_id])[person_id]
            asked = services.ask_correction(
                session,
                context.keyring,
                person_id=person_id,
                name=name[:-1] + "玥",
                id_number="",
                reason=REASON,
                actor=case.school.staff,
            )
            session.execute(
                update(Membership)
                .where(Membership.person_id == case.regulator.person_id)
                .values(since=clock.now() - LONG_AGO)
            )
        with context.database.writing() as session:
            services.confirm_correction(
                session, context.keyring, context.events, correction_id=asked.id, actor=case.regulator
            )
        log.settle()
        after = unpacked(case.bundle())
        for content in (before, after):
            verdicts = judged(tmp_path / str(len(content)) / str(id(content)), content)
            assert verdicts["subject"][0] == HOLDS, verdicts["subject"]
            assert fallen(verdicts) == {}
    stated = [json.loads(content[parts.SUBJECT]) for content in (before, after)]
    assert [each.get("person_name", each.get("masked_name"))[-1] for each in stated] in ([name[-1], "玥"], ["*", "*"])
