"""A poster is pointed at before the check, and told from somebody who sits there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.faces import Puppet, add_person, camera_frames
from support.motion import Living

from media_pipeline.behind import Behind, look_behind
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels


def _seen(engine: Engine, *pictures: Pixels) -> Behind:
    first, later = camera_frames(pictures)
    return look_behind(first, later, engine)


def test_alone_there_is_nobody_behind_her(engine: Engine, person: Puppet) -> None:
    her = Living(person, seed=3)
    assert _seen(engine, her(5.0, None, -9.0), her(6.5, None, -9.0)) is Behind.NOBODY


@pytest.mark.parametrize("side", [35, 60, 80])
def test_a_face_that_does_not_move_is_a_picture(engine: Engine, person: Puppet, side: int) -> None:
    her, other = Living(person, seed=3), person.stranger()
    pictures = [add_person(her(time, None, -9.0), other, side, 16, 30) for time in (5.0, 6.5)]
    assert _seen(engine, *pictures) is Behind.PICTURE


def test_a_stamp_counts_no_more_than_in_a_check(engine: Engine, person: Puppet) -> None:
    crowd = add_person(person.picture, person.stranger(), 18, 480, 60)
    assert _seen(engine, crowd, crowd) is Behind.NOBODY


@pytest.mark.parametrize("seed", range(3))
def test_a_face_that_moves_is_somebody(engine: Engine, person: Puppet, seed: int) -> None:
    her, visitor = Living(person, seed=3), Living(replace(person, picture=person.stranger()), seed=20 + seed)
    pictures = [add_person(her(time, None, -9.0), visitor(time, None, -9.0), 70, 16, 30) for time in (5.0, 8.0)]
    assert _seen(engine, *pictures) is Behind.SOMEBODY
