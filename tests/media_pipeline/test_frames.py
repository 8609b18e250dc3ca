"""What is sent as a picture is refused for its true reason, before it can cost anything."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image
from support.bombs import bomb, progressive

from media_pipeline.frames import (
    DecodeError,
    DecodeFault,
    FrameLimits,
    Pixels,
    decode,
    fit_within,
    hash_picture,
)

FORMATS = [".jpg", ".png", ".webp"]


def picture(width: int = 64, height: int = 48) -> Pixels:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x * y) % 256], axis=-1).astype(np.uint8)


def encoded(extension: str, pixels: Pixels | None = None) -> bytes:
    return bytes(cv2.imencode(extension, picture() if pixels is None else pixels)[1])


def refused(data: bytes, limits: FrameLimits | None = None) -> DecodeFault:
    with pytest.raises(DecodeError) as error:
        decode(data, limits)
    return error.value.fault


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("extension", FORMATS)
def test_the_three_formats_come_out_as_blue_green_red_bytes(extension: str) -> None:
    blue = np.full((48, 64, 3), (250, 10, 10), np.uint8)
    pixels = decode(encoded(extension, blue))
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - blue).max() < 12


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "LA"])
def test_every_usual_kind_of_png_becomes_colour(mode: str) -> None:
    file = io.BytesIO()
    Image.fromarray(picture()[:, :, ::-1]).convert(mode).save(file, "PNG")
    assert decode(file.getvalue()).shape == (48, 64, 3)


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_picture_cut_short_is_refused_and_not_filled_with_grey(extension: str, share: float) -> None:
    whole = encoded(extension, picture(320, 240))
    assert refused(whole[: int(len(whole) * share)]) in (DecodeFault.CUT_SHORT, DecodeFault.NOT_A_PICTURE)


def test_a_cut_jpeg_is_not_saved_by_the_end_mark_of_its_thumbnail() -> None:
    thumbnail = encoded(".jpg", picture(32, 24))
    exif = b"Exif\0\0" + thumbnail
    main = encoded(".jpg", picture(320, 240))
    with_thumbnail = main[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + main[2:]
    assert decode(with_thumbnail).shape == (240, 320, 3)
    assert refused(with_thumbnail[: int(len(with_thumbnail) * 0.9)]) is DecodeFault.CUT_SHORT


@pytest.mark.parametrize("size", [(60_000, 60_000), (16_000, 16_000), (17_000, 100), (100, 17_000)])
def test_a_decompression_bomb_is_refused_before_it_unfolds(size: tuple[int, int]) -> None:
    bomb = png_that_claims(*size)
    tracemalloc.start()
    fault = refused(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fault is DecodeFault.TOO_MANY_PIXELS
    assert peak < 4_000_000


def test_a_picture_of_hundreds_of_empty_scans_is_refused_before_it_costs_anything() -> None:
    # Two hundred scans over 16 million pixels are a minute of a processor, in 50 KB.
    data = bomb(200)
    began = time.process_time()
    assert refused(data) is DecodeFault.TOO_MANY_SCANS
    assert time.process_time() - began < 0.5


def test_a_picture_that_shows_while_it_loads_is_taken() -> None:
    assert decode(progressive(picture())).shape == (48, 64, 3)
    assert decode(bomb(20)).shape == (1952, 8192, 3)
    assert refused(bomb(21)) is DecodeFault.TOO_MANY_SCANS


def test_scans_are_counted_behind_restarts_fill_bytes_and_thumbnails() -> None:
    whole = bomb(30)
    scan = whole.find(b"\xff\xda")
    exif = b"Exif\0\0" + encoded(".jpg", picture(32, 24))
    start = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    hidden = start + whole[2:scan] + b"\xff" * 9 + whole[scan:]
    assert refused(hidden) is DecodeFault.TOO_MANY_SCANS
    restarts = whole.replace(b"\xff\xda", b"\xff\xd0\xff\xda")
    assert refused(restarts) in (DecodeFault.TOO_MANY_SCANS, DecodeFault.DAMAGED, DecodeFault.NOT_A_PICTURE)


def test_large_pictures_may_have_fewer_scans() -> None:
    limits = FrameLimits(max_scanned_pixels=5 * 64 * 48)
    assert refused(progressive(picture()), limits) is DecodeFault.TOO_MANY_SCANS


def test_thousands_of_segments_without_a_scan_are_refused() -> None:
    whole = encoded(".jpg")
    assert refused(whole[:2] + b"\xff\xfe\x00\x02" * 5000 + whole[2:]) is DecodeFault.TOO_MANY_SCANS


def test_too_many_bytes_are_refused_unread() -> None:
    assert refused(encoded(".png"), FrameLimits(max_bytes=50)) is DecodeFault.TOO_MANY_BYTES


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"GIF89a" + b"\0" * 100,
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBP",
        b"\x89PNG\r\n\x1a\n",
        b"\0" * 999,
    ],
    ids=["text", "gif", "pdf", "jpeg mark", "webp mark", "png mark", "zeros"],
)
def test_what_is_no_picture_is_called_so(data: bytes) -> None:
    assert refused(data) is DecodeFault.NOT_A_PICTURE


def test_nothing_is_called_empty() -> None:
    assert refused(b"") is DecodeFault.EMPTY


def test_other_formats_stay_out_even_when_a_library_could_read_them() -> None:
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "TIFF")
    assert refused(file.getvalue()) is DecodeFault.NOT_A_PICTURE


def test_a_picture_whose_content_is_smaller_than_its_header_says_is_refused() -> None:
    assert refused(png_that_claims(640, 480)) is DecodeFault.DAMAGED


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))])
def test_a_turned_picture_is_set_upright(orientation: int, corner: tuple[int, int]) -> None:
    marked = np.zeros((40, 80, 3), np.uint8)
    marked[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(marked).save(file, "JPEG", exif=exif, quality=95)
    upright = decode(file.getvalue())
    assert upright.shape[:2] == ((40, 80) if orientation in (1, 3) else (80, 40))
    assert upright[corner].min() > 200


@pytest.mark.parametrize("extension", FORMATS)
def test_damaged_bytes_never_escape_as_another_error(extension: str) -> None:
    chance = random.Random(5)
    whole = encoded(extension, picture(96, 72))
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            pixels = decode(bytes(damaged))
        except DecodeError:
            continue
        assert pixels.ndim == 3
        assert pixels.dtype == np.uint8


def test_a_large_picture_is_shrunk_for_work_and_a_small_one_left_alone() -> None:
    small, scale = fit_within(picture(640, 480))
    assert (small.shape, scale) == ((480, 640, 3), 1.0)
    large, scale = fit_within(picture(4000, 3000))
    assert large.shape == (960, 1280, 3)
    assert scale == pytest.approx(0.32)


class TestHash:
    POINTS = np.array([[200, 150], [260, 152], [230, 190], [231, 220], [170, 160], [300, 162]], np.float32)

    def smooth(self, seed: int) -> Pixels:
        chance = np.random.default_rng(seed)
        soft = cv2.GaussianBlur(chance.integers(0, 256, (480, 640, 3), np.uint8), (0, 0), 25)
        return np.asarray(cv2.normalize(soft, np.empty_like(soft), 0, 255, cv2.NORM_MINMAX), np.uint8)

    def test_the_same_picture_encoded_again_is_known_again(self) -> None:
        first = encoded(".png", self.smooth(1))
        again = bytes(cv2.imencode(".jpg", self.smooth(1), [cv2.IMWRITE_JPEG_QUALITY, 70])[1])
        one, other = (hash_picture(data, decode(data), self.POINTS) for data in (first, again))
        assert one.sha256 != other.sha256
        assert len(one.perceptual) == 64
        assert one.steps_apart(other) <= 4
        assert one.face_shift(other) == 0

    def test_another_picture_is_far_away(self) -> None:
        one, other = (hash_picture(b"", self.smooth(seed), self.POINTS) for seed in (2, 3))
        assert one.steps_apart(other) > 30

    @pytest.mark.parametrize(("right", "down", "thousandths"), [(0, 0, 0), (3, 0, 4.8), (3, 4, 8), (640, 0, 500)])
    def test_a_face_that_moved_is_measured(self, right: int, down: int, thousandths: float) -> None:
        one = hash_picture(b"", self.smooth(2), self.POINTS)
        other = hash_picture(b"", self.smooth(2), self.POINTS + np.array((right, down), np.float32))
        assert one.steps_apart(other) == 0
        assert one.face_shift(other) >= thousandths - 0.8
        assert right == 640 or one.face_shift(other) <= thousandths + 0.8

    def test_a_picture_without_a_face_is_like_no_other(self) -> None:
        one = hash_picture(b"", self.smooth(2), None)
        assert one.perceptual == ""
        assert one.steps_apart(one) == 128
        assert one.face_shift(one) > 1000


@pytest.mark.parametrize("shape", [(1, 8000), (8000, 1), (2, 8192)])
def test_a_strip_is_shrunk_like_any_other_picture(shape: tuple[int, int]) -> None:
    picture, scale = fit_within(np.zeros((*shape, 3), np.uint8))
    assert min(picture.shape[:2]) == 1
    assert max(picture.shape[:2]) == round(max(shape) * scale) == 1280
