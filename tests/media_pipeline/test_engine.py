"""Every face is found, also the small second one; what a face does is read; nobody else is kept waiting."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from support.faces import Puppet, add_noise, add_person, camera_frames, empty_room, encode_jpeg

from media_pipeline.descriptors import Descriptor, compare
from media_pipeline.detector import Face, join
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import Pixels, decode


def test_one_face_is_found_where_it_is(engine: Engine, person: Puppet) -> None:
    (face,) = engine.find_faces(person.picture)
    right_eye, left_eye, nose, mouth = face.points[:4]
    assert np.hypot(face.centre[0] - 284, face.centre[1] - 160) < 20
    assert 95 < face.side < 140
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < mouth[1]


def _face(left: float, top: float, side: float) -> Face:
    return Face(left, top, side, 0.9, np.zeros((6, 2), np.float32))


def test_a_lens_or_half_a_face_inside_a_face_is_no_second_one() -> None:
    near = _face(100, 80, 300)
    assert join((near,), (_face(150, 150, 90), _face(120, 100, 250)), 640) == (near,)
    beside = _face(450, 100, 60)
    assert join((near,), (beside,), 640) == (near, beside)


def test_of_a_small_face_the_detector_for_small_ones_knows_the_size() -> None:
    exact = _face(205, 205, 70)
    assert join((_face(200, 200, 100),), (exact,), 640) == (exact,)


@pytest.mark.parametrize("search", list(Search))
def test_nobody_is_found_in_an_empty_room(engine: Engine, search: Search) -> None:
    assert engine.find_faces(empty_room(), search) == ()
    assert engine.find_faces(np.zeros((480, 640, 3), np.uint8), search) == ()


def test_a_second_face_of_sixty_pixels_is_found_in_ninety_five_of_a_hundred_frames(
    engine: Engine, person: Puppet, stranger: Pixels
) -> None:
    chance = np.random.default_rng(11)
    found = 0
    for index in range(60):
        head = (stranger if index % 2 else person.picture)[:, :: -1 if index % 3 == 0 else 1]
        if index % 3 == 0:
            head = np.roll(head, 568 - 640, axis=1)
        crowd = add_person(person.picture, head, 60, int(chance.integers(395, 515)), int(chance.integers(0, 340)))
        crowd = add_noise(crowd, 4, chance)
        found += len(engine.find_faces(decode(encode_jpeg(crowd, 80)))) == 2
    assert found >= 57


@pytest.mark.parametrize("side", [35, 42])
def test_a_second_face_of_thirty_five_pixels_is_found_all_over_the_picture(
    engine: Engine, person: Puppet, stranger: Pixels, side: int
) -> None:
    chance = np.random.default_rng(12)
    found = 0
    for index in range(40):
        x = int(chance.integers(395, 550)) if index % 2 else int(chance.integers(0, 100))
        crowd = add_person(
            person.picture, stranger if index % 3 else person.picture, side, x, int(chance.integers(0, 380))
        )
        found += len(engine.find_faces(decode(encode_jpeg(add_noise(crowd, 3, chance), 85)))) >= 2
    assert found >= 38


def test_a_face_that_fills_the_picture_is_one_face(engine: Engine, person: Puppet) -> None:
    (face,) = engine.find_faces(person.picture)
    left, top, side = round(face.left), round(face.top), round(face.side)
    for margin in (0, side // 8):
        crop = person.picture[top - margin : top + side + margin, left - margin : left + side + margin]
        (found,) = engine.find_faces(np.asarray(cv2.resize(crop, (400, 400), interpolation=cv2.INTER_CUBIC), np.uint8))
        assert found.side > 180


def test_the_quick_search_looks_closer_when_it_finds_nobody(engine: Engine, person: Puppet) -> None:
    distant = add_person(empty_room(), person.picture, 50, 120, 200)
    assert len(engine.find_faces(distant, Search.NEAREST)) == 1


@pytest.mark.parametrize("side", [100, 200, 300, 420])
def test_a_face_is_found_at_every_size_a_webcam_shows(engine: Engine, person: Puppet, side: int) -> None:
    scale = side / 117
    large = cv2.resize(person.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    x, y = int(284 * scale), int(150 * scale)
    frame = large[max(0, y - 240) : max(0, y - 240) + 480, max(0, x - 320) : max(0, x - 320) + 640]
    assert len(engine.find_faces(np.ascontiguousarray(frame))) == 1


def test_the_same_person_is_near_and_a_stranger_far(
    engine: Engine, person: Puppet, stranger: Pixels, reference: Descriptor
) -> None:
    def distance(picture: Pixels) -> float:
        return compare(engine.describe(picture, engine.find_faces(picture)[0]), reference)

    assert distance(person.picture[:, ::-1].copy()) < 0.35
    assert distance(person.turned(-15)) < 0.45
    assert distance((person.picture * 0.4).astype(np.uint8)) < 0.4
    assert distance(stranger) > 0.64


def test_what_a_face_does_is_read(engine: Engine, person: Puppet) -> None:
    def read(picture: Pixels) -> tuple[float, float, float]:
        expression = engine.read_expression(picture, engine.find_faces(picture)[0])
        assert expression.presence > 0.9
        return expression.yaw, expression.eyes, expression.cavity

    at_rest, left, right = read(person.picture), read(person.turned(20)), read(person.turned(-20))
    blinking, open_mouth = read(person.blinking()), read(person.with_open_mouth())
    assert right[0] < -10 < at_rest[0] < 10 < left[0]
    assert blinking[1] < 0.6 * at_rest[1]
    assert open_mouth[2] > 0.25 > 0.1 > at_rest[2]


def test_threads_share_one_engine(engine: Engine, person: Puppet, reference: Descriptor) -> None:
    frames = [decode(data) for data in camera_frames([person.picture] * 12)]

    def distance(frame: Pixels) -> float:
        return compare(engine.describe(frame, engine.find_faces(frame)[0]), reference)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(distance, frames))
    assert together == [distance(frame) for frame in frames]


def test_importing_the_judge_loads_neither_the_library_nor_its_models() -> None:
    program = (
        "import sys, media_pipeline.judge, media_pipeline.selftest, media_pipeline.hls;"
        "print([n for n in ('face_recognition', 'dlib', 'onnx', 'onnxruntime', 'tensorflow') if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
