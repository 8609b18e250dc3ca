"""Does the media side of this machine work: for ``xueji doctor``. Needs no picture of anybody."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from media_pipeline.demo_film import make_demo_film
from media_pipeline.descriptors import compare
from media_pipeline.engine import Engine
from media_pipeline.film import probe
from media_pipeline.frames import decode

_FACE_SIDE = 150
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Finding:
    """One thing that was tried: its name, whether it works, and what there is to say about it."""

    name: str
    works: bool
    detail: str


def self_test(models_folder: Path) -> tuple[Finding, ...]:
    """Try frames, the face engine and film. Never raises: what fails is a finding."""
    return (
        _try("frames", _test_frames),
        _try("faces", lambda: _test_faces(models_folder)),
        _try("film", _test_film),
    )


def _try(name: str, test: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, test())
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}")


def _test_frames() -> str:
    picture = _pattern(48, 64)
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    if not np.array_equal(decode(encoded), picture):
        raise RuntimeError("a picture did not survive coding and decoding")
    return f"OpenCV {cv2.__version__}"


def _test_faces(models_folder: Path) -> str:
    """The translated descriptor network against dlib's own on the same cut-out."""
    import dlib

    from media_pipeline import models

    engine = Engine(models_folder)
    if engine.find_faces(np.full((480, 640, 3), 128, np.uint8)):
        raise RuntimeError("a face was found in an empty picture")
    chip = _pattern(_FACE_SIDE, _FACE_SIDE)
    theirs = np.array(
        dlib.face_recognition_model_v1(str(models.DESCRIPTOR.path())).compute_face_descriptor(chip), np.float32
    )
    apart = compare(engine.describe_cut_out(chip), theirs)
    if apart > _TOLERANCE:
        raise RuntimeError(f"the descriptor is {apart:.6f} away from dlib's")
    return f"{engine.name} {engine.model}, {apart:.1e} from dlib"


def _test_film() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        make_demo_film(path, 1, "自检")
        facts = probe(path)
    return f"{facts.video_codec} {facts.width}x{facts.height}, {facts.duration_ms} ms"


def _pattern(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A smooth picture that is the same on every machine."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], axis=-1).astype(np.uint8)
