"""What telephones, cameras and programs hand out as a photo is read as its owner sees it; other files are named."""

from __future__ import annotations

import base64
import io
import random
import time

import cv2
import numpy as np
import pytest
from PIL import Image

from media_pipeline import frames
from media_pipeline.frames import WORKING_SIDE, DecodeError, DecodeFault, Pixels, decode, decode_within, encode_photo
from media_pipeline.opening import Child, OpenHere

HEIC = base64.b64decode(
    """AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j
    AAAAAERAAAEAAQAAAAABoQABAAAAAAAAADkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/Wlw
    cnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AA
    AAMAkAAAAwAAAwAeoCiBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwYkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAA
    UAAAAEAAAAAoY2xhcAAAAFAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB
    AgMFhAAAAEFtZGF0AAAANSgBrwnRpoAhgHSlr/7m5HCv/7YWfI+pr//5tA+P/71Z8j6m0H+y0dO7pHr/noDrjto+b1Nw"""
)
"""80 by 48 pixels, blue, with a white square in its upper left corner; made for these tests."""
TURNED_HEIC = base64.b64decode(
    """AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRpbG9j
    AAAAAERAAAIAAQAAAAAB7AABAAAAAAAAADkAAgAAAAACJQABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABodmMxAAAA
    ABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNg
    AAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCiBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZE
    AcFzwYkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAUAAAAEAAAAAoY2xhcAAAAFAAAAABAAAAMAAAAAEAAAAAAAAAAv////AA
    AAACAAAAEHBpeGkAAAAAAwgICAAAAAlpcm90AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAA
    AGVtZGF0AAAANSgBrwnRpoAhgHSlr/7m5HCv/7YWfI+pr//5tA+P/71Z8j6m0H+y0dO7pHr/noDrjto+b1NwAAAABkV4aWYAAE1NACoAAAAI
    AAEBEgADAAAAAQAGAAAAAAAA"""
)
"""The same, to be turned by a quarter, as EXIF orientation 6 says."""


