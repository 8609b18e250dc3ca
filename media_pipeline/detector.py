"""Find every face in a picture, large ones quickly and small ones too when a second face matters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.frames import Pixels
from media_pipeline.models import Network

Points = NDArray[np.float32]

SQUARE_SIDE = 256
"""Pixels; the larger detector's side, and a multiple of the smaller one's."""
_MOST_SQUARES = 4
"""A picture longer than that is no camera's."""
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
class Square:
    """A picture made square for the detectors: a place in it is the picture's place times ``scale`` plus ``shift``."""

    pixels: Pixels
    scale: float
    shift: Points


@dataclass(frozen=True)
class _Grid:
    """Where a detector's candidates lie: every ``stride`` pixels, ``candidates`` at each place."""

    stride: int
    candidates: int


class Detector:
    """One single-shot network over a square input of ``side`` pixels."""

    def __init__(self, network: Network, side: int, grids: tuple[_Grid, ...], least_sureness: float) -> None:
        self._network = network
        self._side = side
        self._anchors = np.concatenate([_anchors(side, grid) for grid in grids])
        self._least_sureness = least_sureness

    def find(self, square: Square) -> list[Face]:
        """Candidates above the limit in the picture that ``square`` was made from, overlapping ones not yet merged."""
        pixels = square.pixels
        if pixels.shape[0] != self._side:
            pixels = np.asarray(cv2.resize(pixels, (self._side, self._side), interpolation=cv2.INTER_AREA), np.uint8)
        scale, shift = square.scale * self._side / SQUARE_SIDE, square.shift * self._side / SQUARE_SIDE
        value = cv2.dnn.blobFromImage(pixels, 1 / 127.5, (self._side, self._side), (127.5, 127.5, 127.5), swapRB=True)
        boxes, scores = self._network.run(np.asarray(value, np.float32))
        sureness = 1 / (1 + np.exp(-np.clip(scores[0, :, 0], -80, 80)))
        kept = np.flatnonzero(sureness >= self._least_sureness)
        # Every row: centre, width and height, then six points, all relative to the candidate's anchor.
        rows = boxes[0, kept].reshape(-1, 8, 2)
        anchors = self._anchors[kept]
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
    return Detector(network, 128, (_Grid(8, 2), _Grid(16, 6)), least_sureness=0.5)


def wide_detector(network: Network) -> Detector:
    """For faces in the background: 256 pixels see 30 of 480."""
    return Detector(network, SQUARE_SIDE, (_Grid(16, 2), _Grid(32, 6)), least_sureness=0.5)


def fit_square(picture: Pixels, border: float = 0.0) -> Square:
    """The picture shrunk (never stretched) into a black square, once for all detectors.

    ``border`` is the room left free on each side, as a share of the picture's longer side.
    """
    height, width = picture.shape[:2]
    scale = SQUARE_SIDE / (max(height, width) * (1 + 2 * border))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    pixels = np.zeros((SQUARE_SIDE, SQUARE_SIDE, 3), np.uint8)
    x, y = (SQUARE_SIDE - size[0]) // 2, (SQUARE_SIDE - size[1]) // 2
    pixels[y : y + size[1], x : x + size[0]] = shrunk
    return Square(pixels, scale, np.array([x, y], np.float32))


def cut_squares(picture: Pixels) -> list[Square]:
    """Squares as high as the picture's shorter side, one beside the other and overlapping, that cover it all."""
    height, width = picture.shape[:2]
    side, length = min(height, width), max(height, width)
    count = -(-length // side)
    squares = []
    for place in range(min(count, _MOST_SQUARES)):
        start = round(place * (length - side) / max(count - 1, 1))
        x, y = (start, 0) if width >= height else (0, start)
        square = fit_square(picture[y : y + side, x : x + side])
        shift = square.shift - np.array([x, y], np.float32) * square.scale
        squares.append(Square(square.pixels, square.scale, shift))
    return squares


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


def _anchors(side: int, grid: _Grid) -> Points:
    steps = (np.arange(side // grid.stride, dtype=np.float32) + 0.5) * grid.stride
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    return np.repeat(places, grid.candidates, axis=0)
