"""Descriptors are stored, compared and searched without losing anything."""

from __future__ import annotations

import numpy as np
import pytest

from media_pipeline.descriptors import compare, from_bytes, halved, nearest, to_bytes, to_micro


def some(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=128)
    return np.asarray(values / np.linalg.norm(values), np.float32)


def test_bytes_bring_the_same_descriptor_back() -> None:
    data = to_bytes(some(1))
    assert len(data) == 512
    assert np.array_equal(from_bytes(data), some(1))


@pytest.mark.parametrize(
    "data", [b"", b"x" * 511, np.full(128, np.nan, "<f4").tobytes(), np.full(128, np.inf, "<f4").tobytes()]
)
def test_bytes_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(data)


def test_a_descriptor_has_half_a_unit_s_length_and_opposites_are_one_apart() -> None:
    values = 37 * some(2)
    assert np.linalg.norm(halved(values)) == pytest.approx(0.5)
    assert compare(halved(values), halved(-values)) == pytest.approx(1)
    assert compare(halved(values), halved(5 * values)) < 1e-7
    assert np.isfinite(halved(np.zeros(128, np.float32))).all()


def test_a_distance_is_stored_in_millionths() -> None:
    assert to_micro(0.4321) == 432_100


def test_the_nearest_are_found_in_order_and_up_to_the_limit() -> None:
    wanted = some(10)
    others = np.stack([some(seed) for seed in range(100, 400)])
    for row, share in ((7, 0.2), (250, 0.05), (31, 0.4)):
        others[row] = wanted + share * some(row)
    hits = nearest(wanted, others, within_micro=300_000)
    assert [hit.row for hit in hits] == [250, 7]
    assert [hit.distance_micro for hit in hits] == [pytest.approx(50_000, abs=5), pytest.approx(200_000, abs=5)]
    assert len(nearest(wanted, others, within_micro=2_000_000, limit=5)) == 5
    assert nearest(wanted, np.empty((0, 128), np.float32), within_micro=500_000) == []


def test_the_limit_itself_is_within() -> None:
    other = np.zeros(128, np.float32)
    other[0] = 0.5
    assert len(nearest(np.zeros(128, np.float32), other[None], within_micro=500_000)) == 1
    assert nearest(np.zeros(128, np.float32), other[None], within_micro=499_999) == []
