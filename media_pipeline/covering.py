"""Is the lower half of a face behind a mask: told by colour, for a mask shows neither skin nor lips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.frames import Pixels
from media_pipeline.mesh import MeshPoints

# Places in the mesh: between the eyes and on the forehead, below the mouth and on the lower cheeks, the lips.
_ABOVE = (168, 8, 9, 151, 107, 336, 108, 337)
_BELOW = (17, 18, 200, 199, 175, 57, 287, 43, 273, 106, 335, 182, 406, 202, 422, 212, 432)
_LIPS = (0, 13, 14, 17, 37, 267, 84, 314)
_RIGHT_CHEEK, _LEFT_CHEEK = 234, 454
_PATCH = 0.02
"""Of the face's width: half a side of the patch around each place."""
_LEAST_SKIN = 8.0
"""Of colour (Lab, 8 bits): in light that shows less of it nothing can be told."""
_PALE, _OTHER = 0.45, 20.0
"""A mask has less than this share of the forehead's colour, or lies this far from it; skin: 0.84 and 13."""


def is_masked(picture: Pixels, mesh: MeshPoints) -> bool:
    """Whether chin, lower cheeks and lips all have another colour than the skin above: a beard leaves the lips free."""
    above = _colour(picture, mesh, _ABOVE)
    strength = float(np.linalg.norm(above))
    if strength < _LEAST_SKIN:
        return False
    for places in (_BELOW, _LIPS):
        colour = _colour(picture, mesh, places)
        is_pale = float(np.linalg.norm(colour)) < _PALE * strength
        if not is_pale and float(np.linalg.norm(colour - above)) < _OTHER:
            return False
    return True


def _colour(picture: Pixels, mesh: MeshPoints, places: tuple[int, ...]) -> NDArray[np.float64]:
    """The middle colour (a and b of Lab, 0 is grey) around the places; grey where all lie outside the picture."""
    reach = max(1, round(float(np.linalg.norm(mesh[_RIGHT_CHEEK, :2] - mesh[_LEFT_CHEEK, :2])) * _PATCH))
    height, width = picture.shape[:2]
    centres = np.rint(mesh[list(places), :2]).astype(int)
    around = np.arange(-reach, reach + 1)
    across, down = centres[:, :1] + around, centres[:, 1:] + around
    seen = (across[:, -1] >= 0) & (across[:, 0] < width) & (down[:, -1] >= 0) & (down[:, 0] < height)
    if not seen.any():
        return np.zeros(2)
    # What a patch has beyond the edge is the edge again.
    across, down = np.clip(across[seen], 0, width - 1), np.clip(down[seen], 0, height - 1)
    inside = picture[down[:, :, None], across[:, None, :]].reshape(len(down), -1, 3)
    patches = np.median(inside, axis=1)[None].astype(np.uint8)
    colours = cv2.cvtColor(patches, cv2.COLOR_BGR2LAB)[0, :, 1:].astype(np.float64) - 128
    return np.asarray(np.median(colours, axis=0), np.float64)
