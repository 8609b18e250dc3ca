"""Make a portrait turn its head, blink and open its mouth: the face mesh moved, the picture stretched after it.

The portrait is a free one that a test dependency carries; what is made of it lives in memory or in a test's temporary
folder only. With these a test has a person, a stranger, two people, an empty room and a webcam, without a network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels
from media_pipeline.verdict import Prompt

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
_JAW_LINE = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
_NOSE_BRIDGE = 195
_FEATURES = {
    "right eye": (33, 133, 159, 145),
    "left eye": (263, 362, 386, 374),
    "nose": (1,),
    "mouth": (78, 308, 13, 14),
    "right brow": (105,),
    "left brow": (334,),
    "jaw": (152, 152, 152, 152, 78, 308, 13, 14),
}
# Feature, reach of the change, shift (right, down) in face widths, growth (wider, taller). Found by trying.
_STRANGER = (
    ("right eye", 0.181, (0.086, -0.08), (-0.4, -0.339)),
    ("left eye", 0.181, (-0.086, -0.08), (-0.4, -0.339)),
    ("nose", 0.186, (0.0, -0.09), (-0.012, -0.335)),
    ("mouth", 0.234, (0.0, -0.05), (0.251, -0.223)),
    ("right brow", 0.126, (0.0, 0.037), (-0.111, 0.066)),
    ("left brow", 0.126, (0.0, 0.037), (-0.111, 0.066)),
    ("jaw", 0.342, (0.0, -0.066), (-0.4, 0.173)),
)
_STRANGER_FACE = (1.146, 0.892)
_STRANGER_COLOURS = (0.663, 0.537, 0.611)
_MOUTH_COLOUR = (30, 20, 60)


@dataclass(frozen=True)
class Puppet:
    """One portrait and its mesh, ready to be moved."""

    picture: Pixels
    points: NDArray[np.float32]

    def turned(self, yaw: float, pitch: float = 0.0) -> Pixels:
        """The head turned, in degrees: positive yaw to the person's own left, positive pitch down."""
        return self.posed(yaw, pitch)

    def posed(self, yaw: float, pitch: float, shift: tuple[float, float] = (0.0, 0.0), tilted: float = 0.0) -> Pixels:
        """The head turned and moved by so many pixels, what is behind it left where it is.

        ``tilted``: leant by so many degrees to the person's left shoulder.
        """
        centre = self.points.astype(np.float64).mean(axis=0) + np.array([0, 0, 60])
        a, b = math.radians(yaw), math.radians(pitch)
        # The camera looks along +z and x grows to the person's left: turning left carries the nose (small z) to +x.
        about_y = np.array([[math.cos(a), 0, -math.sin(a)], [0, 1, 0], [math.sin(a), 0, math.cos(a)]])
        about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
        moved = (self.points - centre) @ (about_x @ about_y).T + centre
        neck = centre + np.array([0, float(np.ptp(self.points[:, 1])) * 0.6, 0])
        c = math.radians(tilted)
        about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
        moved = (moved - neck) @ about_z.T + neck + np.array([*shift, 0])
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

    def masked(self, colour: tuple[int, int, int]) -> Pixels:
        """A medical mask from the nose's bridge to the chin."""
        picture = self.picture.copy()
        outline = cv2.convexHull(self.points[[*_JAW_LINE, _NOSE_BRIDGE], :2].astype(np.int32))
        cv2.fillConvexPoly(picture, outline, colour, cv2.LINE_AA)
        return picture

    def stranger(self) -> Pixels:
        """Somebody else: the features moved and the colours changed until the descriptor lies 0.66 away and more."""
        points = self.points[:, :2].astype(np.float64)
        width = float(np.linalg.norm(points[234] - points[454]))
        features = {name: points[list(places)].mean(axis=0) for name, places in _FEATURES.items()}
        moved = points.copy()
        for name, reach, (right, down), (wider, taller) in _STRANGER:
            centre = features[name]
            nearness = np.exp(-((np.linalg.norm(points - centre, axis=1) / (reach * width)) ** 2))[:, None]
            moved += nearness * (np.array([right, down]) * width + (points - centre) * np.array([wider, taller]))
        middle = points.mean(axis=0)
        moved = middle + (moved - middle) * np.array(_STRANGER_FACE)
        shaped = self._stretched(np.column_stack([moved, self.points[:, 2]]))
        return np.asarray(np.clip(shaped * np.array(_STRANGER_COLOURS), 0, 255), np.uint8)

    def frames_following(self, prompts: Sequence[Prompt]) -> list[Pixels]:
        """What a camera sees of somebody who follows the prompts: at rest, the first, at rest, the next …"""
        answers: dict[Prompt, Callable[[], Pixels]] = {
            Prompt.TURN_LEFT: lambda: self.turned(24),
            Prompt.TURN_RIGHT: lambda: self.turned(-28),
            Prompt.BLINK: self.blinking,
            Prompt.OPEN_MOUTH: self.with_open_mouth,
            Prompt.TILT_LEFT: lambda: self.posed(0, 0, tilted=20),
            Prompt.TILT_RIGHT: lambda: self.posed(0, 0, tilted=-20),
        }
        pictures = [self.picture]
        for place, prompt in enumerate(prompts):
            pictures += [answers[prompt](), np.roll(self.picture, 2 + place, axis=1)]
        return pictures

    def _stretched(self, moved: Places) -> Pixels:
        return _stretch(self.picture, self.points[:, :2], moved[:, :2].astype(np.float32))


