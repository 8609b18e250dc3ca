"""The networks are made from installed weights, once, and give what their makers' programs give."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest

from media_pipeline import models, tflite
from media_pipeline.descriptors import compare
from media_pipeline.engine import Engine
from media_pipeline.models import ModelsMissing, ModelSource, prepare
from media_pipeline.selftest import descriptor_by_opencv
from media_pipeline.sface import UnreadableNetwork, to_onnx
from media_pipeline.verdict import EngineDown


def test_the_descriptor_is_what_another_program_makes_of_the_same_file(engine: Engine) -> None:
    chance = np.random.default_rng(0)
    for _ in range(3):
        chip = chance.integers(0, 256, (112, 112, 3), np.uint8)
        assert compare(engine.describe_cut_out(chip), descriptor_by_opencv(chip)) < 1e-5


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_engine_opens_from_what_another_one_made(engine: Engine, models_folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in models_folder.iterdir()}
    assert Engine(models_folder).model == engine.model
    assert {path: path.stat().st_mtime_ns for path in models_folder.iterdir()} == before
    assert all(path.suffix == ".onnx" for path in before)


def test_weights_are_made_once_and_under_their_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    monkeypatch.setattr(ModelSource, "path", lambda self: weights)
    made = {}
    for content in (b"one", b"two"):
        weights.write_bytes(content)
        source = ModelSource("twice", "anything", "weights", lambda data: data * 2, _digest(content))
        made[prepare(source, tmp_path / "made")] = content * 2
    assert len(made) == 2
    assert all(path.read_bytes() == content for path, content in made.items())


def test_other_weights_than_were_measured_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").write_bytes(models.DESCRIPTOR.path().read_bytes() + b"\0")
    monkeypatch.setattr(ModelSource, "path", lambda self: tmp_path / "weights")
    with pytest.raises(ModelsMissing, match="other weights"):
        prepare(models.DESCRIPTOR, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_translation_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").write_bytes(b"half a file")
    monkeypatch.setattr(ModelSource, "path", lambda self: tmp_path / "weights")
    with pytest.raises(UnreadableNetwork):
        prepare(ModelSource("broken", "anything", "weights", to_onnx, _digest(b"half a file")), tmp_path / "made")
    assert list((tmp_path / "made").iterdir()) == []


def test_missing_weights_mean_that_the_engine_is_down_and_nobody_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = ModelSource("absent", "no_such_package", "weights", to_onnx, "")
    with pytest.raises(ModelsMissing):
        absent.path()
    monkeypatch.setattr(models, "WIDE_DETECTOR", absent)
    with pytest.raises(EngineDown, match="not installed"):
        Engine(tmp_path)


@pytest.mark.parametrize("source", models.SOURCES, ids=lambda s: s.name)
def test_a_cut_or_foreign_network_file_is_refused(source: ModelSource) -> None:
    whole = source.path().read_bytes()
    for data in (b"", b"x" * 200, whole[:100], whole[: len(whole) // 3]):
        with pytest.raises(ValueError):
            source.translate(data)


def test_an_output_that_a_network_does_not_have_is_named() -> None:
    data = models.NEAR_DETECTOR.path().read_bytes()
    with pytest.raises(tflite.UnsupportedNetwork, match="nowhere"):
        tflite.to_onnx(data, {"nowhere": "x"})


def test_a_network_with_a_layer_missing_or_of_another_shape_is_refused() -> None:
    network = onnx.load_model_from_string(models.DESCRIPTOR.path().read_bytes())
    chain = [node for node in network.graph.node if node.op_type == "PRelu"]
    network.graph.node.remove(chain[0])
    with pytest.raises(UnreadableNetwork, match="another chain"):
        to_onnx(network.SerializeToString())
    network = onnx.load_model_from_string(models.DESCRIPTOR.path().read_bytes())
    (scales,) = (each for each in network.graph.initializer if each.name == "pre_fc1_weight_scales")
    network.graph.initializer.remove(scales)
    with pytest.raises(UnreadableNetwork, match="pre_fc1_weight_scales"):
        to_onnx(network.SerializeToString())
