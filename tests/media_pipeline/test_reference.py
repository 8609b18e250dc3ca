"""A reference photo is good, or the person is told what to do about it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.faces import Puppet, add_person, close_portrait, empty_room, encode_jpeg, make_puppet

from media_pipeline.descriptors import compare
from media_pipeline.engine import Engine
from media_pipeline.frames import DecodeError, Pixels
from media_pipeline.quality import QualityCode
from media_pipeline.reference import assess_reference


@pytest.fixture(scope="module")
def near(engine: Engine) -> Puppet:
    return make_puppet(engine, close_portrait())


def codes(engine: Engine, picture: Pixels) -> set[QualityCode]:
    assessed = assess_reference(encode_jpeg(picture, 92), engine)
    assert (assessed.descriptor is None) == bool(assessed.codes)
    return set(assessed.codes)


def test_a_good_photo_gives_a_descriptor_of_the_named_model(engine: Engine, near: Puppet) -> None:
    assessed = assess_reference(encode_jpeg(near.picture), engine)
    assert assessed.codes == ()
    assert assessed.descriptor is not None
    assert assessed.descriptor.shape == (128,)
    assert (assessed.engine, assessed.model) == (engine.name, engine.model)


def test_photo_and_webcam_frame_of_one_person_agree(engine: Engine, near: Puppet, person: Puppet) -> None:
    assessed = assess_reference(encode_jpeg(near.picture), engine)
    (face,) = engine.find_faces(person.picture)
    assert assessed.descriptor is not None
    assert compare(assessed.descriptor, engine.describe(person.picture, face)) < 0.35


def test_what_is_wrong_is_named(engine: Engine, near: Puppet, person: Puppet) -> None:
    two = add_person(near.picture, person.picture, 117, 700, 60)
    cases = {
        QualityCode.NO_FACE: empty_room(),
        QualityCode.SEVERAL_FACES: two,
        QualityCode.TOO_DARK: (near.picture * 0.15).astype(np.uint8),
        QualityCode.TOO_BRIGHT: np.clip(near.picture.astype(int) + 130, 0, 255).astype(np.uint8),
        QualityCode.BLURRED: cv2.GaussianBlur(near.picture, (0, 0), 7),
        QualityCode.TURNED_AWAY: near.turned(28),
        QualityCode.EYES_CLOSED: np.asarray(near.blinking(), np.uint8),
        QualityCode.TOO_FEW_PIXELS: cv2.resize(near.picture, (400, 300)),
        QualityCode.FACE_TOO_SMALL: add_person(empty_room(), person.picture, 70, 100, 150),
        QualityCode.FACE_CUT_OFF: near.picture[:, 420:].copy(),
        QualityCode.TILTED: cv2.warpAffine(near.picture, cv2.getRotationMatrix2D((480, 300), 25, 1), (960, 720)),
    }
    for expected, picture in cases.items():
        assert expected in codes(engine, np.asarray(picture, np.uint8)), expected


def test_whether_it_is_one_person_comes_before_how_large_she_is(
    engine: Engine, person: Puppet, stranger: Pixels
) -> None:
    """Which of two people is meant nobody knows; that both are too far away is said all the same."""
    small = add_person(empty_room(), person.picture, 70, 100, 150)
    poster = cv2.resize(stranger[40:270, 185:385], (34, 38), interpolation=cv2.INTER_AREA)
    small[60:98, 30:64] = poster
    both = [QualityCode.SEVERAL_FACES, QualityCode.FACE_TOO_SMALL]
    assert list(assess_reference(encode_jpeg(small, 95), engine).codes) == both
    side_by_side = add_person(small, stranger, 60, 250, 180)
    assert list(assess_reference(encode_jpeg(side_by_side, 95), engine).codes) == both


def test_whoever_is_too_far_away_to_be_seen_at_first_is_told_to_come_closer(engine: Engine, person: Puppet) -> None:
    picture = add_person(empty_room(), person.picture, 13, 100, 150)
    assert codes(engine, picture) == {QualityCode.FACE_TOO_SMALL}


def test_of_somebody_near_a_stamp_on_the_wall_says_nothing(engine: Engine, near: Puppet, stranger: Pixels) -> None:
    assert codes(engine, add_person(near.picture, stranger, 20, 820, 60)) == set()


def test_bytes_that_are_no_picture_say_why(engine: Engine) -> None:
    with pytest.raises(DecodeError, match="not_a_picture"):
        assess_reference(b"my face", engine)
