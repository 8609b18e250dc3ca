"""Beats over HTTP against the floor: the same server with a bare view that commits one row a request.

Every beat is checked, bounded, written, logged in the trace and durable before it is answered. Ratios within one run.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.learners import Learner, make
from bench.load import Measured, cpu_seconds, drive, http_post, wait_for
from xueji.gateway.handing import ENVIRONMENT, ends
from xueji.supervisor.programs import WEB_MEMORY

REQUESTS = 6000
LEARNERS = 550
BEGINNERS = 800
"""Those who have opened no sitting: 300 are measured one by one, 500 open theirs in one second."""
PRACTISED = 50
"""Those whose beats were measured one by one; the others begin with the bell."""


@dataclass(frozen=True)
class Server:
    port: int
    web: subprocess.Popen[bytes]
    sequencer: subprocess.Popen[bytes] | None

    def web_cpu(self) -> float:
        """Of gunicorn's master, its one worker, and the process that writes for it."""
        return sum(map(cpu_seconds, family(self.web.pid)))

    def sequencer_cpu(self) -> float:
        return cpu_seconds(self.sequencer.pid) if self.sequencer else 0.0


def family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(app: str, environment: dict[str, str], *, sequencer: bool, sockets: bool = False) -> Iterator[Server]:
    port = _free_port()
    environment = {**os.environ, **WEB_MEMORY, **environment, "XUEJI_LOG_LEVEL": "error"}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:xueji.supervisor.web",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    giving, taking = ends()
    given = {**environment, ENVIRONMENT: str(giving.fileno())} if sockets else environment
    web = subprocess.Popen([*command, app], env=given, pass_fds=[giving.fileno()], stdout=subprocess.DEVNULL)
    processes = [web]
    if sequencer:
        beside = [sys.executable, "-m", "xueji.cli", "sequencer"]
        processes.append(subprocess.Popen(beside, env=environment, stdout=subprocess.DEVNULL))
    if sockets:
        holds = {**environment, ENVIRONMENT: str(taking.fileno())}
        command = [sys.executable, "-m", "xueji.sockets"]
        processes.append(subprocess.Popen(command, env=holds, pass_fds=[taking.fileno()]))
    try:
        wait_for(lambda: _open(port))
        time.sleep(1.0)
        yield Server(port, processes[0], processes[1] if sequencer else None)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)
        for end in (giving, taking):
            end.close()


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _rows(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield http_post("/row", b'{"said": "%08d of a beat as long as a beat is, more or less, to be fair"}' % number)


def beat_stream(learner: Learner, count: int, *, first: int = 1, in_each: int = 1) -> Iterator[bytes]:
    """``count`` requests of one sitting; each beat covers one millisecond more, which the clock always allows."""
    path = f"/api/v1/sittings/{learner.sitting_id}/beats"
    for number in range(count):
        beats = [_beat(first + number * in_each + each) for each in range(in_each)]
        yield http_post(path, json.dumps({"beats": beats}).encode(), learner.token)


def opening_stream(learners: list[Learner]) -> Iterator[bytes]:
    """Each opens her first sitting."""
    for learner in learners:
        asked = {
            "sitting_id": str(uuid4()),
            "enrolment_id": str(learner.enrolment_id),
            "lesson_id": str(learner.lesson_id),
            "device": "bench",
        }
        yield http_post("/api/v1/sittings", json.dumps(asked).encode(), learner.token)


def _beat(seq: int) -> dict[str, Any]:
    return {
        "beat_id": str(uuid4()),
        "seq": seq,
        "from_ms": seq - 1,
        "to_ms": seq,
        "state": "playing",
        "rate": 1.0,
        "sent_at": "2026-11-21T08:00:00.000Z",
    }


def _prepared(streams: list[Iterator[bytes]]) -> list[Iterator[bytes]]:
    """Built before the clock runs: the generator's own work is not to be measured."""
    return [iter(list(stream)) for stream in streams]


@dataclass
class Row:
    name: str
    connections: int
    per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    sequencer_cpu_ms: float = 0.0
    beats_in_each: int = 1

    def against(self, floor: Row) -> dict[str, Any]:
        return {
            **{name: round(value, 3) if isinstance(value, float) else value for name, value in vars(self).items()},
            "throughput_of_floor": round(self.per_second / floor.per_second, 2),
            "cpu_of_floor": round(self.cpu_ms / floor.cpu_ms, 2),
        }


def _measure(server: Server, name: str, streams: list[Iterator[bytes]], **options: Any) -> Row:
    prepared = _prepared(streams)
    web, sequencer = server.web_cpu(), server.sequencer_cpu()
    measured = drive(server.port, prepared, **options)
    _all_answered(measured)
    # What was asked for is only done when the log has it in order too.
    time.sleep(0.5)
    count = measured.answered
    return Row(
        name,
        len(streams),
        measured.per_second(),
        (server.web_cpu() - web) / count * 1000,
        measured.percentile(0.5) * 1000,
        measured.percentile(0.99) * 1000,
        (server.sequencer_cpu() - sequencer) / count * 1000,
    )


def _all_answered(measured: Measured) -> None:
    if not set(measured.statuses) <= {200, 201}:
        raise RuntimeError(f"answers {measured.statuses}, the last: {measured.last_body[:300]!r}")


def floor_rows(folder: Path) -> dict[int, Row]:
    rows = {}
    environment = {"BENCH_FLOOR": str(folder / "floor.sqlite"), "XUEJI_DATA": str(folder / "floor")}
    with serving("bench.floor:app", environment, sequencer=False) as server:
        drive(server.port, _prepared([_rows(200)] * 8))
        for connections in (8, 32):
            streams = [_rows(REQUESTS // connections) for _ in range(connections)]
            rows[connections] = _measure(server, "floor: one committed row", streams)
    return rows


def beat_rows(folder: Path, database_url: str = "", label: str = "SQLite") -> list[Row]:
    data = folder / label
    everybody = make(data, database_url, LEARNERS, BEGINNERS)
    learners, openers = everybody[:LEARNERS], everybody[LEARNERS:]
    environment = {"XUEJI_DATA": str(data), "XUEJI_BROKER_URL": "memory://"}
    if database_url:
        environment["XUEJI_DATABASE_URL"] = database_url
    rows = []
    with serving("wsgi:app", environment, sequencer=True) as server:
        drive(server.port, _prepared([beat_stream(learner, 20) for learner in learners[:8]]))
        first = 21
        for connections in (8, 32):
            each = REQUESTS // connections
            streams = [beat_stream(learner, each, first=first) for learner in learners[:connections]]
            rows.append(_measure(server, f"beats, {label}", streams))
            first += each
        streams = [beat_stream(learner, 40, first=first, in_each=10) for learner in learners[:8]]
        rows.append(_measure(server, f"ten beats in each, {label}", streams))
        rows[-1].beats_in_each = 10
        beginners = learners[PRACTISED:]
        streams = [beat_stream(learner, 1) for learner in beginners]
        name = f"starting bell: {len(beginners)} in one second, {label}"
        rows.append(_measure(server, name, streams, spread_seconds=1.0))
        streams = [beat_stream(learner, 6, first=2) for learner in beginners]
        rows.append(_measure(server, f"{len(beginners)} learners at once, {label}", streams))
        one_by_one, together = openers[:-500], openers[-500:]
        drive(server.port, _prepared([opening_stream(one_by_one[:20])]))
        streams = [opening_stream(one_by_one[20 + place :: 32]) for place in range(32)]
        rows.append(_measure(server, f"openings, {label}", streams))
        streams = [opening_stream([learner]) for learner in together]
        name = f"openings: {len(together)} in one second, {label}"
        rows.append(_measure(server, name, streams, spread_seconds=1.0))
    return rows


def run() -> dict[str, Any]:
    """The table's rows; each beat row also as a share of the floor at 8 connections, or at its own number."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = floor_rows(folder)
        rows = beat_rows(folder)
        rows += _postgres_rows(folder)
    table = [
        row.against(floor[row.connections if row.connections in floor else 32]) for row in (*floor.values(), *rows)
    ]
    return {"title": "beats over HTTP", "rows": table}


def _postgres_rows(folder: Path) -> list[Row]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.servers import postgres

    with postgres() as url:
        return beat_rows(folder, url.render_as_string(hide_password=False), "PostgreSQL")


if __name__ == "__main__":
    for row in run()["rows"]:
        print(json.dumps(row, ensure_ascii=False))
