"""An identity number that is held elsewhere: nobody learns of it from an import, and two files become one person's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from support.people import Someone, identity_number, organisation, someone
from support.scenario import Scenario, playing
from support.school import declared

from xueji.desks.queries import Sought, search_trainees
from xueji.enrolment.queries import enrolments_of
from xueji.enrolment.services import trainees
from xueji.identity import queries, services
from xueji.identity.models import Account, FileJoining, Person
from xueji.identity.rules import JOINING_LASTS, OrganisationKind
from xueji.identity.services.people import register_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import NotFound
from xueji.trace.models import Pending
from xueji.trace.rules import Event


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


@pytest.fixture
def elsewhere(scenario: Scenario) -> Someone:
    """Somebody whom another institution trains."""
    return someone(scenario.context, name="郑晓燕")


def _register(scenario: Scenario, number: str, name: str = "郑晓燕", account: str = "zheng-new") -> Person:
    school = scenario.school
    with scenario.context.database.writing() as session:
        return register_person(
            session,
            scenario.context.keyring,
            name=name,
            id_number=number,
            account=account,
            password=services.HashedPassword("x"),
            role=Role.TRAINEE,
            organisation_id=school.organisation.id,
            actor=school.staff,
            temporary=True,
        )


@pytest.mark.parametrize("name", ["郑晓燕", "冯立"])
def test_a_number_held_elsewhere_is_answered_for_as_a_new_one(
    scenario: Scenario, elsewhere: Someone, name: str
) -> None:
    """Whatever the name: neither that the number is known nor whose it is can be read off the answer."""
    new = _register(scenario, identity_number(987654), name=name, account="new-one")
    held = _register(scenario, elsewhere.id_number, name=name)
    assert held.id != elsewhere.id
    with scenario.context.database.reading() as session:
        for person in (new, held):
            account = session.scalars(select(Account).where(Account.person_id == person.id)).one()
            assert (account.password_is_temporary, account.activated_at, account.suspended_at) == (True, None, None)
            acts = [act.event for act in queries.acts(session, person.id)]
            assert sorted(acts) == sorted([Event.ACCOUNT_OPEN, Event.ROLE_GIVE])
        known = queries.known_to(
            session, scenario.context.keyring, organisation(scenario.context, OrganisationKind.INSTITUTION).id,
            [elsewhere.id_number],
        )  # fmt: skip
        assert not known
        assert queries.waiting_joinings(session, scenario.context.keyring, scenario.school.staff) == []


def test_the_same_organisation_finds_its_own_file_again(scenario: Scenario, elsewhere: Someone) -> None:
    first = _register(scenario, elsewhere.id_number)
    assert _register(scenario, elsewhere.id_number).id == first.id
    with scenario.context.database.reading() as session:
        installation = queries.known_to(session, scenario.context.keyring, None, [elsewhere.id_number])
        assert installation[elsewhere.id_number].id == elsewhere.id


def _waiting(scenario: Scenario, actor: Actor) -> FileJoining:
    with scenario.context.database.reading() as session:
        (waiting,) = queries.waiting_joinings(session, scenario.context.keyring, actor)
        assert waiting.same_number and waiting.may_decide
        return session.get_one(FileJoining, waiting.joining_id)


def test_she_confirms_it_in_the_account_she_had(scenario: Scenario, elsewhere: Someone) -> None:
    """Her own word is that of the second person; the lapse of a month does not matter, and the chain says who."""
    context, herself = scenario.context, elsewhere.actor(Role.TRAINEE)
    held = _register(scenario, elsewhere.id_number)
    with context.database.writing() as session:
        enrolment = trainees.enrol(
            session,
            context.keyring,
            cohort=scenario.cohort,
            person=session.get_one(Person, held.id),
            actor=scenario.school.staff,
            declared=declared(scenario.cohort),
        )
    scenario.time.advance(2 * JOINING_LASTS)
    joining = _waiting(scenario, herself)
    with context.database.writing() as session:
        assert queries.joinings_to_confirm(session, elsewhere.id) == 1
        services.confirm_joining(session, context.keyring, context.events, joining_id=joining.id, actor=herself)
    with context.database.reading() as session:
        assert queries.joinings_to_confirm(session, elsewhere.id) == 0
        assert [facts.enrolment_id for facts in enrolments_of(session, elsewhere.id)] == [enrolment.id]
        mine = queries.known_to(session, context.keyring, scenario.school.organisation.id, [elsewhere.id_number])
        assert mine[elsewhere.id_number].id == elsewhere.id
        leaves = session.scalars(select(Pending.leaf).where(Pending.chain == enrolment.chain).order_by(Pending.id))
        first, *_, last = (json.loads(leaf) for leaf in leaves)
    assert (last["event"], last["who"]) == (Event.ENROLMENT_JOIN, first["who"])


def test_the_regulator_finds_both_before_anybody_has_confirmed(scenario: Scenario, elsewhere: Someone) -> None:
    context = scenario.context
    held = _register(scenario, elsewhere.id_number)
    with context.database.writing() as session:
        trainees.enrol(
            session,
            context.keyring,
            cohort=scenario.cohort,
            person=session.get_one(Person, held.id),
            actor=scenario.school.staff,
            declared=declared(scenario.cohort),
        )
    regulator = scenario.regulator.actor(Role.REGULATOR, region="620100")
    with context.database.reading() as session:
        lines, _count = search_trainees(session, context.keyring, regulator, Sought(text=elsewhere.id_number))
    assert [line.person_id for line in lines] == [held.id]


def test_an_account_opened_under_her_number_without_her_is_suspended(scenario: Scenario, elsewhere: Someone) -> None:
    context, herself = scenario.context, elsewhere.actor(Role.TRAINEE)
    held = _register(scenario, elsewhere.id_number)
    joining = _waiting(scenario, herself)
    with context.database.writing() as session:
        services.refuse_joining(session, context.keyring, context.events, joining_id=joining.id, actor=herself)
    with context.database.reading() as session:
        account = session.scalars(select(Account).where(Account.person_id == held.id)).one()
        assert account.suspended_at == clock.now()
        assert not queries.is_herself(session, held.id, elsewhere.id)


def test_a_stranger_to_it_decides_nothing(scenario: Scenario, elsewhere: Someone) -> None:
    held = _register(scenario, elsewhere.id_number)
    joining = _waiting(scenario, elsewhere.actor(Role.TRAINEE))
    context = scenario.context
    for nobody in (scenario.school.staff, someone(context).actor(Role.TRAINEE), Actor(held.id, held.id, frozenset())):
        with pytest.raises(NotFound), context.database.writing() as session:
            services.confirm_joining(session, context.keyring, context.events, joining_id=joining.id, actor=nobody)


def test_the_regulator_sees_which_registrations_were_denied_and_by_whom(scenario: Scenario, elsewhere: Someone) -> None:
    """The registering organisation, another region's regulator and she herself have no such list."""
    context, herself = scenario.context, elsewhere.actor(Role.TRAINEE)
    regulator = scenario.regulator.actor(Role.REGULATOR, region="620100")
    held = _register(scenario, elsewhere.id_number)
    joining = _waiting(scenario, herself)
    with context.database.reading() as session:
        assert queries.refused_numbers(session, regulator, 1) == ([], 0)
    with context.database.writing() as session:
        services.refuse_joining(session, context.keyring, context.events, joining_id=joining.id, actor=herself)
    with context.database.reading() as session:
        (line,), total = queries.refused_numbers(session, regulator, 1)
        assert (total, line.account.person_id, line.organisation) == (1, held.id, scenario.school.organisation.name)
        assert line.by_herself and line.suspended and line.refused_at == clock.now()
        assert queries.refused_numbers(session, regulator, 2) == ([], 1)
        far = scenario.regulator.actor(Role.REGULATOR, region="110000")
        for other in (far, scenario.school.staff, herself):
            assert queries.refused_numbers(session, other, 1) == ([], 0)
