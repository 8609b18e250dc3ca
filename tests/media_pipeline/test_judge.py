"""One burst of frames, one outcome: and never 'somebody else' where 'I cannot tell' is the truth."""

from __future__ import annotations

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from support.faces import Puppet, add_person, camera_frames, empty_room, encode_jpeg, make_puppet

from media_pipeline.descriptors import Descriptor
from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels
from media_pipeline.judge import FaceJudge
from media_pipeline.models import Network
from media_pipeline.verdict import EngineDown, FaceOutcome, JudgeSettings, PictureHash, Prompt, SignalCode, Verdict

Ask = Callable[..., Verdict]


@pytest.fixture
def ask(engine: Engine, reference: Descriptor) -> Ask:
    """Ask the judge about frames of somebody who should be the person."""

    def ask(frames: list[bytes], **more: object) -> Verdict:
        return FaceJudge(engine).judge(frames, references=[reference], **more)  # type: ignore[arg-type]

    return ask


def swaying(picture: Pixels, count: int = 5) -> list[Pixels]:
    """Somebody who sits still the way people do."""
    return [np.roll(picture, (index % 3, 2 * (index % 2)), axis=(0, 1)) for index in range(count)]


def shaken(picture: Pixels) -> Pixels:
    kernel = np.zeros((41, 41), np.float32)
    kernel[20] = 1 / 41
    return np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)


def defocused(picture: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)


def in_the_dark(picture: Pixels) -> Pixels:
    return (picture * 0.08).astype(np.uint8)


SPOILT = (shaken, defocused, in_the_dark)


class TestOutcomes:
    def test_the_person_matches(self, ask: Ask, person: Puppet) -> None:
        verdict = ask(camera_frames(swaying(person.picture)))
        assert verdict.outcome is FaceOutcome.MATCH
        assert verdict.faces == 1
        assert verdict.signals == ()
        assert verdict.score_micro is not None and 0 < verdict.score_micro < 250_000
        assert verdict.threshold_micro == 500_000
        assert verdict.engine == "xueji-faces/2"
        assert verdict.model.startswith("sface-2021dec+")
        assert len({picture.sha256 for picture in verdict.pictures}) == 5

    def test_a_stranger_does_not(self, ask: Ask, stranger: Pixels) -> None:
        verdict = ask(camera_frames(swaying(stranger)))
        assert verdict.outcome is FaceOutcome.MISMATCH
        assert verdict.score_micro is not None and verdict.score_micro > 625_000

    def test_an_empty_room_has_no_face(self, ask: Ask) -> None:
        verdict = ask(camera_frames(swaying(empty_room())))
        assert (verdict.outcome, verdict.faces, verdict.score_micro) == (FaceOutcome.NO_FACE, 0, None)

    def test_a_small_second_face_makes_two(self, ask: Ask, person: Puppet, stranger: Pixels) -> None:
        verdict = ask(camera_frames(swaying(add_person(person.picture, stranger, 60, 450, 100))))
        assert (verdict.outcome, verdict.faces) == (FaceOutcome.SEVERAL_FACES, 2)

    def test_a_stamp_sized_face_on_the_wall_is_not_a_person(self, ask: Ask, person: Puppet, stranger: Pixels) -> None:
        assert (
            ask(camera_frames(swaying(add_person(person.picture, stranger, 18, 480, 60)))).outcome is FaceOutcome.MATCH
        )

    def test_somebody_who_walks_past_once_is_forgiven(self, ask: Ask, person: Puppet, stranger: Pixels) -> None:
        pictures = swaying(person.picture)
        pictures[2] = add_person(person.picture, stranger, 60, 450, 100)
        assert ask(camera_frames(pictures)).outcome is FaceOutcome.MATCH

    @pytest.mark.parametrize("quarters", [1, 2, 3])
    def test_a_camera_that_was_built_in_another_way_round_is_righted(
        self, ask: Ask, person: Puppet, stranger: Pixels, quarters: int
    ) -> None:
        def turned(picture: Pixels) -> Pixels:
            return np.ascontiguousarray(np.rot90(picture, quarters))

        assert ask(camera_frames([turned(each) for each in swaying(person.picture)])).outcome is FaceOutcome.MATCH
        hers = person.frames_following([Prompt.TURN_LEFT])
        answered = ask(camera_frames([turned(each) for each in hers]), prompts=[Prompt.TURN_LEFT])
        assert answered.outcome is FaceOutcome.MATCH, answered.signals
        assert ask(camera_frames([turned(each) for each in swaying(stranger)])).outcome is not FaceOutcome.MATCH


