"""A load generator that costs little itself: raw keep-alive connections, requests built beforehand, one thread."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path


@dataclass
class Measured:
    """Of one run: answers by status, seconds it took, and each answer's latency in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    """Seconds of the server's own processor time that passed while each answer was waited for."""
    last_body: bytes = b""

    @property
    def answered(self) -> int:
        return len(self.latencies)

    def per_second(self) -> float:
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the answers came."""
        return _share_of(self.latencies, share)

    def percentile_behind(self, share: float) -> float:
        """Seconds of the server's processor behind which this share of the answers waited at most."""
        return _share_of(self.behind, share)


def _share_of(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def http_post(path: str, body: bytes, token: str = "") -> bytes:
    authority = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\n{authority}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class _Connection:
    def __init__(self, requests: Iterator[bytes], used: Callable[[], float]) -> None:
        self.requests = requests
        self.buffer = b""
        self.sent_at = 0.0
        self.used_at = 0.0
        self._used = used

    def connect(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> bool:
        request = next(self.requests, None)
        if request is None:
            return False
        self.sent_at, self.used_at = time.perf_counter(), self._used()
        self.socket.sendall(request)
        return True

    def receive(self) -> tuple[int, bytes] | None:
        """The whole answer's status and body, or None while some of it is still on its way."""
        self.buffer += self.socket.recv(65536)
        head, split, rest = self.buffer.partition(b"\r\n\r\n")
        if not split:
            return None
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return int(head[9:12]), rest[:length]


def drive(
    port: int,
    streams: list[Iterator[bytes]],
    *,
    spread_seconds: float = 0.0,
    late: bool = False,
    used: Callable[[], float] = float,
) -> Measured:
    """One connection for each stream; each sends its next request when the last is answered.

    With ``spread_seconds`` the connections send their first request evenly over that time; ``late``: they are made only
    then. ``used``: the processor time the server has used so far, in seconds.
    """
    measured = Measured()
    selector = selectors.DefaultSelector()
    waiting = deque(_Connection(stream, used) for stream in streams)
    for each in () if late else waiting:
        each.connect(port)
    connections: list[_Connection] = []
    open_, step = len(streams), spread_seconds / len(streams)
    started = next_at = time.perf_counter()
    while open_:
        while waiting and next_at <= time.perf_counter():
            next_at += step
            connection = waiting.popleft()
            if late:
                connection.connect(port)
            connections.append(connection)
            if connection.send():
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            else:
                open_ -= 1
        timeout = max(0.0, next_at - time.perf_counter()) if waiting else 5.0
        for key, _ in selector.select(timeout):
            connection = key.data
            answer = connection.receive()
            if answer is None:
                continue
            status, measured.last_body = answer
            measured.statuses[status] = measured.statuses.get(status, 0) + 1
            measured.latencies.append(time.perf_counter() - connection.sent_at)
            measured.behind.append(used() - connection.used_at)
            if not connection.send():
                selector.unregister(connection.socket)
                connection.socket.close()
                open_ -= 1
    measured.seconds = time.perf_counter() - started
    for connection in connections:
        connection.socket.close()
    return measured


def processor_clock(pid: int) -> Callable[[], float]:
    """A clock of the processor time that another process has used, exact to far less than a millisecond."""
    number = (~pid << 3) | 2  # Linux' way to name the clock of a whole process
    return partial(time.clock_gettime, number)


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def wait_for(ready: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("the server did not start")
        time.sleep(0.05)
