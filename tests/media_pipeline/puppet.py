"""Make a portrait turn its head, blink and open its mouth: the face mesh moved, the picture stretched after it.

The portrait is a free one that a test dependency carries; what is made of it lives in memory only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels

Places = NDArray[np.float64]

_RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
_LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
_EYES_AND_BROWS = ((_RIGHT_EYE, 27), (_LEFT_EYE, 257))
_INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_UPPER_LIP_POINTS = frozenset(
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 0, 37, 39, 40, 185, 61, 267, 269, 270, 409, 291, 11, 12, 72, 302)
)
_UPPER_LIP_EDGE = frozenset((38, 268, 41, 42, 73, 74, 184, 303, 304, 271, 272, 408, 407, 62, 292, 76, 306, 183, 77))
_ABOVE_MOUTH = _UPPER_LIP_POINTS | _UPPER_LIP_EDGE
_CORNERS, _UPPER_LIP, _LOWER_LIP, _CHIN = (78, 308), 13, 14, 152
_TEETH = 0.3
_MOUTH_COLOUR = (30, 20, 60)


@dataclass(frozen=True)
class Puppet:
    """One portrait and its mesh, ready to be moved."""

    picture: Pixels
    points: NDArray[np.float32]

    def turned(self, yaw: float, pitch: float = 0.0) -> Pixels:
        """The head turned, in degrees: positive yaw to the person's own left, positive pitch down."""
        centre = self.points.astype(np.float64).mean(axis=0) + np.array([0, 0, 60])
        a, b = math.radians(yaw), math.radians(pitch)
        # The camera looks along +z and x grows to the person's left: turning left carries the nose (small z) to +x.
        about_y = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
        about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
        moved = (self.points - centre) @ (about_x @ about_y).T + centre
        return self._stretched(moved)

    def blinking(self, closed: float = 1.0) -> Pixels:
        """The lids painted ``closed`` of the way down, a dark line of lashes at their edge."""
        picture = self.picture.copy()
        for contour, brow in _EYES_AND_BROWS:
            eye = self.points[list(contour), :2].astype(np.float64)
            upper, lower = eye[1:8], eye[9:16][::-1]
            edge = upper + (lower - upper) * closed
            skin = np.array(picture[tuple(self.points[brow, 1::-1].astype(int))], np.float64)
            _paint(picture, np.vstack([eye[0], upper - [0, 1], eye[8], edge[::-1]]), skin)
            lashes = np.vstack([eye[0], edge, eye[8]]).astype(np.int32)
            width = max(1, int(np.ptp(eye[:, 0]) / 14))
            cv2.polylines(picture, [lashes], False, (skin * 0.35).tolist(), width, cv2.LINE_AA)
        return picture

    def with_open_mouth(self, amount: float = 0.35) -> Pixels:
        """The jaw dropped by ``amount`` of the mouth's width, the inside dark below the upper teeth."""
        points = self.points.astype(np.float64)
        moved = points.copy()
        width = float(np.linalg.norm(points[_CORNERS[0]] - points[_CORNERS[1]]))
        middle = points[list(_CORNERS), :2].mean(axis=0)
        chin = points[_CHIN, 1]
        for place in range(len(points)):
            below = points[place, 1] - middle[1]
            if place in _ABOVE_MOUTH or below < -2:
                continue
            aside = abs(points[place, 0] - middle[0])
            at_lips = aside < 0.62 * width and points[place, 1] <= chin - 0.5 * (chin - points[_LOWER_LIP, 1])
            reach = points[_LOWER_LIP, 1] - middle[1] + 3 if at_lips else (chin - middle[1]) / 1.5
            fade = max(0.0, 1 - (aside / (0.9 * width)) ** 2) if points[place, 1] < chin - 2 else 1.0
            moved[place, 1] += amount * width * min(1.0, max(0.0, below / max(reach, 1))) * fade
        picture = self._stretched(moved)
        inside = moved[list(_INNER_LIPS), :2]
        for top in range(1, 10):
            inside[top] += (inside[20 - top] - inside[top]) * _TEETH
        _paint(picture, inside, np.array(_MOUTH_COLOUR, np.float64))
        return picture

    def covered_chin(self) -> Pixels:
        """A hand before mouth and chin."""
        picture = self.picture.copy()
        side = float(np.linalg.norm(self.points[234, :2] - self.points[454, :2]))
        x, y = self.points[_LOWER_LIP, :2]
        skin = np.array(picture[tuple(self.points[50, 1::-1].astype(int))], np.float64)
        for finger in range(4):
            start = (int(x - side * 0.5), int(y + side * (0.02 + 0.13 * finger)))
            end = (int(x + side * (0.42 - 0.06 * finger)), int(y + side * (0.0 + 0.12 * finger)))
            shade = (skin * (0.9 - 0.05 * (finger % 2))).tolist()
            cv2.line(picture, start, end, shade, int(side * 0.13), cv2.LINE_AA)
        return picture

    def _stretched(self, moved: Places) -> Pixels:
        return _stretch(self.picture, self.points[:, :2], moved[:, :2].astype(np.float32))


