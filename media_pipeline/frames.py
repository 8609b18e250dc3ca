"""Turn the bytes of an uploaded picture into pixels, without trusting a single byte of them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.verdict import PictureHash

Pixels = NDArray[np.uint8]
"""A picture as ``[height, width, 3]`` unsigned bytes in blue, green, red order, upright."""

WORKING_SIDE = 1280
"""Pixels. A larger picture adds work and no certainty: the networks look at 256 pixels and less."""

_FORMATS = ("JPEG", "PNG", "WEBP")
_JPEG_KINDS = ("JPEG", "MPO")
"""MPO, as some telephones write it, is a JPEG with further ones behind its end."""
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
_JPEG_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""JPEG marks that stand alone; every other one but the end is followed by its length."""
_JPEG_NEXT = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""The first mark after a scan's data, in which the byte FF is escaped and only restarts are marked."""


class DecodeFault(StrEnum):
    """Why the bytes are no picture to us. The values are stable: they are shown and recorded."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    NOT_A_PICTURE = "not_a_picture"
    TOO_MANY_SCANS = "too_many_scans"
    CUT_SHORT = "cut_short"
    DAMAGED = "damaged"
    TOO_COSTLY = "too_costly"
    """It could not be opened in the time and memory that a picture has."""


class DecodeError(ValueError):
    """The bytes were refused; ``fault`` says why."""

    def __init__(self, fault: DecodeFault) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.seconds = 0.0
        """Of the processor, that finding it out took."""


@dataclass(frozen=True)
class FrameLimits:
    """What is refused before a single pixel is decoded.

    ``max_pixels`` is generous for a camera and small for an attacker: 16 million pixels are 48 MB of memory. Each scan
    of a JPEG goes over all of them again, however few bytes it has: cameras write one, programs that show a picture
    while it loads about ten. ``max_segments`` bounds what stands between the scans.
    """

    max_bytes: int = 8 * 1024 * 1024
    max_pixels: int = 16_000_000
    max_side: int = 8192
    max_scans: int = 20
    max_segments: int = 400


def decode(data: bytes, limits: FrameLimits | None = None) -> Pixels:
    """Decode one JPEG, PNG or WebP picture, turned upright as its EXIF orientation says.

    The size is read from the header and refused before decoding, so that a small file cannot unfold into
    gigabytes. Raises ``DecodeError``. The interpreter lock is released while decoding.
    """
    limits = limits or FrameLimits()
    if not data:
        raise DecodeError(DecodeFault.EMPTY)
    if len(data) > limits.max_bytes:
        raise DecodeError(DecodeFault.TOO_MANY_BYTES)
    kind, width, height = _read_header(data)
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise DecodeError(DecodeFault.TOO_MANY_PIXELS)
    if kind in _JPEG_KINDS:
        _bound_scans(data, limits)
    if not _is_whole(data, kind):
        raise DecodeError(DecodeFault.CUT_SHORT)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise DecodeError(DecodeFault.DAMAGED) from error
    # OpenCV reads the size again by itself: a file that tells two readers two sizes is not honest.
    if pixels is None or sorted(pixels.shape[:2]) != sorted((width, height)):
        raise DecodeError(DecodeFault.DAMAGED)
    return np.asarray(pixels, np.uint8)


def fit_within(picture: Pixels, side: int = WORKING_SIDE) -> tuple[Pixels, float]:
    """The picture shrunk until its longer side is at most ``side``, and the scale (1.0 when it already fits)."""
    scale = side / max(picture.shape[:2])
    if scale >= 1.0:
        return picture, 1.0
    height, width = picture.shape[:2]
    # A strip one pixel high stays one pixel high: what OpenCV cannot shrink must not stop the judge.
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _read_header(data: bytes) -> tuple[str, int, int]:
    """Format and size as the header states them; nothing is decoded yet."""
    # Only who opens pictures needs it; a worker has that done by a child.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            return picture.format or "", picture.width, picture.height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DecodeError(DecodeFault.TOO_MANY_PIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError) as error:
        raise DecodeError(DecodeFault.NOT_A_PICTURE) from error


def _bound_scans(data: bytes, limits: FrameLimits) -> None:
    """Walk from mark to mark, as a decoder would, and refuse more scans or segments than an honest file has."""
    scans, at = 0, 2
    for _ in range(limits.max_segments):
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        kind = data[at + 1 : at + 2]
        if data[at : at + 1] != b"\xff" or not kind or kind == _JPEG_END[1:]:
            return
        if kind[0] in _JPEG_ALONE:
            at += 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == _JPEG_SCAN[1:]:
            scans += 1
            if scans > limits.max_scans:
                raise DecodeError(DecodeFault.TOO_MANY_SCANS)
            following = _JPEG_NEXT.search(data, at)
            if following is None:
                return
            at = following.start()
    raise DecodeError(DecodeFault.TOO_MANY_SCANS)


def _is_whole(data: bytes, kind: str) -> bool:
    """Whether the file reaches its own end mark. Decoders fill what is missing with grey and say nothing."""
    if kind == "PNG":
        return b"IEND" in data[-64:]
    if kind == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 <= len(data)
    # Inside a scan the byte FF is always escaped, so an end mark behind the last scan is a real one.
    return data.rfind(_JPEG_END) > data.rfind(_JPEG_SCAN) > 0


def hash_picture(data: bytes, pixels: Pixels, face_points: NDArray[np.float32] | None) -> PictureHash:
    """Hash the bytes exactly, and the picture so that encoding it again or scaling it changes next to nothing.

    ``face_points`` is ``[6, 2]`` (x, y) in pixels, None when there is no face. See ``PictureHash``.
    """
    exact = hashlib.sha256(data).hexdigest()
    if face_points is None:
        return PictureHash(exact, "")
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (17, 8), interpolation=cv2.INTER_AREA)
    bits = int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1]).tobytes(), "big") << 128
    places = np.clip(np.rint(face_points / max(pixels.shape[:2]) * 1023), 0, 1023).astype(int)
    for place, coordinate in enumerate(places.ravel().tolist()):
        bits |= coordinate << (10 * place)
    return PictureHash(exact, f"{bits:064x}")
