"""One engine and one person for all tests of this part."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.faces import Puppet, camera_frames, make_puppet, portrait

from media_pipeline.descriptors import Descriptor
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels, decode


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def engine(models_folder: Path) -> Engine:
    return Engine(models_folder)


@pytest.fixture(scope="session")
def person(engine: Engine) -> Puppet:
    return make_puppet(engine, portrait())


@pytest.fixture(scope="session")
def stranger(person: Puppet) -> Pixels:
    return person.stranger()


@pytest.fixture(scope="session")
def reference(engine: Engine, person: Puppet) -> Descriptor:
    picture = decode(camera_frames([person.picture], seed=99)[0])
    return engine.describe(picture, engine.find_faces(picture)[0])
