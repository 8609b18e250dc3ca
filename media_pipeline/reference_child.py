"""Reference photos are looked at by a child process: opened and shown to the networks there, within limits.

A process that answers people and reports of study has other things to do: its processors, its memory and its
interpreter are not for the photos of strangers. Run as a program (``python -m media_pipeline.reference_child SOCKET
FOLDER``, the folder being that of the networks) this module is the child.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from media_pipeline import descriptors
from media_pipeline.child import ChildDown, ChildProcess, Costly, serve
from media_pipeline.frames import DecodeError, DecodeFault
from media_pipeline.opening import MEMORY_BYTES, PICTURE_SECONDS
from media_pipeline.quality import QualityCode
from media_pipeline.verdict import EngineDown

if TYPE_CHECKING:
    from media_pipeline.engine import Engine
    from media_pipeline.reference import ReferenceQuality

SECONDS = PICTURE_SECONDS + 3.0
"""Of the processor, for one photo: the networks take a fifth of a second for the largest."""
WAIT_SECONDS = 20.0
"""For the photos of others, which are looked at before."""


class ReferenceChild:
    """One child, for any number of threads; one photo at a time. ``folder`` is that of the networks."""

    def __init__(self, folder: Path) -> None:
        self._process = ChildProcess("media_pipeline.reference_child", str(folder))

    def assess(self, photo: bytes, seconds: float = SECONDS) -> ReferenceQuality:
        """Raises DecodeError, and EngineDown when no photo can be looked at."""
        try:
            return self._process.ask(photo, seconds, _read, WAIT_SECONDS)
        except Costly as error:
            raise DecodeError(DecodeFault.TOO_COSTLY) from error
        except ChildDown as error:
            raise EngineDown(str(error)) from error

    def end(self) -> None:
        self._process.end()

    @property
    def pid(self) -> int | None:
        return self._process.pid


def _read(channel: Connection) -> ReferenceQuality:
    from media_pipeline.reference import ReferenceQuality

    found = json.loads(channel.recv_bytes())
    if "fault" in found:
        raise DecodeError(DecodeFault(found["fault"]))
    if "down" in found:
        raise EngineDown(found["down"])
    descriptor = descriptors.from_bytes(channel.recv_bytes()) if found["described"] else None
    codes = tuple(QualityCode(code) for code in found["codes"])
    return ReferenceQuality(descriptor, codes, found["engine"], found["model"])


def _answer(engine: Engine, channel: Connection, photo: bytes) -> None:
    from media_pipeline.models import keep_memory_small
    from media_pipeline.reference import assess_reference

    try:
        seen = assess_reference(photo, engine)
    except DecodeError as error:
        _say(channel, {"fault": error.fault.value})
    except MemoryError:
        _say(channel, {"fault": DecodeFault.TOO_COSTLY.value})
    except EngineDown as error:
        _say(channel, {"down": str(error)})
    else:
        described = seen.descriptor is not None
        codes = [code.value for code in seen.codes]
        _say(channel, {"described": described, "codes": codes, "engine": seen.engine, "model": seen.model})
        if seen.descriptor is not None:
            channel.send_bytes(descriptors.to_bytes(seen.descriptor))
    keep_memory_small()


def _say(channel: Connection, found: dict[str, object]) -> None:
    channel.send_bytes(json.dumps(found).encode())


if __name__ == "__main__":
    from media_pipeline.engine import Engine

    serve(int(sys.argv[1]), partial(_answer, Engine(Path(sys.argv[2]))), memory_bytes=MEMORY_BYTES)
