"""What a living face does and what prints, paint and bent photographs do not: each attack is carried out here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.faces import Puppet, add_person, camera_frames, encode_jpeg, make_puppet
from support.motion import Answer, Filmed, Living, Printed, answer, at_once, bent, ends_only, painted

from media_pipeline.descriptors import Descriptor
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels, decode
from media_pipeline.judge import FaceJudge
from media_pipeline.motion import one_picture
from media_pipeline.stills import Cut, cut_out
from media_pipeline.strips import NoStrip, cut, lay
from media_pipeline.verdict import FaceOutcome, PictureHash, Prompt, SignalCode, Strip, Verdict

PAIRS = [
    (Prompt.TURN_LEFT, Prompt.BLINK),
    (Prompt.OPEN_MOUTH, Prompt.TURN_RIGHT),
    (Prompt.TILT_LEFT, Prompt.TILT_RIGHT),
]
Ask = Callable[..., Verdict]


@pytest.fixture(scope="module")
def ask(engine: Engine, reference: Descriptor) -> Ask:
    def ask(given: Answer, prompts: tuple[Prompt, ...], **more: object) -> Verdict:
        return FaceJudge(engine).judge(
            given.frames,
            references=[reference],
            prompts=prompts,
            movements=given.movements,
            **more,  # type: ignore[arg-type]
        )

    return ask


@pytest.fixture(scope="module")
def lively(person: Puppet) -> dict[tuple[Prompt, ...], Answer]:
    """What she sends when she follows, asked once for all tests that look at it or take something from it."""
    return {pair: answer(Living(person, seed=number), pair, seed=number) for number, pair in enumerate(PAIRS)}


def codes(verdict: Verdict) -> set[SignalCode]:
    return {signal.code for signal in verdict.signals}


@pytest.mark.parametrize("prompts", PAIRS)
def test_whoever_follows_is_believed(
    ask: Ask, lively: dict[tuple[Prompt, ...], Answer], prompts: tuple[Prompt, ...]
) -> None:
    verdict = ask(lively[prompts], prompts)
    assert verdict.outcome is FaceOutcome.MATCH, verdict.signals


def test_three_seconds_for_a_movement_and_ten_pictures_a_second_are_enough(ask: Ask, person: Puppet) -> None:
    for number, prompts in enumerate(PAIRS, 3):
        slow = answer(Living(person, growth_s=2.8, seed=number), prompts, rate=10, seed=number)
        verdict = ask(slow, prompts)
        assert verdict.outcome is FaceOutcome.MATCH, verdict.signals


def test_a_mouth_need_not_open_wide(ask: Ask, person: Puppet) -> None:
    for seed in range(3):
        prompts = (Prompt.OPEN_MOUTH,)
        verdict = ask(answer(Living(person, far=0.5, seed=seed), prompts, seed=seed), prompts)
        assert verdict.outcome is FaceOutcome.MATCH, verdict.signals


def test_another_movement_than_the_one_asked_for_is_no_answer(
    ask: Ask, lively: dict[tuple[Prompt, ...], Answer]
) -> None:
    made = lively[PAIRS[0]]
    for asked in (PAIRS[0][::-1], PAIRS[1], (Prompt.TURN_RIGHT, Prompt.OPEN_MOUTH), PAIRS[2]):
        verdict = ask(made, asked)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.PROMPT_UNANSWERED in codes(verdict)


@pytest.mark.parametrize(
    ("turn", "tilt", "answered"),
    [(0, 0, Prompt.OPEN_MOUTH), (26, 0, Prompt.TURN_LEFT), (0, -22, Prompt.TILT_RIGHT), (26, 14, Prompt.TURN_LEFT)],
)
def test_whoever_does_everything_at_once_answers_one_prompt_at_most(
    ask: Ask, person: Puppet, turn: float, tilt: float, answered: Prompt
) -> None:
    """Else one film of that would answer most checks."""
    film = answer(at_once(Living(person, seed=3), turn, tilt), (Prompt.BLINK,), seed=3)
    passed = [prompt for prompt in Prompt if ask(film, (prompt,)).outcome is FaceOutcome.MATCH]
    assert passed == [answered]


@pytest.mark.parametrize("pair", [(Prompt.TURN_LEFT, Prompt.TURN_RIGHT), (Prompt.TILT_LEFT, Prompt.TURN_RIGHT)])
def test_two_movements_one_after_the_other_answer_none(ask: Ask, person: Puppet, pair: tuple[Prompt, Prompt]) -> None:
    """A film in which she shakes her head answers neither of the two turns."""
    living = Living(person, seed=3)

    def shakes(time: float, prompt: Prompt | None, since: float) -> Pixels:
        if prompt is None or since < 0:
            return living(time, None, -1.0)
        way, back = (min(since, 0.6), 1.2 - since) if since < 1.2 else (min(since - 1.2, 0.6), 2.4 - since)
        return living(time, pair[since >= 1.2], max(0.0, min(way, back)))

    film = answer(shakes, (Prompt.BLINK,), seed=3)
    assert [prompt for prompt in Prompt if ask(film, (prompt,)).outcome is FaceOutcome.MATCH] == []


def test_whoever_sits_quite_still_is_in_another_place_once_she_moved_her_head(engine: Engine, person: Puppet) -> None:
    """Even if that was before the last movement alone; what never is, is one picture."""

    def cut_of(picture: Pixels, seed: int) -> Cut:
        taken = decode(camera_frames([picture], noise=2.0, seed=seed)[0])
        (face,) = engine.find_faces(taken)
        return cut_out(taken, engine.locate_mesh(taken, face))

    still = [cut_of(person.picture, seed) for seed in range(5)]
    moved = cut_of(person.posed(3, -2, (5, 3)), 5)
    for steps in (3, 4):
        rests = [[each] for each in still[2 : 1 + steps]]
        found = one_picture([still[:2], *rests, [moved]])
        assert found is not None and found > 0.01
        copies = one_picture([still[:2], *rests, [cut_of(person.picture, 6)]])
        assert copies is not None and copies < 0.004


class TestPrints:
    def test_a_print_that_is_carried_about_answers_nothing(self, ask: Ask, person: Puppet) -> None:
        for number, prompts in enumerate(PAIRS):
            verdict = ask(answer(Printed(person.picture, {}, seed=number), prompts, seed=number), prompts)
            assert verdict.outcome is FaceOutcome.UNCLEAR
            assert {SignalCode.PROMPT_UNANSWERED, SignalCode.ONE_PICTURE} <= codes(verdict)

    @pytest.mark.parametrize("growth_s", [0.0, 0.6])
    @pytest.mark.parametrize("prompts", PAIRS)
    def test_one_photograph_bent_after_a_mesh_is_one_picture_all_the_same(
        self, ask: Ask, person: Puppet, prompts: tuple[Prompt, ...], growth_s: float
    ) -> None:
        acts = bent(person) if growth_s else ends_only(bent(person))
        verdict = ask(answer(Printed(person.picture, acts, growth_s=growth_s), prompts), prompts)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.ONE_PICTURE in codes(verdict)

    def test_a_stack_of_prints_has_no_way_between_them(self, ask: Ask, person: Puppet) -> None:
        """Even where each was taken of her alive at another time, so that none is a copy of another."""
        prompts, living = (Prompt.TURN_LEFT, Prompt.TURN_RIGHT), Living(person, seed=4)
        ends = {prompt: living(20.0 + place, prompt, 5.0) for place, prompt in enumerate(prompts)}

        def stack(time: float, prompt: Prompt | None, since: float) -> Pixels:
            return ends[prompt] if prompt is not None and since > 0 else living(time, None, -1.0)

        verdict = ask(answer(stack, prompts), prompts)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.MOVEMENT_BROKEN in codes(verdict)

    @pytest.mark.parametrize("growth_s", [0.0, 0.6])
    def test_paint_on_lids_and_lips_is_one_picture_too(self, ask: Ask, person: Puppet, growth_s: float) -> None:
        prompts = (Prompt.BLINK, Prompt.OPEN_MOUTH)
        acts = painted(person) if growth_s else ends_only(painted(person))
        verdict = ask(answer(Printed(person.picture, acts, growth_s=growth_s), prompts), prompts)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.ONE_PICTURE in codes(verdict)

    @pytest.mark.parametrize("seed", range(3))
    def test_a_dot_on_the_mouth_of_a_film_moves_no_chin(self, ask: Ask, person: Puppet, seed: int) -> None:
        """A film is alive in everything else, and the dot carries the mesh's own chin down with it."""
        prompts = (Prompt.OPEN_MOUTH,)
        film = Filmed(Living(person, seed=seed), painted(person))
        verdict = ask(answer(film, prompts, seed=seed), prompts)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert codes(verdict) == {SignalCode.PROMPT_UNANSWERED}

    def test_a_stranger_who_moves_beside_a_print_of_her_is_another_face(
        self, ask: Ask, engine: Engine, person: Puppet, stranger: Pixels
    ) -> None:
        prompts = (Prompt.BLINK, Prompt.TURN_LEFT)
        hers, his = Living(person, seed=1), Living(make_puppet(engine, stranger), seed=2)

        def both(time: float, prompt: Prompt | None, since: float) -> Pixels:
            return hers(time, None, -1.0) if prompt is None else his(time, prompt, since)

        verdict = ask(answer(both, prompts), prompts)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.FACE_CHANGED in codes(verdict)


