"""Files of the front end are said again as the application said them; whoever asks for more is answered by it."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from xueji.web.assets import asset

LASTING = {"Content-Type", "Content-Length", "Cache-Control", "ETag", "Last-Modified", "Content-Security-Policy"}


def said(answer: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    of_one = ("Date", "X-Request-ID")
    return answer.status_code, answer.data, {name: value for name, value in answer.headers if name not in of_one}


@pytest.fixture
def address(app: Flask) -> str:
    with app.test_request_context():
        return asset("lesson.ts")


def test_a_file_is_said_again_as_the_application_said_it(app: Flask, address: str) -> None:
    client = app.test_client()
    first, again = client.get(address), client.get(address)
    assert said(first) == said(again)
    assert first.status_code == 200
    assert set(first.headers.keys()) >= LASTING
    assert first.headers["X-Request-ID"] != again.headers["X-Request-ID"]
    measures = app.extensions["xueji_measures"].registry
    assert measures.get_sample_value("xueji_requests_total", {"endpoint": "static", "status": "200"}) == 2


def test_who_has_it_or_wants_a_part_is_answered_by_the_application(app: Flask, address: str) -> None:
    client = app.test_client()
    whole = client.get(address)
    with client.get(address, headers={"If-None-Match": whole.headers["ETag"]}) as had:
        assert had.status_code == 304
    with client.get(address, headers={"Range": "bytes=2-5"}) as part:
        assert (part.status_code, part.data) == (206, whole.data[2:6])
    with client.head(address) as head:
        assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(whole.data)))
    with client.post(address) as posted:
        assert posted.status_code == 405


def test_what_is_not_there_is_not_remembered(app: Flask) -> None:
    for path in ("/static/built/nothing.js", "/static/built/../templates/frame.html", "/static/built/.vite/none"):
        assert [app.test_client().get(path).status_code for _ in range(2)] == [404, 404]
