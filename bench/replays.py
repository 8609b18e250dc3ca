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
from itertools import permutations
from math import perm, prod
from pathlib import Path

import cv2
import numpy as np

from bench.row import Row
from media_pipeline import motion
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels, decode
from media_pipeline.verdict import Prompt
from xueji.proctoring.rules import ONE_MORE, PROMPTS

ASKED = 2
"""Movements that the presets' plans ask for; sometimes one more (``ONE_MORE``)."""
ANSWERS = 3
"""That a check may be answered with: the first and two more tries."""
STRIPS = 6
"""Taken from each film, at random."""
MOMENT_SIZE = (426, 320)
MOMENTS_MS = (-450, -200, 60, 180, 310, 450, 640, 880, 1200, 1700, 2400, 3200)
LEAST_SECONDS = 3.9


def counts(asked: int = ASKED) -> dict[int, Fraction]:
    """How many movements one check asks for, and how often."""
    more = Fraction(ONE_MORE).limit_denominator(100) if asked < len(PROMPTS) else Fraction(0)
    return {asked: 1 - more, asked + 1: more} if more else {asked: Fraction(1)}


def chance(length: int, asked: int = ASKED) -> Fraction:
    """That a check asks for just what a film of ``length`` different movements shows from its beginning.

    For whoever plays it without knowing what is asked: the judge takes each movement for the one asked and no other.
    """
    return sum((share / perm(len(PROMPTS), n) for n, share in counts(asked).items() if n <= length), Fraction(0))


def within(once: Fraction, answers: int = ANSWERS) -> Fraction:
    """That at least one of ``answers`` passes, each by another film: one that was shown is known again."""
    return 1 - (1 - once) ** answers


def by_the_rule() -> list[Row]:
    rows = []
    for length in (2, 3):
        once = chance(length)
        rows.append(Row(f"a film of {length} movements, prompts unknown, once", 100 * float(once), "%"))
        rows.append(Row(f"another film of {length} each time, in {ANSWERS} answers", 100 * float(within(once)), "%"))
    return rows


def by_accident(answered: Mapping[Prompt, float], asked: int = ASKED) -> float:
    """That a film passes whose strips, taken anywhere, answer each prompt so often (0..1)."""
    found = 0.0
    for count, share in counts(asked).items():
        passes = [prod(answered[prompt] for prompt in drawn) for drawn in permutations(Prompt, count)]
        found += float(share) * sum(passes) / len(passes)
    return found


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
    thrice = [1 - (1 - each) ** ANSWERS for each in once]
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
