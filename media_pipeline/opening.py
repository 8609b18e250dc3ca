"""Pictures of strangers are opened by a child process (`media_pipeline.child`).

What decoders can be made to do by a few hundred bytes, nobody knows whole. So the bytes go to a child, and pixels come
back, already small enough for the networks. Run as a program (``python -m media_pipeline.opening SOCKET``) this module
is the child.
"""

from __future__ import annotations

import struct
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

import cv2
import numpy as np

from media_pipeline.child import TURN_SECONDS, ChildDown, ChildProcess, Costly, serve
from media_pipeline.frames import WORKING_SIDE, DecodeError, DecodeFault, Pixels, decode_within, fit_within
from media_pipeline.verdict import EngineDown

PICTURE_SECONDS = 5.0
"""Of the processor, for one picture; the largest honest one takes a fifth of a second."""
JUDGEMENT_SECONDS = 10.0
"""Of the processor, for all pictures of one check."""
MEMORY_BYTES = 768 * 1024 * 1024
"""Address space beyond what the child has when it is ready: what a HEIC of 48 million pixels needs."""

_OPENED = struct.Struct("<Bdd4I")
"""Fault (0: none), seconds of the processor, scale, width, height, and the small picture's width and height."""
_FAULTS = tuple(DecodeFault)
_PLAIN, _ANY = b"p", b"a"
"""Before a picture that is asked to be opened: whether it may be of a kind that pages cannot show."""


@dataclass(frozen=True)
class OpenedPicture:
    """A picture no larger than ``WORKING_SIDE``, what it was shrunk by, and the size it had, upright, in pixels."""

    picture: Pixels
    scale: float
    width: int
    height: int
    seconds: float = 0.0
    """Of the processor, that opening it took."""


class Opener(Protocol):
    def open(self, data: bytes, seconds: float = PICTURE_SECONDS, *, any_kind: bool = False) -> OpenedPicture:
        """``any_kind``: AVIF and HEIC too. Raises DecodeError, and EngineDown when no picture can be opened at all."""


class OpenHere:
    """In this process and without limits: for pictures of our own, and in tests."""

    def open(self, data: bytes, seconds: float = PICTURE_SECONDS, *, any_kind: bool = False) -> OpenedPicture:
        """``seconds`` is not kept."""
        del seconds
        decoded, width, height = decode_within(data, side=WORKING_SIDE, any_kind=any_kind)
        picture, _ = fit_within(decoded)
        return OpenedPicture(picture, min(1.0, WORKING_SIDE / max(width, height)), width, height)


class Child:
    """One child, for any number of threads; one picture at a time."""

    def __init__(self) -> None:
        self._process = ChildProcess("media_pipeline.opening")

    def open(self, data: bytes, seconds: float = PICTURE_SECONDS, *, any_kind: bool = False) -> OpenedPicture:
        try:
            return self._process.ask((_ANY if any_kind else _PLAIN) + data, seconds, _read, TURN_SECONDS)
        except Costly as error:
            raise _costly(seconds) from error
        except ChildDown as error:
            raise EngineDown(str(error)) from error

    def end(self) -> None:
        self._process.end()

    @property
    def pid(self) -> int | None:
        return self._process.pid


def _read(channel: Connection) -> OpenedPicture:
    fault, taken, scale, width, height, columns, rows = _OPENED.unpack(channel.recv_bytes())
    if fault:
        error = DecodeError(_FAULTS[fault - 1])
        error.seconds = taken
        raise error
    pixels = np.frombuffer(channel.recv_bytes(), np.uint8).reshape(rows, columns, 3)
    return OpenedPicture(pixels, scale, width, height, taken)


def _costly(seconds: float) -> DecodeError:
    error = DecodeError(DecodeFault.TOO_COSTLY)
    error.seconds = seconds
    return error


def _answer(channel: Connection, data: bytes) -> None:
    began, fault, opened = time.process_time(), 0, None
    try:
        opened = OpenHere().open(data[1:], any_kind=data[:1] == _ANY)
    except DecodeError as error:
        fault = _FAULTS.index(error.fault) + 1
    except MemoryError:
        fault = _FAULTS.index(DecodeFault.TOO_COSTLY) + 1
    taken = time.process_time() - began
    if opened is None:
        channel.send_bytes(_OPENED.pack(fault, taken, 0.0, 0, 0, 0, 0))
    else:
        rows, columns = opened.picture.shape[:2]
        channel.send_bytes(_OPENED.pack(0, taken, opened.scale, opened.width, opened.height, columns, rows))
        channel.send_bytes(np.ascontiguousarray(opened.picture).data.cast("B"))
    _give_back()


def _give_back() -> None:
    from media_pipeline.models import keep_memory_small

    keep_memory_small()


if __name__ == "__main__":
    cv2.setNumThreads(1)
    serve(int(sys.argv[1]), _answer, memory_bytes=MEMORY_BYTES)
