"""Does the media side of this machine work: for ``xueji doctor``. Needs no picture of anybody."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from media_pipeline import models
from media_pipeline.alignment import FACE_SIDE
from media_pipeline.demo_film import make_demo_film
from media_pipeline.descriptors import Descriptor, compare, halved
from media_pipeline.film import probe
from media_pipeline.frames import Pixels, decode

TOLERANCE = 1e-4
"""How far two readings of the same network may lie apart."""


@dataclass(frozen=True)
class SelfTestLine:
    """One thing that was tried: its name, whether it works, and what there is to say about it."""

    name: str
    works: bool
    detail: str


def self_test(models_folder: Path) -> tuple[SelfTestLine, ...]:
    """Try frames, the face engine and film. Never raises: what fails is a finding."""
    return (
        _try("frames", _test_frames),
        _try("faces", lambda: _test_faces(models_folder)),
        _try("film", _test_film),
    )


def _try(name: str, test: Callable[[], str]) -> SelfTestLine:
    try:
        return SelfTestLine(name, True, test())
    except Exception as error:
        return SelfTestLine(name, False, f"{type(error).__name__}: {error}")


def _test_frames() -> str:
    picture = _pattern(48, 64)
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    if not np.array_equal(decode(encoded), picture):
        raise RuntimeError("a picture did not survive coding and decoding")
    return f"OpenCV {cv2.__version__}"


def _test_faces(models_folder: Path) -> str:
    """The translated descriptor network against OpenCV's own reading of the same file."""
    from media_pipeline.engine import Engine

    engine = Engine(models_folder)
    if engine.find_faces(np.full((480, 640, 3), 128, np.uint8)):
        raise RuntimeError("a face was found in an empty picture")
    chip = _pattern(FACE_SIDE, FACE_SIDE)
    apart = compare(engine.describe_cut_out(chip), descriptor_by_opencv(chip))
    if apart > TOLERANCE:
        raise RuntimeError(f"the descriptor is {apart:.6f} away from OpenCV's")
    return f"{engine.name} {engine.model}, {apart:.1e} from OpenCV"


def descriptor_by_opencv(chip: Pixels) -> Descriptor:
    """What OpenCV makes of a face already cut out, from the network's file as it is installed."""
    network = cv2.dnn.readNetFromONNX(str(models.DESCRIPTOR.path()))
    network.setInput(cv2.dnn.blobFromImage(chip, 1.0, chip.shape[1::-1], swapRB=True), "data")
    return halved(np.asarray(network.forward()[0], np.float32))


def _test_film() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        make_demo_film(path, 1, "自检")
        facts = probe(path)
    return f"{facts.video_codec} {facts.width}x{facts.height}, {facts.duration_ms} ms"


def _pattern(height: int, width: int) -> Pixels:
    """A smooth picture that is the same on every machine."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=-1).astype(np.uint8)
