"""The engine: the networks of one worker, loaded once, asked from any thread."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from media_pipeline import mesh, models
from media_pipeline.descriptors import Descriptor
from media_pipeline.detector import Face, fit_square, merge, near_detector, wide_detector
from media_pipeline.frames import Pixels
from media_pipeline.verdict import EngineDown

NAME = "xueji-faces/1"
_CHIP_SIDE, _CHIP_PADDING = 150, 0.25
# The five points are looked for in a square like the one that their predictor was trained on.
_SQUARE_SHARE, _SQUARE_RISE = 0.95, 0.06


class Search(StrEnum):
    """How hard to look: for the person before the camera, or for everyone in the room."""

    NEAREST = "nearest"
    EVERYONE = "everyone"


class Engine:
    """Detector, points, descriptor and mesh. Opening takes a second the first time, tenths after.

    ``folder`` keeps the translated networks; it may be shared by all workers of a machine. Raises ``EngineDown``
    when the weights are missing or cannot be loaded.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import dlib

            models.keep_memory_small()
            # A worker takes one processor; OpenCV would take all.
            cv2.setNumThreads(1)
            self._descriptor = models.load(models.DESCRIPTOR, folder)
            self._near_network = models.load(models.NEAR_DETECTOR, folder)
            self._wide_network = models.load(models.WIDE_DETECTOR, folder)
            self._mesh = models.load(models.FACE_MESH, folder)
            self._eye_lids = models.load(models.EYE_LIDS, folder)
            self._five_points = dlib.shape_predictor(str(models.FIVE_POINTS.path()))
            self._dlib = dlib
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise EngineDown(f"the face engine cannot be loaded: {error}") from error
        models.keep_memory_small()
        self._near = near_detector(self._near_network)
        self._wide = wide_detector(self._wide_network)

    @property
    def name(self) -> str:
        """Engine and version, as put on record with each verdict."""
        return NAME

    @property
    def model(self) -> str:
        """A name for the weights that were used: the first 16 digits of a digest over all of theirs."""
        networks = (self._descriptor, self._near_network, self._wide_network, self._mesh, self._eye_lids)
        joined = "\n".join(f"{network.name} {network.digest}" for network in networks)
        return f"dlib-resnet-v1+{hashlib.sha256(joined.encode()).hexdigest()[:16]}"

    def find_faces(self, picture: Pixels, search: Search = Search.EVERYONE) -> tuple[Face, ...]:
        """Every face, largest first.

        ``EVERYONE`` takes the detector that sees faces from 40 of 640 pixels up; ``NEAREST`` the one that costs a
        quarter and may miss who sits farther back. Either asks the other before it says that nobody is there.
        """
        square = fit_square(picture)
        first, second = (self._wide, self._near) if search is Search.EVERYONE else (self._near, self._wide)
        return merge(first.find(square) or second.find(square))

    def describe(self, picture: Pixels, face: Face) -> Descriptor:
        """The face's descriptor: dlib's own points and cut-out, its network run without the interpreter lock."""
        return self.describe_cut_out(self._cut_out(picture, face))

    def describe_cut_out(self, chip: Pixels) -> Descriptor:
        """The descriptor of a face already cut out: ``[150, 150, 3]`` in **RGB**, upright, as dlib cuts it."""
        value = chip.transpose(2, 0, 1)[None].astype(np.float32)
        (descriptors,) = self._descriptor.run(value)
        return np.asarray(descriptors[0], np.float32)

    def read_expression(self, picture: Pixels, face: Face) -> mesh.Expression:
        """Which way the face looks, eyes and mouth."""
        points, presence = mesh.locate(self._mesh, picture, face)
        return mesh.read_expression(self._eye_lids, picture, points, presence)

    def locate_mesh(self, picture: Pixels, face: Face) -> mesh.MeshPoints:
        """The 468 points of the face, for who wants to draw them."""
        return mesh.locate(self._mesh, picture, face)[0]

    def _cut_out(self, picture: Pixels, face: Face) -> Pixels:
        """The face upright as ``[150, 150, 3]`` in RGB, cut exactly as dlib cuts it."""
        rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        x, y = face.centre
        half = face.side * _SQUARE_SHARE / 2
        y -= face.side * _SQUARE_RISE
        square = self._dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))
        shape = self._five_points(rgb, square)
        return np.asarray(self._dlib.get_face_chip(rgb, shape, _CHIP_SIDE, _CHIP_PADDING), np.uint8)