class TestReplay:
    def changed(self, given: Answer, change: Callable[[Pixels], Pixels]) -> list[Strip]:
        """Her own strips, each moment changed by itself."""
        changed = []
        for strip in given.movements:
            moments = [change(moment) for moment in cut(decode(strip.data), len(strip.moments_ms), wide=True)]
            changed.append(replace(strip, data=encode_jpeg(lay(moments), 75)))
        return changed

    @pytest.mark.parametrize(
        ("change", "prompts"),
        [
            (lambda picture: picture, PAIRS[0]),
            (lambda picture: np.clip(picture * 1.08 + 5, 0, 255).astype(np.uint8), PAIRS[0]),
            (lambda picture: np.roll(picture, (4, 5), axis=(0, 1)), PAIRS[0]),
            (lambda picture: cv2.resize(picture[10:-10, 13:-13], picture.shape[1::-1]), PAIRS[0]),
            (lambda picture: np.ascontiguousarray(picture[:, ::-1]), (Prompt.TURN_RIGHT, Prompt.BLINK)),
        ],
        ids=["encoded again", "brighter", "shifted", "cropped", "mirrored"],
    )
    def test_her_own_earlier_movement_answers_no_other_check(
        self,
        ask: Ask,
        lively: dict[tuple[Prompt, ...], Answer],
        person: Puppet,
        change: Callable[[Pixels], Pixels],
        prompts: tuple[Prompt, ...],
    ) -> None:
        first = lively[PAIRS[0]]
        earlier = ask(first, PAIRS[0]).pictures
        fresh = answer(Living(person, seed=9), (), seed=9).frames
        again = Answer(fresh, self.changed(first, change))
        verdict = ask(again, prompts, earlier=earlier)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.REPLAY in codes(verdict)

    def test_one_of_its_pictures_is_enough_when_the_bytes_are_the_same(
        self, ask: Ask, lively: dict[tuple[Prompt, ...], Answer], person: Puppet
    ) -> None:
        again = answer(Living(person, seed=7), PAIRS[0], seed=7)
        mixed = Answer(again.frames, [again.movements[0], lively[PAIRS[0]].movements[1]])
        earlier = [replace(known, memory=b"") for known in ask(lively[PAIRS[0]], PAIRS[0]).pictures]
        verdict = ask(mixed, PAIRS[0], earlier=earlier)
        assert {"code": "replay", "value": 0} in [signal.as_values() for signal in verdict.signals]

    def test_a_movement_asked_for_twice_is_made_twice(
        self, ask: Ask, lively: dict[tuple[Prompt, ...], Answer], person: Puppet
    ) -> None:
        prompts = (*PAIRS[0], PAIRS[0][0])
        assert ask(answer(Living(person, seed=6), prompts, seed=6), prompts).outcome is FaceOutcome.MATCH
        first = lively[PAIRS[0]]
        copied = self.changed(Answer(first.frames, first.movements[:1]), lambda picture: np.roll(picture, 3, axis=1))
        verdict = ask(Answer(first.frames, [*first.movements, *copied]), prompts)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert SignalCode.REPLAY in codes(verdict)

    def test_the_same_movement_made_again_at_the_same_desk_is_hers(
        self, ask: Ask, lively: dict[tuple[Prompt, ...], Answer], person: Puppet
    ) -> None:
        earlier = ask(lively[PAIRS[0]], PAIRS[0]).pictures
        verdict = ask(answer(Living(person, growth_s=0.9, seed=8), PAIRS[0], seed=8), PAIRS[0], earlier=earlier)
        assert verdict.outcome is FaceOutcome.MATCH, verdict.signals


