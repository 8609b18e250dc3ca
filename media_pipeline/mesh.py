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

_MESH_SIDE, _EYE_SIDE = 192, 64
# The mesh network was made for a square half as wide again as the detector's, the eye network for 2.3 eyes.
_MESH_MARGIN, _EYE_MARGIN = 1.5, 2.3

# Places in the mesh; right and left are the person's own.
_RIGHT_CHEEK, _LEFT_CHEEK, _FOREHEAD, _CHIN = 234, 454, 10, 152
_RIGHT_EYE, _LEFT_EYE = (33, 133), (263, 362)
_MOUTH_CORNERS, _INNER_LIPS = (78, 308), (13, 14)
_CHEEKS, _BELOW_LIPS = (50, 280, 205, 425, 101, 330), (200, 199, 201, 421, 194, 418)

# In the eye network's 71 points: the two corners, and the lower and upper lids point by point between them.
_OUTER, _INNER, _LOWER_LID, _UPPER_LID = 0, 8, slice(1, 8), slice(9, 16)

# Where the inside of an open mouth shows, in mouth widths: this far to each side, this far down from the upper lip.
_CAVITY_ASIDE, _CAVITY_DOWN = 0.3, 0.8
# The inside of a mouth is darker than this share of the skin's brightness; teeth and lips are not.
_CAVITY_DARK = 0.45


@dataclass(frozen=True)
class Expression:
    """What a face does in one frame.

    ``yaw``, ``pitch``, ``roll`` in degrees: positive yaw looks to the person's own left, positive pitch down,
    positive roll leans to the picture's right. ``eyes`` is the opening between the lids over the eye's width, both
    eyes' mean: 0.13 to 0.3 open, under 0.12 shut, NaN where nobody looked. ``mouth`` is the gap between the inner lips
    over the mouth's width, ``cavity`` the share of dark pixels where an open mouth shows its inside. ``presence`` 0..1:
    how sure the network is that it looks at a face.
    """

    yaw: float
    pitch: float
    roll: float
    eyes: float
    mouth: float
    cavity: float
    presence: float


def locate(network: Network, picture: Pixels, face: Face) -> tuple[MeshPoints, float]:
    """The mesh of ``face`` and the network's presence score (0..1)."""
    right_eye, left_eye = face.points[0], face.points[1]
    square, back = _cut(picture, face.centre, face.side * _MESH_MARGIN, left_eye - right_eye, _MESH_SIDE)
    points, presence = network.run(_blob(square))
    mesh = points.reshape(-1, 3).astype(np.float64)
    places = mesh[:, :2] @ back[:, :2].T + back[:, 2]
    depths = mesh[:, 2] * (face.side * _MESH_MARGIN / _MESH_SIDE)
    sure = float(1 / (1 + np.exp(-np.clip(presence.ravel()[0], -80, 80))))
    return np.column_stack([places, depths]).astype(np.float32), sure


def read_expression(eye_network: Network | None, picture: Pixels, mesh: MeshPoints, presence: float) -> Expression:
    """Angles and openings from the points, the eyes looked at once more and closely, if their network is given."""
    across = mesh[_LEFT_CHEEK] - mesh[_RIGHT_CHEEK]
    down = mesh[_CHIN] - mesh[_FOREHEAD]
    return Expression(
        yaw=math.degrees(math.atan2(float(across[2]), math.hypot(float(across[0]), float(across[1])))),
        pitch=math.degrees(math.atan2(float(down[2]), math.hypot(float(down[0]), float(down[1])))),
        roll=roll_of(mesh),
        eyes=_eyes(eye_network, picture, mesh) if eye_network is not None else math.nan,
        mouth=_distance(mesh, *_INNER_LIPS) / max(_distance(mesh, *_MOUTH_CORNERS), 1e-6),
        cavity=_cavity(picture, mesh),
        presence=presence,
    )


