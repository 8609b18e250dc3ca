"""What strangers and hostile pictures cost those who study: beats in quiet and under each attack, in turns, in one run.

Everything stays on this machine and is bounded in number; each attack stands while the beats are measured.
"""

from __future__ import annotations

import io
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

import xueji
from bench.beats import Server, beat_stream, family, serving
from bench.learners import Learner, make
from bench.load import drive, processor_clock
from bench.row import Row

STRANGERS = 660
PICTURES = 40
LEARNERS, ROUNDS, SECONDS = 200, 5, 5.0
"""Each learner reports once a second: a fifth of what the server can take."""
REST_SECONDS = 1.0
"""After an attack, until the server has closed what is left of it."""
MOST = 2.0
NOISE_MS = 15.0
"""A quiet p99 below this says more about the machine than about the server."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "attacked"
        everybody = make(data, "", LEARNERS, PICTURES)
        learners, hostile = everybody[:LEARNERS], everybody[LEARNERS:]
        environment = {"XUEJI_DATA": str(data), "XUEJI_BROKER_URL": "memory://"}
        with serving("wsgi:app", environment, sequencer=True, sockets=True) as server:
            return list(_measured(server, learners, hostile))


class _Minute:
    """Beats of everybody; counts what has been reported so far."""

    def __init__(self, server: Server, learners: Sequence[Learner]) -> None:
        self._port, self._learners, self._first = server.port, learners, 1
        self._used = processor_clock(next(pid for pid in family(server.web.pid) if pid != server.web.pid))

    def measure(self) -> tuple[float, float]:
        """Every learner reports ``ROUNDS`` times, evenly over the time, each time over a connection of its own.

        The 99th percentile, in ms: of the time, and of the web process's own processor time meanwhile.
        """
        streams = [
            iter(list(beat_stream(learner, 1, first=self._first + turn)))
            for turn in range(ROUNDS)
            for learner in self._learners
        ]
        self._first += ROUNDS
        measured = drive(self._port, streams, spread_seconds=SECONDS, late=True, used=self._used)
        if set(measured.statuses) != {200}:
            raise RuntimeError(f"answers {measured.statuses}, the last: {measured.last_body[:300]!r}")
        return measured.percentile(0.99) * 1000, measured.percentile_behind(0.99) * 1000


def _measured(server: Server, learners: Sequence[Learner], hostile: Sequence[Learner]) -> Iterator[Row]:
    minute = _Minute(server, learners)
    minute.measure()
    attacks: list[tuple[str, Callable[[], AbstractContextManager[None]]]] = [
        (f"{STRANGERS} idle strangers who ask for sockets", lambda: _held(server.port, _socket_of_a_stranger)),
        (f"{STRANGERS} who have begun a request", lambda: _held(server.port, _begun)),
        (f"{STRANGERS} slow senders of a body", lambda: _held(server.port, _half_a_body)),
        (f"{STRANGERS} who read no answer", lambda: _held(server.port, _unread)),
        (f"{PICTURES} hostile pictures", lambda: _uploading(server.port, hostile)),
    ]
    for name, attack in attacks:
        # The better of two of each: what hinders the machine now and then is not the attack's doing.
        quiet, under = [], []
        for _ in range(2):
            quiet.append(minute.measure())
            with attack():
                under.append(minute.measure())
            time.sleep(REST_SECONDS)
        (quiet_ms, quiet_behind), (under_ms, under_behind) = (
            tuple(map(min, zip(*each, strict=True))) for each in (quiet, under)
        )
        yield Row(f"beats' p99, quiet before {name}", quiet_ms, "ms")
        yield Row(f"beats' p99, {name}", under_ms, "ms")
        ratio = under_ms / max(quiet_ms, NOISE_MS)
        yield Row(f"of the quiet one, {name}", ratio, "times", f"<= {MOST:g}", ratio <= MOST)
        yield Row(f"processor time a beat waits behind (p99), quiet before {name}", quiet_behind, "ms")
        yield Row(f"processor time a beat waits behind (p99), {name}", under_behind, "ms")


@contextmanager
def _held(port: int, begin: Callable[[socket.socket], None]) -> Iterator[None]:
    """As many connections as there are strangers, each begun and then left to itself."""
    strangers = []
    try:
        for _ in range(STRANGERS):
            stranger = socket.create_connection(("127.0.0.1", port), timeout=10)
            begin(stranger)
            strangers.append(stranger)
        yield
    finally:
        for stranger in strangers:
            stranger.close()


def _socket_of_a_stranger(stranger: socket.socket) -> None:
    stranger.sendall(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )


def _begun(stranger: socket.socket) -> None:
    stranger.sendall(b"GET / HTTP/1.1\r\nHost: ben")


def _half_a_body(stranger: socket.socket) -> None:
    stranger.sendall(b"POST /sign-in HTTP/1.1\r\nHost: bench\r\nContent-Length: 60000\r\n\r\nabc")


def _unread(stranger: socket.socket) -> None:
    """The largest file there is, two hundred KB; nothing of it is read."""
    stranger.sendall(f"GET /static/built/{_style_sheet()} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())


@cache
def _style_sheet() -> str:
    return next((Path(xueji.__path__[0]) / "web" / "static" / "built").glob("theme-*.css")).name


@contextmanager
def _uploading(port: int, hostile: Sequence[Learner]) -> Iterator[None]:
    """Each of these accounts sends one picture of sixteen million pixels as her photo, all at once.

    From a process of their own: whoever measures the beats has an interpreter to herself.
    """
    others = get_context("fork").Process(target=_upload_all, args=(port, hostile, _bomb()))
    others.start()
    try:
        yield
    finally:
        others.join()


def _upload_all(port: int, hostile: Sequence[Learner], picture: bytes) -> None:
    threads = [threading.Thread(target=upload, args=(port, learner, picture)) for learner in hostile]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def upload(port: int, learner: Learner, picture: bytes) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = form + picture + b"\r\n--b--\r\n"
    head = (
        f"POST /api/v1/me/reference-photos HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {learner.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(head.encode() + body)
        while connection.recv(65536):
            pass


def _bomb() -> bytes:
    """As large as is let through to the decoder, in the ten scans that programs write."""
    file = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (61, 256, 3), np.uint8)
    Image.fromarray(noise).resize((8192, 1952)).save(file, "JPEG", progressive=True, quality=30)
    return file.getvalue()


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:60} {row.value:10.3g} {row.unit:6} {row.limit or ''} {row.reached if row.limit else ''}")
