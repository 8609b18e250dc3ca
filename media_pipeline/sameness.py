"""Do the frames of one burst show one and the same person: told from the frames alone, without any reference."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from media_pipeline.descriptors import Descriptor, compare, to_micro

SAME_MICRO = 450_000
"""Micro-units: frames of one person within seconds lie nearer to the burst's middle, strangers hardly ever do."""


def distances_to_middle(burst: Sequence[Descriptor]) -> list[int]:
    """How far each frame lies from the burst's middle frame, the one nearest to all others; in micro-units."""
    if not burst:
        return []
    apart = [[to_micro(compare(one, other)) for other in burst] for one in burst]
    middle = min(range(len(burst)), key=lambda index: statistics.median(apart[index]))
    return apart[middle]
