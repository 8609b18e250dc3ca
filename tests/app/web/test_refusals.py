"""Every refusal says what to do, and is true of what it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.lesson_page import Page
from support.people import bearer, someone
from support.scenario import Scenario

from xueji.identity.rules import ProofRoute
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Problem


def every_refusal() -> Iterator[type[Problem]]:
    waiting = [Problem]
    while waiting:
        found = waiting.pop().__subclasses__()
        yield from found
        waiting += found


def test_each_has_words_of_its_own_or_its_family_s(app: Flask) -> None:
    with app.test_request_context():
        kinds = list(every_refusal())
        assert len(kinds) > 40
        assert [kind for kind in kinds if not (str(kind.title) and str(kind.detail))] == []


def test_each_kind_has_a_name_of_its_own(app: Flask) -> None:
    """Programs tell refusals apart by their type: two of one name would be taken for one another."""
    named = Counter(kind.type for kind in every_refusal() if "type" in vars(kind))
    assert [name for name, count in named.items() if count > 1] == []


def said(response: Any, status: int, kind: str) -> str:
    assert (response.status_code, response.json["type"]) == (status, kind), response.text
    return str(response.json["detail"])


def test_a_check_asked_for_under_supervision_is_told_that_there_are_none(app: Flask, scenario: Scenario) -> None:
    student = scenario.student(route=ProofRoute.SUPERVISED)
    scenario.check_in(student)
    page = Page(app, scenario, student)
    page.open()
    assert "工作人员" in said(page.ask_check(), 409, "no-face-checks")


def test_a_check_asked_for_while_one_stands_open_is_told_which_comes_first(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    page.open()
    assert page.ask_check().status_code == 201
    assert "先" in said(page.ask_check(), 409, "check-still-open")


def test_study_outside_the_dates_is_told_the_dates(app: Flask, scenario: Scenario) -> None:
    page = Page(app, scenario, scenario.student())
    scenario.time.advance(timedelta(days=400))
    page.sign_in()
    last = scenario.cohort.ends_on.isoformat()
    refused = page.open()
    assert last in said(refused, 409, "outside-dates")
    assert refused.json["ends_on"] == last  # type: ignore[index]


def test_who_may_not_is_told_whom_to_ask(app: Flask, context: Context) -> None:
    headers = bearer(context, someone(context, Role.REGULATOR))
    answer = app.test_client().post("/api/v1/uploads", json={"name": "a.mp4", "size": 1}, headers=headers)
    assert "管理员" in said(answer, 403, "forbidden")


def test_a_file_too_large_is_told_what_to_do(app: Flask, context: Context) -> None:
    headers = bearer(context, someone(context, Role.INSTITUTION))
    client = app.test_client()
    whole = client.post("/api/v1/uploads", json={"name": "a.mp4", "size": 2**50}, headers=headers)
    assert "压缩" in said(whole, 413, "upload-too-large")
    begun = client.post("/api/v1/uploads", json={"name": "a.mp4", "size": 2**24}, headers=headers)
    piece = b"x" * (begun.json["chunk_bytes"] + 1)  # type: ignore[index]
    url = f"/api/v1/uploads/{begun.json['upload_id']}"  # type: ignore[index]
    answer = client.patch(url, data=piece, headers={**headers, "Upload-Offset": "0"})
    assert "chunk_bytes" in said(answer, 413, "piece-too-large")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_an_address_does_not_do_is_named_and_no_page_is_out_of_date(client: FlaskClient, method: str) -> None:
    answer = client.open("/log/checkpoint", method=method)
    assert (answer.status_code, answer.json["type"]) == (405, "method-not-allowed")  # type: ignore[index]
    assert "GET" in answer.headers["Allow"]
    assert client.open("/no/such/page", method=method).status_code == 404


def test_figures_are_refused_in_a_form_that_a_program_reads(client: FlaskClient) -> None:
    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert answer.content_type == "application/problem+json"
    assert said(answer, 403, "forbidden")
