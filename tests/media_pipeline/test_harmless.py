"""The twin answers as it was told, with the same questions and the same kind of answer as the real judge."""

from __future__ import annotations

import inspect

import pytest

from media_pipeline.harmless import HarmlessJudge, scripted
from media_pipeline.judge import FaceJudge, Judge
from media_pipeline.verdict import EngineDown, FaceOutcome, Prompt, Signal, SignalCode


def test_answers_come_in_order_and_then_always_match() -> None:
    judge = HarmlessJudge.answering([FaceOutcome.MISMATCH, FaceOutcome.NO_FACE])
    outcomes = [judge.judge([b"frame"], references=[]).outcome for _ in range(4)]
    assert outcomes == [FaceOutcome.MISMATCH, FaceOutcome.NO_FACE, FaceOutcome.MATCH, FaceOutcome.MATCH]


def test_it_remembers_what_it_was_asked() -> None:
    judge = HarmlessJudge()
    verdict = judge.judge([b"1", b"2"], references=[object()], prompts=[Prompt.BLINK], device_label="cam")
    (asked,) = judge.asked
    assert (asked.frames, asked.references, asked.prompts, asked.device_label) == (
        (b"1", b"2"),
        1,
        (Prompt.BLINK,),
        "cam",
    )
    assert len({picture.sha256 for picture in verdict.pictures}) == 2


def test_a_script_may_hold_any_verdict() -> None:
    told = scripted(FaceOutcome.UNCLEAR, 612_000, signals=(Signal(SignalCode.REPLAY, 0),))
    assert HarmlessJudge([told]).judge([b"x"], references=[]).has(SignalCode.REPLAY)
    assert told.score_micro == 612_000


def test_it_can_be_down() -> None:
    with pytest.raises(EngineDown):
        HarmlessJudge(down=True).judge([b"x"], references=[])


def test_the_twins_are_asked_alike() -> None:
    names = [list(inspect.signature(kind.judge).parameters) for kind in (Judge, FaceJudge, HarmlessJudge)]
    assert names[0] == names[1] == names[2]
