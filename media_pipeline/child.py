"""What strangers send is opened by a child process that has little time and little memory.

One way for pictures, spreadsheets and whatever comes next: bytes go to a child, plain values come back. A child that
takes too long, or dies of what it was given, is replaced, and what it was given is refused by name. Standard library
only, so that a child is no larger than what it opens needs.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

WAIT_FACTOR = 4.0
"""On a busy machine a second of the processor takes several by the clock."""
START_SECONDS = 60.0
TURN_SECONDS = 8.0
"""How long a caller waits for another's turn."""
IDLE_SECONDS = 300.0
"""After so long without work the child ends, and another is started for what comes next."""

NICER = 10
"""A child gives way to whoever has work, by so much more than its parent."""

_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG
_READY = b"ready"
_ASKED = struct.Struct("<d")
T = TypeVar("T")


class Costly(Exception):
    """The child took too long over what it was given, or died of it."""


class ChildDown(Exception):
    """There is no child now, which says nothing about what it was given."""


class _Ended(Exception):
    """The child had ended for want of work, before it saw this."""


class ChildProcess:
    """One child, for any number of threads; one turn at a time. ``module`` is run as a program and calls `serve`.

    ``words`` follow the number of its socket.
    """

    def __init__(self, module: str, *words: str) -> None:
        self._module = module
        self._words = words
        self._turn = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None

    def ask(self, given: bytes, seconds: float, read: Callable[[Connection], T], wait: float = TURN_SECONDS) -> T:
        """What ``read`` makes of the child's answer. ``seconds`` of the processor. Raises Costly, ChildDown."""
        if not self._turn.acquire(timeout=wait):
            raise ChildDown("others are being served")
        try:
            try:
                return self._ask(given, seconds, read)
            except _Ended:
                return self._ask(given, seconds, read)
        except _Ended as ended:
            raise ChildDown(f"{self._module} does not stay") from ended
        finally:
            self._turn.release()

    def end(self) -> None:
        with self._turn:
            self._end()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def _ask(self, given: bytes, seconds: float, read: Callable[[Connection], T]) -> T:
        channel = self._started()
        try:
            channel.send_bytes(_ASKED.pack(seconds) + given)
            if not channel.poll(seconds * WAIT_FACTOR):
                self._end()
                raise Costly
            return read(channel)
        except (OSError, EOFError) as error:
            raise self._died() from error

    def _died(self) -> Exception:
        """What the child's death says: of idleness, by a hand from outside, or of what it was given."""
        status = self._process.wait() if self._process is not None else 0
        self._end()
        if status == 0:
            return _Ended()
        if status in (-signal.SIGKILL, -signal.SIGTERM):
            return ChildDown(f"{self._module} was ended")
        return Costly()

    def _started(self) -> Connection:
        if self._channel is not None and self._owner == os.getpid():
            return self._channel
        # One forked from the owner starts its own: two that read one answer would each get half of it.
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", self._module, str(theirs.fileno()), *self._words]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        # At once: what a child loads before it is ready takes a processor for a second or two.
        os.setpriority(os.PRIO_PROCESS, self._process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICER)
        self._owner = os.getpid()
        # Who lets go of this object lets go of its child.
        weakref.finalize(self, _end_process, self._process, self._owner)
        self._channel = channel = Connection(ours.detach())
        try:
            if channel.poll(START_SECONDS) and channel.recv_bytes() == _READY:
                return channel
        except (OSError, EOFError):
            pass
        self._end()
        raise ChildDown(f"{self._module} does not start")

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            _end_process(self._process, self._owner)
        self._process = None


def _end_process(process: subprocess.Popen[bytes], owner: int) -> None:
    if owner == os.getpid():
        process.kill()
        process.wait()


def serve(number: int, answer: Callable[[Connection, bytes], None], *, memory_bytes: int) -> None:
    """Be the child at the socket ``number``: answer until there is no more work, or the parent is gone.

    ``memory_bytes``: address space beyond what the child has when it is ready.
    """
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    _bound(memory_bytes)
    with Connection(number) as channel:
        channel.send_bytes(_READY)
        try:
            while channel.poll(IDLE_SECONDS):
                asked = channel.recv_bytes()
                (seconds,) = _ASKED.unpack_from(asked)
                _bound_turn(seconds)
                answer(channel, asked[_ASKED.size :])
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _bound(memory_bytes: int) -> None:
    """From now on it may write no file, take so much more memory and open nothing."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(what, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


def _bound_turn(seconds: float) -> None:
    most = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
