"""Uploads as tus speaks of them: by hand, and by its own client."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.frontend import Scripts, scripts
from support.school import School, new_school
from werkzeug.serving import make_server

from courses import rules
from courses.models import Film
from xueji.kernel import clock
from xueji.kernel.context import Context

__all__ = ["scripts"]

FILE = bytes(range(256)) * 40_000
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def written(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


def created(staff: FlaskClient, size: int, **values: str) -> str:
    said = {**TUS, "Upload-Length": str(size), "Upload-Metadata": written(filename="课.mp4", **values)}
    answer = staff.post("/tus", headers=said)
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (201, "1.0.0")
    return answer.headers["Location"].partition("//")[2].partition("/")[2].join(("/", ""))


def test_a_client_is_told_what_the_server_can_do(app: Flask) -> None:
    answer = app.test_client().options("/tus")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,termination,checksum,expiration"
    assert int(answer.headers["Tus-Max-Size"]) > 0


def test_a_file_arrives_in_pieces_and_becomes_a_film(staff: FlaskClient, school: School, enqueued: list[str]) -> None:
    place = created(staff, 1500)
    first = staff.patch(place, data=FILE[:1000], headers={**PIECE, "Upload-Offset": "0"})
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "1000")
    assert parsedate_to_datetime(first.headers["Upload-Expires"]) > clock.now()
    state = staff.head(place, headers=TUS)
    assert (state.headers["Upload-Offset"], state.headers["Upload-Length"]) == ("1000", "1500")
    assert state.headers["Cache-Control"] == "no-store"
    assert staff.patch(place, data=b"x", headers={**PIECE, "Upload-Offset": "7"}).status_code == 409
    last = staff.patch(place, data=FILE[1000:1500], headers={**PIECE, "Upload-Offset": "1000"})
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "1500")
    assert len(enqueued) == 1
    with school.context.database.reading() as session:
        assert session.query(Film).one().name == "课.mp4"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_damaged_piece_is_refused_and_not_counted(staff: FlaskClient, algorithm: str) -> None:
    place = created(staff, 100)
    digest = base64.b64encode(hashlib.new(algorithm, b"a" * 50).digest()).decode()
    told = {**PIECE, "Upload-Offset": "0", "Upload-Checksum": f"{algorithm} {digest}"}
    assert staff.patch(place, data=b"b" * 50, headers=told).status_code == 460
    assert staff.head(place, headers=TUS).headers["Upload-Offset"] == "0"
    assert staff.patch(place, data=b"a" * 50, headers=told).status_code == 204


def test_a_hash_of_the_whole_is_compared_whichever_way_the_pieces_come(staff: FlaskClient, enqueued: list[str]) -> None:
    piece = FILE[:1000]
    wrong = {"name": "课.mp4", "size": len(piece), "sha256": "00" * 32}
    upload = staff.post("/api/v1/uploads", json=wrong).get_json()["upload_id"]
    answer = staff.patch(f"/tus/{upload}", headers={**PIECE, "Upload-Offset": "0"}, data=piece)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "1000")
    assert staff.get(f"/api/v1/uploads/{upload}").get_json()["film_id"] is None
    refused = staff.post(f"/api/v1/uploads/{upload}/finish")
    assert (refused.status_code, refused.get_json()["type"]) == (422, "upload-damaged")
    assert enqueued == []


def test_what_is_given_up_is_gone(staff: FlaskClient, school: School) -> None:
    place = created(staff, 100)
    staff.patch(place, data=b"a" * 50, headers={**PIECE, "Upload-Offset": "0"})
    assert staff.delete(place, headers=TUS).status_code == 204
    assert staff.head(place, headers=TUS).status_code == 404
    assert list(school.context.store.list("uploads/")) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "5"}, 412),
        ({"Tus-Resumable": "0.2.2", "Upload-Length": "5"}, 412),
        (TUS, 400),
        ({**TUS, "Upload-Length": "0"}, 400),
        ({**TUS, "Upload-Length": "9" * 17}, 400),
        ({**TUS, "Upload-Length": "9" * 15}, 413),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": "filename ***"}, 400),
        ({**TUS, "Upload-Length": "5", "Upload-Metadata": written(lesson_id="x")}, 422),
    ],
)
def test_a_bad_beginning_is_refused(staff: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert staff.post("/tus", headers=headers).status_code == status


def test_others_find_nothing(app: Flask, context: Context, staff: FlaskClient) -> None:
    place = created(staff, 100)
    stranger = new_school(context).head.client(app, context)
    assert stranger.head(place, headers=TUS).status_code == 404
    assert stranger.delete(place, headers=TUS).status_code == 404
    assert stranger.patch(place, data=b"a", headers={**PIECE, "Upload-Offset": "0"}).status_code == 404
    assert staff.patch(place, data=b"a", headers={**TUS, "Upload-Offset": "0"}).status_code == 415


CLIENT = """
import { readFileSync } from "node:fs";
import * as tus from "tus-js-client";
const [endpoint, authorization, file, chunkSize, stopAfter] = process.argv.slice(2);
const headers = { Authorization: authorization };
const content = readFileSync(file);
const one = (uploadUrl, abortAt) => new Promise((done, failed) => {
  const upload = new tus.Upload(content, {
    endpoint, headers, chunkSize: Number(chunkSize), retryDelays: [0, 100], metadata: { filename: "课.mp4" },
    ...(uploadUrl === null ? {} : { uploadUrl }),
    onError: failed,
    onSuccess: () => done(upload.url),
    onChunkComplete: (_size, sent) => { if (sent >= abortAt) void upload.abort().then(() => done(upload.url)); },
  });
  upload.start();
});
const begun = await one(null, Number(stopAfter));
await one(begun, Infinity);
const given = await one(null, Number(stopAfter));
await tus.Upload.terminate(given, { headers });
console.log("done");
"""


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


def test_tus_own_client_sends_stops_goes_on_and_gives_up(
    scripts: Scripts, served: str, staff: FlaskClient, school: School, enqueued: list[str], tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(FILE)
    (scripts.folder / "drive.mjs").write_text(CLIENT, "utf-8")
    token = staff.environ_base["HTTP_AUTHORIZATION"]
    size = str(rules.PIECE_BYTES)
    run = scripts.node("drive.mjs", f"{served}/tus", token, str(tmp_path / "film.mp4"), size, size)
    assert run.stdout.strip() == "done", run.stderr
    assert len(enqueued) == 1
    with school.context.database.reading() as session:
        assert session.query(Film).one().size == len(FILE)
    assert staff.get("/api/v1/uploads").get_json() == {"uploads": []}
