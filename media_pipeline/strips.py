"""A movement as one picture: its moments row by row, as the page sends them and as people look at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from media_pipeline.frames import Pixels

LEAST_SIDE = 160
"""Pixels of a moment's shorter side: less shows no eyelid."""
_ROUNDING = 12
"""Pixels that may be left over: a page rounds, and what was shrunk to be opened is rounded again."""


class NoStrip(ValueError):
    """The picture is no strip of so many moments."""


def layout(wide: bool) -> tuple[int, int]:
    """Columns and rows: three to a row of moments wider than high, four to a row of others. Either is nearly square."""
    return (3, 4) if wide else (4, 3)


def cut(picture: Pixels, count: int, *, wide: bool) -> list[Pixels]:
    """The first ``count`` moments of a strip, in their order. ``wide``: as the camera's single frames are.

    Raises NoStrip.
    """
    height, width = picture.shape[:2]
    columns, rows = layout(wide)
    across, down = width // columns, height // rows
    if not 0 < count <= columns * rows or min(across, down) < LEAST_SIDE or (across >= down) != wide:
        raise NoStrip(f"{width}x{height} is no strip of {count}")
    if max(width - across * columns, height - down * rows) > _ROUNDING:
        raise NoStrip(f"{width}x{height} is no strip of {count}")
    found = []
    for place in range(count):
        left, top = place % columns * across, place // columns * down
        found.append(np.ascontiguousarray(picture[top : top + down, left : left + across]))
    return found


def lay(moments: Sequence[Pixels]) -> Pixels:
    """The strip of these moments, all of one size, as the page lays it."""
    height, width = moments[0].shape[:2]
    columns, rows = layout(width >= height)
    strip = np.zeros((rows * height, columns * width, 3), np.uint8)
    for place, moment in enumerate(moments):
        left, top = place % columns * width, place // columns * height
        strip[top : top + height, left : left + width] = moment
    return strip
