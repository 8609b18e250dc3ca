"""What a replay passes at: the chance that the rule leaves it, and that the judge leaves it no more than that."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from support.faces import Puppet
from support.motion import Living, answer
from support.proposals import preset

from bench import replays
from media_pipeline.descriptors import Descriptor
from media_pipeline.engine import Engine
from media_pipeline.judge import judge
from media_pipeline.verdict import FaceOutcome, Prompt, SignalCode, Verdict
from xueji.proctoring.rules import draw_prompts


def test_the_chance_of_a_film_is_what_the_rule_leaves_it() -> None:
    first, later = replays.chance(4), replays.chance(4, failed=True)
    assert (first, later) == (Fraction(1, 138), Fraction(1, 738))
    assert replays.chance(2) == replays.chance(3, failed=True) == 0, "it is over before all was asked"
    assert replays.within(first, later) == 1 - Fraction(137, 138) * Fraction(737, 738) ** 2 < Fraction(1, 100)
    # Nobody could tell beforehand what is asked if the draws were not as even as this.
    random, film = Random(4), ("blink", "turn_left", "open_mouth")
    drawn = Counter(draw_prompts(random, replace(preset(), prompts=2)) for _ in range(40_000))
    assert drawn[film] / 40_000 == pytest.approx(float(replays.chance(3)), abs=0.002)


def test_the_page_of_figures_says_these_chances() -> None:
    said = {f"{row.value:.2f} %" for row in replays.by_the_rule()}
    page = Path(__file__).parents[2].joinpath("docs/faces.md").read_text("utf-8")
    assert said == {"0.72 %", "0.14 %", "0.99 %"}
    assert all(each in page for each in said)


def test_a_film_passes_for_its_own_movements_and_no_others_and_once(
    engine: Engine, person: Puppet, reference: Descriptor
) -> None:
    shown = (Prompt.TURN_LEFT, Prompt.BLINK)
    film = answer(Living(person, seed=6), shown, seed=6)

    def ask(prompts: tuple[Prompt, ...], **more: object) -> FaceOutcome:
        verdict = judge(
            film.frames,
            references=[reference],
            prompts=prompts,
            movements=film.movements,
            engine=engine,
            **more,  # type: ignore[arg-type]
        )
        seen.append(verdict)
        return verdict.outcome

    seen: list[Verdict] = []
    passed = [prompts for prompts in permutations(Prompt, 2) if ask(prompts) is FaceOutcome.MATCH]
    assert passed == [shown]
    # What was shown for another question is known when its own comes.
    assert ask(shown, earlier=seen[1].pictures) is FaceOutcome.UNCLEAR
    assert seen[-1].has(SignalCode.REPLAY)
