"""What a request to the interface carries: another type, another shape or too much is refused for just that."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.lesson_page import Page
from support.people import bearer, consented, someone
from werkzeug.test import EnvironBuilder

from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.trace import queries as trace
from xueji.web.request_bodies import IN_MEMORY_BYTES, LARGEST_JSON, InterfaceRequest, body_of


@pytest.fixture
def institution(app: Flask, context: Context) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = bearer(context, someone(context, Role.INSTITUTION))["Authorization"]
    return client


def refused(response: Any, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert response.json["type"] == kind
    assert response.json["detail"]
    return dict(response.json)


@pytest.mark.parametrize("length", [700_000, 2 * IN_MEMORY_BYTES])
def test_a_picture_in_a_form_is_not_written_to_the_disk_only_to_be_read_back(length: int) -> None:
    data = {"photo": (io.BytesIO(b"p" * length), "p.jpg")}
    builder = EnvironBuilder(method="POST", data=data)
    environ = builder.get_environ()
    builder.close()
    request = InterfaceRequest(environ)
    photo = request.files["photo"]
    assert isinstance(photo.stream, io.BytesIO) is (length < IN_MEMORY_BYTES)
    assert photo.read() == b"p" * length
    photo.close()
    environ["wsgi.input"].close()


def chunked(client: FlaskClient, url: str, body: bytes, **headers: str) -> Any:
    """Send a body that does not say how long it is, as gunicorn hands it on."""
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return client.post(
        url, input_stream=io.BytesIO(body), content_type="application/json", environ_overrides=environ, headers=headers
    )


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
def test_json_under_another_name_is_refused_for_its_type(
    app: Flask, context: Context, page: Page, content_type: str
) -> None:
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or body_of(app.view_functions[rule.endpoint]) != "body":
            continue
        roles = getattr(app.view_functions[rule.endpoint], "access_rule").roles or {Role.TRAINEE}  # noqa: B009
        client = app.test_client()
        if Role.TRAINEE in roles:
            client = page.client
        else:
            client.environ_base.update(
                HTTP_AUTHORIZATION=bearer(context, someone(context, min(roles)))["Authorization"]
            )
        url = rule.rule
        for name in rule.arguments:
            url = url.replace(f"<uuid:{name}>", str(page.sitting_id))
        method = min({"POST", "PUT", "PATCH"} & (rule.methods or set()))
        said = refused(
            client.open(url, method=method, data=b"{}", content_type=content_type), 415, "unsupported-media-type"
        )
        assert "application/json" in said["detail"]
        asked += 1
    assert asked >= 8


def test_a_report_of_another_type_does_not_pass_through_the_beats_own_way(page: Page) -> None:
    url, body = f"/api/v1/sittings/{page.sitting_id}/beats", json.dumps({"beats": [page.beat(0, state="paused")]})
    for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        refused(page.client.post(url, data=body, content_type=content_type), 415, "unsupported-media-type")
    assert page.leaves("beat") == []
    assert page.client.post(url, data=body, content_type="application/json; charset=utf-8").status_code == 200


def test_a_report_whose_length_is_not_said_is_taken_with_the_lease_too(page: Page) -> None:
    url, body = f"/api/v1/sittings/{page.sitting_id}/beats", json.dumps({"beats": [page.beat(0, state="paused")]})
    lease = f"Bearer {page.open().json['lease']['token']}"  # type: ignore[index]
    assert chunked(page.client, url, body.encode(), Authorization=lease).status_code == 200
    assert len(page.leaves("beat")) == 1


@pytest.mark.parametrize("sent_at", ["2026-11-21T16:00:00.5+08:00", 1_795_248_000_500])
def test_the_players_time_is_written_or_counted(page: Page, sent_at: str | int) -> None:
    assert page.send(page.beat(0, state="paused", sent_at=sent_at)).status_code == 200
    with page.scenario.context.database.reading() as session:
        (beat,) = (leaf for leaf in trace.chain(session, str(page.student.enrolment.id)) if leaf["event"] == "beat")
    assert beat["occurred"] == "2026-11-21T08:00:00.500Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": "1"},
        {"rate": True},
        {"sent_at": 5},
        {"sent_at": 1_763_770_000},
        {"sent_at": 1_763_770_000_123.5},
        {"sent_at": True},
        {"sent_at": "1"},
        {"sent_at": "2026-11-21"},
        {"sent_at": "2026-11-21T08:00:00"},
        {"interacted": "yes"},
        {"interacted": 1},
        {"seq": "1"},
        {"from_ms": 0.0},
        {"to_ms": False},
        {"state": 1},
        {"beat_id": 7},
    ],
    ids=str,
)
def test_a_beat_of_wrong_types_is_refused_on_either_way(page: Page, wrong: dict[str, Any]) -> None:
    beat = page.beat(0, **{"state": "paused", **({"to_ms": 0} | wrong)})
    body = json.dumps({"beats": [beat]}).encode()
    url, (field,) = f"/api/v1/sittings/{page.sitting_id}/beats", wrong
    quick = page.client.post(url, data=body, content_type="application/json")
    for answer in (quick, chunked(page.client, url, body)):
        assert [error["field"] for error in refused(answer, 422, "invalid")["errors"]] == [f"beats.0.{field}"]
    assert page.leaves("beat") == []


@pytest.mark.parametrize("rate", [1, 1.0, 0.75])
def test_a_rate_is_any_number(page: Page, rate: float) -> None:
    assert page.send(page.beat(0, state="paused", rate=rate)).status_code == 200


def test_whether_to_continue_here_is_true_or_false(page: Page) -> None:
    said = refused(page.open(continue_here="1"), 422, "invalid")
    assert [error["field"] for error in said["errors"]] == ["continue_here"]


@pytest.mark.parametrize("size", ["10", 10.0, True])
def test_the_size_of_a_file_is_a_whole_number(institution: FlaskClient, size: object) -> None:
    answer = institution.post("/api/v1/uploads", json={"name": "a.mp4", "size": size})
    assert [error["field"] for error in refused(answer, 422, "invalid")["errors"]] == ["size"]


@pytest.mark.parametrize("name", ["a\0.mp4", "a\ud800.mp4"])
def test_a_name_that_cannot_be_kept_is_refused_by_its_field(institution: FlaskClient, name: str) -> None:
    answer = institution.post("/api/v1/uploads", json={"name": name, "size": 10})
    assert [error["field"] for error in refused(answer, 422, "invalid")["errors"]] == ["name"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b'{"account": "\xff"}', 400, "malformed"),
        (b"null", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b'"{}"', 422, "invalid"),
        (b"{}", 422, "invalid"),
    ],
)
def test_what_is_no_object_of_json_is_told_so(client: FlaskClient, body: bytes, status: int, kind: str) -> None:
    refused(client.post("/api/v1/tokens", data=body, content_type="application/json"), status, kind)


def test_a_body_without_an_end_is_too_large_like_one_that_says_so(page: Page) -> None:
    body = b'{"device": "' + b"x" * LARGEST_JSON + b'"}'
    for url in ("/api/v1/sittings", f"/api/v1/sittings/{page.sitting_id}/beats"):
        assert page.client.post(url, data=body, content_type="application/json").status_code == 413
        refused(chunked(page.client, url, body), 413, "too-large")


class TestFormsWithFiles:
    @pytest.fixture
    def trainee(self, app: Flask, context: Context) -> FlaskClient:
        who = someone(context)
        consented(context, who)
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = bearer(context, who)["Authorization"]
        return client

    @pytest.mark.parametrize("content_type", ["multipart/form-data", "application/x-www-form-urlencoded"])
    def test_text_is_no_photo(self, trainee: FlaskClient, content_type: str) -> None:
        answer = trainee.post("/api/v1/me/reference-photos", data={"photo": "x"}, content_type=content_type)
        said = refused(answer, 422, "invalid")
        assert said["errors"] == [{"field": "photo", "problem": "Input should be an uploaded file"}]

    @pytest.mark.parametrize("content_type", ["multipart/form-data", "application/x-www-form-urlencoded"])
    def test_text_is_no_frame(self, trainee: FlaskClient, content_type: str) -> None:
        data = {"frame": "x", "nonce": "n"}
        answer = trainee.post(f"/api/v1/checks/{uuid4()}/frames", data=data, content_type=content_type)
        said = refused(answer, 422, "invalid")
        assert said["errors"] == [{"field": "frame.0", "problem": "Input should be an uploaded file"}]

    def test_a_file_is_no_text(self, trainee: FlaskClient) -> None:
        data = {"frame": (io.BytesIO(b"x"), "1.jpg"), "nonce": (io.BytesIO(b"n"), "n.txt")}
        answer = trainee.post(f"/api/v1/checks/{uuid4()}/frames", data=data)
        assert [error["field"] for error in refused(answer, 422, "invalid")["errors"]] == ["nonce"]

    def test_digits_in_a_form_stay_text(self, trainee: FlaskClient) -> None:
        data = {"frame": (io.BytesIO(b"x"), "1.jpg"), "nonce": "12345", "device": "null"}
        refused(trainee.post(f"/api/v1/checks/{uuid4()}/frames", data=data), 404, "not-found")

    @pytest.mark.parametrize("content_type", ["application/json", "image/jpeg", ""])
    def test_a_form_under_another_name_is_refused_for_its_type(self, trainee: FlaskClient, content_type: str) -> None:
        for url in ("/api/v1/me/reference-photos", f"/api/v1/checks/{uuid4()}/frames"):
            answer = trainee.post(url, data=b"{}", content_type=content_type)
            assert "multipart/form-data" in refused(answer, 415, "unsupported-media-type")["detail"]
