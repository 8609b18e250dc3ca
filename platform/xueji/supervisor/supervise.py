"""The supervisor's own life: one for each data folder, until it is told to stop."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.supervisor.process import Process, Program, stop_together
from xueji.supervisor.programs import stages

log = structlog.get_logger(__name__)

LARGEST_LOG_BYTES = 32 * 1024 * 1024
LOGS_KEPT = 5
_TEND_SECONDS = 0.2
_ROTATE_SECONDS = 60.0


class CannotStart(Exception):
    """The installation cannot be started; the message says why and what to do."""


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the data folder. The lock dies with its holder, so that nothing stale is ever in the way."""
    path = settings.data / "run" / "supervisor.lock"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text("ascii").strip()
            raise CannotStart(f"it is already running on {settings.data} (process {holder})") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def listen(settings: Settings) -> socket.socket:
    """The address people come to. Raises CannotStart when somebody else has it."""
    try:
        return socket.create_server((settings.host, settings.port), backlog=2048, reuse_port=False)
    except OSError as error:
        raise CannotStart(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}); "
            "another program may have it: stop that, or choose another with XUEJI_PORT"
        ) from error


def run(context: Context, when_ready: Callable[[], None]) -> None:
    """Start everything, call ``when_ready``, keep everything up until told to stop. Raises CannotStart, NotStarted."""
    stopping = False

    def stop(_number: int, _frame: Any) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    with only_one(context.settings), listen(context.settings) as listening:
        keep_up(stages(context, listening), context.settings.data / "log", lambda: stopping, when_ready)


def keep_up(
    wanted: Iterable[Sequence[Program]], logs: Path, stopping: Callable[[], bool], when_ready: Callable[[], None]
) -> None:
    """The supervisor's work proper. Raises NotStarted, after stopping what had been started."""
    started: list[list[Process]] = []
    try:
        for stage in wanted:
            if stopping():
                break
            started.append([Process(program) for program in stage])
            for process in started[-1]:
                process.start()
            for process in started[-1]:
                process.wait_until_ready(stopping)
        if not stopping():
            when_ready()
        _tend([process for stage in started for process in stage], logs, stopping)
    finally:
        for running in reversed(started):
            stop_together(running)


def _tend(processes: Sequence[Process], logs: Path, stopping: Callable[[], bool]) -> None:
    rotated = time.monotonic()
    while not stopping():
        for process in processes:
            process.tend()
        if time.monotonic() - rotated > _ROTATE_SECONDS:
            rotate(logs)
            rotated = time.monotonic()
        time.sleep(_TEND_SECONDS)


def rotate(folder: Path) -> None:
    """Set aside logs that have grown large; whoever writes one opens a new file at the next line."""
    for file in folder.glob("*.jsonl"):
        if file.stat().st_size < LARGEST_LOG_BYTES:
            continue
        for number in range(LOGS_KEPT - 1, 0, -1):
            newer = file.with_suffix(f".jsonl.{number}")
            if newer.exists():
                newer.replace(file.with_suffix(f".jsonl.{number + 1}"))
        file.replace(file.with_suffix(".jsonl.1"))
