"""Two files of one person: joined by two people, looked at as one from then on, and put apart the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import consented, signed_in, someone
from support.scenario import MINUTE, Scenario, Student, playing

from xueji.desks.queries import Sought, flagged_trainees, search_trainees
from xueji.enrolment.access import access_reference
from xueji.enrolment.chain_binding import audit_binding
from xueji.enrolment.errors import AlreadyEnrolled
from xueji.enrolment.queries import enrolments_of
from xueji.enrolment.reference_queries import to_confirm
from xueji.enrolment.services import trainees
from xueji.hours.models import PersonAccount
from xueji.hours.queries import statement_of
from xueji.hours.services import keep_people
from xueji.identity import queries, services
from xueji.identity.errors import JoinedAccount, JoiningOver, NotJoinable, Suspended
from xueji.identity.models import DuplicateFlag, FileJoining, Membership, Person
from xueji.identity.rules import JOINING_LASTS, File, ProofRoute, stands
from xueji.identity.services.people import register_person
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import Forbidden, Invalid, NotFound
from xueji.proctoring.models import Attempt, Check, CheckIn
from xueji.progress.errors import LeaseHeld
from xueji.progress.opening import open_sitting
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.models import Pending
from xueji.trace.rules import PLATFORM, Event

REASON = "登记时身份证号码录错，本人当面核对"
LONG_AGO = timedelta(days=30)


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


def _officer(scenario: Scenario, role: Role = Role.ADMINISTRATOR) -> Actor:
    """Somebody who has had her role for long enough to be a second person."""
    who = someone(scenario.context, role, region="620000")
    with scenario.context.database.writing() as session:
        since = clock.now() - LONG_AGO
        session.execute(update(Membership).where(Membership.person_id == who.id).values(since=since))
    return who.actor(role, region="620000")


@pytest.fixture
def officers(scenario: Scenario) -> tuple[Actor, Actor]:
    return _officer(scenario), _officer(scenario, Role.REGULATOR)


def _ask(scenario: Scenario, actor: Actor, stands: UUID, joined: UUID, reason: str = REASON) -> UUID:
    with scenario.context.database.writing() as session:
        return services.ask_joining(
            session, scenario.context.keyring, one=joined, other=stands, stands=stands, reason=reason, actor=actor
        ).id


def _confirm(scenario: Scenario, actor: Actor, joining_id: UUID) -> None:
    context = scenario.context
    with context.database.writing() as session:
        services.confirm_joining(session, context.keyring, context.events, joining_id=joining_id, actor=actor)


def _join(scenario: Scenario, officers: tuple[Actor, Actor], stands: UUID, joined: UUID) -> UUID:
    joining_id = _ask(scenario, officers[0], stands, joined)
    _confirm(scenario, officers[1], joining_id)
    return joining_id


def _part(scenario: Scenario, officers: tuple[Actor, Actor], joined: UUID) -> None:
    context = scenario.context
    with context.database.writing() as session:
        asked = services.ask_parting(session, context.keyring, joined=joined, reason="是双胞胎", actor=officers[0])
    _confirm(scenario, officers[1], asked.id)


def _leaves(scenario: Scenario, chain: str, event: Event | None = None) -> list[dict[str, Any]]:
    with scenario.context.database.reading() as session:
        found = session.scalars(select(Pending.leaf).where(Pending.chain == chain).order_by(Pending.id)).all()
    leaves = [json.loads(leaf) for leaf in found]
    return [leaf for leaf in leaves if event is None or leaf["event"] == event]


def test_which_file_stands() -> None:
    def file(years: int, **known: bool) -> File:
        nothing = {"has_joined": False, "staff": False, "activated": False, "confirmed_face": False}
        return File(uuid4(), **{**nothing, **known}, registered_at=clock.now() - timedelta(days=365 * years))

    for better, worse in [
        (file(1, has_joined=True), file(9, staff=True, activated=True)),
        (file(1, staff=True), file(9, activated=True)),
        (file(1, activated=True), file(9, confirmed_face=True)),
        (file(1, confirmed_face=True), file(9)),
        (file(2), file(1)),
    ]:
        assert stands(better, worse) is stands(worse, better) is better


def test_two_people_join_and_the_one_account_is_suspended(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    one, other = scenario.student(), scenario.student(name="王晓明")
    context, (first, second) = scenario.context, officers
    login = signed_in(context, other.who).claims.login_session_id
    before = _leaves(scenario, other.enrolment.chain)
    joining_id = _ask(scenario, first, one.who.id, other.who.id)
    with pytest.raises(NotFound):
        _confirm(scenario, first, joining_id)
    with context.database.reading() as session:
        assert queries.live_login(session, login, clock.now())
        (waiting,) = queries.waiting_joinings(session, context.keyring, second)
        assert (waiting.reason, waiting.may_decide, waiting.mine) == (REASON, True, False)
        assert REASON not in str(session.get_one(FileJoining, joining_id).reason_cipher)
    _confirm(scenario, second, joining_id)
    with pytest.raises(JoiningOver):
        _confirm(scenario, second, joining_id)
    with pytest.raises(Suspended):
        signed_in(context, other.who)
    signed_in(context, one.who)
    chain = _leaves(scenario, other.enrolment.chain)
    assert chain[: len(before)] == before
    for student in (one, other):
        (leaf,) = _leaves(scenario, student.enrolment.chain, Event.ENROLMENT_JOIN)
        assert leaf["values"]["joining"] == str(joining_id)
        assert leaf["values"]["stands"] is (student is one)
        assert leaf["who"] == context.keyring.pseudonym(second.person_id, student.enrolment.id)
        assert leaf["values"]["asked_by"] == context.keyring.pseudonym(first.person_id, student.enrolment.id)
    power = [leaf["event"] for leaf in _leaves(scenario, PLATFORM) if "joining" in leaf["values"]]
    assert power == [Event.JOINING_ASK, Event.FILE_JOIN, Event.FILE_JOIN]
    with context.database.reading() as session:
        assert {act.event for act in queries.unread_acts(session, one.who.id)} >= {Event.FILE_JOIN}
        assert not audit_binding(session)
        assert [pair.joined.person_id for pair in queries.joined_files(session, second)] == [other.who.id]
    with context.database.writing() as session, pytest.raises(JoinedAccount):
        services.restore(session, context.keyring, person_id=other.who.id, actor=first)


def test_who_may_ask_and_who_may_decide(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    one, other = scenario.student(), scenario.student()
    first, second = officers
    stranger = someone(scenario.context, Role.REGULATOR, region="650000")
    with pytest.raises(Forbidden):
        _ask(scenario, stranger.actor(Role.REGULATOR, region="650000"), one.who.id, other.who.id)
    with pytest.raises(Forbidden):
        _ask(scenario, scenario.school.staff, one.who.id, other.who.id)
    with pytest.raises(Forbidden):
        _ask(scenario, one.who.actor(Role.ADMINISTRATOR), one.who.id, other.who.id)
    with pytest.raises(Invalid):
        _ask(scenario, first, one.who.id, other.who.id, " ")
    with pytest.raises(NotFound):
        _ask(scenario, first, one.who.id, uuid4())
    joining_id = _ask(scenario, first, one.who.id, other.who.id)
    new = someone(scenario.context, Role.ADMINISTRATOR).actor(Role.ADMINISTRATOR)
    for nobody in (new, scenario.school.staff, one.actor, stranger.actor(Role.REGULATOR, region="650000")):
        with pytest.raises(NotFound):
            _confirm(scenario, nobody, joining_id)
    scenario.time.advance(JOINING_LASTS)
    with pytest.raises(JoiningOver):
        _confirm(scenario, second, joining_id)


def test_a_file_is_joined_once_and_to_one_that_stands(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    one, two, three = (scenario.student().who.id for _ in range(3))
    _join(scenario, officers, one, two)
    for stands_, joined in ((three, two), (two, three), (three, one), (one, one)):
        with pytest.raises(NotJoinable):
            _ask(scenario, officers[0], stands_, joined)
    _join(scenario, officers, one, three)
    with scenario.context.database.reading() as session:
        assert set(queries.files_of(session, three)) == {one, two, three}
        assert queries.is_herself(session, two, three)
        assert set(queries.files_of_each(session, [two])[two]) == {one, two, three}


def test_whoever_has_no_file_is_nobody(scenario: Scenario) -> None:
    known = someone(scenario.context).id
    with scenario.context.database.reading() as session:
        assert queries.is_herself(session, known, known)
        assert not queries.is_herself(session, known, uuid4())
        assert not queries.is_herself(session, uuid4(), known)


def test_a_refused_joining_changes_nothing(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    one, other = scenario.student(), scenario.student()
    joining_id = _ask(scenario, officers[0], one.who.id, other.who.id)
    with scenario.context.database.writing() as session:
        services.refuse_joining(
            session, scenario.context.keyring, scenario.context.events, joining_id=joining_id, actor=officers[1]
        )
    signed_in(scenario.context, other.who)
    assert _leaves(scenario, PLATFORM)[-2]["event"] == Event.JOINING_REFUSE
    with pytest.raises(JoiningOver):
        _confirm(scenario, officers[1], joining_id)


def test_the_likeness_that_led_to_it_is_decided_with_it(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    context, (first, second) = scenario.context, officers
    photos = []
    for _ in range(2):
        who = someone(context)
        consented(context, who)
        photos.append((who, services.enrol_photo(context, person_id=who.id, photo=b"\x05 a picture")))
    services.compare_with_everybody(context, photos[1][1])
    with context.database.writing() as session:
        flag = session.scalars(select(DuplicateFlag)).one()
        services.ask_joining_of_duplicate(
            session, context.keyring, flag_id=flag.id, reason=REASON, actor=first, stands=photos[1][0].id
        )
        assert queries.open_duplicates(session)[0].asked
        joining = session.scalars(select(FileJoining)).one()
    _confirm(scenario, second, joining.id)
    with context.database.reading() as session:
        decided = session.get_one(DuplicateFlag, flag.id)
        assert (decided.same_person, decided.decided_by) == (True, second.person_id)
        assert not queries.open_duplicates(session)


def _two_cohorts(app: Flask) -> Iterator[tuple[Scenario, Scenario]]:
    with playing(app) as here, playing(app, school=here.school, regulator=here.regulator) as there:
        here.time = there.time
        yield here, there


@pytest.fixture
def both(app: Flask) -> Iterator[tuple[Scenario, Scenario]]:
    yield from _two_cohorts(app)


def test_she_goes_on_in_both_files_from_the_account_that_stands(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    context, officers = here.context, (_officer(here), _officer(here, Role.REGULATOR))
    one, other = here.student(), there.student()
    other.study(there.lessons[0], 6 * MINUTE)
    with context.database.reading() as session:
        earned = statement_of(session, other.enrolment.id)
    _join(here, officers, one.who.id, other.who.id)
    with context.database.reading() as session:
        assert {facts.enrolment_id for facts in enrolments_of(session, one.who.id)} == {
            one.enrolment.id,
            other.enrolment.id,
        }
    # The same trainee studies on, signed in with the account that stands.
    moved = Student(there, one.who, other.enrolment)
    moved.study(there.lessons[0], 14 * MINUTE)
    assert moved.checks
    with context.database.reading() as session:
        after = statement_of(session, other.enrolment.id)
        judged = session.scalars(select(Attempt).join(Check).where(Check.id == moved.checks[-1])).all()
        hers = {str(photo.id) for photo in queries.used_photos(session, one.who.id)}
        assert set(judged[-1].references) == hers
    assert earned is not None and after is not None
    assert after.online.counted_ms > earned.online.counted_ms
    chain = _leaves(here, other.enrolment.chain)
    assert {leaf["who"] for leaf in chain if leaf["event"] in ("beat", "sitting.open")} == {chain[0]["who"]}


def test_one_person_has_one_sitting_that_earns(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    context, officers = here.context, (_officer(here), _officer(here, Role.REGULATOR))
    one, other = here.student(), there.student()
    _join(here, officers, one.who.id, other.who.id)
    one.study(here.lessons[0], 2 * MINUTE)
    again = {"keyring": context.keyring, "events": context.events, "device": "a second screen"}
    with pytest.raises(LeaseHeld), context.database.writing() as session:
        open_sitting(
            session,
            actor=one.actor,
            sitting_id=uuid4(),
            enrolment_id=other.enrolment.id,
            lesson_id=there.lessons[0].id,
            **again,  # type: ignore[arg-type]
        )


def test_what_cannot_be_of_one_person_is_found_over_both_files(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    context, officers = here.context, (_officer(here), _officer(here, Role.REGULATOR))
    one, other = (scenario.student(route=ProofRoute.SUPERVISED) for scenario in both)
    began = clock.now()
    here.attend(one, ms=60 * MINUTE)
    here.time.instant = began
    there.attend(other, ms=60 * MINUTE)
    ids = [one.enrolment.id, other.enrolment.id]
    keep_people(context.database, ids)
    with context.database.reading() as session:
        assert not session.scalars(select(PersonAccount)).all()
    _join(here, officers, one.who.id, other.who.id)
    keep_people(context.database, [other.enrolment.id])
    with context.database.reading() as session:
        (account,) = session.scalars(select(PersonAccount).where(PersonAccount.count > 0)).all()
        assert account.person_id == one.who.id
        regulator = here.regulator.actor(Role.REGULATOR, region="620100")
        lines, _count = flagged_trainees(session, regulator)
        assert {line.enrolment_id for line in lines} == set(ids)
        found, _count = search_trainees(session, context.keyring, regulator, Sought(text=other.who.id_number))
        assert {line.enrolment_id for line in found} == set(ids)
    _part(here, officers, other.who.id)
    keep_people(context.database, ids)
    with context.database.reading() as session:
        assert not session.scalars(select(PersonAccount).where(PersonAccount.count > 0)).all()


def test_a_room_elsewhere_is_left_by_whoever_is_one_person(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    officers = _officer(here), _officer(here, Role.REGULATOR)
    one, other = (scenario.student(route=ProofRoute.SUPERVISED) for scenario in both)
    _join(here, officers, one.who.id, other.who.id)
    first = here.check_in(one)
    there.check_in(Student(there, one.who, other.enrolment))
    with here.context.database.reading() as session:
        assert session.get_one(CheckIn, first).ended_why == "elsewhere"


def test_put_apart_again_everything_is_as_before(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    context, officers = here.context, (_officer(here), _officer(here, Role.REGULATOR))
    one, other = here.student(), there.student()
    _join(here, officers, one.who.id, other.who.id)
    _part(here, officers, other.who.id)
    signed_in(context, other.who)
    with context.database.reading() as session:
        assert [facts.enrolment_id for facts in enrolments_of(session, one.who.id)] == [one.enrolment.id]
        assert not queries.is_herself(session, one.who.id, other.who.id)
    for student in (one, other):
        (leaf,) = _leaves(here, student.enrolment.chain, Event.ENROLMENT_PART)
        assert leaf["values"]["stands"] is (student is one)
    other.study(there.lessons[0], 2 * MINUTE)
    with context.database.writing() as session, pytest.raises(NotJoinable):
        services.ask_parting(session, context.keyring, joined=other.who.id, reason=REASON, actor=officers[0])


def test_her_photo_is_confirmed_where_the_joined_file_studies(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    context, officers = here.context, (_officer(here), _officer(here, Role.REGULATOR))
    one, other = someone(context), there.student(confirmed=False)
    consented(context, one)
    photo = services.enrol_photo(context, person_id=one.id, photo=b"\x07 hers")
    _join(here, officers, one.id, other.who.id)
    with context.database.writing() as session:
        waiting = to_confirm(session, there.school.organisation.id, clock.shanghai_day(clock.now()))
        assert [(line.enrolment_id, [each.photo_id for each in line.photos]) for line in waiting] == [
            (other.enrolment.id, [photo])
        ]
        _enrolment, seen = access_reference(session, there.school.staff, other.enrolment.id)
        assert photo in {each.id for each in seen}


def test_nobody_is_let_in_twice_under_two_files(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    one, other = scenario.student(), someone(scenario.context)
    _join(scenario, officers, one.who.id, other.id)
    with scenario.context.database.writing() as session, pytest.raises(AlreadyEnrolled):
        trainees.enrol(
            session,
            scenario.context.keyring,
            cohort=scenario.cohort,
            person=session.get_one(Person, other.id),
            actor=scenario.school.staff,
        )


def test_a_number_of_a_joined_file_finds_the_one_that_stands(scenario: Scenario, officers: tuple[Actor, Actor]) -> None:
    one, other = scenario.student(), scenario.student()
    _join(scenario, officers, one.who.id, other.who.id)
    with scenario.context.database.writing() as session:
        found = register_person(
            session,
            scenario.context.keyring,
            name=other.who.name,
            id_number=other.who.id_number,
            account="",
            password=services.HashedPassword(""),
            role=Role.TRAINEE,
            organisation_id=scenario.school.organisation.id,
            actor=scenario.school.staff,
        )
        assert found.id == one.who.id


def test_a_verdict_of_before_can_be_contested_after(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    officers = _officer(here), _officer(here, Role.REGULATOR)
    one, other = here.student(), there.student()
    other.study(there.lessons[0], 20 * MINUTE, answers=[Outcome.MISMATCH, Outcome.MISMATCH])
    _join(here, officers, one.who.id, other.who.id)
    moved = Student(there, one.who, other.enrolment)
    moved.contest(other.checks[0])
    leaf = _leaves(here, other.enrolment.chain, Event.CHECK_APPEAL)[0]
    assert leaf["who"] == _leaves(here, other.enrolment.chain)[0]["who"]


def test_what_was_agreed_to_in_a_joined_file_is_taken_back_with_the_rest(both: tuple[Scenario, Scenario]) -> None:
    here, there = both
    context, officers = here.context, (_officer(here), _officer(here, Role.REGULATOR))
    one, other = here.student(), there.student()
    _join(here, officers, one.who.id, other.who.id)
    with context.database.writing() as session:
        services.withdraw_consent(
            session,
            context.keyring,
            context.store,
            context.events,
            person=session.get_one(Person, one.who.id),
            kind=queries.standing_consent(session, one.who.id).kind,  # type: ignore[union-attr]
        )
    with context.database.reading() as session:
        for who in (one.who.id, other.who.id):
            assert queries.standing_consent(session, who) is None
            assert not queries.reference_photos(session, who)
            assert session.get_one(Person, who).proof_route is ProofRoute.SUPERVISED
