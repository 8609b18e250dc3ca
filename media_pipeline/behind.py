"""Who else is in view, asked before a check: so that she can turn a poster away before it costs her an answer."""

from __future__ import annotations

from enum import StrEnum

from media_pipeline.engine import Engine, Search
from media_pipeline.looking import look
from media_pipeline.opening import Opener, OpenHere
from media_pipeline.posters import is_print
from media_pipeline.verdict import JudgeSettings


class Behind(StrEnum):
    """What else is in view than one face; the values are stable."""

    NOBODY = "nobody"
    PICTURE = "picture"
    """A face that does not move: a poster, a photo, a badge, or whoever sits very still for so long."""
    SOMEBODY = "somebody"


def look_behind(first: bytes, later: bytes, engine: Engine, opener: Opener | None = None) -> Behind:
    """Two pictures of one camera, a second or more apart. ``opener`` None: they are opened here, without limits.

    The same faces count as in a check. Whether one of them moves is seen only where the camera stands still.
    Raises DecodeError and EngineDown.
    """
    opener = opener or OpenHere()
    opened = opener.open(first)
    seen = look(engine, opened.picture, Search.EVERYONE)
    least = JudgeSettings.second_face_pixels * opened.scale
    people = [face for face in seen.faces if face.side >= least]
    if len(people) < 2:
        return Behind.NOBODY
    then = opener.open(later).picture
    turned = look(engine, then, Search.NEAREST, seen.turns).picture
    still = all(is_print(face, seen.picture, [turned]) for face in people[1:])
    return Behind.PICTURE if still else Behind.SOMEBODY
