"""How often a replay passes a check by chance, its movements being drawn anew each time.

    python -m bench.replays            from the rule that draws them
    python -m bench.replays FOLDER     and from films in a folder, of people whom nobody asked for anything

The folder's films leave no trace: what is read of them is held in memory, and shares are printed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from bench.row import Row
from media_pipeline import motion
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels, decode
from media_pipeline.verdict import Prompt
from xueji.proctoring.rules import PROMPTS, may_be_asked, prompts_of

Number = TypeVar("Number", float, Fraction)

PLANNED = 2
"""Movements in the presets' plans; one answer shows more (see ``draw_prompts``)."""
ANSWERS = 3
"""That a check may be answered with: the first and two more tries."""
STRIPS = 6
"""Taken from each film, at random."""
MOMENT_SIZE = (426, 320)
MOMENTS_MS = (-450, -200, 60, 180, 310, 450, 640, 880, 1200, 1700, 2400, 3200)
LEAST_SECONDS = 3.9


@cache
def rows(planned: int = PLANNED, *, failed: bool = False) -> tuple[tuple[str, ...], ...]:
    """Every row of movements that one answer may be asked for, each as likely as any other."""
    every = product(PROMPTS, repeat=prompts_of(planned, failed=failed))
    return tuple(row for row in every if may_be_asked(row))


def chance(length: int, planned: int = PLANNED, *, failed: bool = False) -> Fraction:
    """That a check asks for just what a film of ``length`` movements shows from its beginning.

    For whoever plays it without knowing what is asked: the judge takes each movement for the one asked and no other.
    """
    possible = rows(planned, failed=failed)
    return Fraction(1, len(possible)) if len(possible[0]) <= length else Fraction(0)


def within(first: Number, later: Number, answers: int = ANSWERS) -> Number:
    """That one of ``answers`` passes, each by another film: one that was shown is known again."""
    return 1 - (1 - first) * (1 - later) ** (answers - 1)


def by_the_rule() -> list[Row]:
    first, later = chance(4), chance(4, failed=True)
    return [
        Row("a film of enough movements, prompts unknown, first answer", 100 * float(first), "%"),
        Row("the same, an answer after one that did not do", 100 * float(later), "%"),
        Row(f"another film each time, in {ANSWERS} answers", 100 * float(within(first, later)), "%"),
    ]


def by_accident(answered: Mapping[Prompt, float], planned: int = PLANNED, *, failed: bool = False) -> float:
    """That a film passes whose strips, taken anywhere, answer each prompt so often (0..1)."""
    possible = rows(planned, failed=failed)
    return sum(prod(answered[Prompt(prompt)] for prompt in row) for row in possible) / len(possible)


def of_films(folder: Path) -> Iterator[Row]:
    """What the films of ``folder`` answer that were not made for it."""
    random = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as models:
        engine = Engine(Path(models))
        films = [found for path in sorted(folder.iterdir()) if (found := _answered(engine, path, random)) is not None]
    if not films:
        return
    yield Row("films long enough", len(films), "")
    for prompt in Prompt:
        yield Row(f"strips that answer {prompt.value}", 100 * float(np.mean([film[prompt] for film in films])), "%")
    once = [by_accident(film) for film in films]
    yield Row("prompts unknown, once", 100 * float(np.mean(once)), "%")
    yield Row("the same, the liveliest film", 100 * max(once), "%")
    thrice = [within(first, by_accident(film, failed=True)) for first, film in zip(once, films, strict=True)]
    yield Row(f"prompts unknown, in {ANSWERS} answers", 100 * float(np.mean(thrice)), "%")


def _answered(engine: Engine, path: Path, random: np.random.Generator) -> dict[Prompt, float] | None:
    """For each prompt the share of strips that would answer it; None for what is no film of four seconds."""
    pictures, rate = _pictures(path)
    seconds = len(pictures) / max(rate, 1.0)
    if seconds < LEAST_SECONDS:
        return None
    found: dict[Prompt, list[bool]] = {prompt: [] for prompt in Prompt}
    for _ in range(STRIPS):
        begun = 0.5 + float(random.uniform(0, seconds - LEAST_SECONDS + 0.1))
        places = [min(len(pictures) - 1, int((begun + ms / 1000) * rate)) for ms in MOMENTS_MS]
        read = motion.read(engine, Prompt.BLINK, [_as_sent(pictures[place]) for place in places])
        for prompt in Prompt:
            found[prompt].append(_passes(replace(read, prompt=prompt)))
    return {prompt: float(np.mean(each)) for prompt, each in found.items()}


def _passes(movement: motion.Movement) -> bool:
    rest = motion.neutral([movement], [])
    return rest is not None and not motion.doubts([movement], [])


def _pictures(path: Path) -> tuple[Sequence[Pixels], float]:
    """All pictures of a film as large as a strip's moments, and how many a second."""
    film = cv2.VideoCapture(str(path))
    rate = float(film.get(cv2.CAP_PROP_FPS))
    pictures: list[Pixels] = []
    while True:
        read, picture = film.read()
        if not read:
            return pictures, rate
        height, width = picture.shape[:2]
        scale = min(MOMENT_SIZE[0] / width, MOMENT_SIZE[1] / height)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        moment = np.full((MOMENT_SIZE[1], MOMENT_SIZE[0], 3), 120, np.uint8)
        left = (MOMENT_SIZE[0] - small.shape[1]) // 2
        moment[: small.shape[0], left : left + small.shape[1]] = small
        pictures.append(moment)


def _as_sent(moment: Pixels) -> Pixels:
    return decode(cv2.imencode(".jpg", moment, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())


def main() -> None:
    rows = by_the_rule()
    if len(sys.argv) > 1:
        rows += of_films(Path(sys.argv[1]))
    for row in rows:
        print(f"{row.name:60} {row.value:8.3g} {row.unit}")


if __name__ == "__main__":
    main()
