"""Films of every kind that people own, made small and short with ffmpeg, and what is in a finished one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_pipeline import ffmpeg

SMALL = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"]
AAC = ["-c:a", "aac", "-ac", "2"]


def run(*arguments: str, cwd: Path | None = None) -> None:
    finished = ffmpeg.run([*arguments], timeout=timedelta(minutes=2), cwd=cwd)
    assert finished.status == 0, finished.errors


def picture(seconds: float = 3, size: str = "320x180", rate: str = "25") -> list[str]:
    """ffmpeg's own test picture: it has a running number, so no two of its pictures are alike."""
    return ["-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d={seconds}"]


def moving(colour: str, box: str, x: str, *, seconds: float, size: str, rate: int) -> list[str]:
    """A black picture over which a box moves; ``x`` is its place at the time ``t``."""
    shape = f"r={rate}:d={seconds}"
    graph = f"color=c=black:s={size}:{shape}[a];color=c={colour}:s={box}:{shape}[b];[a][b]overlay=x={x}:y=0"
    return ["-f", "lavfi", "-i", graph]


def tone(seconds: float = 3, pitch: int = 440) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=f={pitch}:r=48000:d={seconds}"]


def film(path: Path, *options: str, seconds: float = 3, sound: float | None = None, **shape: str) -> Path:
    """A film in the container that the name asks for, H.264 and AAC unless ``options`` say otherwise."""
    heard = seconds if sound is None else sound
    inputs = picture(seconds, **shape) + (tone(heard) if heard else [])
    run(*inputs, *SMALL, *(AAC if heard else []), *options, "-y", str(path))
    return path


def joined(folder: Path, name: str, parts: Sequence[Path]) -> Path:
    """Recordings one after the other in one file, as recorders join them: byte after byte."""
    whole = folder / name
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole


def whole_size(folder: Path, name: str) -> Path:
    """One size of a finished film as a single file."""
    (initial,) = (folder / name).glob("init*.mp4")
    segments = sorted((folder / name).glob("*.m4s"))
    whole = folder / f"{name}-whole.mp4"
    whole.write_bytes(initial.read_bytes() + b"".join(segment.read_bytes() for segment in segments))
    return whole


def heard(path: Path, step_ms: int = 20) -> NDArray[np.float64]:
    """How loud each 20 ms of a file's sound are, from its first sample as it is stored, 0..1."""
    raw = path.with_suffix(".raw")
    run("-i", str(path), "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "f32le", "-y", str(raw))
    samples = np.fromfile(raw, dtype=np.float32)
    step = 48 * step_ms
    return np.asarray(np.sqrt((samples[: len(samples) // step * step].reshape(-1, step) ** 2).mean(axis=1)), np.float64)


def pitch(path: Path) -> float:
    """The strongest tone of a file's sound, in hertz."""
    raw = path.with_suffix(".raw")
    run("-i", str(path), "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "f32le", "-y", str(raw))
    samples = np.fromfile(raw, dtype=np.float32)
    return float(np.abs(np.fft.rfft(samples)).argmax() * 48000 / len(samples))


def seen(path: Path, size: str = "32x18") -> NDArray[np.uint8]:
    """All pictures of a file as RGB ``[n, height, width, 3]``, small."""
    width, height = (int(part) for part in size.split("x"))
    raw = path.with_suffix(".rgb")
    shape = f"scale={width}:{height}:in_color_matrix=auto:flags=area,format=rgb24"
    run("-i", str(path), "-map", "0:v:0", "-vf", shape, "-fps_mode", "passthrough", "-f", "rawvideo", "-y", str(raw))
    return np.fromfile(raw, dtype=np.uint8).reshape(-1, height, width, 3)


def described(path: Path) -> str:
    """How ffmpeg describes a file's picture."""
    finished = ffmpeg.run(["-i", str(path)], timeout=timedelta(minutes=1))
    return next(line for line in finished.messages if re.search(r"Stream #0:\d+.*Video:", line))
