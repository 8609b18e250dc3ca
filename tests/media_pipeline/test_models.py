"""The networks are made from installed weights, once, and give what their makers' programs give."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest

from media_pipeline import models, tflite
from media_pipeline.dlib_network import UnreadableWeights, to_onnx
from media_pipeline.engine import Engine
from media_pipeline.models import ModelsMissing, ModelSource, prepare
from media_pipeline.verdict import EngineDown


def test_the_descriptor_is_dlibs_own(engine: Engine) -> None:
    theirs = dlib.face_recognition_model_v1(str(models.DESCRIPTOR.path()))
    chance = np.random.default_rng(0)
    for _ in range(3):
        chip = chance.integers(0, 256, (150, 150, 3), np.uint8)
        expected = np.array(theirs.compute_face_descriptor(chip))
        assert np.linalg.norm(engine.describe_cut_out(chip) - expected) < 1e-4


def test_an_engine_opens_from_what_another_one_made(engine: Engine, models_folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in models_folder.iterdir()}
    assert Engine(models_folder).model == engine.model
    assert {path: path.stat().st_mtime_ns for path in models_folder.iterdir()} == before
    assert all(path.suffix == ".onnx" for path in before)


def test_changed_weights_get_a_file_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    source = ModelSource("twice", "anything", "weights", lambda data: data * 2)
    monkeypatch.setattr(ModelSource, "path", lambda self: weights)
    weights.write_bytes(b"one")
    first = prepare(source, tmp_path / "made")
    weights.write_bytes(b"two")
    second = prepare(source, tmp_path / "made")
    assert first != second
    assert (first.read_bytes(), second.read_bytes()) == (b"oneone", b"twotwo")


def test_a_translation_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").write_bytes(b"half a file")
    monkeypatch.setattr(ModelSource, "path", lambda self: tmp_path / "weights")
    with pytest.raises(UnreadableWeights):
        prepare(ModelSource("broken", "anything", "weights", to_onnx), tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []


def test_missing_weights_mean_that_the_engine_is_down_and_nobody_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = ModelSource("absent", "no_such_package", "weights", to_onnx)
    with pytest.raises(ModelsMissing):
        absent.path()
    monkeypatch.setattr(models, "WIDE_DETECTOR", absent)
    with pytest.raises(EngineDown, match="not installed"):
        Engine(tmp_path)


@pytest.mark.parametrize("source", [models.NEAR_DETECTOR, models.FACE_MESH, models.EYE_LIDS], ids=lambda s: s.name)
def test_a_cut_or_foreign_network_file_is_refused(source: ModelSource) -> None:
    whole = source.path().read_bytes()
    for data in (b"", b"x" * 200, whole[:100], whole[: len(whole) // 3]):
        with pytest.raises(ValueError):
            source.translate(data)


def test_an_output_that_a_network_does_not_have_is_named() -> None:
    data = models.NEAR_DETECTOR.path().read_bytes()
    with pytest.raises(tflite.UnsupportedNetwork, match="nowhere"):
        tflite.to_onnx(data, {"nowhere": "x"})


def test_weights_with_a_layer_missing_are_refused() -> None:
    data = models.DESCRIPTOR.path().read_bytes()
    with pytest.raises(UnreadableWeights, match="28 convolutions"):
        to_onnx(data.replace(b"con_4", b"con_9", 1))
