"""Reference photos are looked at by a child: what it says, and what a photo costs that is made to cost much."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.bombs import bomb
from support.faces import (
    Puppet,
    add_person,
    camera_frames,
    close_portrait,
    empty_room,
    encode_jpeg,
    make_puppet,
)

from media_pipeline import child as child_module
from media_pipeline.behind import Behind
from media_pipeline.child import ChildDown, ChildProcess
from media_pipeline.engine import Engine
from media_pipeline.frames import DecodeError, DecodeFault
from media_pipeline.reference import assess_reference
from media_pipeline.reference_child import ReferenceChild
from media_pipeline.verdict import EngineDown


@pytest.fixture(scope="module")
def near(engine: Engine) -> Puppet:
    return make_puppet(engine, close_portrait())


@pytest.fixture(scope="module")
def child(engine: Engine, models_folder: Path) -> Iterator[ReferenceChild]:
    made = ReferenceChild(models_folder)
    yield made
    made.end()


def test_the_child_says_what_would_be_said_here(child: ReferenceChild, engine: Engine, near: Puppet) -> None:
    for picture in (near.picture, empty_room(), near.turned(28)):
        photo = encode_jpeg(picture)
        there, here = child.assess(photo), assess_reference(photo, engine)
        assert (there.codes, there.engine, there.model) == (here.codes, here.engine, here.model)
        assert (there.descriptor is None) == (here.descriptor is None)
        assert there.photo == here.photo
        if there.descriptor is not None and here.descriptor is not None:
            assert np.array_equal(there.descriptor, here.descriptor)


def test_it_gives_way_to_who_has_work_and_refuses_by_name(child: ReferenceChild, near: Puppet) -> None:
    child.assess(encode_jpeg(near.picture))
    assert psutil.Process(child.pid).nice() == min(19, psutil.Process().nice() + 10)
    with pytest.raises(DecodeError) as refused:
        child.assess(b"no picture")
    assert refused.value.fault is DecodeFault.NOT_A_PICTURE


def test_a_child_gives_way_while_it_loads_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    process, seen = ChildProcess("media_pipeline.opening"), []

    class Unready(Connection):
        def poll(self, timeout: float | None = 0.0) -> bool:
            seen.append(psutil.Process(process.pid).nice())
            return False

    monkeypatch.setattr(child_module, "Connection", Unready)
    with pytest.raises(ChildDown):
        process.ask(b"", 1.0, Connection.recv_bytes)
    assert seen == [min(19, psutil.Process().nice() + child_module.NICER)]


def test_the_child_says_who_stands_behind_her(child: ReferenceChild, engine: Engine, person: Puppet) -> None:
    crowd = add_person(person.picture, person.stranger(), 60, 450, 100)
    first, later = camera_frames([crowd, crowd])
    assert child.look_behind(first, later) is Behind.PICTURE
    assert child.look_behind(*camera_frames([person.picture] * 2)) is Behind.NOBODY
    with pytest.raises(DecodeError):
        child.look_behind(b"", later)


def test_a_photo_that_takes_too_long_is_refused_by_name_and_the_next_is_looked_at(models_folder: Path) -> None:
    child = ReferenceChild(models_folder)
    try:
        with pytest.raises(DecodeError) as refused:
            child.assess(bomb(20), 0.02)
        assert refused.value.fault is DecodeFault.TOO_COSTLY
        assert child.assess(encode_jpeg(empty_room())).descriptor is None
    finally:
        child.end()


def test_without_networks_nothing_is_said_about_the_photo(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("no folder")
    child = ReferenceChild(tmp_path / "models")
    with pytest.raises(EngineDown):
        child.assess(encode_jpeg(empty_room()))
    child.end()
