"""The face as 468 points in space: which way it looks, whether the eyes are shut and the mouth is open."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.detector import Face
from media_pipeline.frames import Pixels
from media_pipeline.models import Network

MeshPoints = NDArray[np.float32]
"""``[468, 3]``: x, y in picture pixels, z in the same unit, smaller is nearer to the camera."""

_SIDE = 192
# The network was made for a square half as wide again as the detector's.
_MARGIN = 1.5

# Places in the mesh; right and left are the person's own.
_RIGHT_CHEEK, _LEFT_CHEEK, _FOREHEAD, _CHIN = 234, 454, 10, 152
_RIGHT_EYE = (33, 160, 158, 133, 153, 144)
_LEFT_EYE = (362, 385, 387, 263, 373, 380)
_MOUTH_CORNERS, _INNER_LIPS = (78, 308), (13, 14)


@dataclass(frozen=True)
class Expression:
    """What a face does in one frame.

    ``yaw``, ``pitch``, ``roll`` in degrees: positive yaw looks to the person's own left, positive pitch
    down, positive roll leans to the picture's right. ``eyes`` is the height of the opening between the lids over
    its width, the more closed of the two; ``mouth`` the same for the inner lips. ``presence`` 0..1: how sure
    the network is that it looks at a face.
    """

    yaw: float
    pitch: float
    roll: float
    eyes: float
    mouth: float
    presence: float


def locate(network: Network, picture: Pixels, face: Face) -> tuple[MeshPoints, float]:
    """The mesh of ``face`` and the network's presence score (0..1)."""
    right_eye, left_eye = face.points[0], face.points[1]
    angle = math.atan2(float(left_eye[1] - right_eye[1]), float(left_eye[0] - right_eye[0]))
    side = face.side * _MARGIN
    scale = _SIDE / side
    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
    x, y = face.centre
    to_square = np.array(
        [
            [cosine, sine, _SIDE / 2 - cosine * x - sine * y],
            [-sine, cosine, _SIDE / 2 + sine * x - cosine * y],
        ]
    )
    square = cv2.warpAffine(picture, to_square, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
    value = cv2.dnn.blobFromImage(square, 1 / 255, (_SIDE, _SIDE), swapRB=True)
    points, presence = network.run(np.asarray(value, np.float32))
    mesh = points.reshape(-1, 3).astype(np.float64)
    back = cv2.invertAffineTransform(to_square)
    places = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    placed = np.column_stack([places, mesh[:, 2] / scale]).astype(np.float32)
    return placed, float(1 / (1 + np.exp(-np.clip(presence.ravel()[0], -80, 80))))


def read_expression(mesh: MeshPoints, presence: float) -> Expression:
    """Angles and openings from the points."""
    across = mesh[_LEFT_CHEEK] - mesh[_RIGHT_CHEEK]
    down = mesh[_CHIN] - mesh[_FOREHEAD]
    yaw = math.degrees(math.atan2(float(across[2]), math.hypot(float(across[0]), float(across[1]))))
    pitch = math.degrees(math.atan2(float(down[2]), math.hypot(float(down[0]), float(down[1]))))
    roll = math.degrees(math.atan2(float(across[1]), float(across[0])))
    eyes = min(_eye_opening(mesh, _RIGHT_EYE), _eye_opening(mesh, _LEFT_EYE))
    mouth = _distance(mesh, *_INNER_LIPS) / max(_distance(mesh, *_MOUTH_CORNERS), 1e-6)
    return Expression(yaw, pitch, roll, eyes, mouth, presence)


def _eye_opening(mesh: MeshPoints, eye: tuple[int, int, int, int, int, int]) -> float:
    outer, upper_outer, upper_inner, inner, lower_inner, lower_outer = eye
    heights = _distance(mesh, upper_outer, lower_outer) + _distance(mesh, upper_inner, lower_inner)
    return heights / (2 * max(_distance(mesh, outer, inner), 1e-6))


def _distance(mesh: MeshPoints, one: int, other: int) -> float:
    return float(np.linalg.norm(mesh[one] - mesh[other]))
