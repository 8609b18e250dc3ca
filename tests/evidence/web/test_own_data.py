"""Taking one's own data along, as a person in a browser does."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from support.people import Browser, someone
from support.scenario import Scenario, Student, playing

from xueji.app import create_app
from xueji.hours.queries import statement_of
from xueji.identity import services
from xueji.identity.models import Account, Membership, Person
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.proctoring.models import Check
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import queries as trace
from xueji.trace.models import Pending
from xueji.trace.rules import PLATFORM

REASON = "登记时身份证号码录错，本人当面核对"


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    with playing(app) as made:
        yield made


@pytest.fixture
def studied(scenario: Scenario) -> Student:
    """She studied, failed a check and contested it."""
    student = scenario.student()
    student.study(scenario.lessons[0], answers=[Outcome.NO_FACE])
    with scenario.context.database.reading() as session:
        failed = session.scalars(select(Check.id).where(Check.outcome == Outcome.NO_FACE)).first()
    assert failed is not None
    student.contest(failed, "当时灯坏了，确实是我本人。")
    return student


def _taken(app: Flask, student: Student) -> zipfile.ZipFile:
    browser = Browser(app)
    browser.sign_in(student.who)
    answer = browser.post("/account/data", look="/account", buffered=True)
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "xueji-my-data-" in answer.headers["Content-Disposition"]
    return zipfile.ZipFile(io.BytesIO(answer.data))


def _rows(taken: zipfile.ZipFile) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(taken.read("data.json"))
    return found


def test_she_takes_along_what_is_kept_about_her(app: Flask, scenario: Scenario, studied: Student) -> None:
    other = scenario.student(name="赵铁柱")
    other.study(scenario.lessons[0])
    taken = _taken(app, studied)
    rows = _rows(taken)
    (person,) = rows["person"]
    assert (person["name"], person["id_number"]) == (studied.who.name, studied.who.id_number)
    assert rows["account"][0]["account"] == studied.who.account
    (appeal,) = rows["check_appeal"]
    assert appeal["reason"] == "当时灯坏了，确实是我本人。"
    assert rows["enrolment"][0]["cohort"]["name"] and rows["sitting"][0]["lesson"]["name"]
    assert rows["consent"] and rows["login_session"] and rows["check_attempt"]
    assert {frozenset(each) for each in rows["account_act"]} == {frozenset(rows["account_act"][0])}, "names do not vary"
    assert {each["actor"] is None for each in rows["account_act"]} == {True, False}
    assert rows["photo_decision"][0]["decided_by"]["herself"] is False
    assert not any(str(other.who.id) in json.dumps(each) for each in rows.values())
    assert other.who.account not in taken.read("data.json").decode()

    photos = [name for name in taken.namelist() if name.startswith("photos/")]
    assert len(photos) == len(rows["reference_photo"]) == 1
    readme = taken.read("README.txt").decode()
    assert "个人信息" in readme and "what the Xueji platform keeps about you" in readme


def test_her_statement_and_the_record_of_her_study_are_in_it(app: Flask, scenario: Scenario, studied: Student) -> None:
    taken = _taken(app, studied)
    folder = f"trainings/{studied.enrolment.id}"
    with scenario.context.database.reading() as session:
        leaves = [leaf for _n, leaf in trace.chain_bytes(session, studied.enrolment.chain)]
        statement = statement_of(session, studied.enrolment.id)
    assert taken.read(f"{folder}/events.jsonl") == b"".join(leaf + b"\n" for leaf in leaves)
    assert json.loads(taken.read(f"{folder}/statement.json"))["online"] == statement.to_dict()["online"]
    assert [name for name in taken.namelist() if name.startswith("trainings/")] == [
        f"{folder}/events.jsonl",
        f"{folder}/statement.json",
    ]


def test_no_secret_is_in_it(app: Flask, scenario: Scenario, studied: Student) -> None:
    everything = b"".join(map(_taken(app, studied).read, ["data.json", "README.txt"])).decode()
    with scenario.context.database.reading() as session:
        account = session.scalars(select(Account).where(Account.person_id == studied.who.id)).one()
        person = session.get_one(Person, studied.who.id)
        nonces = session.scalars(select(Check.nonce).where(Check.person_id == studied.who.id)).all()
    assert account.password_hash not in everything
    assert person.id_number_hash.hex() not in everything
    assert nonces and not any(nonce and nonce in everything for nonce in nonces)


def test_it_is_recorded_and_she_is_told_of_it(app: Flask, scenario: Scenario, studied: Student) -> None:
    """Somebody else may have held her session."""
    _taken(app, studied)
    with scenario.context.database.reading() as session:
        kept = session.scalars(select(Pending.leaf).where(Pending.chain == PLATFORM).order_by(Pending.id)).all()
    leaves = [json.loads(leaf) for leaf in kept]
    (copied,) = [leaf for leaf in leaves if leaf["event"] == "file.copy"]
    assert copied["who"] == scenario.context.keyring.pseudonym(studied.who.id, PLATFORM)
    assert {"actor", "subject"} <= copied["values"].keys()
    assert [leaf["values"]["purpose"] for leaf in leaves if leaf["event"] == "face.view"] == ["own"]
    browser = Browser(app)
    browser.sign_in(studied.who)
    assert "带走个人数据" in browser.get("/account").text


def test_nobody_else_can_make_it(app: Flask, scenario: Scenario, studied: Student) -> None:
    """There is no address of another person's data: whoever asks gets her own."""
    stranger = app.test_client().post("/account/data")
    assert (stranger.status_code, "/sign-in" in stranger.location) == (302, True)
    assert app.test_client().get("/account/data").status_code == 405, "a link takes nothing along"
    browser = Browser(app)
    browser.sign_in(someone(scenario.context, name="韩梅梅"))
    named = {"person": str(studied.who.id), "person_id": str(studied.who.id)}
    answer = browser.post("/account/data", named, look="/account", query_string=named, buffered=True)
    rows = _rows(zipfile.ZipFile(io.BytesIO(answer.data)))
    assert [each["name"] for each in rows["person"]] == ["韩梅梅"] and rows["enrolment"] == []
    assert browser.client.post("/account/data").status_code == 400, "without the form's token"


