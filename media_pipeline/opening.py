"""Pictures of strangers are opened by a child process that has little time and little memory.

What decoders can be made to do by a few hundred bytes, nobody knows whole. So the bytes go to a child, and pixels come
back, already small enough for the networks; a child that takes too long, or dies of a picture, is replaced, and the
picture is refused by name. Run as a program (``python -m media_pipeline.opening SOCKET``) this module is the child.
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
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from media_pipeline.frames import DecodeError, DecodeFault, Pixels, decode, fit_within
from media_pipeline.verdict import EngineDown

PICTURE_SECONDS = 5.0
"""Of the processor, for one picture; the largest honest one takes a fifth of a second."""
JUDGEMENT_SECONDS = 10.0
"""Of the processor, for all pictures of one check."""
WAIT_FACTOR = 4.0
"""On a busy machine a second of the processor takes several by the clock."""
START_SECONDS = 60.0
TURN_SECONDS = 8.0
"""How long a caller waits for another's picture."""
IDLE_SECONDS = 300.0
"""After so long without a picture the child ends, and another is started for the next."""
MEMORY_BYTES = 512 * 1024 * 1024
"""Address space beyond what the child has when it is ready: a progressive picture of 16 million pixels needs half."""

_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG
_READY = b"ready"
_ASKED = struct.Struct("<d")
_OPENED = struct.Struct("<Bdd4I")
"""Fault (0: none), seconds of the processor, scale, width, height, and the small picture's width and height."""
_FAULTS = tuple(DecodeFault)


@dataclass(frozen=True)
class Opened:
    """A picture no larger than ``WORKING_SIDE``, what it was shrunk by, and the size it had, upright, in pixels."""

    picture: Pixels
    scale: float
    width: int
    height: int
    seconds: float = 0.0
    """Of the processor, that opening it took."""


class Opener(Protocol):
    def open(self, data: bytes, seconds: float = PICTURE_SECONDS) -> Opened:
        """Raises DecodeError, and EngineDown when no picture can be opened at all."""


class OpenHere:
    """In this process and without limits: for pictures of our own, and in tests."""

    def open(self, data: bytes, seconds: float = PICTURE_SECONDS) -> Opened:
        """``seconds`` is not kept."""
        del seconds
        whole = decode(data)
        picture, scale = fit_within(whole)
        return Opened(picture, scale, whole.shape[1], whole.shape[0])


class _Ended(Exception):
    """The child had ended for want of work, before it saw this picture."""


class Child:
    """One child, for any number of threads; one picture at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection | None = None

    def open(self, data: bytes, seconds: float = PICTURE_SECONDS) -> Opened:
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise EngineDown("other pictures are being opened")
        try:
            try:
                return self._open(data, seconds)
            except _Ended:
                return self._open(data, seconds)
        except _Ended as ended:
            raise EngineDown("the child that opens pictures does not stay") from ended
        finally:
            self._turn.release()

    def end(self) -> None:
        with self._turn:
            self._end()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def _open(self, data: bytes, seconds: float) -> Opened:
        channel = self._started()
        try:
            channel.send_bytes(_ASKED.pack(seconds) + data)
            if not channel.poll(seconds * WAIT_FACTOR):
                self._end()
                raise _costly(seconds)
            head = channel.recv_bytes()
            fault, taken, scale, width, height, columns, rows = _OPENED.unpack(head)
            if fault:
                error = DecodeError(_FAULTS[fault - 1])
                error.seconds = taken
                raise error
            pixels = np.frombuffer(channel.recv_bytes(), np.uint8).reshape(rows, columns, 3)
            return Opened(pixels, scale, width, height, taken)
        except (OSError, EOFError) as error:
            raise self._died(seconds) from error

    def _died(self, seconds: float) -> Exception:
        """What the child's death says: of idleness, by a hand from outside, or of this picture."""
        status = self._process.wait() if self._process is not None else 0
        self._end()
        if status == 0:
            return _Ended()
        if status in (-signal.SIGKILL, -signal.SIGTERM):
            return EngineDown("the child that opens pictures was ended")
        return _costly(seconds)

    def _started(self) -> Connection:
        if self._channel is not None and self._owner == os.getpid():
            return self._channel
        # One forked from the owner starts its own: two that read one answer would each get half of it.
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "media_pipeline.opening", str(theirs.fileno())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
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
        raise EngineDown("the child that opens pictures does not start")

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


def _costly(seconds: float) -> DecodeError:
    error = DecodeError(DecodeFault.TOO_COSTLY)
    error.seconds = seconds
    return error


def _bound_child() -> None:
    """From now on it may write no file, take so much more memory and open nothing, and gives way to who has work."""
    os.nice(10)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(what, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


def _answer(channel: Connection, asked: bytes) -> None:
    (seconds,) = _ASKED.unpack_from(asked)
    began = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(began + seconds), resource.getrlimit(resource.RLIMIT_CPU)[1]))
    fault = 0
    opened = None
    try:
        opened = OpenHere().open(asked[_ASKED.size :])
    except DecodeError as error:
        fault = _FAULTS.index(error.fault) + 1
    except MemoryError:
        fault = _FAULTS.index(DecodeFault.TOO_COSTLY) + 1
    taken = time.process_time() - began
    if opened is None:
        channel.send_bytes(_OPENED.pack(fault, taken, 0.0, 0, 0, 0, 0))
        return
    rows, columns = opened.picture.shape[:2]
    channel.send_bytes(_OPENED.pack(0, taken, opened.scale, opened.width, opened.height, columns, rows))
    channel.send_bytes(np.ascontiguousarray(opened.picture).data.cast("B"))


def main(number: int) -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _bound_child()
    with Connection(number) as channel:
        channel.send_bytes(_READY)
        try:
            while channel.poll(IDLE_SECONDS):
                _answer(channel, channel.recv_bytes())
                _give_back()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _give_back() -> None:
    from media_pipeline.models import keep_memory_small

    keep_memory_small()


if __name__ == "__main__":
    main(int(sys.argv[1]))
