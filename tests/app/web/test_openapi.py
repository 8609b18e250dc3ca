"""``/api/openapi.json`` is true: every operation is asked for real, and every answer is one that it describes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from enum import Enum
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel
from support.description import Description
from support.evidence import new_case
from support.growing_log import GrowingLog
from support.lesson_page import Page, judge_all
from support.people import PASSWORD, bearer, someone
from support.scenario import Scenario, Student, portrait
from werkzeug.test import TestResponse

from courses import tasks
from media_pipeline.harmless import scripted
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.identity.rules import ProofRoute
from xueji.kernel.actor import Role
from xueji.openapi import DescribedApplication
from xueji.parts import PARTS
from xueji.web.access import rule_of


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return dict(app.test_client().get("/api/openapi.json").json or {})


@pytest.fixture
def description(document: dict[str, Any]) -> Description:
    return Description(document)


class Reader:
    """Asks as somebody, and holds every answer against the description."""

    def __init__(self, app: Flask, description: Description) -> None:
        self.app, self.description = app, description
        self.succeeded: set[tuple[str, str]] = set()
        self.refused: set[tuple[str, str]] = set()
        self.faults: list[tuple[str, str, int, str]] = []

    def listen(self, client: FlaskClient) -> FlaskClient:
        """The same client; from now on what it is answered is noted."""
        ask = client.open

        def open_(*args: Any, **options: Any) -> TestResponse:
            answer = ask(*args, **options)
            self.note(answer)
            return answer

        client.open = open_  # type: ignore[method-assign]
        return client

    def note(self, answer: TestResponse) -> None:
        asked = answer.request
        operation = self.description.find(asked.method, asked.path)
        body = answer.json if "json" in answer.content_type else answer.data
        found = self.description.faults(operation, answer.status_code, answer.content_type, body)
        self.faults += [(*operation, answer.status_code, fault) for fault in found]
        (self.succeeded if answer.status_code < 300 else self.refused).add(operation)


@pytest.fixture
def reader(app: Flask, description: Description) -> Reader:
    return Reader(app, description)


def client_of(reader: Reader, scenario: Scenario, who: Any) -> FlaskClient:
    client = reader.listen(reader.app.test_client())
    client.environ_base["HTTP_AUTHORIZATION"] = bearer(scenario.context, who)["Authorization"]
    return client


def page_of(reader: Reader, scenario: Scenario, student: Student) -> Page:
    page = Page(reader.app, scenario, student)
    reader.listen(page.client)
    return page


def use_an_account(reader: Reader, scenario: Scenario) -> None:
    who = someone(scenario.context, Role.TRAINEE)
    stranger = reader.listen(reader.app.test_client())
    token = stranger.post("/api/v1/tokens", json={"account": who.account, "password": PASSWORD})
    stranger.post("/api/v1/tokens", json={"account": who.account, "password": "wrong"})
    client = reader.listen(reader.app.test_client())
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token.json['token']}"  # type: ignore[index]
    client.get("/api/v1/me")
    client.put("/api/v1/me/proof-route", json={"route": "face"})
    client.post("/api/v1/me/reference-photos", data={"photo": (io.BytesIO(b"1 picture"), "me.jpg")})
    read = client.get("/api/v1/me/consents/face").json or {}
    client.post("/api/v1/me/consents", json={"kind": "face", "text_version": "1999-01"})
    client.post("/api/v1/me/consents", json={"kind": "face", "text_version": read["text_version"]})
    client.put("/api/v1/me/proof-route", json={"route": "supervised"})
    photo = client.post("/api/v1/me/reference-photos", data={"photo": (io.BytesIO(portrait()), "me.jpg")}).json or {}
    two = {"first": (io.BytesIO(portrait()), "1.jpg"), "later": (io.BytesIO(portrait()), "2.jpg")}
    client.post("/api/v1/me/view", data=two)
    client.get("/api/v1/me/reference-photos")
    client.get(f"/api/v1/me/reference-photos/{photo['photo_id']}/picture")
    client.get("/api/v1/me/face-views")
    client.get("/api/v1/me")
    client.delete(f"/api/v1/me/reference-photos/{photo['photo_id']}")
    client.delete("/api/v1/me/consents/face")
    client.delete("/api/v1/tokens/current")


def upload_a_film(reader: Reader, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.transcode_film, "delay", [].append)
    client = client_of(reader, scenario, scenario.school.head.who)
    began = client.post("/api/v1/uploads", json={"name": "a.mp4", "size": 10}).json or {}
    client.get("/api/v1/uploads")
    client.post("/api/v1/uploads", json={"name": "a.mp4", "size": 2**50})
    url = f"/api/v1/uploads/{began['upload_id']}"
    client.post(f"{url}/finish")
    for offset in ("0", "3"):
        client.patch(url, data=b"x" * 10, headers={"Upload-Offset": offset})
    client.get(url)
    film = client.post(f"{url}/finish").json or {}
    client.get(url)
    client.get(f"/api/v1/films/{film['film_id']}")
    client.get("/api/v1/courses")
    other = client.post("/api/v1/uploads", json={"name": "b.mp4", "size": 10}).json or {}
    client.delete(f"/api/v1/uploads/{other['upload_id']}")


def study_under_supervision(reader: Reader, scenario: Scenario) -> None:
    student = scenario.student("周七", route=ProofRoute.SUPERVISED)
    staff, page = client_of(reader, scenario, scenario.school.head.who), page_of(reader, scenario, student)
    page.open()
    here = {"enrolment_id": str(student.enrolment.id), "place": "一号教室", "minutes": 120}
    made = staff.post("/api/v1/check-ins", json=here).json or {}
    url = f"/api/v1/check-ins/{made['check_in_id']}"
    staff.post("/api/v1/check-ins", json=here)
    page.open()
    for code in ("no code", made["room_code"]):
        page.client.post("/api/v1/check-ins/code", json={"code": code})
    page.open()
    page.ask_check()
    staff.post(f"{url}/confirm")
    question = None
    while question is None:
        question = page.watch()["question"]
    page.say_here()
    page.say_here(question["question_id"])
    page.send(page.beat(rate=9.0), {"seq": 0})
    staff.post(f"{url}/close")
    staff.post(f"{url}/close")


def study_under_checks(reader: Reader, scenario: Scenario) -> None:
    student = scenario.student()
    page, staff = page_of(reader, scenario, student), client_of(reader, scenario, scenario.school.head.who)
    page.client.get("/api/v1/me/enrolments")
    page.open()
    page.open(lesson_id=str(uuid4()))

    def asked() -> dict[str, Any]:
        """After a failure the next check falls due by itself; else she asks for one."""
        due = page.watch(1_000)["check"]
        return dict(due or (page.ask_check().json or {})["check"])

    def answered(check: dict[str, Any], outcome: Judged) -> str:
        state = check
        while state.get("nonce"):
            scenario.judge.script = [scripted(outcome)]
            page.answer(state)
            judge_all(page)
            state = page.check_state(check)
        return f"/api/v1/checks/{check['check_id']}"

    for way, said in (("unable", {"reason": "in_use"}), ("refuse", {})):
        check = asked()
        for nonce in ("wrong", check["nonce"]):
            page.client.post(f"/api/v1/checks/{check['check_id']}/camera", json={"nonce": nonce, "question": "asked"})
        for nonce in ("wrong", check["nonce"], check["nonce"]):
            page.client.post(f"/api/v1/checks/{check['check_id']}/{way}", json={"nonce": nonce, **said})
    url = answered(asked(), Judged.MISMATCH)
    for _ in range(2):
        page.client.post(f"{url}/appeal", json={"reason": "灯坏了，是我本人。"})
    for _ in range(2):
        staff.post(f"{url}/review", json={"outcome": "accept", "reason": "照片可辨认。"})
    answered(asked(), Judged.MATCH)
    enrolment = f"/api/v1/enrolments/{student.enrolment.id}"
    checks = (page.client.get(f"{enrolment}/checks").json or {})["checks"]
    page.client.get(f"{enrolment}/checks?page=x")
    page.client.get(f"/api/v1/pictures/{checks[0]['attempts'][0]['pictures'][0]}")
    page.client.get(f"{enrolment}/statement")
    page.client.post(f"/api/v1/sittings/{page.sitting_id}/ledger")


def take_evidence(reader: Reader, scenario: Scenario) -> None:
    case = new_case(scenario.context, GrowingLog(scenario.context, scenario.time))
    case.study(20)
    client = client_of(reader, scenario, scenario.regulator)
    url = f"/api/v1/enrolments/{case.enrolment.id}/evidence"
    client.post(f"{url}?from=-1")
    with case.sequencing():
        client.post(url, buffered=True)


def test_every_operation_answers_as_it_is_described(
    reader: Reader, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_an_account(reader, scenario)
    upload_a_film(reader, scenario, monkeypatch)
    study_under_supervision(reader, scenario)
    study_under_checks(reader, scenario)
    take_evidence(reader, scenario)
    assert reader.faults == []
    assert set(reader.description.operations()) - reader.succeeded == set()
    assert len(reader.refused) >= 15


def test_strangers_and_nonsense_are_answered_as_described(app: Flask, reader: Reader, scenario: Scenario) -> None:
    stranger = reader.listen(app.test_client())
    trainee = client_of(reader, scenario, scenario.student().who)
    staff = client_of(reader, scenario, scenario.school.head.who)
    for method, path in reader.description.operations():
        url = path
        for name in ("enrolment_id", "sitting_id", "check_id", "check_in_id", "picture_id", "photo_id", "upload_id"):
            url = url.replace(f"{{{name}}}", str(uuid4()))
        url = url.replace("{film_id}", "x").replace("{kind}", "x")
        for client in (stranger, trainee, staff):
            if url == "/api/v1/tokens/current" and client is not stranger:
                continue
            client.open(f"{url}?page=%00", method=method)
            client.open(url, method=method, json={"no": "such field"})
            client.open(url, method=method, json=[])
            client.open(url, method=method, data="{", content_type="application/json")
            client.open(url, method=method, data={"frame": "x", "photo": "x"})
    assert reader.faults == []
    assert len(reader.refused) >= 30


def test_who_may_ask_stands_beside_each_operation(app: Flask, document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"].keys() == {"bearer", "session"}
    open_ = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["security"] == []:
                open_.add(f"{method} {path}")
            else:
                assert operation["security"] == [{"bearer": []}, {"session": []}]
                assert "401" in operation["responses"]
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")]
    strangers = {rule.rule for rule in rules if (found := rule_of(app, rule.endpoint)) and found.open_to_strangers}
    assert {each.partition(" ")[2] for each in open_} == strangers == {"/api/v1/tokens"}


def named(kind: type, names: set[str]) -> Iterator[type]:
    subclasses: list[type] = kind.__subclasses__()
    for below in subclasses:
        if below.__name__ in names and below.__module__.split(".")[0] in ("xueji", "courses"):
            yield below
        yield from named(below, names)


def test_no_two_schemas_share_a_name(document: dict[str, Any]) -> None:
    names = set(document["components"]["schemas"])
    told: dict[str, dict[str, Any]] = {}
    blueprints = (blueprint for part in PARTS for blueprint in part.blueprints())
    for api in (blueprint for blueprint in blueprints if isinstance(blueprint, APIBlueprint)):
        for name, schema in api.components_schemas.items():
            said = schema.model_dump(mode="json", by_alias=True, exclude_unset=True)
            assert told.setdefault(name, said) == said, f"{api.name} has another {name}"
    models = [model.__name__ for model in set(named(BaseModel, names))]
    assert sorted(models) == sorted(set(models))
    assert sorted({*models, *(kind.__name__ for kind in named(Enum, names))}) == sorted(names)


def test_each_reference_leads_somewhere(document: dict[str, Any]) -> None:
    description, found = Description(document), 0

    def follow(part: Any) -> None:
        nonlocal found
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            follow(inner)
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            assert description.resolved(part)
            found += 1

    follow(document)
    assert found > 100


class TestTheCheckItself:
    """That an untrue description is found."""

    def test_another_field_a_missing_one_and_another_type(self, description: Description) -> None:
        operation = ("GET", "/api/v1/me/reference-photos")
        good: dict[str, object] = {"photos": [], "most": 3}
        assert description.faults(operation, 200, "application/json", good) == []
        faulty: list[dict[str, object]] = [
            {**good, "more": 1}, {"photos": []}, {**good, "most": "3"}, {**good, "photos": [{"photo_id": 1}]},
        ]  # fmt: skip
        for bad in faulty:
            assert description.faults(operation, 200, "application/json", bad)

    def test_another_status_another_type_of_refusal_and_another_content_type(self, description: Description) -> None:
        operation = ("GET", "/api/v1/me/reference-photos")
        refused = {"type": "forbidden", "title": "", "status": 403, "detail": ""}
        assert description.faults(operation, 403, "application/problem+json", refused) == []
        assert description.faults(operation, 418, "application/problem+json", refused)
        assert description.faults(operation, 403, "application/json", refused)
        assert description.faults(operation, 403, "application/problem+json", {**refused, "type": "other"})


def test_the_description_is_written_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    write = DescribedApplication.generate_spec_json

    def counted(self: DescribedApplication) -> None:
        made.append(self)
        write(self)

    monkeypatch.setattr(DescribedApplication, "generate_spec_json", counted)
    first, second = (app.test_client().get("/api/openapi.json").data for _ in range(2))
    assert first == second and len(made) <= 1
