"""Is a picture good enough to compare faces in: size, light, sharpness, and how the face sits in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.detector import Face
from media_pipeline.frames import Pixels
from media_pipeline.mesh import Expression

_SHARPNESS_SIDE, _SHARPNESS_SIGMAS = 112, (1.0, 2.0, 4.0)


class QualityCode(StrEnum):
    """What is wrong with a picture; each has one sentence on screen that says what to do about it."""

    TOO_FEW_PIXELS = "too_few_pixels"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT_OFF = "face_cut_off"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    TILTED = "tilted"
    EYES_CLOSED = "eyes_closed"
    MOUTH_OPEN = "mouth_open"
    FACE_HIDDEN = "face_hidden"
    """So much of it that the mesh finds no face: a mask, a hand, deep shadow, or it stands on its head."""


@dataclass(frozen=True)
class QualityLimits:
    """Limits of a usable picture. Brightness 0..255, angles in degrees, face size in pixels of its square.

    ``min_sharpness`` is the share of fine structure, in hundredths of the coarse, in the face at a fixed size: 40 in a
    sharp picture, 15 where everything finer than a thirtieth of the face is gone. ``min_presence``: how sure the
    mesh is that it looks at a face.
    """

    min_pixels: int = 300_000
    min_face: int = 60
    min_brightness: float = 25.0
    max_brightness: float = 235.0
    min_sharpness: float = 14.0
    max_turn: float = 25.0
    max_tilt: float = 25.0
    min_eyes: float = 0.12
    max_mouth: float = 0.55
    max_outside: float = 0.25
    min_presence: float = 0.5


COMPARISON = QualityLimits()
"""Enough for one frame of a check."""

REFERENCE = QualityLimits(
    min_face=80,
    min_brightness=50.0,
    max_brightness=220.0,
    min_sharpness=20.0,
    max_turn=16.0,
    max_tilt=16.0,
    max_outside=0.02,
)
"""What a reference photo has to be: everything later is compared with it. The same face at 80 and at 135 pixels is
described 0.05 apart, a twelfth of what parts two people; smaller ones lie farther."""


@dataclass(frozen=True)
class FaceMeasures:
    """In the face: mean ``brightness`` (0..255), ``sharpness``, and the share of it ``outside`` the picture."""

    brightness: float
    sharpness: float
    outside: float


def measure(picture: Pixels, face: Face) -> FaceMeasures:
    """Measure the part of ``picture`` that the face covers."""
    height, width = picture.shape[:2]
    left, top = max(0, round(face.left)), max(0, round(face.top))
    right, bottom = min(width, round(face.left + face.side)), min(height, round(face.top + face.side))
    if right - left < 2 or bottom - top < 2:
        return FaceMeasures(0.0, 0.0, 1.0)
    grey = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    outside = 1 - (right - left) * (bottom - top) / face.side**2
    return FaceMeasures(float(np.mean(grey)), _sharpness(grey), max(0.0, outside))


def _sharpness(grey: NDArray[Any]) -> float:
    """Fine structure against coarse, in hundredths.

    A sensor's noise is finer than both and is smoothed away first: it made blurred pictures pass for sharp ones.
    """
    fixed = cv2.resize(grey, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine, middle, coarse = (cv2.GaussianBlur(fixed, (0, 0), sigma) for sigma in _SHARPNESS_SIGMAS)
    return 100 * float(np.var(fine - middle)) / max(float(np.var(middle - coarse)), 1e-6)


def judge_picture(
    picture: Pixels, face: Face, measures: FaceMeasures, expression: Expression | None, limits: QualityLimits
) -> tuple[QualityCode, ...]:
    """Everything that is wrong with one face in one picture; empty when nothing is.

    Without an ``expression`` only size, light and sharpness are judged.
    """
    height, width = picture.shape[:2]
    wrong = [
        (height * width < limits.min_pixels, QualityCode.TOO_FEW_PIXELS),
        (face.side < limits.min_face, QualityCode.FACE_TOO_SMALL),
        (measures.outside > limits.max_outside, QualityCode.FACE_CUT_OFF),
        (measures.brightness < limits.min_brightness, QualityCode.TOO_DARK),
        (measures.brightness > limits.max_brightness, QualityCode.TOO_BRIGHT),
        (measures.sharpness < limits.min_sharpness, QualityCode.BLURRED),
    ]
    if expression is not None:
        turned = abs(expression.yaw) > limits.max_turn or abs(expression.pitch) > limits.max_turn
        wrong += [
            (expression.presence < limits.min_presence, QualityCode.FACE_HIDDEN),
            (turned, QualityCode.TURNED_AWAY),
            (abs(expression.roll) > limits.max_tilt, QualityCode.TILTED),
            (expression.eyes < limits.min_eyes, QualityCode.EYES_CLOSED),
            (expression.mouth > limits.max_mouth, QualityCode.MOUTH_OPEN),
        ]
    return tuple(code for is_wrong, code in wrong if is_wrong)
