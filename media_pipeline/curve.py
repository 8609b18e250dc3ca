"""The curves of a calibration report as a picture: who is refused and who passes at each distance, by group."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.evaluate import Distances
from media_pipeline.frames import Pixels

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _MARGIN = 1100, 640, 90, 70, 50
_FROM, _TO = 0.2, 0.75
_LEAST = 1e-5
_COLOURS = ((40, 40, 40), (180, 80, 20), (20, 120, 20), (20, 20, 190), (150, 20, 150), (0, 130, 200), (130, 130, 0))
_GREY, _LINE = (215, 215, 215), (120, 120, 120)


def draw(curves: Mapping[str, Distances], threshold: float) -> Pixels:
    """True pairs refused (thin) and strangers accepted (thick) against the distance, on a logarithmic scale.

    ``curves`` by name, "" being everybody; ``threshold`` is drawn as a line.
    """
    picture = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    _draw_axes(picture)
    _vertical(picture, threshold, _LINE, 2)
    for place, (name, measured) in enumerate(curves.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        limits = np.linspace(_FROM, _TO, 400)
        same, different = np.sort(np.asarray(measured.same)), np.sort(np.asarray(measured.different))
        if same.size:
            _trace(picture, limits, 1 - np.searchsorted(same, limits, side="right") / same.size, colour, 1)
        if different.size:
            _trace(picture, limits, np.searchsorted(different, limits, side="right") / different.size, colour, 3)
        words = f"{name or 'all'}: {same.size} true pairs, {different.size} of strangers"
        _write(picture, words, (_LEFT + 20, _MARGIN + 24 + 24 * place), colour)
    _write(
        picture, "distance; thin: true pairs refused, thick: strangers accepted", (_LEFT, _HEIGHT - 16), (40, 40, 40)
    )
    return picture


def _place(limit: float, share: float) -> tuple[int, int]:
    x = _LEFT + (limit - _FROM) / (_TO - _FROM) * (_WIDTH - _LEFT - _MARGIN)
    depth = math.log10(max(share, _LEAST)) / math.log10(_LEAST)
    return round(x), round(_MARGIN + depth * (_HEIGHT - _BOTTOM - _MARGIN))


def _draw_axes(picture: Pixels) -> None:
    for power in range(6):
        x, y = _place(_FROM, 10.0**-power)
        cv2.line(picture, (x, y), (_WIDTH - _MARGIN, y), _GREY, 1)
        _write(picture, f"{100 * 10.0**-power:g} %", (8, y + 5), (40, 40, 40))
    for tenth in range(math.ceil(_FROM * 20), math.floor(_TO * 20) + 1):
        _vertical(picture, tenth / 20, _GREY, 1)
        x, _ = _place(tenth / 20, 1)
        _write(picture, f"{tenth / 20:.2f}", (x - 18, _HEIGHT - _BOTTOM + 22), (40, 40, 40))


def _vertical(picture: Pixels, limit: float, colour: tuple[int, int, int], width: int) -> None:
    x, top = _place(limit, 1)
    cv2.line(picture, (x, top), (x, _HEIGHT - _BOTTOM), colour, width)


def _trace(
    picture: Pixels, limits: NDArray[np.float64], shares: NDArray[np.float64], colour: tuple[int, int, int], width: int
) -> None:
    """Only where anything was seen: below one of all there is nothing to draw."""
    places = [_place(limit, share) for limit, share in zip(limits, shares, strict=True) if share > 0]
    cv2.polylines(picture, [np.array(places, np.int32).reshape(-1, 1, 2)], False, colour, width, cv2.LINE_AA)


def _write(picture: Pixels, words: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(picture, words, at, colour, cv2.FontFace("sans"), 16)
