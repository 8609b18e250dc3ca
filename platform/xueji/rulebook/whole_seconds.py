"""Amounts of time as people read them: whole seconds that add up."""

from __future__ import annotations


def whole_seconds(*amounts_ms: int) -> tuple[int, ...]:
    """Each amount (ms) in whole seconds, so that together they are their sum's whole seconds.

    Cut one by one, 0:22.6 and 3:37.4 would read as 0:22 and 3:37 of 4:00. So each figure ends where the sum so far
    ends. The first is cut, never rounded up: name what counts first, and it is never shown larger than it is.
    """
    shown: list[int] = []
    sum_ms = 0
    for amount_ms in amounts_ms:
        before = sum_ms // 1_000
        sum_ms += amount_ms
        shown.append(sum_ms // 1_000 - before)
    return tuple(shown)