def marked(width: int = 80, height: int = 48) -> Image.Image:
    """Sand-coloured, its upper left corner white, its upper right corner red."""
    pixels = np.full((height, width, 3), (120, 60, 20), np.uint8)
    pixels[: height // 3, : width // 5] = 255
    pixels[: height // 3, -width // 5 :] = (255, 0, 0)
    return Image.fromarray(pixels)


def saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def film(seed: int = 1, size: int = 200_000) -> bytes:
    """Bytes as a film has them: JPEG's marks stand in them by chance."""
    return b"\0\0\0\x18ftypmp42" + random.Random(seed).randbytes(size) + b"\xff\xda\xff\xd8\xff"


def colour(pixels: Pixels, row: int, column: int) -> tuple[int, int, int]:
    blue, green, red = (int(value) for value in pixels[row, column])
    return red, green, blue


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_set_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels, width, height = decode_within(saved(marked(), kind, exif=exif, quality=95), any_kind=True)
    assert pixels.shape == (height, width, 3) == ((48, 80, 3) if orientation < 5 else (80, 48, 3))
    corners = {2: (0, -1), 1: (0, 0), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert min(colour(pixels, *corners[orientation])) > 230


@pytest.mark.parametrize("size", [(5712, 4284), (9248, 6936), (12000, 9000)])
@pytest.mark.parametrize("how", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_the_photo_of_a_new_telephone_is_read_at_the_size_that_is_wanted(
    size: tuple[int, int], how: dict[str, bool]
) -> None:
    if how and size == (12000, 9000):
        return  # 108 million pixels ten times over are too many
    data = saved(marked(*size), "JPEG", quality=60, **how)
    child = Child()
    try:
        began = time.process_time()
        opened = child.open(data)
        assert time.process_time() - began < 1
    finally:
        child.end()
    assert (opened.width, opened.height) == size
    assert max(opened.picture.shape) == WORKING_SIDE
    assert opened.scale == pytest.approx(WORKING_SIDE / size[0])
    assert min(colour(opened.picture, 5, 5)) > 230


def test_a_reduced_picture_is_the_whole_one_made_smaller_and_turned_as_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(marked(4000, 3001), "JPEG", exif=exif, quality=95)
    small, width, height = decode_within(data, side=900)
    assert (width, height) == (3001, 4000)
    assert small.shape == (1000, 751, 3)
    whole = cv2.resize(decode(data), (751, 1000), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - whole).mean() < 2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_film_behind_the_picture_is_not_looked_at(kind: str, seed: int) -> None:
    data = saved(marked(), kind, quality=95)
    assert np.array_equal(decode(data + film(seed)), decode(data))


def test_of_several_pictures_the_first_is_taken() -> None:
    other = Image.new("RGB", (400, 300), (0, 255, 0))
    data = saved(marked(), "MPO", save_all=True, append_images=[other], quality=95)
    assert decode(data).shape == (48, 80, 3)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_picture_cut_short_is_refused_though_its_film_has_end_marks(share: float) -> None:
    whole = saved(Image.effect_noise((320, 240), 60), "JPEG", quality=90)
    with pytest.raises(DecodeError) as error:
        decode(whole[: int(len(whole) * share)])
    assert error.value.fault is DecodeFault.CUT_SHORT


def test_bytes_between_two_segments_are_passed_over_as_decoders_do() -> None:
    data = saved(marked(), "JPEG", quality=95)
    table = data.index(b"\xff\xdb")
    assert np.array_equal(decode(data[:table] + b"\0\0\0" + data[table:]), decode(data))


@pytest.mark.parametrize("how", ["CMYK", "L"])
def test_a_jpeg_of_print_or_in_grey_has_its_colours(how: str) -> None:
    pixels = decode(saved(marked().convert(how), "JPEG", quality=95))
    assert min(colour(pixels, 3, 3)) > 230
    red, green, blue = colour(pixels, 40, 40)
    assert (abs(red - 120) < 12 and abs(green - 60) < 12 and abs(blue - 20) < 12) if how == "CMYK" else red == green


def test_sixteen_bits_a_colour_become_eight() -> None:
    wide = np.asarray(marked())[:, :, ::-1].astype(np.uint16) * 257
    pixels = decode(cv2.imencode(".png", wide)[1].tobytes())
    assert colour(pixels, 40, 40) == (120, 60, 20)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_what_shines_through_is_laid_on_white(kind: str) -> None:
    clear = marked().convert("RGBA")
    clear.putalpha(Image.fromarray(np.where(np.arange(80) < 40, 255, 0).astype(np.uint8)[None].repeat(48, 0)))
    pixels, _, _ = decode_within(saved(clear, kind, quality=95), any_kind=True)
    assert min(colour(pixels, 40, 75)) > 240
    assert colour(pixels, 40, 20)[2] < 60


def test_a_palette_with_a_clear_colour_and_an_orientation_is_read() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    palette = marked().quantize(8)
    pixels = decode(saved(palette, "PNG", transparency=palette.getpixel((40, 40)), exif=exif))
    assert pixels.shape == (80, 48, 3)
    assert min(colour(pixels, 40, 40)) > 240


def test_heic_is_read_upright() -> None:
    pixels, width, height = decode_within(HEIC, any_kind=True)
    assert (pixels.shape, width, height) == ((48, 80, 3), 80, 48)
    assert min(colour(pixels, 5, 5)) > 220 and colour(pixels, 40, 40)[0] < 60
    pixels, width, height = decode_within(TURNED_HEIC, any_kind=True)
    assert (pixels.shape, width, height) == ((80, 48, 3), 48, 80)
    assert min(colour(pixels, 5, -5)) > 220 and colour(pixels, 40, 40)[0] < 60


def test_a_heic_that_calls_itself_jpeg_is_read_by_what_it_is() -> None:
    child = Child()
    try:
        assert child.open(HEIC, any_kind=True).width == 80
    finally:
        child.end()


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_heic_cut_short_is_refused(share: float) -> None:
    with pytest.raises(DecodeError) as error:
        decode_within(HEIC[: int(len(HEIC) * share)], any_kind=True)
    assert error.value.fault in (DecodeFault.CUT_SHORT, DecodeFault.HEIC, DecodeFault.DAMAGED)


def test_where_heic_is_not_read_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_reads_heif", lambda: False)
    for any_kind in (True, False):
        with pytest.raises(DecodeError) as error:
            decode_within(HEIC, any_kind=any_kind)
        assert error.value.fault is DecodeFault.HEIC
    assert decode_within(saved(marked(), "AVIF"), any_kind=True)[1:] == (80, 48)


def test_pictures_of_checks_are_of_kinds_that_every_page_shows() -> None:
    for data, fault in ((HEIC, DecodeFault.HEIC), (saved(marked(), "AVIF"), DecodeFault.NOT_A_PICTURE)):
        with pytest.raises(DecodeError) as error:
            OpenHere().open(data)
        assert error.value.fault is fault


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP", "PDF"])
def test_other_files_are_called_no_photo(kind: str) -> None:
    with pytest.raises(DecodeError) as error:
        decode_within(saved(marked(), kind), any_kind=True)
    assert error.value.fault is DecodeFault.NOT_A_PICTURE


@pytest.mark.parametrize("kind", ["AVIF", "PNG", "heic"])
def test_damaged_bytes_never_escape_as_another_error(kind: str) -> None:
    chance = random.Random(7)
    whole = HEIC if kind == "heic" else saved(marked().convert("RGBA"), kind)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            pixels, _, _ = decode_within(bytes(damaged), any_kind=True)
        except DecodeError:
            continue
        assert pixels.ndim == 3 and pixels.dtype == np.uint8


def test_what_is_kept_of_a_photo_is_the_picture_alone() -> None:
    exif = Image.Exif()
    exif[0x0110] = "Telephone 15"
    exif.get_ifd(0x8825)[1] = "N"
    opened = OpenHere().open(saved(marked(), "JPEG", exif=exif, quality=95) + film())
    kept = encode_photo(opened.picture)
    assert b"Telephone" not in kept and b"ftyp" not in kept and b"Exif" not in kept
    assert np.abs(decode(kept).astype(int) - opened.picture).mean() < 3
