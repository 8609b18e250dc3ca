"""A judge that looks at nothing and answers what it was told to: for tests of the parts around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from media_pipeline.verdict import EngineDown, FaceOutcome, JudgeSettings, PictureHash, Prompt, Strip, Verdict

ENGINE = "harmless/1"


def scripted(outcome: FaceOutcome, score_micro: int | None = None, **changes: object) -> Verdict:
    """A verdict as the harmless judge gives it; ``changes`` replace any of its fields."""
    scores = {FaceOutcome.MATCH: 312_000, FaceOutcome.MISMATCH: 810_000, FaceOutcome.UNCLEAR: 540_000}
    values: dict[str, object] = {
        "outcome": outcome,
        "score_micro": score_micro if score_micro is not None else scores.get(outcome),
        "threshold_micro": JudgeSettings().threshold_micro,
        "engine": ENGINE,
        "model": "none",
        "faces": {FaceOutcome.NO_FACE: 0, FaceOutcome.SEVERAL_FACES: 2}.get(outcome, 1),
    }
    return Verdict(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True)
class JudgeQuestion:
    """One question the judge was asked."""

    frames: tuple[bytes, ...]
    references: int
    prompts: tuple[Prompt, ...]
    device_label: str
    earlier: tuple[PictureHash, ...]
    movements: tuple[Strip, ...] = ()


@dataclass
class HarmlessJudge:
    """Answers from ``script`` in order and then always ``otherwise``; ``down`` makes it fail as a lost engine does.

    ``asked`` keeps the questions. A verdict's ``pictures`` are filled in from the frames' bytes when it has none.
    """

    script: list[Verdict] = field(default_factory=list)
    otherwise: Verdict = field(default_factory=lambda: scripted(FaceOutcome.MATCH))
    down: bool = False
    asked: list[JudgeQuestion] = field(default_factory=list)
    model: str = "none"

    @classmethod
    def answering(cls, outcomes: Iterable[FaceOutcome]) -> HarmlessJudge:
        return cls([scripted(outcome) for outcome in outcomes])

    def judge(
        self,
        frames: Sequence[bytes],
        *,
        references: Sequence[object],
        prompts: Sequence[Prompt] = (),
        movements: Sequence[Strip] = (),
        device_label: str = "",
        earlier: Sequence[PictureHash] = (),
        settings: JudgeSettings | None = None,
    ) -> Verdict:
        """The next answer. Raises ``EngineDown`` while ``down``."""
        self.asked.append(
            JudgeQuestion(
                tuple(frames), len(references), tuple(prompts), device_label, tuple(earlier), tuple(movements)
            )
        )
        if self.down:
            raise EngineDown("the harmless judge was told to be down")
        verdict = self.script.pop(0) if self.script else self.otherwise
        if verdict.pictures:
            return verdict
        digests = [hashlib.sha256(frame).hexdigest() for frame in (*frames, *(strip.data for strip in movements))]
        pictures = tuple(PictureHash(digest, digest) for digest in digests)
        return Verdict(**{**vars(verdict), "pictures": pictures})