class TestStrips:
    def test_what_is_no_strip_leaves_doubt_and_nobody_accused(
        self, ask: Ask, lively: dict[tuple[Prompt, ...], Answer]
    ) -> None:
        frames, whole = lively[PAIRS[0]].frames, lively[PAIRS[0]].movements
        for data in (b"", b"no picture", frames[0]):
            verdict = ask(Answer(frames, [replace(whole[0], data=data), whole[1]]), PAIRS[0])
            assert verdict.outcome is FaceOutcome.UNCLEAR
            assert {"code": "strip_unusable", "value": 0} in [signal.as_values() for signal in verdict.signals]

    def test_moments_come_back_in_their_order_lying_or_standing(self) -> None:
        for size in ((320, 426, 3), (426, 320, 3)):
            moments = [np.full(size, 20 * place, np.uint8) for place in range(11)]
            found = cut(lay(moments), 11, wide=size[1] > size[0])
            assert [int(moment[5, 5, 0]) for moment in found] == [20 * place for place in range(11)]

    @pytest.mark.parametrize(("shape", "count"), [((1280, 1278, 3), 13), ((300, 300, 3), 12), ((1280, 1278, 3), 0)])
    def test_a_picture_of_another_shape_is_none(self, shape: tuple[int, int, int], count: int) -> None:
        with pytest.raises(NoStrip):
            cut(np.zeros(shape, np.uint8), count, wide=True)

    def test_each_prompt_has_its_strip(self, ask: Ask, lively: dict[tuple[Prompt, ...], Answer]) -> None:
        with pytest.raises(ValueError, match="strip"):
            ask(replace(lively[PAIRS[0]], movements=lively[PAIRS[0]].movements[:1]), PAIRS[0])

    def test_a_movement_is_remembered_and_nothing_of_a_frame_is(
        self, ask: Ask, lively: dict[tuple[Prompt, ...], Answer]
    ) -> None:
        pictures = ask(lively[PAIRS[0]], PAIRS[0]).pictures
        assert [bool(known.memory) for known in pictures] == [False, False, True, True]
        assert all(isinstance(known, PictureHash) for known in pictures)


