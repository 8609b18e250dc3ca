"""Log lines to a collector on another machine, over syslog: whoever breaks into this one cannot unwrite what has left.

``syslog://host:514`` sends datagrams, ``syslog+tcp://host:601`` a stream of lines, ``unix:///dev/log`` gives them to
this machine's own syslog or journal, which forwards them, and encrypts them on the way, which nothing here does.
Whoever logs never waits: lines stand in a queue, and while the collector is away and the queue is full they stay in the
data folder only; how many those were is the first thing it is told afterwards.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import time
from dataclasses import dataclass
from logging.handlers import QueueHandler, SysLogHandler
from threading import Thread
from urllib.parse import urlsplit

QUEUED = 10_000
"""Lines that wait at most; a few megabytes."""
AGAIN_SECONDS = 5.0
"""After which a collector that was away is tried again."""
SEND_SECONDS = 5.0
_SCHEMES = {"syslog": socket.SOCK_DGRAM, "syslog+tcp": socket.SOCK_STREAM, "unix": None}
_SEVERITY = {
    "DEBUG": SysLogHandler.LOG_DEBUG,
    "WARNING": SysLogHandler.LOG_WARNING,
    "ERROR": SysLogHandler.LOG_ERR,
    "CRITICAL": SysLogHandler.LOG_CRIT,
}
_PORTS = {"syslog": 514, "syslog+tcp": 601}


@dataclass(frozen=True)
class Collector:
    """Where lines are sent, as the setting ``log_collector`` says."""

    address: tuple[str, int] | str
    kind: socket.SocketKind | None
    """None for a socket of this machine, which says itself what it takes."""

    @classmethod
    def parse(cls, url: str) -> Collector:
        """Raises ValueError for what is no collector's address."""
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"{url!r}: begins with none of {', '.join(f'{each}://' for each in _SCHEMES)}")
        if parts.scheme == "unix":
            if not parts.path:
                raise ValueError(f"{url!r} names no socket")
            return cls(parts.path, None)
        if not parts.hostname:
            raise ValueError(f"{url!r} names no host")
        return cls((parts.hostname, parts.port or _PORTS[parts.scheme]), _SCHEMES[parts.scheme])

    def reach(self) -> None:
        """Raises OSError when nobody takes anything there; of datagrams only whether the name is known."""
        self.open().close()

    def open(self) -> socket.socket:
        """Connected. Raises OSError."""
        if isinstance(self.address, str):
            return _of_this_machine(self.address)
        if self.kind is socket.SOCK_STREAM:
            return socket.create_connection(self.address, SEND_SECONDS)
        family, kind, protocol, _name, where = socket.getaddrinfo(*self.address, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
        made.connect(where)
        return made


def _of_this_machine(path: str) -> socket.socket:
    """Most take datagrams, some a stream. Raises OSError."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        made = socket.socket(socket.AF_UNIX, kind)
        made.settimeout(SEND_SECONDS)
        try:
            made.connect(path)
        except OSError:
            made.close()
            if kind is socket.SOCK_STREAM:
                raise
        else:
            return made
    raise AssertionError


class ToCollector(QueueHandler):
    """Queues finished lines; a thread of its own sends them."""

    def __init__(self, collector: Collector, process: str) -> None:
        self._lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUED)
        super().__init__(self._lines)
        self._collector, self._process = collector, process
        self._lost = 0
        self._sender = self._begin()
        # A thread does not go along into a child process.
        os.register_at_fork(after_in_child=self._begin_anew)

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """As text, by whoever logs: what it speaks of may have changed when it is sent."""
        line = self.format(record)
        return logging.LogRecord(record.name, record.levelno, "", 0, line, None, None)

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            self._lost += 1

    def drain(self, seconds: float) -> bool:
        """Wait until everything was sent; whether it was."""
        until = time.monotonic() + seconds
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)
        return not self._lines.unfinished_tasks

    def _begin(self) -> Thread:
        sender = Thread(target=self._send_all, name="log-collector", daemon=True)
        sender.start()
        return sender

    def _begin_anew(self) -> None:
        self._lines = self.queue = queue.Queue(QUEUED)
        self._lost = 0
        self._sender = self._begin()

    def _send_all(self) -> None:
        away: socket.socket | None = None
        lines = self._lines
        while True:
            record = lines.get()
            while away is None:
                try:
                    away = self._connected()
                except OSError:
                    time.sleep(AGAIN_SECONDS)
            try:
                self._send(away, record.levelname, record.getMessage())
            except OSError:
                away.close()
                away = None
                self._lost += 1
            lines.task_done()

    def _connected(self) -> socket.socket:
        """Raises OSError."""
        made = self._collector.open()
        if self._lost:
            lost, self._lost = self._lost, 0
            self._send(made, "WARNING", json.dumps({"event": "log.not_sent", "level": "warning", "lines": lost}))
        return made

    def _send(self, to: socket.socket, level: str, line: str) -> None:
        """Raises OSError."""
        priority = SysLogHandler.LOG_LOCAL0 << 3 | _SEVERITY.get(level, SysLogHandler.LOG_INFO)
        data = f"<{priority}>xueji-{self._process}: {line}".encode()
        if to.type == socket.SOCK_STREAM:
            # Of a stream a line ends where the next begins (RFC 6587, 3.4.2).
            to.sendall(data + b"\n")
        else:
            to.send(data)
