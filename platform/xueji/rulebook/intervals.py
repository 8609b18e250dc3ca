"""Arithmetic on half-open intervals of whole milliseconds: the one place where spans are joined and cut.

An interval is a pair ``(start, end)`` with ``start < end``; it covers start, start + 1, …, end − 1.
A *union* is a list of intervals sorted by start in which no two touch; every function here but `union` expects
unions and returns one, in time linear in the number of intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Tuple

Interval = Tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same milliseconds, each once: sorted, with overlapping and touching intervals joined; empty ones vanish."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def subtract(whole: Sequence[Interval], removed: Sequence[Interval]) -> list[Interval]:
    """What of the union `whole` the union `removed` leaves."""
    left: list[Interval] = []
    index = 0
    for start, end in whole:
        while index < len(removed) and removed[index][1] <= start:
            index += 1
        at = index
        while at < len(removed) and removed[at][0] < end:
            cut_start, cut_end = removed[at]
            if cut_start > start:
                left.append((start, cut_start))
            start = max(start, cut_end)
            at += 1
        if start < end:
            left.append((start, end))
    return left


def intersect(first: Sequence[Interval], second: Sequence[Interval]) -> list[Interval]:
    """The milliseconds that both unions cover."""
    common: list[Interval] = []
    i = j = 0
    while i < len(first) and j < len(second):
        start = max(first[i][0], second[j][0])
        end = min(first[i][1], second[j][1])
        if start < end:
            common.append((start, end))
        if first[i][1] <= second[j][1]:
            i += 1
        else:
            j += 1
    return common


def length(intervals: Iterable[Interval]) -> int:
    """How many milliseconds the intervals hold together; overlapping ones are counted as often as they come."""
    return sum(end - start for start, end in intervals)
