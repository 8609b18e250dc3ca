"""A real installation can be entered: from the machine, the first administrator is made and a locked-out one let in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from support.people import PASSWORD, identity_number, someone, with_factor

from xueji import cli
from xueji.identity import queries, services
from xueji.identity.models import Account, Membership
from xueji.identity.rules import SessionKind, SignInStep
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.trace.models import Pending
from xueji.trace.rules import SYSTEM, Event

HERE: dict[str, Any] = {"kind": SessionKind.COOKIE, "user_agent": "test"}
NEW = "quite-another-9"


@pytest.fixture
def command(context: Context, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`xueji …` on this very installation."""
    monkeypatch.setattr(Context, "open", lambda settings: context)
    monkeypatch.setattr(Context, "close", lambda self: None)
    monkeypatch.setattr(cli, "_settings", lambda: context.settings)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli.main, list(words))

    return run


def create(command: Any, account: str = "13800138001", serial: int = 811) -> Result:
    said = command(
        "admin", "create", "--name", "孙建平", "--id-number", identity_number(serial), "--account", account,
        "--operator", "学迹运营中心", "--region", "620100",
    )  # fmt: skip
    assert isinstance(said, Result)
    return said


def code_in(said: Result) -> str:
    line = next(line for line in said.output.splitlines() if line.startswith("activation code"))
    return line.split()[-1]


def leaves(context: Context, event: Event) -> list[dict[str, Any]]:
    with context.database.reading() as session:
        found = [json.loads(leaf) for leaf in session.scalars(select(Pending.leaf).order_by(Pending.id))]
    return [leaf for leaf in found if leaf["event"] == event]


def test_the_first_administrator_signs_in_with_her_code_chooses_a_password_and_sets_up_a_factor(
    context: Context, command: Any
) -> None:
    said = create(command)
    assert said.exit_code == 0, said.output
    code = code_in(said)
    context = replace(context, settings=replace(context.settings, staff_second_factor="required"))
    needed = services.pass_password(context, account="138 0013 8001", password=code, **HERE)
    assert isinstance(needed, services.Needed) and needed.step is SignInStep.NEW_PASSWORD
    needed = services.pass_new_password(context, account_id=needed.account_id, password=NEW, **HERE)
    assert isinstance(needed, services.Needed) and needed.step is SignInStep.SET_UP_CODE
    setting_up = services.begin_set_up(context, account_id=needed.account_id)
    totp = pyotp.TOTP(setting_up.secret)
    passed, codes = services.pass_set_up(context, account_id=needed.account_id, code=totp.at(clock.now()), **HERE)
    assert isinstance(passed, services.SignInResult) and codes
    with context.database.reading() as session:
        roles = session.scalars(select(Membership.role).where(Membership.person_id == passed.claims.person_id)).all()
    assert roles == [Role.ADMINISTRATOR]
    assert leaves(context, Event.ACCOUNT_OPEN)[-1]["who"] == SYSTEM


def test_there_is_one_first_administrator(context: Context, command: Any) -> None:
    assert create(command).exit_code == 0
    again = create(command, account="second", serial=812)
    assert again.exit_code == 1
    assert "平台已有管理员" in again.output
    assert "activation code" not in again.output


def test_what_is_wrong_with_the_words_is_said_and_nothing_is_made(context: Context, command: Any) -> None:
    said = command(
        "admin", "create", "--name", "孙建平", "--id-number", "62010219850", "--account", "sunjp",
        "--operator", "学迹运营中心", "--region", "620100",
    )  # fmt: skip
    assert said.exit_code == 1 and "18位" in said.output
    with context.database.reading() as session:
        assert session.scalar(select(Account.id)) is None


def test_an_administrator_who_lost_everything_begins_anew_and_is_told(context: Context, command: Any) -> None:
    admin = someone(context, Role.ADMINISTRATOR)
    with_factor(context, admin)
    said = command("admin", "recover", "--account", admin.account)
    assert said.exit_code == 0, said.output
    needed = services.pass_password(context, account=admin.account, password=code_in(said), **HERE)
    assert isinstance(needed, services.Needed) and needed.step is SignInStep.NEW_PASSWORD
    assert leaves(context, Event.ACCOUNT_RECOVER)[-1]["who"] == SYSTEM
    with context.database.reading() as session:
        assert queries.unread_acts(session, admin.id)[0].event == Event.ACCOUNT_RECOVER


def test_nobody_else_is_let_in_that_way(context: Context, command: Any) -> None:
    teacher = someone(context, Role.INSTITUTION)
    said = command("admin", "recover", "--account", teacher.account)
    assert said.exit_code == 1 and "管理员" in said.output
    assert isinstance(
        services.pass_password(context, account=teacher.account, password=PASSWORD, **HERE),
        services.SignInResult | services.Needed,
    )
