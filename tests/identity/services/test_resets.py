"""Resetting an account: by one person only while nothing is behind it, else by two, told and recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import PASSWORD, Browser, Someone, organisation, signed_in, someone, with_factor
from support.scenario import Scenario

from xueji.identity import queries, rules, services
from xueji.identity.errors import ResetOver, SecondPersonNeeded
from xueji.identity.models import Account, Membership, ResetRequest
from xueji.identity.rules import Capacity, OrganisationKind, ProofRoute, ResetKind
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Forbidden, Invalid, NotFound
from xueji.proctoring.errors import CheckInNeeded
from xueji.proctoring.models import Check
from xueji.rulebook.vocabulary import Outcome

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
WHERE, OTHER = uuid4(), uuid4()
REASON = "手机丢失，本人当面说明"


def _account(role: Role, *, staff: bool, activated: bool = True, region: str = "620102") -> rules.ResetSubject:
    return rules.ResetSubject(uuid4(), staff, activated, (Capacity(role, WHERE, region, LONG_AGO),))


def _actor(role: Role, where: UUID = OTHER, region: str = "620100") -> Actor:
    return Actor(uuid4(), uuid4(), frozenset({role}), where, region)


TRAINEE, TEACHER = _account(Role.TRAINEE, staff=False), _account(Role.INSTITUTION, staff=True)
REGULATOR = _account(Role.REGULATOR, staff=True)


@pytest.mark.parametrize(
    ("account", "confirmer", "may"),
    [
        (TRAINEE, _actor(Role.ADMINISTRATOR), True),
        (TRAINEE, _actor(Role.INSTITUTION, WHERE), True),
        (TRAINEE, _actor(Role.INSTITUTION, OTHER), False),
        (TRAINEE, _actor(Role.REGULATOR), True),
        (TRAINEE, _actor(Role.REGULATOR, region="650100"), False),
        (TRAINEE, _actor(Role.TRAINEE, WHERE), False),
        (TRAINEE, replace(_actor(Role.TRAINEE), person_id=TRAINEE.person_id), True),
        (TEACHER, _actor(Role.ADMINISTRATOR), True),
        (TEACHER, _actor(Role.REGULATOR), True),
        (TEACHER, _actor(Role.INSTITUTION, WHERE), False),
        (TEACHER, replace(_actor(Role.INSTITUTION, WHERE), person_id=TEACHER.person_id), False),
        (REGULATOR, _actor(Role.ADMINISTRATOR), False),
        (REGULATOR, _actor(Role.REGULATOR), True),
        (REGULATOR, _actor(Role.REGULATOR, region="650100"), False),
    ],
)
def test_who_may_be_the_second_person(account: rules.ResetSubject, confirmer: Actor, may: bool) -> None:
    def confirms(asked_by: UUID, since: datetime | None, *, alone: bool = False) -> bool:
        return rules.may_confirm_reset(account, asked_by, confirmer, since, NOW, alone=alone)

    own = confirmer.person_id == account.person_id
    assert confirms(uuid4(), LONG_AGO) is may
    assert not confirms(confirmer.person_id, LONG_AGO)
    for since in (None, NOW - rules.CONFIRMS_AFTER + timedelta(seconds=1)):
        assert confirms(uuid4(), since) is (may and own)
    assert confirms(uuid4(), NOW - rules.CONFIRMS_AFTER) is may
    if confirmer.is_(Role.ADMINISTRATOR):
        assert confirms(uuid4(), LONG_AGO, alone=True)


def test_who_may_ask() -> None:
    for account in (TRAINEE, TEACHER, REGULATOR):
        assert rules.may_ask_reset(account, _actor(Role.ADMINISTRATOR))
        assert not rules.may_ask_reset(account, replace(_actor(Role.ADMINISTRATOR), person_id=account.person_id))
        assert not rules.may_ask_reset(account, _actor(Role.REGULATOR))
    assert rules.may_ask_reset(TRAINEE, _actor(Role.INSTITUTION, WHERE))
    assert not rules.may_ask_reset(TRAINEE, _actor(Role.INSTITUTION, OTHER))
    assert not rules.may_ask_reset(TEACHER, _actor(Role.INSTITUTION, WHERE))


def _for_a_week(context: Context, who: Someone) -> Someone:
    with context.database.writing() as session:
        session.execute(update(Membership).where(Membership.person_id == who.id).values(since=LONG_AGO))
    return who


@pytest.fixture
def admins(context: Context) -> tuple[Someone, Someone]:
    one, two = (_for_a_week(context, someone(context, Role.ADMINISTRATOR)) for _ in range(2))
    return one, two


def _ask(context: Context, who: Someone, actor: Actor, kind: ResetKind = ResetKind.PASSWORD) -> tuple[UUID, str]:
    with context.database.writing() as session:
        request, half = services.ask_reset(
            session, context.keyring, person_id=who.id, kind=kind, reason=REASON, actor=actor
        )
        return request.id, half or ""


def test_two_people_reset_the_password_of_staff_and_neither_knows_it_alone(
    context: Context, admins: tuple[Someone, Someone]
) -> None:
    who = someone(context, Role.INSTITUTION)
    login = signed_in(context, who).claims.login_session_id
    first, second = (each.actor(Role.ADMINISTRATOR) for each in admins)
    request_id, half = _ask(context, who, first)
    with pytest.raises(NotFound):
        services.confirm_reset(context, request_id=request_id, actor=first)
    with context.database.reading() as session:
        assert REASON not in str(session.get_one(ResetRequest, request_id).reason_cipher)
        assert queries.live_login(session, login, clock.now())
    done = services.confirm_reset(context, request_id=request_id, actor=second)
    assert done.half is not None and done.half != half
    with context.database.reading() as session:
        account = session.scalars(select(Account).where(Account.person_id == who.id)).one()
        assert account.password_is_temporary and account.reset_at is not None
        kept = session.get_one(ResetRequest, request_id)
        assert (kept.confirmed, kept.half_cipher, kept.decided_by) == (True, None, second.person_id)
    for wrong in (half, done.half, f"{done.half}-{half}", PASSWORD):
        assert not services.passwords.fits(wrong, account.password_hash)
    assert services.passwords.fits(f"{half}-{done.half}", account.password_hash)
    for again in (
        lambda: services.confirm_reset(context, request_id=request_id, actor=second),
        lambda: _refuse(context, request_id, first),
    ):
        with pytest.raises(ResetOver):
            again()


def _refuse(context: Context, request_id: UUID, actor: Actor) -> None:
    with context.database.writing() as session:
        services.refuse_reset(session, context.keyring, request_id=request_id, actor=actor)


def test_a_request_lapses_is_refused_and_is_replaced_by_a_later_one(
    context: Context, admins: tuple[Someone, Someone]
) -> None:
    who = someone(context, Role.INSTITUTION)
    first, second = (each.actor(Role.ADMINISTRATOR) for each in admins)
    with clock.fixed(clock.now()) as time:
        earlier, _half = _ask(context, who, first)
        later, _half = _ask(context, who, first)
        with pytest.raises(ResetOver):
            services.confirm_reset(context, request_id=earlier, actor=second)
        with pytest.raises(NotFound):
            _refuse(context, later, someone(context, Role.INSTITUTION).actor(Role.INSTITUTION))
        _refuse(context, later, who.actor(Role.INSTITUTION))
        last, _half = _ask(context, who, first)
        time.advance(rules.RESET_LASTS)
        with pytest.raises(ResetOver):
            services.confirm_reset(context, request_id=last, actor=second)
        with context.database.reading() as session:
            assert queries.waiting_resets(session, context.keyring, second) == []


def test_a_lost_second_factor_is_dropped_by_two(context: Context, admins: tuple[Someone, Someone]) -> None:
    who = someone(context, Role.INSTITUTION)
    with_factor(context, who)
    first, second = (each.actor(Role.ADMINISTRATOR) for each in admins)
    with context.database.writing() as session, pytest.raises(Forbidden):
        services.drop_totp(session, context.keyring, person_id=who.id, actor=first)
    request_id, half = _ask(context, who, first, ResetKind.FACTOR)
    assert half == ""
    assert services.confirm_reset(context, request_id=request_id, actor=second).half is None
    with context.database.reading() as session:
        assert not queries.profile(session, context.keyring, who.id).second_factor


def test_the_regulator_s_account_is_not_under_the_administrators_alone(
    context: Context, admins: tuple[Someone, Someone]
) -> None:
    who = someone(context, Role.REGULATOR, region="620100")
    first, second = (each.actor(Role.ADMINISTRATOR) for each in admins)
    request_id, _half = _ask(context, who, first)
    colleague = _for_a_week(context, someone(context, Role.REGULATOR, region="620000"))
    with pytest.raises(NotFound):
        services.confirm_reset(context, request_id=request_id, actor=second)
    regulator = colleague.actor(Role.REGULATOR, region="620000")
    assert services.confirm_reset(context, request_id=request_id, actor=regulator).half


def test_a_regulator_s_role_is_not_taken_for_the_length_of_a_reset(
    context: Context, admins: tuple[Someone, Someone]
) -> None:
    who = someone(context, Role.REGULATOR, region="620100")
    first, second = (each.actor(Role.ADMINISTRATOR) for each in admins)
    with clock.fixed(clock.now()) as time:
        with context.database.writing() as session:
            front = (session, context.keyring, context.events)
            kept = session.scalars(select(Membership).where(Membership.person_id == who.id)).one()
            services.remove_membership(*front, membership_id=kept.id, actor=first)
        request_id, _half = _ask(context, who, first)
        with pytest.raises(NotFound):
            services.confirm_reset(context, request_id=request_id, actor=second)
        time.advance(rules.RESTS_AFTER)
        request_id, _half = _ask(context, who, first)
        assert services.confirm_reset(context, request_id=request_id, actor=second).half


def test_a_reason_is_needed_and_a_first_code_may_be_issued_again_by_one(context: Context) -> None:
    elsewhere = someone(context, temporary=True)
    at = organisation(context, OrganisationKind.INSTITUTION)
    staff = _for_a_week(context, someone(context, Role.INSTITUTION, at=at))
    new, used = someone(context, at=at, temporary=True), someone(context, at=at)
    actor = staff.actor(Role.INSTITUTION)
    with context.database.writing() as session:
        front = (session, context.keyring, context.events)
        services.issue_again(*front, person_id=new.id, password=services.hash_password("first-code-2"), actor=actor)
        with pytest.raises(SecondPersonNeeded):
            services.issue_again(*front, person_id=used.id, password=services.hash_password("x"), actor=actor)
        with pytest.raises(NotFound):  # of another institution
            services.issue_again(*front, person_id=elsewhere.id, password=services.hash_password("x"), actor=actor)
        with pytest.raises(Invalid):
            services.ask_reset(
                session, context.keyring, person_id=used.id, kind=ResetKind.PASSWORD, reason="无", actor=actor
            )


def test_whoever_once_worked_here_counts_as_staff_for_good(context: Context) -> None:
    """Else an administrator would take the role away, reset alone, and give it back."""
    who, admin = someone(context, Role.INSTITUTION), someone(context, Role.ADMINISTRATOR)
    with context.database.writing() as session:
        membership = session.scalars(select(Membership).where(Membership.person_id == who.id)).one()
        services.remove_membership(
            session,
            context.keyring,
            context.events,
            membership_id=membership.id,
            actor=admin.actor(Role.ADMINISTRATOR),
        )
        assert not rules.one_person_will_do(queries.account_to_reset(session, who.id))


def test_a_trainee_confirms_on_her_own_page_and_her_next_study_begins_with_a_check(
    app: Flask, scenario: Scenario
) -> None:
    context, student = scenario.context, scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.MATCH])
    teacher, herself = Browser(app), Browser(app)
    teacher.sign_in(scenario.school.head.who)
    page = f"/people/{student.who.id}/account"
    assert "已由本人启用" in teacher.get(page).text
    asked = teacher.post(f"/people/{student.who.id}/resets", {"kind": "password", "reason": REASON}, look=page)
    assert "前半段" in asked.text
    assert REASON in teacher.get("/resets").text
    herself.sign_in(student.who)
    assert REASON in herself.get("/account").text and "申请重置" in herself.page
    with context.database.reading() as session:
        request_id = session.scalars(select(ResetRequest.id)).one()
    scenario.time.advance(timedelta(minutes=1))
    confirmed = herself.post(f"/resets/{request_id}/confirm", look="/account")
    assert "后半段" in confirmed.text
    assert herself.get("/account").status_code == 302  # her sessions ended
    with context.database.reading() as session:
        reset_at = session.scalars(select(Account.reset_at).where(Account.person_id == student.who.id)).one()
    assert reset_at == clock.now()
    with context.database.writing() as session:
        kept = services.hash_password(PASSWORD)
        services.change_password(
            session, context.keyring, context.events, person_id=student.who.id, password=kept, keep=None
        )
    opened_ms = clock.to_ms(clock.now())
    student.study(scenario.lessons[1], 30_000, answers=[Outcome.MATCH], together=1)
    with context.database.reading() as session:
        asked = session.scalars(select(Check.due_ms).where(Check.occasion_id == student.sitting_id)).first()
    assert asked is not None and asked - opened_ms <= 10_000


def test_after_a_reset_whoever_vouched_before_vouches_anew(scenario: Scenario) -> None:
    student = scenario.student(route=ProofRoute.SUPERVISED)
    scenario.time.advance(timedelta(minutes=1))
    with scenario.context.database.writing() as session:
        session.execute(update(Account).where(Account.person_id == student.who.id).values(reset_at=clock.now()))
    with pytest.raises(CheckInNeeded):
        student.study(scenario.lessons[0])
