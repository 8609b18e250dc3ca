"""Figures on a screen add up to the second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.rulebook.whole_seconds import whole_seconds


@pytest.mark.parametrize(
    ("amounts_ms", "shown"),
    [
        ((22_600, 217_400), (22, 218)),
        ((22_000, 34_000, 184_000), (22, 34, 184)),
        ((999, 999, 2), (0, 1, 1)),
        ((0, 0), (0, 0)),
        ((), ()),
    ],
)
def test_each_figure_ends_where_the_sum_so_far_ends(amounts_ms: tuple[int, ...], shown: tuple[int, ...]) -> None:
    assert whole_seconds(*amounts_ms) == shown


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=6))
def test_whole_seconds_add_up_and_what_counts_is_never_shown_larger(amounts_ms: list[int]) -> None:
    shown = whole_seconds(*amounts_ms)
    assert sum(shown) == sum(amounts_ms) // 1000
    assert shown[0] == amounts_ms[0] // 1000
    assert all(abs(seconds * 1000 - ms) < 1000 for seconds, ms in zip(shown, amounts_ms, strict=True))
