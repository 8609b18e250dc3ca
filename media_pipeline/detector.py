"""Find every face in a picture, large ones quickly and small ones too when a second face matters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.frames import Pixels
from media_pipeline.models import Network

Points = NDArray[np.float32]

_NEAR_SIDE, _WIDE_SHORT, _WIDE_LONG = 128, 256, 1024
"""Pixels: the square that the near detector sees, and the sides of the largest rectangle that the wide one sees."""
_STEP = 32
"""Sides of a rectangle are multiples of this, the coarsest grid's step."""
_NEAR_LEAST = 0.2
"""Of the picture's longer side: the smallest face whose place the near detector knows well."""


@dataclass(frozen=True)
class Face:
    """One face: its square in picture pixels, how sure the detector is, and six points of it.

    ``points`` is ``[6, 2]`` (x, y): the person's right eye, left eye, nose tip, mouth, right ear, left ear.
    The square may reach beyond the picture's edge.
    """

    left: float
    top: float
    side: float
    sureness: float
    points: Points

    @property
    def centre(self) -> tuple[float, float]:
        return self.left + self.side / 2, self.top + self.side / 2


@dataclass(frozen=True)
class Fitted:
    """A picture as a detector sees it: a place in it is the picture's place times ``scale`` plus ``shift``."""

    pixels: Pixels
    scale: float
    shift: Points


@dataclass(frozen=True)
class _Grid:
    """Where a detector's candidates lie: every ``stride`` pixels, ``candidates`` at each place."""

    stride: int
    candidates: int


class Detector:
    """One single-shot network over pictures whose sides fit its grids."""

    def __init__(self, network: Network, grids: tuple[_Grid, ...], least_sureness: float) -> None:
        self._network = network
        self._grids = grids
        self._least_sureness = least_sureness

    def find(self, fitted: Fitted) -> list[Face]:
        """Candidates above the limit in the picture that was fitted, overlapping ones not yet merged."""
        pixels, scale, shift = fitted.pixels, fitted.scale, fitted.shift
        height, width = pixels.shape[:2]
        value = cv2.dnn.blobFromImage(pixels, 1 / 127.5, (width, height), (127.5, 127.5, 127.5), swapRB=True)
        boxes, scores = self._network.run(np.asarray(value, np.float32))
        sureness = 1 / (1 + np.exp(-np.clip(scores[0, :, 0], -80, 80)))
        kept = np.flatnonzero(sureness >= self._least_sureness)
        # Every row: centre, width and height, then six points, all relative to the candidate's anchor.
        rows = boxes[0, kept].reshape(-1, 8, 2)
        anchors = _anchors(height, width, self._grids)[kept]
        centres = (rows[:, 0] + anchors - shift) / scale
        sides = rows[:, 1].max(axis=1) / scale
        points = (rows[:, 2:] + anchors[:, None] - shift) / scale
        return [
            Face(float(x - side / 2), float(y - side / 2), float(side), float(sure), at)
            for (x, y), side, sure, at in zip(centres, sides, sureness[kept], points, strict=True)
            if side > 1
        ]


def near_detector(network: Network) -> Detector:
    """For a face before its own camera: 128 pixels see it from a sixth of the picture's width up."""
    return Detector(network, (_Grid(8, 2), _Grid(16, 6)), least_sureness=0.5)


def wide_detector(network: Network) -> Detector:
    """For faces in the background: 256 pixels see 30 of 480."""
    return Detector(network, (_Grid(16, 2), _Grid(32, 6)), least_sureness=0.5)


def fit_square(picture: Pixels, border: float = 0.0) -> Fitted:
    """The picture shrunk (never stretched) into a black square, as the near detector sees it.

    ``border`` is the room left free on each side, as a share of the picture's longer side.
    """
    return _fit(picture, _NEAR_SIDE / (max(picture.shape[:2]) * (1 + 2 * border)), (_NEAR_SIDE, _NEAR_SIDE))


def fit_rectangle(picture: Pixels, closer: int = 1) -> Fitted:
    """The picture shrunk (never stretched) until its shorter side has 256 pixels, as the wide detector sees it.

    So small faces stay as large as in squares cut out of it, and no edge goes through a head. Of a picture more than
    four times as long as high, which is no camera's, the longer side decides. ``closer``: so many times as large.
    """
    height, width = picture.shape[:2]
    scale = closer * min(_WIDE_SHORT / min(height, width), _WIDE_LONG / max(height, width))
    room = tuple(-(-max(1, round(side * scale)) // _STEP) * _STEP for side in (width, height))
    return _fit(picture, scale, (room[0], room[1]))


def _fit(picture: Pixels, scale: float, room: tuple[int, int]) -> Fitted:
    """The picture times ``scale`` in the middle of a black one as wide and as high as ``room``."""
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    pixels = np.zeros((room[1], room[0], 3), np.uint8)
    x, y = (room[0] - size[0]) // 2, (room[1] - size[1]) // 2
    pixels[y : y + size[1], x : x + size[0]] = shrunk
    return Fitted(pixels, scale, np.array([x, y], np.float32))


def merge(faces: list[Face], overlap: float = 0.3) -> tuple[Face, ...]:
    """One face for each heap of overlapping candidates: the surest; largest faces first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: face.sureness, reverse=True):
        if all(_overlap(face, other) < overlap for other in kept):
            kept.append(face)
    return tuple(sorted(kept, key=lambda face: face.side, reverse=True))


def join(near: tuple[Face, ...], wide: tuple[Face, ...], picture_side: float) -> tuple[Face, ...]:
    """The faces of both detectors, largest first; ``picture_side`` is the picture's longer side in pixels.

    Where both see something, the near one's word stands: in a face that fills the picture the wide one finds faces on
    a spectacle lens. Of a small face that both see in one place the near one knows the size badly.
    """
    kept = list(near)
    for face in wide:
        same = [one for one in kept if _holds(one, face.centre) or _holds(face, one.centre)]
        if not same:
            kept.append(face)
        elif len(same) == 1 and same[0].side < _NEAR_LEAST * picture_side and _holds(face, same[0].centre):
            kept[kept.index(same[0])] = face
    return tuple(sorted(kept, key=lambda face: face.side, reverse=True))


def _holds(face: Face, place: tuple[float, float]) -> bool:
    return 0 <= place[0] - face.left <= face.side and 0 <= place[1] - face.top <= face.side


def _overlap(one: Face, other: Face) -> float:
    """Common area over the smaller face's area, so that a box within a box is one face."""
    width = min(one.left + one.side, other.left + other.side) - max(one.left, other.left)
    height = min(one.top + one.side, other.top + other.side) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(one.side, other.side) ** 2


@cache
def _anchors(height: int, width: int, grids: tuple[_Grid, ...]) -> Points:
    """The place of every candidate in a picture of that size, in the order in which the network gives them."""
    found = []
    for grid in grids:
        down, across = (
            (np.arange(side // grid.stride, dtype=np.float32) + 0.5) * grid.stride for side in (height, width)
        )
        places = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        found.append(np.repeat(places, grid.candidates, axis=0))
    return np.concatenate(found)
