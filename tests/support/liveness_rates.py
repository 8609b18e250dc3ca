"""How often each attack that can be drawn passes, and whoever follows: ``python -m support.liveness_rates 20``.

One free portrait, turned and bent in memory, is everybody here: it shows what the rules let pass, and nothing of how
real people move. The movements are drawn as a check draws them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
from support.faces import Puppet, camera_frames, encode_jpeg, make_puppet, portrait
from support.motion import Answer, Filmed, Living, Printed, answer, at_once, bent, ends_only, painted
from support.proposals import preset

from bench.replays import ANSWERS
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels, decode
from media_pipeline.judge import judge
from media_pipeline.strips import cut, lay
from media_pipeline.verdict import FaceOutcome, PictureHash, Prompt
from xueji.proctoring.rules import draw_prompts

CHECKS = 20
"""Of each kind, unless the command says otherwise."""
PLAN = replace(preset(), prompts=2)
Prompts = tuple[Prompt, ...]
Sent = tuple[Answer, Sequence[PictureHash]]
"""What is sent for a check, and the pictures that were sent before it."""
Attack = Callable[[Prompts, int], Sent]


def attacks(person: Puppet, judged: Callable[[Answer, Prompts], Sequence[PictureHash]]) -> dict[str, Attack]:
    def scene(make: Callable[[int], object]) -> Attack:
        return lambda prompts, seed: (answer(make(seed), prompts, seed=seed), ())  # type: ignore[arg-type]

    def again(change: Callable[[Pixels], Pixels]) -> Attack:
        """Her own answer to the same question, each moment changed, beside fresh frames."""

        def sent(prompts: Prompts, seed: int) -> Sent:
            first = answer(Living(person, seed=seed), prompts, seed=seed)
            strips = []
            for strip in first.movements:
                moments = [change(each) for each in cut(decode(strip.data), len(strip.moments_ms), wide=True)]
                strips.append(replace(strip, data=encode_jpeg(lay(moments), 75)))
            fresh = answer(Living(person, seed=seed + 500), (), seed=seed + 500).frames
            return Answer(fresh, strips), judged(first, prompts)

        return sent

    def cropped(picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        return np.asarray(cv2.resize(picture[10:-10, 13:-13], (width, height)), np.uint8)

    def other(prompts: Prompts, seed: int) -> Sent:
        """A film of one check, played at another."""
        shown = tuple(map(Prompt, draw_prompts(Random(seed + 900), PLAN)))
        film = answer(Living(person, seed=seed), shown, seed=seed)
        fill = answer(Living(person, seed=seed), (None,) * len(prompts), seed=seed).movements  # type: ignore[arg-type]
        return Answer(film.frames, [*film.movements, *fill][: len(prompts)]), ()

    return {
        "whoever follows": scene(lambda seed: Living(person, seed=seed)),
        "a print carried about": scene(lambda seed: Printed(person.picture, {}, seed=seed)),
        "a stack of prints, one for each movement": scene(
            lambda seed: Printed(person.picture, ends_only(bent(person)), seed=seed)
        ),
        "paint on a print": scene(lambda seed: Printed(person.picture, painted(person), growth_s=0.6, seed=seed)),
        "one photograph, bent": scene(lambda seed: Printed(person.picture, bent(person), growth_s=0.6, seed=seed)),
        "a film of her at rest, painted over": scene(lambda seed: Filmed(Living(person, seed=seed), painted(person))),
        "a film of another check": other,
        "a film of everything at once": scene(lambda seed: at_once(Living(person, seed=seed), 26.0)),
        "her own answer, encoded again": again(lambda picture: picture),
        "her own answer, shifted": again(lambda picture: np.roll(picture, (4, 5), axis=(0, 1))),
        "her own answer, cropped": again(cropped),
        "whoever follows slowly (2.8 s)": scene(lambda seed: Living(person, growth_s=2.8, seed=seed)),
        "whoever follows, half as far": scene(lambda seed: Living(person, far=0.6, seed=seed)),
    }


def main() -> None:
    checks = int(sys.argv[1]) if len(sys.argv) > 1 else CHECKS
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        person = make_puppet(engine, portrait())
        picture = decode(camera_frames([person.picture], seed=99)[0])
        reference = engine.describe(picture, engine.find_faces(picture)[0])

        def ask(sent: Answer, prompts: Prompts, earlier: Sequence[PictureHash] = ()) -> tuple[bool, list[PictureHash]]:
            verdict = judge(
                sent.frames,
                references=[reference],
                prompts=prompts,
                movements=sent.movements,
                earlier=earlier,
                engine=engine,
            )
            return verdict.outcome is FaceOutcome.MATCH, list(verdict.pictures)

        for name, attack in attacks(person, lambda sent, prompts: ask(sent, prompts)[1]).items():
            random, passed = Random(7), 0
            for seed in range(checks):
                prompts = tuple(map(Prompt, draw_prompts(random, PLAN)))
                sent, earlier = attack(prompts, seed)
                passed += ask(sent, prompts, earlier)[0]
            share = passed / checks
            print(f"{name:44} {passed:3} of {checks}; in {ANSWERS} answers {100 * (1 - (1 - share) ** ANSWERS):5.1f} %")


if __name__ == "__main__":
    main()