def test_a_poster_behind_her_is_told_from_somebody_there(ask: Ask, person: Puppet) -> None:
    """Both are a second face; only of the poster it is said that it does not move, so that she can put it away."""
    prompts = PAIRS[0]

    def behind(head: Callable[[float], Pixels], face_pixels: int) -> Answer:
        her = Living(person, seed=5)
        return answer(
            lambda time, prompt, since: add_person(her(time, prompt, since), head(time), face_pixels, 16, 30),
            prompts,
            seed=5,
        )

    other = person.stranger()
    for face_pixels in (50, 80):
        poster = ask(behind(lambda _: other, face_pixels), prompts)
        assert poster.outcome is FaceOutcome.SEVERAL_FACES and SignalCode.PRINTED_FACE in codes(poster)

    def calmed(visitor: Living, calm: float) -> Callable[[float], Pixels]:
        """``calm``: how fast she sways, against anybody who sits there."""
        return lambda time: visitor(time * calm, None, -9.0)

    for seed, calm in ((8, 1.0), (9, 0.3)):
        there = ask(behind(calmed(Living(replace(person, picture=other), seed=seed), calm), 60), prompts)
        assert there.outcome is FaceOutcome.SEVERAL_FACES and SignalCode.PRINTED_FACE not in codes(there)
