"""Judge one burst of frames: one outcome, and everything that was noticed on the way to it."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from media_pipeline import liveness, models, quality
from media_pipeline.descriptors import Descriptor, compare, to_micro
from media_pipeline.detector import Face
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import DecodeError, Pixels, hash_picture
from media_pipeline.mesh import Expression
from media_pipeline.opening import JUDGEMENT_SECONDS, PICTURE_SECONDS, Opener, OpenHere
from media_pipeline.quality import QualityCode
from media_pipeline.sameness import SAME_MICRO, distances_to_middle
from media_pipeline.verdict import JudgeSettings, Outcome, PictureHash, Prompt, Signal, SignalCode, Verdict

# An answered prompt spoils no picture, and the number of pixels is judged before the picture is shrunk.
_NO_FAULT_OF_A_FRAME = {QualityCode.MOUTH_OPEN, QualityCode.EYES_CLOSED, QualityCode.TOO_FEW_PIXELS}


@dataclass
class _Frame:
    """One decoded frame and what was read from it."""

    picture: Pixels
    scale: float
    hash: PictureHash
    faces: tuple[Face, ...]
    usable: bool = False
    distance_micro: int | None = None
    middle_micro: int = 0
    """How far its face lies from the middle frame of the burst."""
    expression: Expression | None = None

    @property
    def face(self) -> Face:
        return self.faces[0]

    @property
    def is_of_the_burst(self) -> bool:
        """Whether it shows the person whom the burst shows: only then may it answer for her."""
        return self.middle_micro <= SAME_MICRO


@dataclass
class _Notes:
    """The signals in the order in which they were noticed."""

    signals: list[Signal] = field(default_factory=list)

    def add(self, code: SignalCode, value: int | None = None) -> None:
        self.signals.append(Signal(code, value))


def judge(
    frames: Sequence[bytes],
    *,
    references: Sequence[Descriptor],
    prompts: Sequence[Prompt] = (),
    device_label: str = "",
    earlier: Sequence[PictureHash] = (),
    settings: JudgeSettings | None = None,
    engine: Engine,
    opener: Opener | None = None,
) -> Verdict:
    """Judge the frames of one check, in the order in which they were taken, not mirrored.

    ``references`` are the descriptors of the person's reference photos, made by this engine's model; ``earlier`` are
    the hashes of pictures that already answered a check. A frame that cannot be decoded is a signal, not an error.
    Raises ``ValueError`` without references or frames and ``EngineDown`` when engine or opener fails: then nothing is
    known, and nobody is called an impostor.
    """
    settings = settings or JudgeSettings()
    if not references:
        raise ValueError("a check needs at least one reference")
    if not 0 < len(frames) <= settings.max_frames:
        raise ValueError(f"a check has 1 to {settings.max_frames} frames")
    notes = _Notes()
    read = _read_frames(frames, settings, engine, opener or OpenHere(), notes)
    shown = [frame for frame in read if frame.faces]
    described = []
    for frame in shown:
        read_mesh = engine.read_mesh(frame.picture, frame.face)
        descriptor = engine.describe(frame.picture, frame.face, read_mesh)
        frame.distance_micro = _distance(descriptor, references)
        frame.expression = engine.read_expression(frame.picture, frame.face, read_mesh)
        described.append(descriptor)
    for frame, apart in zip(shown, distances_to_middle(described), strict=True):
        frame.middle_micro = apart
        frame.usable = _is_usable(frame, settings)

    outcome, score = _decide(read, shown, prompts, device_label, earlier, settings, notes)
    return Verdict(
        outcome=outcome,
        score_micro=score,
        threshold_micro=settings.threshold_micro,
        engine=engine.name,
        model=engine.model,
        faces=max((len(frame.faces) for frame in read), default=0),
        signals=tuple(notes.signals),
        pictures=tuple(frame.hash for frame in read),
    )


def _distance(face: Descriptor, references: Sequence[Descriptor]) -> int:
    """How far a face is from the person, in micro-units: the median of the distances to her photos.

    Never the distance to their mean: the mean of two unlike faces lies near both.
    """
    return to_micro(statistics.median(compare(face, reference) for reference in references))


def _read_frames(
    frames: Sequence[bytes], settings: JudgeSettings, engine: Engine, opener: Opener, notes: _Notes
) -> list[_Frame]:
    """Decode every distinct frame and find its faces. Frames for which no time is left count as undecodable."""
    read: dict[str, _Frame] = {}
    refused = copies = 0
    left = JUDGEMENT_SECONDS
    for data in frames:
        exact = hashlib.sha256(data).hexdigest()
        if exact in read:
            copies += 1
            continue
        if left <= 0:
            refused += 1
            continue
        try:
            opened = opener.open(data, min(PICTURE_SECONDS, left))
        except DecodeError as error:
            left -= error.seconds
            refused += 1
            continue
        left -= opened.seconds
        picture, scale = opened.picture, opened.scale
        search = Search.EVERYONE if settings.everyone else Search.NEAREST
        found = engine.find_faces(picture, search)
        people = tuple(face for face in found if face.side / scale >= settings.second_face_pixels)
        known = hash_picture(data, picture, people[0].points if people else None)
        read[exact] = _Frame(picture, scale, known, people)
    if refused:
        notes.add(SignalCode.UNDECODABLE_FRAME, refused)
    if copies:
        notes.add(SignalCode.REPEATED_FRAME, copies)
    return list(read.values())


def _is_usable(frame: _Frame, settings: JudgeSettings) -> bool:
    """Whether the one face in the frame is seen well enough for its distance to mean something."""
    if len(frame.faces) != 1:
        return False
    height, width = frame.picture.shape[:2]
    if height * width < settings.min_pixels * frame.scale**2:
        return False
    measures = quality.measure(frame.picture, frame.face)
    limits = quality.COMPARISON
    wrong = set(quality.judge_picture(frame.picture, frame.face, measures, frame.expression, limits))
    return not wrong - _NO_FAULT_OF_A_FRAME


def _decide(
    read: Sequence[_Frame],
    shown: Sequence[_Frame],
    prompts: Sequence[Prompt],
    device_label: str,
    earlier: Sequence[PictureHash],
    settings: JudgeSettings,
    notes: _Notes,
) -> tuple[Outcome, int | None]:
    if not read:
        return Outcome.UNCLEAR, None
    doubts = _doubts(read, shown, prompts, device_label, earlier, settings, notes)
    if not shown:
        return Outcome.NO_FACE, None
    crowded = sum(len(frame.faces) > 1 for frame in read)
    if crowded >= min(2, len(read)):
        return Outcome.SEVERAL_FACES, None
    if crowded:
        notes.add(SignalCode.SECOND_FACE_ONCE, crowded)

    usable = [frame for frame in shown if frame.usable]
    if _shows_two_people(usable, settings):
        return Outcome.SEVERAL_FACES, None
    if len(usable) < len(shown):
        notes.add(SignalCode.FRAME_UNUSABLE, len(shown) - len(usable))
    distances = [frame.distance_micro for frame in usable if frame.distance_micro is not None]
    if not distances:
        return Outcome.UNCLEAR, None
    score = round(statistics.median(distances))
    near = sum(distance <= settings.threshold_micro for distance in distances)
    far = sum(distance > settings.mismatch_micro for distance in distances)
    if not near and far >= settings.mismatch_frames and score > settings.mismatch_micro:
        return Outcome.MISMATCH, score
    if near and far:
        notes.add(SignalCode.DISAGREEMENT, near)
        doubts = doubts or far > 1
    if doubts or score > settings.threshold_micro:
        return Outcome.UNCLEAR, score
    return Outcome.MATCH, score


def _shows_two_people(usable: Sequence[_Frame], settings: JudgeSettings) -> bool:
    """Whether one clear frame shows somebody who is not she of the photos, and another one somebody else again.

    One after the other before one camera is as good as two at once.
    """
    limit = settings.mismatch_micro
    strangers = sum((frame.distance_micro or 0) > limit for frame in usable)
    return 0 < strangers < len(usable) and any(frame.middle_micro > limit for frame in usable)


def _doubts(
    read: Sequence[_Frame],
    shown: Sequence[_Frame],
    prompts: Sequence[Prompt],
    device_label: str,
    earlier: Sequence[PictureHash],
    settings: JudgeSettings,
    notes: _Notes,
) -> bool:
    """Note every sign against a living person before a real camera; True when one of them forbids a match."""
    before = len(notes.signals)
    # A camera never gives the same picture twice.
    repeated = any(signal.code is SignalCode.REPEATED_FRAME for signal in notes.signals)
    replayed = liveness.find_replay([frame.hash for frame in shown], earlier, settings.replay_bits)
    if replayed is not None:
        notes.add(SignalCode.REPLAY, replayed)
    moved, frozen = liveness.motion([frame.picture for frame in read])
    if frozen:
        notes.add(SignalCode.FROZEN_PICTURE, moved)
    # What is too dark, too blurred or half out of the picture to compare a face in answers no prompt, nor does another.
    answering = [frame.expression if frame.usable and frame.is_of_the_burst else None for frame in read]
    for place in liveness.unanswered_prompts(prompts, answering):
        notes.add(SignalCode.PROMPT_UNANSWERED, place)
    changed = [frame.middle_micro for frame in shown if frame.usable and not frame.is_of_the_burst]
    if changed:
        notes.add(SignalCode.FACE_CHANGED, max(changed))
    doubts = repeated or len(notes.signals) > before
    if liveness.is_virtual_camera(device_label):
        notes.add(SignalCode.VIRTUAL_CAMERA)
        doubts = doubts or settings.refuse_virtual_camera
    pattern = liveness.screen_pattern(shown[0].picture) if shown else None
    if pattern is not None:
        notes.add(SignalCode.SCREEN_PATTERN, pattern)
    return doubts


class Judge(Protocol):
    """Who answers checks: ``FaceJudge`` in a worker, ``HarmlessJudge`` in the tests of other parts."""

    @property
    def model(self) -> str:
        """Whose descriptors it can compare with."""
        ...

    def judge(
        self,
        frames: Sequence[bytes],
        *,
        references: Sequence[Descriptor],
        prompts: Sequence[Prompt] = (),
        device_label: str = "",
        earlier: Sequence[PictureHash] = (),
        settings: JudgeSettings | None = None,
    ) -> Verdict: ...


@dataclass(frozen=True)
class FaceJudge:
    """The judge that looks at the pictures. ``opener`` None: opens them itself, without limits."""

    engine: Engine
    opener: Opener | None = None

    @property
    def model(self) -> str:
        return self.engine.model

    def judge(
        self,
        frames: Sequence[bytes],
        *,
        references: Sequence[Descriptor],
        prompts: Sequence[Prompt] = (),
        device_label: str = "",
        earlier: Sequence[PictureHash] = (),
        settings: JudgeSettings | None = None,
    ) -> Verdict:
        """See ``judge``. What the pictures took is given back to the system."""
        try:
            return judge(
                frames,
                references=references,
                prompts=prompts,
                device_label=device_label,
                earlier=earlier,
                settings=settings,
                engine=self.engine,
                opener=self.opener,
            )
        finally:
            models.keep_memory_small()
