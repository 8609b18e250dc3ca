"""Cut a face out as its descriptor network was taught to see it: five points moved to their places."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.detector import Face
from media_pipeline.frames import Pixels
from media_pipeline.mesh import MeshPoints

FACE_SIDE = 112

FivePoints = NDArray[np.float64]
"""``[5, 2]`` (x, y): the person's right eye, left eye, nose tip, right and left corner of the mouth."""

_PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
"""Where the five points lie in a cut-out of 112 pixels: what networks of the ArcFace family are taught with."""

_RIGHT_EYE, _LEFT_EYE, _NOSE, _RIGHT_CORNER, _LEFT_CORNER = (33, 133), (263, 362), 1, 61, 291


def points_of_mesh(mesh: MeshPoints) -> FivePoints:
    """The five points from the face's mesh, the better source: an eye is the middle between its corners."""
    flat = mesh[:, :2].astype(np.float64)
    eyes = (flat[list(corners)].mean(axis=0) for corners in (_RIGHT_EYE, _LEFT_EYE))
    return np.stack([*eyes, flat[_NOSE], flat[_RIGHT_CORNER], flat[_LEFT_CORNER]])


def cut_out(picture: Pixels, mesh: MeshPoints) -> Pixels:
    """The face upright as ``[112, 112, 3]``."""
    return _carry(picture, points_of_mesh(mesh), _PLACES)


def cut_out_by_detector(picture: Pixels, face: Face) -> Pixels:
    """The same from the detector's four points, where the mesh is not sure of itself: it knows the mouth's middle."""
    points = face.points[:4].astype(np.float64)
    places = np.vstack([_PLACES[:3], _PLACES[3:].mean(axis=0)])
    return _carry(picture, points, places)


def _carry(picture: Pixels, points: NDArray[np.float64], places: NDArray[np.float64]) -> Pixels:
    """Turned, scaled and moved so that the sum of the squared distances of ``points`` to ``places`` is smallest."""
    # As complex numbers, turning and scaling is one multiplication, and the best one has this closed form.
    here, there = points @ (1, 1j), places @ (1, 1j)
    here_middle, there_middle = here.mean(), there.mean()
    spread = float(np.sum(np.abs(here - here_middle) ** 2))
    turn = np.sum((here - here_middle).conj() * (there - there_middle)) / max(spread, 1e-12)
    shift = there_middle - turn * here_middle
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    return np.asarray(cv2.warpAffine(picture, matrix, (FACE_SIDE, FACE_SIDE), flags=cv2.INTER_LINEAR), np.uint8)