def roll_of(mesh: MeshPoints) -> float:
    """In degrees, from cheek to cheek: positive leans to the picture's right, 180 stands on its head."""
    across = mesh[_LEFT_CHEEK] - mesh[_RIGHT_CHEEK]
    return math.degrees(math.atan2(float(across[1]), float(across[0])))


def _eyes(network: Network, picture: Pixels, mesh: MeshPoints) -> float:
    openings = []
    for (outer_place, inner_place), mirrored in ((_RIGHT_EYE, False), (_LEFT_EYE, True)):
        outer, inner = mesh[outer_place, :2], mesh[inner_place, :2]
        along = outer - inner if mirrored else inner - outer
        side = float(np.linalg.norm(along)) * _EYE_MARGIN
        centre = (float(outer[0] + inner[0]) / 2, float(outer[1] + inner[1]) / 2)
        square, _ = _cut(picture, centre, side, along, _EYE_SIDE)
        # The network knows right eyes only; a left one is shown to it in a mirror.
        contour = network.run(_blob(np.ascontiguousarray(square[:, ::-1]) if mirrored else square))[0].reshape(-1, 3)
        width = float(np.linalg.norm(contour[_OUTER, :2] - contour[_INNER, :2]))
        heights = np.linalg.norm(contour[_UPPER_LID, :2] - contour[_LOWER_LID, :2], axis=1)
        openings.append(float(heights.mean()) / max(width, 1e-6))
    return sum(openings) / len(openings)


def _cavity(picture: Pixels, mesh: MeshPoints) -> float:
    """The share of dark pixels below the upper lip, against the skin around it.

    Only what the picture holds is looked at: what lies beyond its edge is not dark but unknown. A mouth that the
    picture does not show whole shows no inside.
    """
    right, left = mesh[_MOUTH_CORNERS[0], :2], mesh[_MOUTH_CORNERS[1], :2]
    across = left - right
    down = np.array([-across[1], across[0]])
    aside = np.linspace(-_CAVITY_ASIDE, _CAVITY_ASIDE, 24)[None, :, None]
    below = np.linspace(0, _CAVITY_DOWN, 32)[:, None, None]
    places = (mesh[_INNER_LIPS[0], :2] + aside * across + below * down).astype(np.float32)
    height, width = picture.shape[:2]
    if not ((places >= 0) & (places <= (width - 1, height - 1))).all():
        return 0.0
    inside = _brightness_at(picture, places)
    # Darker than the skin above and below it: a shadow over the lower face darkens both.
    skin = min(
        float(np.median(_brightness_at(picture, mesh[list(around), :2].reshape(1, -1, 2))))
        for around in (_CHEEKS, _BELOW_LIPS)
    )
    return float(np.mean(inside < _CAVITY_DARK * skin))


def _brightness_at(picture: Pixels, places: NDArray[np.float32]) -> Pixels:
    """The brightness of ``picture`` at ``places`` (``[rows, columns, 2]``, x and y)."""
    colours = cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY), np.uint8)


def _cut(
    picture: Pixels, centre: tuple[float, float], side: float, along: NDArray[np.float32], size: int
) -> tuple[Pixels, NDArray[np.float64]]:
    """A square of ``size`` pixels around ``centre`` in which ``along`` lies flat, and the way back to the picture."""
    angle = math.atan2(float(along[1]), float(along[0]))
    scale = size / max(side, 1e-6)
    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
    x, y = centre
    there = np.array(
        [[cosine, sine, size / 2 - cosine * x - sine * y], [-sine, cosine, size / 2 + sine * x - cosine * y]]
    )
    square = cv2.warpAffine(picture, there, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(square, np.uint8), np.asarray(cv2.invertAffineTransform(there), np.float64)


def _blob(square: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.dnn.blobFromImage(square, 1 / 255, square.shape[1::-1], swapRB=True), np.float32)


def _distance(mesh: MeshPoints, one: int, other: int) -> float:
    return float(np.linalg.norm(mesh[one] - mesh[other]))
