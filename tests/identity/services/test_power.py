"""Power is recorded: whoever changes an account, a role, an organisation or a cohort leaves a leaf that says who."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import (
    PASSWORD,
    Browser,
    HarmlessFaces,
    Someone,
    consented,
    identity_number,
    organisation,
    someone,
    with_factor,
)
from support.school import new_school

from xueji.identity import queries, services
from xueji.identity.models import Account, AccountAct, LoginSession, Membership
from xueji.identity.rules import OrganisationKind, ResetKind, SessionEnd, SessionKind
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.trace import sealing
from xueji.trace.models import Pending, SealedOpening
from xueji.trace.rules import PLATFORM, Event

HASHED = services.hash_password("another-horse-8")
HERE: dict[str, Any] = {"kind": SessionKind.COOKIE, "user_agent": ""}


@dataclass(frozen=True)
class Cast:
    """An administrator acts, somebody is acted on."""

    context: Context
    admin: Someone
    other: Someone

    def run(
        self, service: str, *, keyring: bool = True, events: bool = True, by_actor: bool = True, **values: Any
    ) -> Any:
        """Call a service the way the pages do."""
        front = [self.context.keyring] if keyring else []
        front += [self.context.events] if events else []  # type: ignore[list-item]
        if by_actor:
            values["actor"] = self.admin.actor(Role.ADMINISTRATOR)
        with self.context.database.writing() as session:
            return getattr(services, service)(session, *front, **values)


Deed = Callable[[Cast], Any]


def _register(cast: Cast) -> None:
    cast.run(
        "register_person",
        events=False,
        name="李雷",
        id_number=identity_number(771),
        account="lilei771",
        password=HASHED,
        role=Role.TRAINEE,
        organisation_id=cast.other.organisation_id,
    )


def _remove(cast: Cast) -> None:
    with cast.context.database.reading() as session:
        membership = session.scalars(select(Membership.id).where(Membership.person_id == cast.other.id)).one()
    cast.run("remove_membership", membership_id=membership)


def _sign_in(cast: Cast) -> services.SignInResult | services.Needed:
    return services.pass_password(cast.context, account=cast.other.account, password=PASSWORD, **HERE)


def _switch(cast: Cast) -> None:
    passed = _sign_in(cast)
    assert isinstance(passed, services.SignInResult)
    with cast.context.database.writing() as session:
        services.switch_organisation(
            session,
            cast.context.keyring,
            cast.context.events,
            cast.context.settings,
            login_session_id=passed.claims.login_session_id,
            organisation_id=cast.other.organisation_id,
        )


def _new_password(cast: Cast) -> None:
    with cast.context.database.writing() as session:
        session.execute(update(Account).where(Account.person_id == cast.other.id).values(password_is_temporary=True))
    needed = _sign_in(cast)
    assert isinstance(needed, services.Needed)
    services.pass_new_password(cast.context, account_id=needed.account_id, password="quite-another-9", **HERE)


def _change_password(cast: Cast) -> None:
    cast.run("change_password", by_actor=False, person_id=cast.other.id, password=HASHED, keep=None)


def _drop(cast: Cast) -> None:
    with_factor(cast.context, cast.other)
    own = cast.other.actor(Role.INSTITUTION)
    cast.run("drop_totp", events=False, by_actor=False, person_id=cast.other.id, actor=own)


def _ask(cast: Cast) -> Any:
    made, _half = cast.run(
        "ask_reset",
        events=False,
        person_id=cast.other.id,
        kind=ResetKind.PASSWORD,
        reason="手机丢失，本人当面说明",
    )
    return made


def _confirm(cast: Cast) -> None:
    """Another administrator asked, and this one confirms."""
    asked = _ask(Cast(cast.context, _administrator(cast.context), cast.other))
    services.confirm_reset(cast.context, request_id=asked.id, actor=cast.admin.actor(Role.ADMINISTRATOR))


def _refuse(cast: Cast) -> None:
    cast.run("refuse_reset", events=False, request_id=_ask(cast).id)


def _issue(cast: Cast) -> None:
    cast.run("issue_again", person_id=_unused(cast).id, password=HASHED)


def _unused(cast: Cast) -> Someone:
    """A trainee who has not used her first code: it is done to her."""
    who = someone(cast.context, temporary=True)
    object.__setattr__(cast, "other", who)
    return who


def _administrator(context: Context) -> Someone:
    """One for a week, so that she may confirm what another asks for."""
    who = someone(context, Role.ADMINISTRATOR)
    with context.database.writing() as session:
        session.execute(
            update(Membership).where(Membership.person_id == who.id).values(since=clock.now() - timedelta(days=7))
        )
    return who


def _add(cast: Cast) -> None:
    where = organisation(cast.context, OrganisationKind.AUTHORITY)
    cast.run("add_membership", person_id=cast.other.id, organisation_id=where.id, role=Role.REGULATOR)


def _code(cast: Cast) -> None:
    totp, _codes = with_factor(cast.context, cast.other)
    needed = _sign_in(cast)
    assert isinstance(needed, services.Needed)
    services.pass_code(cast.context, account_id=needed.account_id, code=totp.at(clock.now()), **HERE)


DEEDS: dict[str, tuple[Event, Deed]] = {
    "register_person": (Event.ACCOUNT_OPEN, _register),
    "add_membership": (Event.ROLE_GIVE, _add),
    "remove_membership": (Event.ROLE_TAKE, _remove),
    "suspend": (Event.ACCOUNT_SUSPEND, lambda cast: cast.run("suspend", person_id=cast.other.id)),
    "restore": (Event.ACCOUNT_RESTORE, lambda cast: cast.run("restore", events=False, person_id=cast.other.id)),
    "forget_failures": (
        Event.ACCOUNT_UNLOCK,
        lambda cast: cast.run("forget_failures", events=False, person_id=cast.other.id),
    ),
    "change_password": (Event.PASSWORD_CHANGE, _change_password),
    "issue_again": (Event.PASSWORD_RESET, _issue),
    "ask_reset": (Event.RESET_ASK, _ask),
    "confirm_reset": (Event.PASSWORD_RESET, _confirm),
    "refuse_reset": (Event.RESET_REFUSE, _refuse),
    "confirm_totp": (Event.FACTOR_SET, lambda cast: with_factor(cast.context, cast.other)),
    "drop_totp": (Event.FACTOR_DROP, _drop),
    "open_session": (Event.SIGNIN_OPEN, _sign_in),
    "switch_organisation": (Event.SIGNIN_OPEN, _switch),
    "pass_password": (Event.SIGNIN_OPEN, _sign_in),
    "pass_code": (Event.SIGNIN_OPEN, _code),
    "pass_new_password": (Event.PASSWORD_CHANGE, _new_password),
    "create_organisation": (
        Event.ORGANISATION_OPEN,
        lambda cast: cast.run(
            "create_organisation",
            events=False,
            name="兰州某机构",
            kind=OrganisationKind.INSTITUTION,
            region="620102",
            uscc=None,
        ),
    ),
}
ELSEWHERE = {
    "ask_correction": "test_correcting",
    "confirm_correction": "test_correcting",
    "refuse_correction": "test_correcting",
    "create_administrator": "test_first_administrator",
    "recover_administrator": "test_first_administrator",
    "pass_set_up": "test_setting_a_factor_up_while_signing_in_is_recorded",
    "read_acts": "test_who_was_acted_on_is_told_until_she_has_read_it",
    "give_consent": "consent.give, on the same chain",
    "withdraw_consent": "consent.withdraw, on the same chain",
    "enrol_photo": "reference.enrol, on the same chain",
    "delete_photo": "reference.delete, on the same chain",
    "decide_photo": "reference.confirm and reference.refuse, on the same chain and on those of her enrolments",
    "ask_joining": "joining.ask, in test_joining",
    "ask_joining_of_duplicate": "joining.ask, in test_joining",
    "ask_parting": "joining.ask, in test_joining",
    "confirm_joining": "file.join and file.part, in test_joining",
    "refuse_joining": "joining.refuse, in test_joining",
    "name_industry": "organisation.change, in test_people",
    "record_look": "face.view, on the chain it belongs to",
    "issue_codes": "password.reset, in test_codes_that_are_issued_stand_in_the_log",
    "show_picture": "face.view, on the chain it belongs to",
}
NO_POWER = {
    "choose_route": "her own choice; each sitting's leaf says how she was known in it",
    "begin_totp": "counts for nothing until it is confirmed",
    "begin_set_up": "counts for nothing until it is confirmed",
    "begun_totp": "reads",
    "begun_set_up": "reads",
    "first_code": "works out",
    "keep_alive": "a mark of life",
    "end_session": "takes nothing from anybody but a session; the acts that end sessions have leaves",
    "end_sessions": "the same",
    "compare_with_everybody": "what a comparison finds is shown to staff, whose decision is recorded",
    "decide_duplicate": "recorded with the photos",
    "remove_deleted_files": "files whose deletion was recorded",
    "display_name": "reads",
    "open_seen": "reads what a look was recorded for",
    "look_behind": "of her own camera, for herself; nothing of it is kept",
    "administrator_at_the_machine": "reads; what she then does there is recorded in her name",
    "describe_anew": "the same photo in the words of another model",
    "describe_all_anew": "the same",
    "person_key": "reads",
    "hash_password": "works out",
    "hash_code": "works out",
}


def test_every_service_of_identity_is_recorded_or_says_why_not() -> None:
    uses = {name for name in services.__all__ if callable(getattr(services, name)) and not name[0].isupper()}
    assert uses == DEEDS.keys() | ELSEWHERE.keys() | NO_POWER.keys()


def _leaves(context: Context) -> list[dict[str, Any]]:
    with context.database.reading() as session:
        leaves = session.scalars(select(Pending.leaf).where(Pending.chain == PLATFORM).order_by(Pending.id))
        return [json.loads(leaf) for leaf in leaves]


def _opened(context: Context, commitment: str) -> tuple[str, UUID]:
    with context.database.reading() as session:
        opening = session.get_one(SealedOpening, commitment)
        return opening.field, UUID(sealing.unseal(session, opening).value.decode())


@pytest.fixture
def cast(context: Context) -> Cast:
    return Cast(context, _administrator(context), someone(context, Role.INSTITUTION, name="钱老师"))


@pytest.mark.parametrize("service", DEEDS)
def test_power_over_an_account_leaves_a_leaf(cast: Cast, service: str) -> None:
    event, deed = DEEDS[service]
    before = len(_leaves(cast.context))
    deed(cast)
    found = [leaf for leaf in _leaves(cast.context)[before:] if leaf["event"] == event]
    assert found, f"{service} left no {event}"
    said = found[-1]["values"]
    field, actor = _opened(cast.context, said["actor"])
    own = event in (Event.SIGNIN_OPEN, Event.PASSWORD_CHANGE, Event.FACTOR_SET, Event.FACTOR_DROP)
    assert (field, actor) == ("actor", cast.other.id if own else cast.admin.id)
    if event not in (Event.ORGANISATION_OPEN, Event.ACCOUNT_OPEN):
        assert _opened(cast.context, said["subject"]) == ("subject", cast.other.id)
    assert str(cast.other.id) not in json.dumps(found) and str(cast.admin.id) not in json.dumps(found)


def test_opening_a_cohort_leaves_a_leaf(context: Context) -> None:
    school = new_school(context)
    cohort = school.cohort()
    said = next(leaf for leaf in _leaves(context) if leaf["event"] == Event.COHORT_OPEN)["values"]
    assert said["cohort"] == str(cohort.id)
    assert _opened(context, said["actor"]) == ("actor", school.staff.person_id)


def test_setting_a_factor_up_while_signing_in_is_recorded(cast: Cast) -> None:
    from dataclasses import replace

    context = replace(cast.context, settings=replace(cast.context.settings, staff_second_factor="required"))
    needed = services.pass_password(context, account=cast.other.account, password=PASSWORD, **HERE)
    assert isinstance(needed, services.Needed)
    secret = services.begin_set_up(context, account_id=needed.account_id).secret
    code = pyotp.TOTP(secret).at(clock.now())
    services.pass_set_up(context, account_id=needed.account_id, code=code, **HERE)
    assert [leaf["event"] for leaf in _leaves(context)][-2:] == [Event.FACTOR_SET, Event.SIGNIN_OPEN]


def test_a_second_factor_ends_the_other_sessions(cast: Cast) -> None:
    old = _sign_in(cast)
    assert isinstance(old, services.SignInResult)
    with_factor(cast.context, cast.other)
    with cast.context.database.reading() as session:
        login = session.get_one(LoginSession, old.claims.login_session_id)
        assert login.ended_reason == SessionEnd.FACTOR_CHANGED


def test_who_was_acted_on_is_told_until_she_has_read_it(app: Flask, cast: Cast) -> None:
    cast.run("suspend", person_id=cast.other.id)
    cast.run("restore", events=False, person_id=cast.other.id)
    browser, stranger = Browser(app), Browser(app)
    browser.sign_in(cast.other)
    page = browser.get("/account").text
    assert "您的账号有变动" in page and "停用账号" in page and "恢复账号" in page and "王**" in page
    assert "您的账号有变动" in browser.get("/cohorts").text
    with cast.context.database.reading() as session:
        acts = [str(act.act_id) for act in queries.unread_acts(session, cast.other.id)]
    stranger.sign_in(cast.admin)
    stranger.post("/account/acts/read", {"act": acts}, look="/account")
    assert "您的账号有变动" in browser.get("/account").text
    assert browser.post("/account/acts/read", {"act": acts, "next": "/account"}, look="/account").location == "/account"
    assert "您的账号有变动" not in browser.get("/account").text
    assert browser.post("/account/acts/read", {"act": "nonsense"}, look="/account").status_code == 400


def test_what_somebody_does_to_her_own_account_is_no_news_to_her_except_a_factor(cast: Cast) -> None:
    _change_password(cast)
    with cast.context.database.reading() as session:
        assert queries.unread_acts(session, cast.other.id) == []
    with_factor(cast.context, cast.other)
    with cast.context.database.reading() as session:
        assert [act.event for act in queries.unread_acts(session, cast.other.id)] == [Event.FACTOR_SET]
        place = session.scalars(select(AccountAct.place).where(AccountAct.event == Event.FACTOR_SET)).one()
    assert _leaves(cast.context)[place]["event"] == Event.FACTOR_SET


def test_a_view_that_answers_get_and_records_is_not_reached_from_another_site(app: Flask, cast: Cast) -> None:
    browser = Browser(app)
    HarmlessFaces.in_(cast.context)
    who = someone(cast.context)
    consented(cast.context, who)
    photo = services.enrol_photo(cast.context, person_id=who.id, photo=b"\x05 a picture")
    browser.sign_in(who)
    path = f"/account/photos/{photo}/picture"
    for told, status in (("cross-site", 400), ("same-site", 400), ("same-origin", 200), ("none", 200)):
        assert browser.get(path, headers={"Sec-Fetch-Site": told}).status_code == status
