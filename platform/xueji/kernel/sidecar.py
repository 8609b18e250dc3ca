"""Work done in a process of its own, for one owner that waits for each answer.

Threads share one interpreter: what writes in small steps and what reads requests wake and stop each other at every
step. In a process of its own the writing costs what it costs alone, and runs on the other core.

The two talk over a pair of sockets nobody else can reach. The process ends when its owner does, by whatever death.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import structlog

from xueji.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

LONGEST_ANSWER_SECONDS = 30.0


class WorkFailed(Exception):
    """The work raised (what, stands in the other process's log), or was the death of two processes."""


class Sidecar:
    """``command`` is run with one more word, the number of its socket, and is to call `serve` with it."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._taken = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None

    def start(self) -> None:
        """Begin, so that the first call need not wait for it."""
        with self._taken:
            self._open()

    def call(self, request: Any) -> Any:
        """What the work answers. A request whose answer was lost with the process is made once more.

        Raises WorkFailed, and Unavailable when no answer comes.
        """
        with self._taken:
            for _ in range(2):
                channel = self._open()
                try:
                    channel.send(request)
                    answered = channel.poll(LONGEST_ANSWER_SECONDS)
                    done, answer = channel.recv() if answered else (False, None)
                except (OSError, EOFError):
                    log.warning("beside.died", command=self._command[-1])
                    self._end()
                    continue
                if not answered:
                    log.warning("beside.hangs", command=self._command[-1])
                    self._end()
                    raise Unavailable
                if not done:
                    raise WorkFailed(answer)
                return answer
        raise WorkFailed("died")

    def end(self) -> None:
        with self._taken:
            self._end()

    def _open(self) -> Connection:
        if self._channel is not None and self._owner == os.getpid():
            return self._channel
        # A process forked from the owner begins one of its own: two that read one answer would each get half of it.
        ours, theirs = socket.socketpair()
        with theirs:
            words = [*self._command, str(theirs.fileno())]
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self._channel = Connection(ours.detach())
        self._owner = os.getpid()
        return self._channel

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def serve(number: int, work: Callable[[Any], Any]) -> None:
    """Answer requests, in order, until the owner is gone.

    Signals to stop are the owner's to obey: it still has callers to answer, and its end is the end of this.
    """
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    with Connection(number) as channel:
        try:
            while True:
                channel.send(_done(work, channel.recv()))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _done(work: Callable[[Any], Any], request: Any) -> tuple[bool, Any]:
    try:
        return True, work(request)
    except Exception as error:
        log.exception("beside.failed")
        return False, type(error).__name__
