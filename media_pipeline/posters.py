"""Whether a second face is a picture on the wall: it stays in its place, unchanged, for as long as the check lasts.

Somebody alive moves within seconds, if only by breathing. Told only where the camera stands still too: in the hand
everything moves, and then nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.detector import Face
from media_pipeline.frames import Pixels

_SIDE = 48
_COARSE = 3.0
_SAME = 0.8
"""Of likeness, 1 at most: a print leaves 0.9 and more through noise and encoding, a head that swayed by a twentieth of
its width less than 0.6."""
_SHAPE = 0.02


def is_print(face: Face, first: Pixels, later: Sequence[Pixels]) -> bool:
    """Whether ``face``, seen in ``first``, is unchanged in every one of the pictures taken seconds ``later``.

    These may be smaller, but show the same view. False where there are none.
    """
    here = _structure(first, face, 1.0)
    ratio = first.shape[1] / first.shape[0]
    if here is None or not later:
        return False
    for picture in later:
        if abs(picture.shape[1] / picture.shape[0] / ratio - 1) > _SHAPE:
            return False
        there = _structure(picture, face, picture.shape[1] / first.shape[1])
        if there is None or _likeness(here, there) < _SAME:
            return False
    return True


def _structure(picture: Pixels, face: Face, scale: float) -> NDArray[np.float32] | None:
    """The face at one size, freed of light; None where it lies outside the picture."""
    left, top, side = (round(value * scale) for value in (face.left, face.top, face.side))
    if left < 0 or top < 0 or side < 8 or left + side > picture.shape[1] or top + side > picture.shape[0]:
        return None
    grey = cv2.cvtColor(picture[top : top + side, left : left + side], cv2.COLOR_BGR2GRAY)
    fixed = np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)
    fixed = np.asarray(cv2.GaussianBlur(fixed, (0, 0), 1.0), np.float32)
    return np.asarray(fixed - cv2.GaussianBlur(fixed, (0, 0), _COARSE), np.float32)


def _likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))
