"""A site's own people: the right rates from known faces, by group, and nothing of groups too small."""

from __future__ import annotations

import numpy as np
from support.faces import Puppet, camera_frames, empty_room

from media_pipeline.curve import draw
from media_pipeline.engine import Engine
from media_pipeline.opening import OpenHere
from media_pipeline.site import LEAST_PEOPLE, Frame, FrameReader, SitePerson, measure

FAR_APART = np.eye(12, 128, dtype=np.float32) * 0.5
"""Faces of twelve people, 0.71 apart."""


def frame(of: int, light: str = "medium", device: str = "a camera") -> Frame:
    return Frame(FAR_APART[of], {"light": light, "device": device})


def person(number: int, *frames: Frame, **traits: str) -> SitePerson:
    return SitePerson([FAR_APART[number]] * 2, frames or (frame(number),), traits)


def measured(*people: SitePerson) -> dict[str, object]:
    return measure(people, engine="e", model="m").report


def test_everybody_known_and_nobody_taken_for_another() -> None:
    report = measured(*(person(number) for number in range(6)))
    assert (report["people"], report["same"], report["different"]) == (6, 6, 30)
    assert (report["tar"], report["far"], report["stranger_pairs"]) == (1.0, 0.0, 15)


def test_who_is_refused_and_who_passes_are_counted_by_person_and_pair() -> None:
    # Two frames of the first show the second, who is taken for her; the pair counts once.
    people = [person(0, frame(1), frame(1), frame(0)), *(person(number) for number in range(1, 6))]
    report = measured(*people)
    assert report["refused_people"] == 1 and report["stranger_pairs_accepted"] == 1
    assert report["tar"] == 6 / 8 and report["far"] == 2 / 40


def test_groups_are_compared_within_themselves_and_small_ones_left_out() -> None:
    women = [person(number, sex="female", age="30-44") for number in range(LEAST_PEOPLE)]
    men = [person(LEAST_PEOPLE + number, sex="male", age="30-44") for number in range(LEAST_PEOPLE - 1)]
    found = measure([*women, *men], engine="e", model="m")
    by = found.report["by"]
    assert by["sex"].keys() == {"female"} and by["sex"]["female"]["different"] == 5 * 4
    assert by["age"]["30-44"]["people"] == 9
    assert set(found.curves) == {"", "sex female", "age 30-44", "light medium", "device a camera"}
    assert draw(found.curves, 0.5).shape[2] == 3


def test_light_and_device_are_of_the_frame() -> None:
    people = [person(number, frame(number), frame(number, "dark", "another")) for number in range(6)]
    by = measured(*people)["by"]
    assert by["light"]["dark"]["frames"] == by["device"]["another"]["frames"] == 6  # type: ignore[index]
    assert by["light"]["dark"]["different"] == 6 * 5  # type: ignore[index]


def test_who_has_nothing_to_compare_is_left_out() -> None:
    report = measured(person(0), SitePerson([], [frame(1)]), SitePerson([FAR_APART[2]], []))
    assert report["people"] == 1 and report["far"] is None


def test_a_frame_is_read_as_the_judge_reads_it(engine: Engine, person: Puppet) -> None:
    reader = FrameReader(engine, OpenHere())
    bright, dark, nobody = camera_frames([person.picture, (person.picture * 0.3).astype(np.uint8), empty_room()])
    seen, darker = reader.read(bright), reader.read(dark)
    assert seen is not None and darker is not None and darker.light == "dark" != seen.light
    assert float(np.linalg.norm(seen.descriptor - darker.descriptor)) < 0.3
    assert reader.read(nobody) is None and reader.read(b"no picture") is None
