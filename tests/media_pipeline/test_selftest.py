"""What the doctor is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_pipeline import models
from media_pipeline.models import ModelSource
from media_pipeline.selftest import self_test
from media_pipeline.sface import to_onnx


def test_a_healthy_machine_works(models_folder: Path) -> None:
    findings = self_test(models_folder)
    assert [finding.name for finding in findings] == ["frames", "faces", "film"]
    assert all(finding.works for finding in findings), findings


def test_a_fault_is_a_finding_with_a_reason(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "FACE_MESH", ModelSource("absent", "no_such_package", "weights", to_onnx, ""))
    faces = self_test(models_folder)[1]
    assert not faces.works
    assert "no_such_package" in faces.detail