class TestDoubtIsNotGuilt:
    def test_one_frame_of_somebody_else_is_never_a_mismatch(self, ask: Ask, stranger: Pixels) -> None:
        assert ask(camera_frames([stranger])).outcome is FaceOutcome.UNCLEAR

    def test_the_same_frame_sent_five_times_counts_once(self, ask: Ask, stranger: Pixels) -> None:
        verdict = ask(camera_frames([stranger]) * 5)
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert verdict.has(SignalCode.REPEATED_FRAME)

    def test_a_hand_on_the_chin_is_not_another_person(self, ask: Ask, person: Puppet) -> None:
        assert ask(camera_frames(swaying(person.covered_chin()))).outcome is not FaceOutcome.MISMATCH

    @pytest.mark.parametrize("blur", [4, 7, 11])
    def test_a_blurred_stranger_is_unclear(self, ask: Ask, stranger: Pixels, blur: int) -> None:
        soft = np.asarray(cv2.GaussianBlur(stranger, (0, 0), blur), np.uint8)
        assert ask(camera_frames(swaying(soft), noise=0.7)).outcome in (FaceOutcome.UNCLEAR, FaceOutcome.NO_FACE)

    @pytest.mark.parametrize("noise", [3.0, 8.0])
    @pytest.mark.parametrize("blur", [4, 8])
    def test_noise_is_not_taken_for_sharpness(self, ask: Ask, stranger: Pixels, blur: int, noise: float) -> None:
        soft = np.asarray(cv2.GaussianBlur(stranger, (0, 0), blur), np.uint8)
        verdict = ask(camera_frames(swaying(soft), noise=noise))
        assert verdict.outcome in (FaceOutcome.UNCLEAR, FaceOutcome.NO_FACE)

    @pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
    def test_a_spoilt_picture_accuses_nobody(
        self, ask: Ask, stranger: Pixels, spoil: Callable[[Pixels], Pixels]
    ) -> None:
        assert ask(camera_frames(swaying(spoil(stranger)))).outcome not in (FaceOutcome.MATCH, FaceOutcome.MISMATCH)

    @pytest.mark.parametrize("colour", [(235, 235, 235), (225, 205, 160), (35, 35, 35)], ids=["white", "blue", "black"])
    def test_a_mask_asks_to_be_taken_off(
        self, ask: Ask, person: Puppet, stranger: Pixels, engine: Engine, colour: tuple[int, int, int]
    ) -> None:
        for puppet in (person, make_puppet(engine, stranger)):
            verdict = ask(camera_frames(swaying(puppet.masked(colour))))
            assert verdict.outcome is FaceOutcome.UNCLEAR
            assert verdict.has(SignalCode.FACE_COVERED)

    def test_what_keeps_pictures_from_telling_is_named(self, ask: Ask, person: Puppet) -> None:
        dark = (person.picture * 0.1).astype(np.uint8)
        assert ask(camera_frames(swaying(dark), noise=0.5)).has(SignalCode.FRAME_DARK)
        blurred = cv2.GaussianBlur(person.picture, (0, 0), 5)
        assert ask(camera_frames(swaying(np.asarray(blurred, np.uint8)))).has(SignalCode.FRAME_BLURRED)

    def test_darkness_is_unclear(self, ask: Ask, stranger: Pixels) -> None:
        verdict = ask(camera_frames(swaying((stranger * 0.12).astype(np.uint8)), noise=1))
        assert verdict.outcome in (FaceOutcome.UNCLEAR, FaceOutcome.NO_FACE)

    def test_a_camera_of_too_few_pixels_is_unclear(self, ask: Ask, person: Puppet) -> None:
        small = np.asarray(cv2.resize(person.picture, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
        verdict = ask(camera_frames(swaying(small)))
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert verdict.has(SignalCode.FRAME_UNUSABLE)

    @pytest.mark.parametrize("strangers", [1, 2, 3, 4])
    def test_frames_of_two_people_are_never_a_match(
        self, ask: Ask, person: Puppet, stranger: Pixels, strangers: int
    ) -> None:
        frames = camera_frames([*swaying(person.picture, 5 - strangers), *swaying(stranger, strangers)])
        for order in (frames, frames[::-1], frames[::2] + frames[1::2]):
            verdict = ask(order)
            # Where a stranger's frames are not clear enough to speak against anybody, it stays unclear.
            assert verdict.outcome in (FaceOutcome.SEVERAL_FACES, FaceOutcome.UNCLEAR)
            assert verdict.has(SignalCode.FACE_CHANGED)

    @pytest.mark.parametrize("prompt", list(Prompt))
    def test_nobody_answers_a_prompt_for_another(
        self, ask: Ask, engine: Engine, person: Puppet, stranger: Pixels, prompt: Prompt
    ) -> None:
        _, answer, _ = make_puppet(engine, stranger).frames_following([prompt])
        verdict = ask(
            camera_frames([*swaying(person.picture, 2), answer, *swaying(person.picture, 2)]), prompts=[prompt]
        )
        assert verdict.outcome in (FaceOutcome.UNCLEAR, FaceOutcome.SEVERAL_FACES)
        assert verdict.has(SignalCode.PROMPT_UNANSWERED)

    def test_broken_frames_are_counted_and_the_others_judged(self, ask: Ask, person: Puppet) -> None:
        verdict = ask([b"", b"no picture", *camera_frames(swaying(person.picture, 3))])
        assert verdict.outcome is FaceOutcome.MATCH
        assert [signal.as_values() for signal in verdict.signals] == [{"code": "undecodable_frame", "value": 2}]

    def test_nothing_but_broken_frames_is_unclear(self, ask: Ask) -> None:
        assert ask([b"no picture"]).outcome is FaceOutcome.UNCLEAR

    def test_a_check_without_a_reference_cannot_be_asked(self, engine: Engine, person: Puppet) -> None:
        with pytest.raises(ValueError, match="reference"):
            FaceJudge(engine).judge(camera_frames([person.picture]), references=[])

    def test_a_flood_of_frames_is_refused(self, ask: Ask) -> None:
        with pytest.raises(ValueError, match="1 to 40"):
            ask([b"x"] * 41)


def test_a_network_that_fails_calls_nobody_an_impostor(
    engine: Engine, reference: Descriptor, person: Puppet, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def get_inputs(self) -> list[object]:
            return [Prompt.BLINK]

        def run(self, *_: object) -> None:
            raise MemoryError

    monkeypatch.setattr(engine, "_descriptor", Network("descriptor", "0", Failing()))
    with pytest.raises(EngineDown, match="descriptor"):
        FaceJudge(engine).judge(camera_frames([person.picture]), references=[reference])


class TestPrompts:
    @pytest.mark.parametrize("prompt", list(Prompt))
    def test_a_prompt_that_is_followed_is_believed(self, ask: Ask, person: Puppet, prompt: Prompt) -> None:
        verdict = ask(camera_frames(person.frames_following([prompt])), prompts=[prompt])
        assert verdict.outcome is FaceOutcome.MATCH, verdict.signals

    @pytest.mark.parametrize("prompt", list(Prompt))
    def test_a_prompt_that_is_not_followed_leaves_doubt(self, ask: Ask, person: Puppet, prompt: Prompt) -> None:
        verdict = ask(camera_frames(swaying(person.picture)), prompts=[prompt])
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert [signal.as_values() for signal in verdict.signals] == [{"code": "prompt_unanswered", "value": 0}]

    def test_one_prompt_does_not_answer_another(self, ask: Ask, person: Puppet) -> None:
        for shown in Prompt:
            frames = camera_frames(person.frames_following([shown]))
            for asked in set(Prompt) - {shown}:
                assert ask(frames, prompts=[asked]).outcome is FaceOutcome.UNCLEAR, (shown, asked)

    def test_two_prompts_count_in_their_order_only(self, ask: Ask, person: Puppet) -> None:
        prompts = [Prompt.TURN_RIGHT, Prompt.BLINK]
        frames = camera_frames(person.frames_following(prompts))
        assert ask(frames, prompts=prompts).outcome is FaceOutcome.MATCH
        assert ask(frames, prompts=prompts[::-1]).outcome is FaceOutcome.UNCLEAR

    def test_a_mouth_below_the_edge_of_the_picture_is_not_open(self, ask: Ask, person: Puppet) -> None:
        """What lies outside the picture is unknown, not dark."""
        down = 488 - int(person.points[13, 1])
        slid = np.vstack([person.picture[:1].repeat(down, axis=0), person.picture[:-down]])
        frames = camera_frames([*swaying(person.picture, 2), slid, *swaying(person.picture, 2)])
        verdict = ask(frames, prompts=[Prompt.OPEN_MOUTH])
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert verdict.has(SignalCode.PROMPT_UNANSWERED)

    def test_a_shadow_over_the_lower_face_is_no_open_mouth(self, ask: Ask, person: Puppet) -> None:
        shaded = person.picture.copy()
        middle = int(person.points[[1, 13], 1].mean())
        shaded[middle:] = (shaded[middle:] * 0.3).astype(np.uint8)
        dark = (person.picture * 0.06).astype(np.uint8)
        for spoilt in (shaded, dark):
            frames = camera_frames([*swaying(person.picture, 2), spoilt, *swaying(person.picture, 2)])
            assert ask(frames, prompts=[Prompt.OPEN_MOUTH]).outcome is FaceOutcome.UNCLEAR

    def test_a_recording_that_turns_a_stranger_while_the_person_sits_still_is_noticed(
        self,
        ask: Ask,
        engine: Engine,
        person: Puppet,
        stranger: Pixels,
    ) -> None:
        turned = make_puppet(engine, stranger).turned(24)
        verdict = ask(camera_frames([person.picture, turned, *swaying(person.picture, 2)]), prompts=[Prompt.TURN_LEFT])
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert verdict.has(SignalCode.FACE_CHANGED)

    def test_a_stranger_who_follows_the_prompts_is_still_a_stranger(
        self, ask: Ask, engine: Engine, stranger: Pixels
    ) -> None:
        frames = camera_frames(make_puppet(engine, stranger).frames_following([Prompt.BLINK]))
        assert ask(frames, prompts=[Prompt.BLINK]).outcome is FaceOutcome.MISMATCH


class TestReplay:
    def test_a_picture_that_already_answered_a_check_answers_no_other(self, ask: Ask, person: Puppet) -> None:
        frames = camera_frames(swaying(person.picture))
        first = ask(frames)
        again = ask([*camera_frames(swaying(person.picture, 3), seed=7), frames[1]], earlier=first.pictures)
        assert again.outcome is FaceOutcome.UNCLEAR
        assert {"code": "replay", "value": 0} in [signal.as_values() for signal in again.signals]

    def test_encoding_it_again_does_not_help(self, ask: Ask, person: Puppet) -> None:
        first = ask(camera_frames(swaying(person.picture)))
        copies = [encode_jpeg(picture, 60) for picture in swaying(person.picture)]
        small = [np.asarray(cv2.resize(picture, (720, 540)), np.uint8) for picture in swaying(person.picture)]
        smaller = [encode_jpeg(picture, 80) for picture in small]
        for disguised in (copies, smaller):
            verdict = ask(disguised, earlier=first.pictures)
            assert verdict.outcome is FaceOutcome.UNCLEAR
            assert verdict.has(SignalCode.REPLAY)

    def test_sitting_at_the_same_desk_again_is_no_replay(self, ask: Ask, person: Puppet) -> None:
        first = ask(camera_frames(swaying(person.picture)))
        later = [person.turned(yaw, pitch) for yaw, pitch in ((2, 1), (-2, 2), (3, -2), (4, 3))]
        verdict = ask(camera_frames(later, seed=8), earlier=first.pictures)
        assert verdict.outcome is FaceOutcome.MATCH, verdict.signals

    def test_the_same_bytes_twice_in_one_burst_leave_doubt(self, ask: Ask, person: Puppet) -> None:
        frames = camera_frames(swaying(person.picture, 4))
        verdict = ask([*frames, frames[0]])
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert verdict.has(SignalCode.REPEATED_FRAME)

    def test_a_still_picture_fed_as_a_camera_is_frozen(self, ask: Ask, person: Puppet) -> None:
        verdict = ask([encode_jpeg(person.picture, quality) for quality in (95, 94, 93, 92, 91)])
        assert verdict.outcome is FaceOutcome.UNCLEAR
        assert verdict.has(SignalCode.FROZEN_PICTURE)

    def test_a_camera_with_a_virtual_name_leaves_doubt(self, ask: Ask, person: Puppet) -> None:
        frames = camera_frames(swaying(person.picture))
        assert ask(frames, device_label="OBS Virtual Camera").outcome is FaceOutcome.UNCLEAR
        lenient = JudgeSettings(refuse_virtual_camera=False)
        tolerated = ask(frames, device_label="OBS Virtual Camera", settings=lenient)
        assert tolerated.outcome is FaceOutcome.MATCH
        assert tolerated.has(SignalCode.VIRTUAL_CAMERA)

    def test_an_empty_chair_twice_is_no_replay(self, ask: Ask) -> None:
        frames = camera_frames(swaying(empty_room()))
        assert ask(frames, earlier=ask(frames).pictures).outcome is FaceOutcome.NO_FACE


def test_a_verdict_holds_integers_only_and_fits_a_leaf(ask: Ask, person: Puppet) -> None:
    verdict = ask(camera_frames([person.picture] * 3), prompts=[Prompt.BLINK], device_label="ManyCam")
    values = {
        "outcome": verdict.outcome,
        "score": verdict.score_micro,
        "threshold": verdict.threshold_micro,
        "signals": [signal.as_values() for signal in verdict.signals],
    }
    assert "." not in json.dumps(values, default=str)
    assert all(isinstance(picture, PictureHash) for picture in verdict.pictures)
