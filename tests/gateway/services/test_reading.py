"""A request on its way in, byte by byte: what makes it whole, what is refused, what waits."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from xueji.gateway.lanes import LARGE_BODY_BYTES, Lane, is_socket, lane_of
from xueji.gateway.reading import HEAD_BYTES, IN_MEMORY_BYTES, Reading, Refused, Request

ENROLLING = ("identity.photos", "identity_api.enrol_photo")
BEAT = b"POST /api/v1/sittings/0a1b2c3d-0000-4000-8000-000000000000/beats HTTP/1.1\r\nHost: a\r\n"


def taken(data: bytes, step: int = 1) -> list[Request]:
    reading = Reading()
    found = []
    for at in range(0, len(data), step):
        request = reading.take(data[at : at + step])
        while request is not None:
            found.append(request)
            request = reading.next()
    return found


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_requests_one_behind_the_other_come_out_whole_however_they_are_cut(step: int) -> None:
    first = BEAT + b"Content-Length: 11\r\n\r\nhello world"
    second = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    one, other = taken(first + second, step)
    assert (one.head, one.body.read(), one.length) == (first[:-11], b"hello world", 11)
    assert (other.head, other.body.read(), other.length) == (second, b"", 0)


def test_half_a_request_is_none() -> None:
    assert taken(BEAT) == []
    assert taken(BEAT + b"Content-Length: 5\r\n\r\nhell") == []


def test_a_very_long_body_is_kept_in_a_file_while_it_arrives() -> None:
    reading = Reading()
    body = bytes(range(256)) * 5000
    assert reading.take(b"PUT /a HTTP/1.1\r\ncontent-length:%d\r\n\r\n" % len(body)) is None
    assert reading.on_disk == len(body) > IN_MEMORY_BYTES
    assert reading.in_memory == 0
    assert reading.take(body[:100_000]) is None
    assert len(reading.buffer) == 0
    whole = reading.take(body[100_000:] + b"GET /next")
    assert whole is not None and whole.body.read() == body
    assert bytes(reading.buffer) == b"GET /next"
    whole.body.close()


@pytest.mark.parametrize("moved", [False, True])
def test_a_picture_is_written_to_the_disk_only_when_there_is_no_room_in_memory(moved: bool) -> None:
    reading = Reading()
    body = bytes(range(256)) * 3000
    head = b"PUT /a HTTP/1.1\r\ncontent-length:%d\r\n\r\n" % len(body)
    assert reading.take(head + body[:1000]) is None
    assert (reading.on_disk, reading.in_memory, reading.is_long) == (0, len(body), True)
    if moved:
        reading.move_to_disk()
        assert (reading.on_disk, reading.in_memory) == (len(body), 0)
    assert reading.take(memoryview(body[1000:200_000])) is None
    whole = reading.take(body[200_000:] + b"GET /next")
    assert whole is not None and whole.body.read() == body
    assert isinstance(whole.body, io.BytesIO) is not moved
    whole.body.close()
    assert bytes(reading.buffer) == b"GET /next"
    assert (reading.on_disk, reading.in_memory, reading.is_long) == (0, 0, False)


def test_who_waits_for_leave_to_send_is_told_apart() -> None:
    reading = Reading()
    reading.take(b"PUT /a HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
    assert reading.waits_for_leave
    assert reading.take(b"abc") is not None
    assert not reading.waits_for_leave


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["without end", "whole"])
def test_a_head_without_measure_is_refused(end: bytes) -> None:
    with pytest.raises(Refused, match="431"):
        taken(b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES + end, 4096)


def test_a_body_of_unknown_length_is_refused() -> None:
    with pytest.raises(Refused, match="411"):
        taken(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: -5",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length:",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length: 40000000",
    ],
)
def test_a_length_that_cannot_be_believed_is_the_connection_s_last(lengths: bytes) -> None:
    (request, *_) = taken(b"POST / HTTP/1.1\r\n" + lengths + b"\r\n\r\n")
    assert (request.length, request.last, request.body.read()) == (0, True, b"")


def test_each_request_has_its_lane() -> None:
    assert lane_of(BEAT) is Lane.BEATS
    assert lane_of(b"GET /healthz HTTP/1.1\r\n") is Lane.BEATS
    assert lane_of(b"GET /media/0a1b2c3d-0000-4000-8000-000000000000/v/1.m4s HTTP/1.1\r\n") is Lane.FILMS
    for head in (
        b"GET / HTTP/1.1\r\n",
        b"GET /readyz HTTP/1.1\r\n",
        b"GET /?POST /api/v1/sittings/0a1b2c3d-0000-4000-8000-000000000000/beats HTTP/1.1\r\n",
        b"POST /api/v1/sittings HTTP/1.1\r\n",
        b"POST /api/v1/sittings/x/beats HTTP/1.1\r\n",
    ):
        assert lane_of(head) is Lane.PAGES, head


def test_large_bodies_and_photos_have_lanes_of_their_own() -> None:
    assert lane_of(b"POST /api/v1/checks/1/answer HTTP/1.1\r\n", LARGE_BODY_BYTES + 1) is Lane.BODIES
    assert lane_of(b"POST /api/v1/checks/1/answer HTTP/1.1\r\n", LARGE_BODY_BYTES) is Lane.PAGES
    assert lane_of(b"POST /account/photos?next=/ HTTP/1.1\r\n") is Lane.PHOTOS
    assert lane_of(b"GET /account/photos HTTP/1.1\r\n") is Lane.PAGES
    assert lane_of(BEAT, LARGE_BODY_BYTES + 1) is Lane.BEATS


def test_every_address_at_which_a_photo_is_enrolled_has_the_lane_of_photos(app: Flask) -> None:
    """The pages and the interface are told apart by their views, so that a moved address is noticed."""
    rules = [
        each.rule for each in app.url_map.iter_rules() if each.endpoint in ENROLLING and "POST" in (each.methods or ())
    ]
    assert len(rules) == len(ENROLLING)
    for rule in rules:
        assert lane_of(f"POST {rule} HTTP/1.1\r\n".encode(), 700_000) is Lane.PHOTOS


def test_a_socket_is_a_request_to_upgrade_at_its_own_address() -> None:
    asked = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\r\n"
    assert is_socket(asked)
    assert not is_socket(asked.replace(b"WebSocket", b"h2c"))
    assert not is_socket(asked.replace(b"/socket.io/", b"/media/"))
    assert not is_socket(asked.replace(b"GET", b"POST"))
