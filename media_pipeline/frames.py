"""Turn the bytes of an uploaded picture into pixels, without trusting a single byte of them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.verdict import PictureHash

Pixels = NDArray[np.uint8]
"""A picture as ``[height, width, 3]`` unsigned bytes in blue, green, red order, upright."""

WORKING_SIDE = 1280
"""Pixels. A larger picture adds work and no certainty: the networks look at 256 pixels and less."""

_PLAIN = ("JPEG", "PNG", "WEBP")
_OTHERS = ("AVIF", "HEIF")
"""What telephones keep photos in beside JPEG; no page can show them all, so they are read and never kept."""
_JPEG_KINDS = ("JPEG", "MPO")
"""MPO, as some telephones write it, is a JPEG with further ones behind its end."""
_HEIC = re.compile(rb"....ftyp(?:heic|heix|hevc|heim|heis|mif1|msf1)", re.DOTALL)
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
_JPEG_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""JPEG marks that stand alone; every other one but the end is followed by its length."""
_JPEG_NEXT = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""The first mark after a scan's data, in which the byte FF is escaped and only restarts are marked."""
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_WHITE = (255, 255, 255, 255)
_MOST_CHUNKS = 100_000
"""Of a PNG; programs write some thousands at most."""
_BOXES = frozenset((b"ftyp", b"meta", b"mdat", b"free", b"skip", b"uuid", b"moov", b"wide"))
"""What an AVIF or HEIC consists of on top."""


class DecodeFault(StrEnum):
    """Why the bytes are no picture to us. The values are stable: they are shown and recorded."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    NOT_A_PICTURE = "not_a_picture"
    HEIC = "heic"
    """As iPhones keep photos, where it is not to be read."""
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

    ``max_pixels`` is what the telephones of 2026 take: they are never all in memory, since a JPEG is decoded at the
    size that is wanted; what cannot be is bounded by ``max_whole_pixels``, 64 million being 192 MB. Each scan of a JPEG
    goes over all pixels again, however few bytes it has: cameras write one, programs that show a picture while it loads
    about ten. ``max_segments`` bounds what stands between the scans.
    """

    max_bytes: int = 30 * 1024 * 1024
    max_pixels: int = 110_000_000
    max_whole_pixels: int = 64_000_000
    max_side: int = 16_384
    max_scans: int = 20
    max_scanned_pixels: int = 700_000_000
    max_segments: int = 400


def decode(data: bytes, limits: FrameLimits | None = None) -> Pixels:
    """Decode one JPEG, PNG or WebP picture, turned upright as its EXIF orientation says. See `decode_within`."""
    return decode_within(data, limits)[0]