def test_nobody_takes_it_without_end(context: Context) -> None:
    settings = replace(context.settings, own_data_copies="1 per hour")
    sparing = create_app(context=replace(context, settings=settings))
    browser = Browser(sparing)
    browser.sign_in(someone(context))
    assert browser.post("/account/data", look="/account", buffered=True).status_code == 200
    refused = browser.post("/account/data", look="/account", headers={"Accept": "text/html"})
    assert refused.status_code == 429 and "您带走个人数据的次数过多" in refused.text


def _officer(scenario: Scenario, role: Role) -> Any:
    who = someone(scenario.context, role, region="620000")
    with scenario.context.database.writing() as session:
        since = clock.now() - timedelta(days=30)
        session.execute(update(Membership).where(Membership.person_id == who.id).values(since=since))
    return who.actor(role, region="620000")


def _joined(scenario: Scenario, one: UUID, other: UUID, *, confirmed: bool) -> None:
    context = scenario.context
    first, second = _officer(scenario, Role.ADMINISTRATOR), _officer(scenario, Role.REGULATOR)
    with context.database.writing() as session:
        asked = services.ask_joining(
            session, context.keyring, one=other, other=one, stands=one, reason=REASON, actor=first
        )
    if confirmed:
        with context.database.writing() as session:
            services.confirm_joining(session, context.keyring, context.events, joining_id=asked.id, actor=second)


def test_a_file_that_was_joined_is_in_it(app: Flask, scenario: Scenario, studied: Student) -> None:
    other = scenario.student(name="王晓明")
    _joined(scenario, studied.who.id, other.who.id, confirmed=False)
    before = _rows(_taken(app, studied))
    assert len(before["person"]) == 1 and before["file_joining"] == [], "two people have not said yet that it is hers"
    _joined(scenario, studied.who.id, other.who.id, confirmed=True)
    taken = _taken(app, studied)
    rows = _rows(taken)
    assert {each["name"] for each in rows["person"]} == {"王小明", "王晓明"}
    assert {each["id"] for each in rows["enrolment"]} == {str(studied.enrolment.id), str(other.enrolment.id)}
    assert [each["reason"] for each in rows["file_joining"] if each["confirmed"]] == [REASON]
    assert len([name for name in taken.namelist() if name.startswith("photos/")]) == 2
    assert f"trainings/{other.enrolment.id}/events.jsonl" in taken.namelist()
