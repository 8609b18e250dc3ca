"""The engine: the networks of one worker, loaded once, asked from any thread."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from media_pipeline import alignment, mesh, models
from media_pipeline.descriptors import Descriptor, halved
from media_pipeline.detector import Face, fit_rectangle, fit_square, join, merge, near_detector, wide_detector
from media_pipeline.frames import Pixels
from media_pipeline.mesh import MeshPoints
from media_pipeline.verdict import EngineDown

_BORDER, _FILLS = 0.25, 0.6
"""Of the picture's longer side: the room added on each side, and the face that is looked for in it once more."""
_SURE_PRESENCE, _SQUARE_OF_MESH = 0.9, 0.9
_LEAST_PRESENCE = 0.5
"""The mesh network's sureness under which the detector's own points are better."""


class Search(StrEnum):
    """How hard to look: for the person before the camera, for everyone in the room, or for every face far away."""

    NEAREST = "nearest"
    EVERYONE = "everyone"
    FARTHEST = "farthest"


@dataclass(frozen=True)
class Mesh:
    """A face's 468 points, and how sure (0..1) the network is that it looks at a face."""

    points: MeshPoints
    presence: float

    @property
    def roll(self) -> float:
        return mesh.roll_of(self.points)


def _face_around(points: MeshPoints, face: Face) -> Face:
    """A face whose square holds the points as a good detector's would: without the hair."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    side = float((high - low).max()) * _SQUARE_OF_MESH
    x, y = (low + high) / 2
    eyes = alignment.points_of_mesh(points)[:2].astype(np.float32)
    return Face(float(x) - side / 2, float(y) - side / 2, side, face.sureness, np.vstack([eyes, face.points[2:]]))


class Engine:
    """Detector, mesh and descriptor. Opening takes a second the first time, tenths after.

    ``folder`` keeps the translated networks; it may be shared by all workers of a machine. Raises ``EngineDown``
    when the weights are missing or cannot be loaded.
    """

    def __init__(self, folder: Path) -> None:
        try:
            models.keep_memory_small()
            # A worker takes one processor; OpenCV would take all.
            cv2.setNumThreads(1)
            self._descriptor = models.load(models.DESCRIPTOR, folder)
            self._near_network = models.load(models.NEAR_DETECTOR, folder)
            self._wide_network = models.load(models.WIDE_DETECTOR, folder)
            self._mesh = models.load(models.FACE_MESH, folder)
            self._eye_lids = models.load(models.EYE_LIDS, folder)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EngineDown(f"the face engine cannot be loaded: {error}") from error
        models.keep_memory_small()
        self._reads_eyes = True
        self._near = near_detector(self._near_network)
        self._wide = wide_detector(self._wide_network)

    @property
    def name(self) -> str:
        """Engine and version, as put on record with each verdict."""
        return models.ENGINE

    @property
    def model(self) -> str:
        """Whose descriptors it gives: see ``models.model_name``."""
        return models.model_name()

    def find_faces(self, picture: Pixels, search: Search = Search.EVERYONE) -> tuple[Face, ...]:
        """Every face, largest first.

        ``EVERYONE`` asks both detectors: the near one knows the person before the camera best; the wide one sees faces
        from 30 of 640 pixels up. ``NEAREST`` asks the wide one only when the near one finds nobody. For ``FARTHEST``
        it looks at the picture twice as large, in four times the time.
        """
        near = self._find_near(picture)
        if near and search is Search.NEAREST:
            return near
        wide = merge(self._wide.find(fit_rectangle(picture, 2 if search is Search.FARTHEST else 1)))
        if near:
            # Large faces are the near detector's.
            wide = tuple(face for face in wide if face.side < min(picture.shape[:2]) / 2)
        return join(near, wide, max(picture.shape[:2]))

    def _find_near(self, picture: Pixels) -> tuple[Face, ...]:
        """A face that fills the picture, or is cut off by its edge, is seen better with some room around it."""
        found = merge(self._near.find(fit_square(picture)))
        if found and found[0].side < _FILLS * max(picture.shape[:2]):
            return found
        return merge(self._near.find(fit_square(picture, _BORDER))) or found

    def describe(self, picture: Pixels, face: Face, read: Mesh | None = None) -> Descriptor:
        """The face's descriptor. ``read`` is its mesh when that was read before."""
        return self.describe_with_clarity(picture, face, read)[0]

    def describe_with_clarity(self, picture: Pixels, face: Face, read: Mesh | None = None) -> tuple[Descriptor, float]:
        """The face's descriptor, and how clearly the network saw a face.

        The clarity is the length of what it gave out: 10.4 and more on a clear picture, 3 to 9 on one that is blurred,
        upside down or no face.
        """
        read = read or self.read_mesh(picture, face)
        if read.presence >= _LEAST_PRESENCE:
            values = self._run_descriptor(alignment.cut_out(picture, read.points))
        else:
            values = self._run_descriptor(alignment.cut_out_by_detector(picture, face))
        return halved(values), float(np.linalg.norm(values))

    def describe_cut_out(self, chip: Pixels) -> Descriptor:
        """The descriptor of a face already cut out: ``[112, 112, 3]``, upright, as ``alignment.cut_out`` cuts it.

        128 numbers of length one half, so that the distances of faces lie between 0 and 1.
        """
        return halved(self._run_descriptor(chip))

    def _run_descriptor(self, chip: Pixels) -> Descriptor:
        value = cv2.dnn.blobFromImage(chip, 1.0, chip.shape[1::-1], swapRB=True)
        (found,) = self._descriptor.run(np.asarray(value, np.float32))
        return np.asarray(found[0], np.float32)

    def read_mesh(self, picture: Pixels, face: Face) -> Mesh:
        """The 468 points of the face, and how sure the network is that it is one.

        Where the detector's square was not a good one, the points themselves say where to look once more.
        """
        first = Mesh(*mesh.locate(self._mesh, picture, face))
        if first.presence >= _SURE_PRESENCE:
            return first
        again = Mesh(*mesh.locate(self._mesh, picture, _face_around(first.points, face)))
        return again if again.presence > first.presence else first

    def read_expression(
        self, picture: Pixels, face: Face, read: Mesh | None = None, *, with_eyes: bool = True
    ) -> mesh.Expression:
        """Which way the face looks, eyes and mouth. ``read`` is its mesh when that was read before.

        The eyes cost as much as all else together and are left out where nobody asks for them.
        """
        read = read or self.read_mesh(picture, face)
        eyes = self._eye_lids if with_eyes and self._reads_eyes else None
        return mesh.read_expression(eyes, picture, read.points, read.presence)

    def without_eyes(self) -> Engine:
        """The same engine for where nobody asks about the eyes."""
        other = copy.copy(self)
        other._reads_eyes = False
        return other

    def locate_mesh(self, picture: Pixels, face: Face) -> MeshPoints:
        """The 468 points of the face, for who wants to draw them."""
        return self.read_mesh(picture, face).points