def decode_within(
    data: bytes, limits: FrameLimits | None = None, *, side: int | None = None, any_kind: bool = False
) -> tuple[Pixels, int, int]:
    """The picture, upright, and the width and height (pixels) it had.

    ``side``: a JPEG may be decoded smaller, but its longer side no smaller than this. ``any_kind``: AVIF and HEIC are
    read too. What stands behind the first picture's end, as telephones put a second of film there, is not looked at.
    The size is read from the header and refused before decoding, so that a small file cannot unfold into gigabytes.
    Raises ``DecodeError``. The interpreter lock is released while decoding.
    """
    limits = limits or FrameLimits()
    if not data:
        raise DecodeError(DecodeFault.EMPTY)
    if len(data) > limits.max_bytes:
        raise DecodeError(DecodeFault.TOO_MANY_BYTES)
    kind, width, height, has_alpha = _read_header(data, any_kind)
    is_jpeg = kind in _JPEG_KINDS
    most = limits.max_pixels if is_jpeg else limits.max_whole_pixels
    if width * height > most or max(width, height) > limits.max_side:
        raise DecodeError(DecodeFault.TOO_MANY_PIXELS)
    end = _jpeg_end(data, width * height, limits) if is_jpeg else _end(data, kind)
    if end is None:
        raise DecodeError(DecodeFault.CUT_SHORT)
    if has_alpha or kind in _OTHERS:
        other = _decode_other(data, kind, side)
        return other, *_upright(other, width, height)
    part = 1
    while is_jpeg and side is not None and part < 8 and max(width, height) // (2 * part) >= side:
        part *= 2
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8, end), _REDUCED[part])
    except cv2.error as error:
        raise DecodeError(DecodeFault.DAMAGED) from error
    # OpenCV reads the size again by itself: a file that tells two readers two sizes is not honest.
    if pixels is None or sorted(pixels.shape[:2]) != sorted((-(-width // part), -(-height // part))):
        raise DecodeError(DecodeFault.DAMAGED)
    decoded = np.asarray(pixels, np.uint8)
    return decoded, *_upright(decoded, width, height)


def _upright(pixels: Pixels, width: int, height: int) -> tuple[int, int]:
    """The size a header states, as it is once the picture stands upright."""
    return (width, height) if (pixels.shape[1] > pixels.shape[0]) == (width > height) else (height, width)


def fit_within(picture: Pixels, side: int = WORKING_SIDE) -> tuple[Pixels, float]:
    """The picture shrunk until its longer side is at most ``side``, and the scale (1.0 when it already fits)."""
    scale = side / max(picture.shape[:2])
    if scale >= 1.0:
        return picture, 1.0
    height, width = picture.shape[:2]
    # A strip one pixel high stays one pixel high: what OpenCV cannot shrink must not stop the judge.
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def encode_photo(picture: Pixels) -> bytes:
    """As a JPEG that looks the same: neither place, camera nor film travels with it."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 93, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", picture, quality)[1].tobytes()


def _read_header(data: bytes, any_kind: bool) -> tuple[str, int, int, bool]:
    """Format, size and whether something shines through, as the header states them; nothing is decoded yet."""
    # Only who opens pictures needs it; a worker has that done by a child.
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # what is too large is ours to say
    kinds = _PLAIN + (_OTHERS if any_kind and _reads_heif() else ("AVIF",) if any_kind else ())
    try:
        with Image.open(BytesIO(data), formats=kinds) as picture:
            return picture.format or "", picture.width, picture.height, picture.has_transparency_data
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        RuntimeError,
    ) as error:
        raise DecodeError(DecodeFault.HEIC if _HEIC.match(data) else DecodeFault.NOT_A_PICTURE) from error


@cache
def _reads_heif() -> bool:
    """Whether the reader for HEIC is here; where it is not, the other kinds are read all the same."""
    try:
        import pi_heif
    except ImportError:
        return False
    pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    return True


def _decode_other(data: bytes, kind: str, side: int | None) -> Pixels:
    """What OpenCV does not read as it is meant: AVIF, HEIC, and what shines through, which is laid on white."""
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(data), formats=(kind,)) as picture:
            picture.load()
            if side is not None:
                picture.thumbnail((2 * side, 2 * side), Image.Resampling.BOX)
            upright = ImageOps.exif_transpose(picture)
            if upright.has_transparency_data:
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, _WHITE), upright.convert("RGBA"))
            return cv2.cvtColor(np.asarray(upright.convert("RGB"), np.uint8), cv2.COLOR_RGB2BGR).astype(
                np.uint8, copy=False
            )
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, RuntimeError) as error:
        raise DecodeError(DecodeFault.DAMAGED) from error


def _jpeg_end(data: bytes, pixels: int, limits: FrameLimits) -> int | None:
    """Where the first picture ends, walking from mark to mark as a decoder would; None when it does not.

    Raises DecodeError for more scans or segments than an honest file has.
    """
    scans, at = 0, 2
    most = min(limits.max_scans, max(1, limits.max_scanned_pixels // pixels))
    for _ in range(limits.max_segments):
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        kind = data[at + 1 : at + 2]
        if data[at : at + 1] != b"\xff" or not kind:
            following = _JPEG_NEXT.search(data, at)  # as decoders do, over what stands between two segments
            if following is None:
                return None
            at = following.start()
            continue
        if kind == _JPEG_END[1:]:
            return at + 2 if scans else None
        if kind[0] in _JPEG_ALONE:
            at += 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == _JPEG_SCAN[1:]:
            scans += 1
            if scans > most:
                raise DecodeError(DecodeFault.TOO_MANY_SCANS)
            following = _JPEG_NEXT.search(data, at)
            if following is None:
                return None
            at = following.start()
    raise DecodeError(DecodeFault.TOO_MANY_SCANS)


def _end(data: bytes, kind: str) -> int | None:
    """Where another picture than a JPEG ends by its own account; None when the file ends before.

    Decoders fill what is missing with grey and say nothing.
    """
    if kind == "PNG":
        at, name = 8, b""
        for _ in range(_MOST_CHUNKS):
            if name == b"IEND" or at + 12 > len(data):
                break
            name = data[at + 4 : at + 8]
            at += 12 + int.from_bytes(data[at : at + 4], "big")
        return at if name == b"IEND" and at <= len(data) else None
    if kind == "WEBP":
        end = int.from_bytes(data[4:8], "little") + 8
        return end if end <= len(data) else None
    return len(data) if _boxes_are_whole(data) else None


def _boxes_are_whole(data: bytes) -> bool:
    """Whether the boxes an AVIF or HEIC consists of all end within it; what follows them may be anything."""
    at = 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if name not in _BOXES or size == 0:
            return at > 0
        if size < 8 or at + size > len(data):
            return False
        at += size
    return True


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