def make_puppet(engine: Engine, picture: Pixels) -> Puppet:
    (face,) = engine.find_faces(picture)
    return Puppet(picture, engine.locate_mesh(picture, face))


def _paint(picture: Pixels, outline: Places, colour: NDArray[np.float64]) -> None:
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline.astype(np.int32)], 255)
    share = cv2.GaussianBlur(mask, (5, 5), 0)[..., None] / 255
    picture[:] = (picture * (1 - share) + colour * share).astype(np.uint8)


def _stretch(picture: Pixels, before: NDArray[np.float32], after: NDArray[np.float32]) -> Pixels:
    """The picture with every triangle between the points carried to its new place; the frame's border stays."""
    height, width = picture.shape[:2]
    rim = [(x, y) for x in np.linspace(0, width - 1, 5) for y in (0, height - 1)]
    rim += [(x, y) for x in (0, width - 1) for y in np.linspace(0, height - 1, 5)[1:-1]]
    sources = np.vstack([before, np.array(rim, np.float32)])
    targets = np.vstack([after, np.array(rim, np.float32)])
    division = cv2.Subdiv2D((-width, -height, 3 * width, 3 * height))
    where: dict[tuple[float, float], int] = {}
    for index, (x, y) in enumerate(sources):
        division.insert((float(x), float(y)))
        where[(float(x), float(y))] = index
    result = picture.copy()
    for triangle in division.getTriangleList():
        corners = [where.get((float(triangle[i]), float(triangle[i + 1])), -1) for i in (0, 2, 4)]
        if min(corners) >= 0:
            _carry(picture, result, sources[corners], targets[corners])
    return result


def _carry(picture: Pixels, result: Pixels, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    x, y, width, height = cv2.boundingRect(target)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + width, result.shape[1]), min(y + height, result.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    local = (target - (x0, y0)).astype(np.float32)
    affine = cv2.getAffineTransform(source.astype(np.float32), local)
    part = cv2.warpAffine(picture, affine, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(mask, np.round(local).astype(np.int32), 255)
    area = result[y0:y1, x0:x1]
    area[mask > 0] = part[mask > 0]


def camera_frames(pictures: Sequence[Pixels], *, noise: float = 3.0, seed: int = 0) -> list[bytes]:
    """The pictures as a camera gives them: each with fresh noise, as JPEG."""
    random = np.random.default_rng(seed)
    return [encode_jpeg(add_noise(picture, noise, random)) for picture in pictures]


def add_noise(picture: Pixels, noise: float, random: np.random.Generator) -> Pixels:
    return np.clip(picture + random.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def encode_jpeg(picture: Pixels, quality: int = 88) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
