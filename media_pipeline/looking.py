"""Look at one picture of a burst: turn it upright, find the faces, read the mesh of the largest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media_pipeline.detector import Face
from media_pipeline.engine import Engine, Mesh, Search
from media_pipeline.frames import Pixels

_SURE, _A_FACE = 0.9, 0.5
_UPRIGHT_DEGREES = 50.0
_OTHER_WAYS = (2, 1, 3)
"""Quarter turns, the upside-down one first: a face that lies on its side is at least seen as lying."""


@dataclass(frozen=True)
class Seen:
    """A picture, the quarter turns (against the clock) that brought it upright, and what is in it.

    ``faces`` are largest first, ``mesh`` is the largest one's; None when there is no face.
    """

    picture: Pixels
    turns: int
    faces: tuple[Face, ...]
    mesh: Mesh | None


def look(engine: Engine, picture: Pixels, search: Search, turns: int = 0) -> Seen:
    """Look at ``picture``, first turned by ``turns``, as its neighbours were.

    Cameras that are built in sideways, and telephones that write no orientation, show faces lying or on their heads.
    Other ways round are tried only where no sure, upright face is seen as it is, and one is taken only when it shows
    such a face.
    """
    first = _look(engine, _turned(picture, turns), search, turns)
    if _is_upright(first):
        return first
    for other in _OTHER_WAYS:
        way = (turns + other) % 4
        seen = _look(engine, _turned(picture, way), Search.NEAREST, way)
        if _is_upright(seen):
            return _look(engine, seen.picture, search, way)
    return first


def count_far_and_near(engine: Engine, picture: Pixels) -> int:
    """How many faces are in an upright picture, those far behind among them: those that the mesh is sure of."""
    faces = engine.find_faces(picture, Search.FARTHEST)
    return sum(engine.read_mesh(picture, face).presence >= _A_FACE for face in faces)


def _look(engine: Engine, picture: Pixels, search: Search, turns: int) -> Seen:
    faces = engine.find_faces(picture, search)
    if not faces:
        return Seen(picture, turns, (), None)
    # In a blurred picture the detectors see faces in folds and shelves; the mesh does not.
    others = [face for face in faces[1:] if engine.read_mesh(picture, face).presence >= _A_FACE]
    return Seen(picture, turns, (faces[0], *others), engine.read_mesh(picture, faces[0]))


def _is_upright(seen: Seen) -> bool:
    return seen.mesh is not None and seen.mesh.presence >= _SURE and abs(seen.mesh.roll) <= _UPRIGHT_DEGREES


def _turned(picture: Pixels, turns: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture
