"""Reference photos, and who stands behind her, are looked at by a child process, within limits.

A process that answers people and reports of study has other things to do: its processors, its memory and its
interpreter are not for the photos of strangers. Run as a program (``python -m media_pipeline.reference_child SOCKET
FOLDER``, the folder being that of the networks) this module is the child.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from media_pipeline import descriptors
from media_pipeline.child import ChildDown, ChildProcess, Costly, serve
from media_pipeline.frames import DecodeError, DecodeFault
from media_pipeline.opening import MEMORY_BYTES, PICTURE_SECONDS
from media_pipeline.quality import QualityCode
from media_pipeline.verdict import EngineDown

if TYPE_CHECKING:
    from media_pipeline.behind import Behind
    from media_pipeline.engine import Engine
    from media_pipeline.reference import ReferenceQuality

SECONDS = PICTURE_SECONDS + 3.0
"""Of the processor, for one photo: the networks take a fifth of a second for the largest."""
WAIT_SECONDS = 20.0
"""For the photos of others, which are looked at before."""
BEHIND_WAIT_SECONDS = 2.0
"""Whoever asks who stands behind her goes on without the answer when others keep the child busy."""

_PHOTO, _BEHIND = b"p", b"b"
"""Before what is asked: one photo, or two pictures, the length of the first before them."""
_LENGTH = struct.Struct("<I")


class ReferenceChild:
    """One child, for any number of threads; one photo at a time. ``folder`` is that of the networks."""

    def __init__(self, folder: Path) -> None:
        self._process = ChildProcess("media_pipeline.reference_child", str(folder))

    def assess(self, photo: bytes, seconds: float = SECONDS) -> ReferenceQuality:
        """Raises DecodeError, and EngineDown when no photo can be looked at."""
        with _as_faults():
            return self._process.ask(_PHOTO + photo, seconds, _read, WAIT_SECONDS)

    def look_behind(self, first: bytes, later: bytes) -> Behind:
        """See `media_pipeline.behind`. Raises DecodeError and EngineDown."""
        asked = _BEHIND + _LENGTH.pack(len(first)) + first + later
        with _as_faults():
            return self._process.ask(asked, SECONDS, _read_behind, BEHIND_WAIT_SECONDS)

    def end(self) -> None:
        self._process.end()

    @property
    def pid(self) -> int | None:
        return self._process.pid


@contextmanager
def _as_faults() -> Iterator[None]:
    """What befell the child, as it would be told had the pictures been looked at here."""
    try:
        yield
    except Costly as error:
        raise DecodeError(DecodeFault.TOO_COSTLY) from error
    except ChildDown as error:
        raise EngineDown(str(error)) from error


def _found(channel: Connection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(channel.recv_bytes())
    if "fault" in found:
        raise DecodeError(DecodeFault(found["fault"]))
    if "down" in found:
        raise EngineDown(found["down"])
    return found


def _read(channel: Connection) -> ReferenceQuality:
    from media_pipeline.reference import ReferenceQuality

    found = _found(channel)
    codes = tuple(QualityCode(code) for code in found["codes"])
    descriptor = photo = None
    if found["described"]:
        descriptor = descriptors.from_bytes(channel.recv_bytes())
        photo = channel.recv_bytes()
    return ReferenceQuality(descriptor, codes, found["engine"], found["model"], photo)


def _read_behind(channel: Connection) -> Behind:
    from media_pipeline.behind import Behind

    return Behind(_found(channel)["behind"])


def _answer(engine: Engine, channel: Connection, asked: bytes) -> None:
    from media_pipeline.models import keep_memory_small

    kind, given = asked[:1], asked[1:]
    try:
        parts = _see_behind(engine, given) if kind == _BEHIND else _assess(engine, given)
    except DecodeError as error:
        _say(channel, {"fault": error.fault.value})
    except MemoryError:
        _say(channel, {"fault": DecodeFault.TOO_COSTLY.value})
    except EngineDown as error:
        _say(channel, {"down": str(error)})
    else:
        for part in parts:
            channel.send_bytes(part)
    keep_memory_small()


def _assess(engine: Engine, photo: bytes) -> list[bytes]:
    from media_pipeline.reference import assess_reference

    seen = assess_reference(photo, engine)
    codes = [code.value for code in seen.codes]
    described = seen.descriptor is not None
    found = {"described": described, "codes": codes, "engine": seen.engine, "model": seen.model}
    parts = [json.dumps(found).encode()]
    if seen.descriptor is not None:
        parts += [descriptors.to_bytes(seen.descriptor), seen.photo or photo]
    return parts


def _see_behind(engine: Engine, given: bytes) -> list[bytes]:
    from media_pipeline.behind import look_behind

    (length,) = _LENGTH.unpack_from(given)
    first, later = given[_LENGTH.size : _LENGTH.size + length], given[_LENGTH.size + length :]
    return [json.dumps({"behind": look_behind(first, later, engine).value}).encode()]


def _say(channel: Connection, found: dict[str, object]) -> None:
    channel.send_bytes(json.dumps(found).encode())


if __name__ == "__main__":
    from media_pipeline.engine import Engine

    serve(int(sys.argv[1]), partial(_answer, Engine(Path(sys.argv[2]))), memory_bytes=MEMORY_BYTES)