def portrait() -> Pixels:
    """A 640x480 frame as of a webcam with one face of some 117 pixels."""
    from skimage import data

    astronaut: Callable[[], Pixels] = data.astronaut
    picture = cv2.cvtColor(astronaut()[:384, :512], cv2.COLOR_RGB2BGR)
    return np.asarray(cv2.resize(picture, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def close_portrait() -> Pixels:
    """The same person nearer to the camera, as a reference photo should be."""
    picture = portrait()[10:310, 85:485]
    return np.asarray(cv2.resize(picture, (960, 720), interpolation=cv2.INTER_CUBIC), np.uint8)


def empty_room() -> Pixels:
    """A wall, a shelf and some light from the side."""
    light = np.linspace(90, 190, 640)[None, :, None] * np.array([1.0, 0.97, 0.92])
    picture = np.repeat(light, 480, axis=0).astype(np.uint8)
    for shelf in (150, 290):
        cv2.rectangle(picture, (380, shelf), (620, shelf + 14), (50, 70, 95), -1)
        for book in range(8):
            cv2.rectangle(
                picture,
                (392 + 28 * book, shelf - 80 + 5 * (book % 3)),
                (414 + 28 * book, shelf),
                (40 + 20 * book, 90, 140),
                -1,
            )
    return picture


def add_person(picture: Pixels, head: Pixels, face_pixels: int, x: int, y: int) -> Pixels:
    """``picture`` with the face of ``head`` (a 640x480 portrait) at the given size, its head's corner at x, y."""
    part = head[20:270, 170:400]
    scale = face_pixels / 117
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    crowd = picture.copy()
    crowd[y : y + small.shape[0], x : x + small.shape[1]] = small
    return crowd


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


def write_camera_feed(path: Path, pictures: Sequence[Pixels], *, rate: int = 10, noise: float = 2.0) -> None:
    """A ``.y4m`` that a browser plays in a loop as its webcam: even sizes, each frame with fresh noise."""
    random = np.random.default_rng(0)
    height, width = pictures[0].shape[:2]
    with path.open("wb") as feed:
        feed.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            planes = cv2.cvtColor(add_noise(picture, noise, random), cv2.COLOR_BGR2YUV_I420)
            feed.write(b"FRAME\n" + planes.tobytes())
