"""Whether two pictures of a face are one and the same, moved, turned, cropped, mirrored, relit or encoded again.

A face is cut out level and at one size, with what lies around it; what is left after two cuts are laid on each other is
measured. Of two pictures of somebody alive something is always left: the head has moved before what is behind it, the
face has moved in itself. Of copies of one picture next to nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.frames import Pixels
from media_pipeline.mesh import MeshPoints

SIDE = 64
_SPREAD = 0.1875
"""The points' distance from their middle (root of squares), in sides of the cut."""
_FINE, _COARSE = 0.7, 5.0
_LIGHT = 4.0
"""Grey levels of contrast under which there is nothing to compare."""
_LEAST_SHARED = 400
_ANCHORS = (33, 133, 362, 263, 168, 6, 197, 1, 61, 291, 10, 152, 234, 454)
_RIGHT_EYE, _LEFT_EYE = (33, 133), (362, 263)
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 25, 1e-3)
_UNKNOWN = -128
_SCALE = 48.0


@dataclass(frozen=True)
class Cut:
    """A face and its surroundings as structure: brightness freed of light and of what is finer than a pixel.

    ``values`` is ``[SIDE, SIDE]``; ``seen`` says where the picture had any.
    """

    values: NDArray[np.float32]
    seen: NDArray[np.bool_]

    def mirrored(self) -> Cut:
        return Cut(np.ascontiguousarray(self.values[:, ::-1]), np.ascontiguousarray(self.seen[:, ::-1]))

    def to_bytes(self) -> bytes:
        """One signed byte a place, for keeping."""
        kept = np.clip(np.rint(self.values * _SCALE), -127, 127).astype(np.int8)
        kept[~self.seen] = _UNKNOWN
        return bytes(kept.tobytes())

    @classmethod
    def from_bytes(cls, kept: bytes) -> Cut:
        values = np.frombuffer(kept, np.int8).reshape(SIDE, SIDE)
        seen = values != _UNKNOWN
        return cls(np.where(seen, values, 0).astype(np.float32) / _SCALE, seen)


BYTES = SIDE * SIDE


def cut_out(picture: Pixels, mesh: MeshPoints) -> Cut:
    """The face of ``mesh`` cut out of ``picture``."""
    places = mesh[list(_ANCHORS), :2].astype(np.float64)
    middle = places.mean(axis=0)
    spread = float(np.sqrt(((places - middle) ** 2).sum(axis=1).mean()))
    across = mesh[list(_LEFT_EYE), :2].mean(axis=0) - mesh[list(_RIGHT_EYE), :2].mean(axis=0)
    angle = float(np.arctan2(across[1], across[0]))
    scale = SIDE * _SPREAD / max(spread, 1e-3)
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    x, y = middle
    there = np.array(
        [[cosine, sine, SIDE / 2 - cosine * x - sine * y], [-sine, cosine, SIDE / 2 + sine * x - cosine * y]]
    )
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), max(0.5, 0.5 / scale)), np.float32)
    cut = np.asarray(cv2.warpAffine(grey, there, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.float32)
    seen = cv2.warpAffine(np.full(grey.shape, 255, np.uint8), there, (SIDE, SIDE), flags=cv2.INTER_LINEAR) > 250
    weight = seen.astype(np.float32)

    def blurred(values: NDArray[np.float32], size: float) -> NDArray[np.float32]:
        share = cv2.GaussianBlur(weight, (0, 0), size) + 1e-3
        return np.asarray(cv2.GaussianBlur(values * weight, (0, 0), size) / share, np.float32)

    structure = (blurred(cut, _FINE) - blurred(cut, _COARSE)) * weight
    contrast = np.sqrt(blurred(structure**2, _COARSE))
    return Cut(np.asarray(structure / (contrast + _LIGHT), np.float32), seen)


def left_over(one: Cut, other: Cut) -> float:
    """What is left of one cut when the other is laid on it as well as it can be: 0 nothing, 1 everything."""
    plain = _apart(one, other.values, other.seen)
    shared = (one.seen & other.seen).astype(np.uint8) * 255
    if int(shared.sum()) < _LEAST_SHARED * 255:
        return 1.0
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, move = cv2.findTransformECC(one.values, other.values, start, cv2.MOTION_AFFINE, _STEPS, shared, 3)
    except cv2.error:
        return plain
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    values = cv2.warpAffine(other.values, move, (SIDE, SIDE), flags=how)
    seen = cv2.warpAffine(other.seen.astype(np.uint8) * 255, move, (SIDE, SIDE), flags=how) > 250
    return min(plain, _apart(one, np.asarray(values, np.float32), np.asarray(seen, np.bool_)))


def _apart(one: Cut, values: NDArray[np.float32], seen: NDArray[np.bool_]) -> float:
    shared = one.seen & seen
    if int(shared.sum()) < _LEAST_SHARED:
        return 1.0
    a, b = one.values[shared] - one.values[shared].mean(), values[shared] - values[shared].mean()
    return float(1 - (a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))
