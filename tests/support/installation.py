"""A whole installation under its supervisor, as an operator runs it, and learners who drive it over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from xueji.kernel.settings import Settings

START_SECONDS = 180
"""Several servers begin at once, on a machine that may be busy; nothing is waited for longer than until it is there."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_until(true: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


@dataclass
class Installation:
    """What `xueji up` keeps running."""

    environment: Mapping[str, str]
    port: int
    supervisor: subprocess.Popen[bytes]
    output: Path

    def is_ready(self) -> bool:
        assert self.supervisor.poll() is None, self.output.read_text()
        with contextlib.closing(Caller(self.port)) as caller:
            try:
                return caller.call("GET", "/readyz")[0] == 200
            except (OSError, http.client.HTTPException):
                return False

    def process(self, *words: str) -> psutil.Process | None:
        """What runs under the supervisor with a command that holds all the words; a parent before its children."""
        for child in psutil.Process(self.supervisor.pid).children(recursive=True):
            try:
                if all(any(word in part for part in child.cmdline()) for word in words):
                    return child
            except psutil.Error:
                continue
        return None

    def kill(self, *words: str, inside: bool) -> bool:
        """End a process as a power cut would, or one that it has started. Whether there was one."""
        found = self.process(*words)
        try:
            victims = found.children() if found is not None and inside else [found] if found is not None else []
            for victim in victims[:1]:
                victim.kill()
            return bool(victims)
        except psutil.NoSuchProcess:
            return False


@contextmanager
def installation(settings: Settings) -> Iterator[Installation]:
    """Set up and started in the settings' folder and database, with its own broker, until the block ends."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XUEJI_")},
        "XUEJI_DATA": str(settings.data),
        "XUEJI_DATABASE_URL": settings.database_url,
        "XUEJI_LOG_ORIGIN": settings.log_origin,
        "XUEJI_PORT": str(port),
    }
    command = [sys.executable, "-m", "xueji.cli"]
    subprocess.run([*command, "setup"], env=environment, check=True, capture_output=True)
    output = settings.data / "output"
    with output.open("wb") as file:
        supervisor = subprocess.Popen([*command, "up"], env=environment, stdout=file, stderr=file)
    running = Installation(environment, port, supervisor, output)
    try:
        wait_until(running.is_ready, "the installation")
        yield running
    finally:
        supervisor.terminate()
        supervisor.wait(60)


@dataclass
class Caller:
    """Calls the interface over one connection, which it opens again when it was cut."""

    port: int
    token: str = ""
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def call(self, method: str, path: str, body: Any = None, **form: Any) -> tuple[int, Any]:
        """Status and parsed answer. Raises OSError or http.client.HTTPException when there is no answer."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        content: bytes | None = None
        if form:
            content, headers["Content-Type"] = _multipart(form)
        elif body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            self._connection.request(method, path, content, headers)
            response = self._connection.getresponse()
            answered = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        return response.status, json.loads(answered) if "json" in response.headers["Content-Type"] else answered

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _multipart(form: Mapping[str, Any]) -> tuple[bytes, str]:
    boundary, parts = uuid4().hex, []
    for name, value in form.items():
        file = '; filename="frame.jpg"\r\nContent-Type: image/jpeg' if isinstance(value, bytes) else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + (value if isinstance(value, bytes) else str(value).encode()) + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
