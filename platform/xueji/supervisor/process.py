"""One process under the supervisor: started in a group of its own, so that nothing of it can stay behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)

_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
CALM_SECONDS = 60.0
"""Having run this long, a process that dies is started again at once, as if it had never died."""


@dataclass(frozen=True)
class Program:
    """What is run, and how one can tell that it is ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    start_seconds: float = 60.0
    stop_seconds: float = 10.0
    """How long it may take to finish what it is doing once told to stop."""
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    kept: object = None
    """What must stay open for as long as the program may be started again."""


class NotStarted(Exception):
    """A program ended, or was not ready in time."""


class Process:
    def __init__(self, program: Program) -> None:
        self.program = program
        self._child: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._delay = FIRST_DELAY_SECONDS
        self._again_at: float | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

        def in_child() -> None:
            # Should the supervisor be killed, the kernel tells its children; one that is already orphaned ends here.
            prctl(_DEATH_SIGNAL, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

        self._child = subprocess.Popen(
            self.program.command,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.program.environment},
            pass_fds=self.program.pass_fds,
            start_new_session=True,
            preexec_fn=in_child,
        )
        self._began = time.monotonic()
        self._again_at = None
        log.info("process.started", process=self.program.name, pid=self._child.pid)

    def wait_until_ready(self, stopping: Callable[[], bool]) -> None:
        """Raises NotStarted; returns early when the supervisor is told to stop meanwhile."""
        deadline = time.monotonic() + self.program.start_seconds
        while not stopping():
            if self._child is None or self._child.poll() is not None:
                raise NotStarted(f"{self.program.name} ended while starting")
            if self.program.ready():
                return
            if time.monotonic() > deadline:
                raise NotStarted(f"{self.program.name} was not ready after {self.program.start_seconds:.0f} s")
            time.sleep(0.05)

    def tend(self) -> None:
        """Start it again if it has died, after a delay that doubles with each death in quick succession."""
        if self._child is not None:
            status = self._child.poll()
            if status is None:
                return
            self._kill_group()
            if time.monotonic() - self._began > CALM_SECONDS:
                self._delay = FIRST_DELAY_SECONDS
            log.warning("process.died", process=self.program.name, status=status, again_in=self._delay)
            self._child = None
            self._again_at = time.monotonic() + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY_SECONDS)
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self.start()

    def ask_to_stop(self) -> None:
        self._again_at = None
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Wait until it has ended, end it when it takes too long, and end whatever it had started."""
        self.ask_to_stop()
        if self._child is None:
            return
        try:
            self._child.wait(self.program.stop_seconds)
        except subprocess.TimeoutExpired:
            log.warning("process.killed", process=self.program.name)
        self._kill_group()
        self._child.wait()
        self._child = None
        log.info("process.stopped", process=self.program.name)

    def _kill_group(self) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)


def stop_together(processes: Sequence[Process]) -> None:
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()
