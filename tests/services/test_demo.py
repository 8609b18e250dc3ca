"""The demonstration: made by the services, complete, and made once."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from stdnum.cn import ric

from xueji import demo
from xueji.demo import course
from xueji.demo.accounts import Accounts
from xueji.demo.cast import CAST
from xueji.enrolment.models import Attendance
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.snapshots.models import CheckIn

SHORT = (("甲", 2), ("乙", 1))


@pytest.fixture
def made(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The whole of it, with films of a second or two."""
    monkeypatch.setattr(course, "LESSONS", SHORT)
    yield demo.make(context)


def counts(context: Context) -> tuple[int, int]:
    with context.database.reading() as session:
        return session.query(Attendance).count(), session.query(CheckIn).count()


def test_it_is_whole_and_made_once(made: dict[str, Any], context: Context) -> None:
    roles = [account["role"] for account in made["accounts"]]
    assert set(roles) == set(Role)
    assert roles[0] == Role.TRAINEE and roles.count(Role.TRAINEE) >= 2
    assert {account["route"] for account in made["accounts"]} == {"supervised", "face", None}
    assert made["accounts"][0]["route"] == "supervised"
    regions = [account["region"] for account in made["accounts"] if account["role"] == Role.REGULATOR]
    institution = next(account for account in made["accounts"] if account["role"] == Role.INSTITUTION)
    assert regions[0][:4] == institution["region"][:4] != regions[1][:4]
    assert [lesson["duration_ms"] for lesson in made["enrolments"][0]["lessons"]] == [2000, 1000]
    before = counts(context)
    assert demo.make(context) == made
    assert counts(context) == before


def test_everybody_can_sign_in_and_the_first_trainee_can_study_at_once(made: dict[str, Any], app: Flask) -> None:
    tokens = {}
    for account in made["accounts"]:
        words = {"account": account["account"], "password": account["password"]}
        response = app.test_client().post("/api/v1/tokens", json=words)
        assert response.status_code == 201, response.text
        tokens[account["account"]] = response.get_json()["token"]
    enrolment = made["enrolments"][0]
    opening = {
        "sitting_id": str(uuid4()),
        "enrolment_id": enrolment["enrolment_id"],
        "lesson_id": enrolment["lessons"][0]["lesson_id"],
        "device": "tests",
    }
    bearer = {"Authorization": f"Bearer {tokens[enrolment['account']]}"}
    response = app.test_client().post("/api/v1/sittings", json=opening, headers=bearer)
    assert response.status_code == 201, response.text


def test_passwords_are_this_installations_own_and_only_its_owner_reads_them(settings: Settings) -> None:
    accounts = Accounts.open_or_create(settings)
    assert len(set(accounts.passwords.values())) == len(CAST)
    assert stat.S_IMODE((settings.data / "demo.json").stat().st_mode) == 0o600
    assert Accounts.open_or_create(settings) == accounts


def test_what_the_operator_has_set_stays(settings: Settings) -> None:
    (settings.data / "settings.toml").write_text('staff_second_factor = "required"\n')
    Accounts.open_or_create(settings)
    written = Settings.load({"XUEJI_DATA": str(settings.data)})
    assert written.demo is True and written.staff_second_factor == "required"


@pytest.mark.parametrize("member", CAST, ids=lambda member: member.account)
def test_identity_numbers_are_well_formed_and_nobodys(member: Any) -> None:
    assert ric.is_valid(member.id_number)
    assert member.id_number.startswith("220000") and member.id_number[14:17] == "996"


def test_the_welcome_names_one_account_for_each_role(settings: Settings) -> None:
    assert "http" in demo.welcome(settings)
    accounts = Accounts.open_or_create(settings)
    said = demo.welcome(settings)
    assert all(role in said for role in Role) and all(word in said for word in accounts.passwords.values())
