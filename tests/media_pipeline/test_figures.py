"""The figures that do not depend on how busy the machine is; ``bench/faces.py`` measures the others."""

from __future__ import annotations

from pathlib import Path

from faces_for_tests import Puppet, encode_jpeg

from bench.faces import worker_memory
from media_pipeline.engine import Engine


def test_a_worker_that_judges_stays_below_two_hundred_mebibytes(
    engine: Engine, models_folder: Path, person: Puppet
) -> None:
    held, highest = worker_memory(models_folder, encode_jpeg(person.picture))
    assert held.reached, held
    assert highest.value < 200, highest
