"""Uploads, films and courses over HTTP, as a program and as an attacker send them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.school import School, new_member, new_school
from werkzeug.test import TestResponse

from courses import rules
from courses.models import Film
from courses.services import films
from media_pipeline.demo_film import make_demo_film
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context

FILE = bytes(range(256)) * 40
UPLOADS = "/api/v1/uploads"


@pytest.fixture
def stranger(app: Flask, context: Context) -> FlaskClient:
    return new_school(context).head.client(app, context)


@pytest.fixture(scope="session")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "lesson.mp4"
    make_demo_film(file, 2, "课")
    return file


def begin(client: FlaskClient, **changes: Any) -> TestResponse:
    return client.post(UPLOADS, json={"name": "课.mp4", "size": len(FILE), **changes})


def send(client: FlaskClient, upload_id: str, offset: object, piece: bytes) -> TestResponse:
    return client.patch(f"{UPLOADS}/{upload_id}", data=piece, headers={"Upload-Offset": str(offset)})


def finish(client: FlaskClient, upload_id: str) -> TestResponse:
    return client.post(f"{UPLOADS}/{upload_id}/finish")


def whole(client: FlaskClient, content: bytes = FILE, **changes: Any) -> str:
    upload_id = str(begin(client, size=len(content), **changes).get_json()["upload_id"])
    for offset in range(0, len(content), rules.PIECE_BYTES):
        assert send(client, upload_id, offset, content[offset : offset + rules.PIECE_BYTES]).status_code == 200
    return upload_id


def test_a_file_is_sent_in_pieces_and_its_film_enqueued_once(staff: FlaskClient, enqueued: list[str]) -> None:
    begun = begin(staff, sha256=hashlib.sha256(FILE).hexdigest().upper())
    assert begun.status_code == 201
    assert begun.get_json()["chunk_bytes"] == rules.PIECE_BYTES
    upload_id = begun.get_json()["upload_id"]
    assert send(staff, upload_id, 0, FILE[:1000]).get_json() == {"offset": 1000}
    repeated = send(staff, upload_id, 0, FILE[:1000])
    assert (repeated.status_code, repeated.get_json()["type"], repeated.get_json()["offset"]) == (
        409,
        "upload-offset",
        1000,
    )
    early = finish(staff, upload_id)
    assert (early.status_code, early.get_json()["offset"]) == (409, 1000)
    assert staff.get(f"{UPLOADS}/{upload_id}").get_json()["offset"] == 1000
    assert send(staff, upload_id, 1000, FILE[1000:]).get_json() == {"offset": len(FILE)}
    first, second = finish(staff, upload_id), finish(staff, upload_id)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.get_json() == second.get_json()
    assert enqueued == [first.get_json()["film_id"]]
    late = send(staff, upload_id, len(FILE), b"x")
    assert (late.status_code, late.get_json()["type"]) == (409, "upload-finished")


def test_a_wrong_sum_is_refused_and_nothing_is_enqueued(staff: FlaskClient, enqueued: list[str]) -> None:
    upload_id = whole(staff, sha256="0" * 64)
    refused = finish(staff, upload_id)
    assert (refused.status_code, refused.get_json()["type"]) == (422, "upload-damaged")
    assert enqueued == []
    assert staff.delete(f"{UPLOADS}/{upload_id}").status_code == 204
    assert staff.get(f"{UPLOADS}/{upload_id}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "size": 0},
        {"name": "x", "size": -1},
        {"name": "x", "size": 1.5},
        {"name": "x", "size": 2**60},
        {"name": "", "size": 1},
        {"name": "x" * 5000, "size": 1},
        {"name": "x", "size": 1, "sha256": "zz"},
        {"name": "x", "size": 1, "lesson_id": "1; DROP TABLE film"},
        {"name": "x", "size": 1, "path": "/etc/passwd"},
        {"size": 1},
    ],
)
def test_a_bad_beginning_is_refused(staff: FlaskClient, body: dict[str, Any]) -> None:
    assert staff.post(UPLOADS, json=body).status_code == 422


def test_more_than_the_installation_allows_is_refused(staff: FlaskClient, context: Context) -> None:
    limit = context.settings.upload_limit_mib * 1024 * 1024
    refused = begin(staff, size=limit + 1)
    assert (refused.status_code, refused.get_json()["limit"]) == (413, limit)


def test_bad_pieces_are_refused_and_lose_nothing(staff: FlaskClient) -> None:
    upload_id = begin(staff, size=100_000_000).get_json()["upload_id"]
    assert send(staff, upload_id, 0, bytes(rules.PIECE_BYTES + 1)).status_code == 413
    assert send(staff, upload_id, 0, b"").status_code == 422
    assert send(staff, upload_id, -1, b"x").status_code == 422
    assert send(staff, upload_id, "0x1", b"x").status_code == 422
    assert staff.patch(f"{UPLOADS}/{upload_id}", data=b"x").status_code == 422
    assert send(staff, upload_id, 5, b"x").status_code == 409
    assert send(staff, str(uuid4()), 0, b"x").status_code == 404
    assert staff.get(f"{UPLOADS}/{upload_id}").get_json()["offset"] == 0


@pytest.mark.parametrize("name", ["../../../etc/cron.d/x", "..\\..\\x.mp4", "/dev/null", "CON", "%2e%2e"])
def test_hostile_names_name_nothing_in_the_store(
    staff: FlaskClient, context: Context, enqueued: list[str], name: str
) -> None:
    upload_id = whole(staff, name=name)
    assert finish(staff, upload_id).status_code == 202
    stored = list(context.store.list(""))
    assert [path.split("/")[:2] for path in stored] == [["uploads", upload_id]]


def test_a_name_that_no_database_can_keep_is_refused(staff: FlaskClient) -> None:
    assert begin(staff, name="a\x00b.mp4").status_code in (400, 422)


def test_unfinished_uploads_are_listed_with_what_tells_the_same_file(staff: FlaskClient, enqueued: list[str]) -> None:
    assert staff.get(UPLOADS).get_json() == {"uploads": []}
    begun, untouched = begin(staff).get_json()["upload_id"], begin(staff, name="other.mp4").get_json()["upload_id"]
    send(staff, begun, 0, FILE[:1000])
    send(staff, begun, 1000, FILE[1000:1500])
    listed = {each["upload_id"]: each for each in staff.get(UPLOADS).get_json()["uploads"]}
    assert set(listed) == {begun, untouched}
    assert listed[begun] == staff.get(f"{UPLOADS}/{begun}").get_json()
    piece = hashlib.sha256(FILE[1000:1500]).hexdigest()
    assert listed[begun]["last_piece"] == {"start": 1000, "size": 500, "sha256": piece}
    assert listed[untouched]["last_piece"] is None
    assert listed[begun]["kept_until"] > clock.now().isoformat()
    whole(staff)
    assert len(staff.get(UPLOADS).get_json()["uploads"]) == 3, "complete, and not made into a film yet"
    finish(staff, whole(staff))
    assert len(staff.get(UPLOADS).get_json()["uploads"]) == 3


def test_a_proxy_that_knows_only_post_keeps_nobody_from_uploading(staff: FlaskClient) -> None:
    upload_id = begin(staff).get_json()["upload_id"]
    as_patch = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    assert staff.post(f"{UPLOADS}/{upload_id}", data=FILE[:1000], headers=as_patch).get_json() == {"offset": 1000}
    assert staff.post(f"{UPLOADS}/{upload_id}", data=FILE[:1000]).status_code == 405
    as_delete = {"X-HTTP-Method-Override": "delete"}
    assert staff.post(f"{UPLOADS}/{upload_id}", headers=as_delete).status_code == 204
    assert staff.get(f"{UPLOADS}/{upload_id}").status_code == 404
    # Nothing but these two, of a POST, at the interface.
    assert staff.get(UPLOADS, headers=as_delete).status_code == 200
    assert staff.post("/courses", headers={"X-HTTP-Method-Override": "DELETE"}).status_code != 405


def test_another_institutions_uploads_and_films_are_not_found(
    staff: FlaskClient, stranger: FlaskClient, enqueued: list[str]
) -> None:
    upload_id = whole(staff)
    assert send(stranger, upload_id, 0, b"x").status_code == 404
    assert finish(stranger, upload_id).status_code == 404
    assert stranger.delete(f"{UPLOADS}/{upload_id}").status_code == 404
    assert stranger.get(f"{UPLOADS}/{upload_id}").status_code == 404
    film_id = finish(staff, upload_id).get_json()["film_id"]
    assert stranger.get(f"/api/v1/films/{film_id}").status_code == 404
    assert stranger.get("/api/v1/courses").get_json() == {"courses": []}
    assert staff.get(f"/api/v1/films/{film_id}").get_json()["state"] == "queued"


def test_only_institutions_upload(app: Flask, school: School) -> None:
    trainee = new_member(school.context, school.organisation, Role.TRAINEE).client(app, school.context)
    assert begin(trainee).status_code == 403
    assert begin(app.test_client()).status_code == 401


def test_a_file_that_is_no_film_says_so_in_words(staff: FlaskClient, context: Context, enqueued: list[str]) -> None:
    film_id = finish(staff, whole(staff, name="film.mp4")).get_json()["film_id"]
    films.make_film(context, UUID(film_id))
    film = staff.get(f"/api/v1/films/{film_id}").get_json()
    assert (film["state"], film["refused_reason"]) == ("refused", "not_a_film")
    assert "不是视频" in film["refused"]


@pytest.fixture
def watched(
    staff: FlaskClient, school: School, film_file: Path, enqueued: list[str]
) -> tuple[str, Callable[[], FlaskClient]]:
    """A finished film in an open cohort, and a maker of clients of trainees enrolled in it."""
    lesson = school.lesson(None)
    film_id = finish(staff, whole(staff, film_file.read_bytes(), lesson_id=str(lesson.id))).get_json()["film_id"]
    films.make_film(school.context, UUID(film_id))
    with school.context.database.reading() as session:
        duration = session.get_one(Film, UUID(film_id)).duration_ms or 0
    assert duration
    cohort = school.cohort(lesson, online_ms=duration, in_person_ms=48 * 2_700_000 - duration)
    return film_id, lambda: school.trainee(cohort)[0].client(staff.application, school.context)


def test_a_trainee_plays_the_film_of_her_lesson(watched: tuple[str, Callable[[], FlaskClient]]) -> None:
    film_id, new_trainee = watched
    trainee = new_trainee()
    playlist = trainee.get(f"/media/{film_id}/master.m3u8")
    assert playlist.status_code == 200
    assert playlist.mimetype == "application/vnd.apple.mpegurl"
    assert playlist.headers["Cache-Control"] == "private, max-age=604800, immutable"
    size = next(line for line in playlist.text.splitlines() if line.endswith(".m3u8"))
    folder = size.split("/")[0]
    index = trainee.get(f"/media/{film_id}/{size}").text
    segment = next(line for line in index.splitlines() if line.endswith(".m4s"))
    content = trainee.get(f"/media/{film_id}/{folder}/{segment}")
    assert content.mimetype == "video/iso.segment"
    part = trainee.get(f"/media/{film_id}/{folder}/{segment}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, content.data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content.data)}"
    beyond = trainee.get(f"/media/{film_id}/{folder}/{segment}", headers={"Range": "bytes=999999999-"})
    assert beyond.status_code == 416
    again = trainee.get(f"/media/{film_id}/{folder}/{segment}", headers={"If-None-Match": content.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert trainee.get(f"/media/{film_id}/poster.jpg").data[:2] == b"\xff\xd8"


def test_nobody_else_sees_it(
    app: Flask,
    school: School,
    staff: FlaskClient,
    stranger: FlaskClient,
    watched: tuple[str, Callable[[], FlaskClient]],
) -> None:
    film_id, _new_trainee = watched
    outsider = new_member(school.context, school.organisation, Role.TRAINEE).client(app, school.context)
    assert staff.get(f"/media/{film_id}/master.m3u8").status_code == 200
    for client in (stranger, outsider):
        assert client.get(f"/media/{film_id}/master.m3u8").status_code == 404
    assert app.test_client().get(f"/media/{film_id}/master.m3u8").status_code == 401


def test_a_film_has_only_its_own_files(
    staff: FlaskClient, context: Context, watched: tuple[str, Callable[[], FlaskClient]]
) -> None:
    film_id, _new_trainee = watched
    context.store.put(f"films/{film_id}/secret.m3u8", b"of another attempt")
    for path in (
        "../secret.m3u8",
        "..%2fsecret.m3u8",
        "%2e%2e/secret.m3u8",
        "720p/../../secret.m3u8",
        "720p%2f..%2f..%2fsecret.m3u8",
        "none.m3u8",
        "original",
        "/etc/passwd",
    ):
        assert staff.get(f"/media/{film_id}/{path}").status_code in (404, 308), path
    assert staff.get(f"/media/{film_id}/master.m3u8%00.jpg").status_code == 400
    assert staff.get(f"/media/{uuid4()}/master.m3u8").status_code == 404


def test_the_decision_is_remembered_for_a_minute(
    context: Context, watched: tuple[str, Callable[[], FlaskClient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    film_id, new_trainee = watched
    trainee = new_trainee()
    asked: list[object] = []
    publish = context.events.publish

    def noted(event: object) -> None:
        asked.append(event)
        publish(event)

    monkeypatch.setattr(context.events, "publish", noted)
    for _n in range(5):
        assert trainee.get(f"/media/{film_id}/poster.jpg").status_code == 200
    assert len(asked) == 1
    new_trainee().get(f"/media/{film_id}/poster.jpg")
    assert len(asked) == 2
