"""Judge one burst of frames: one outcome, and everything that was noticed on the way to it."""

from __future__ import annotations

import contextlib
import hashlib
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from media_pipeline import liveness, models, motion, quality, strips
from media_pipeline.covering import is_masked
from media_pipeline.descriptors import Descriptor, compare, to_micro
from media_pipeline.detector import Face
from media_pipeline.engine import Engine, Mesh, Search
from media_pipeline.frames import DecodeError, Pixels, hash_picture
from media_pipeline.looking import look
from media_pipeline.mesh import Expression
from media_pipeline.motion import Moment, Movement
from media_pipeline.opening import JUDGEMENT_SECONDS, PICTURE_SECONDS, OpenedPicture, Opener, OpenHere
from media_pipeline.posters import is_print
from media_pipeline.quality import QualityCode
from media_pipeline.sameness import SAME_MICRO, distances_to_middle
from media_pipeline.verdict import FaceOutcome, JudgeSettings, PictureHash, Prompt, Signal, SignalCode, Strip, Verdict

# An answered prompt spoils no picture.
_NO_FAULT_OF_A_FRAME = {QualityCode.MOUTH_OPEN, QualityCode.EYES_CLOSED}
_OF_A_MOVING_HEAD = {QualityCode.TURNED_AWAY, QualityCode.TILTED}
# What a face has to be for a frame to speak against somebody. Of 2,499 pictures of 17 people, blurred, shaken, masked,
# half lit, turned round and so on, 2 pass these and lie beyond the limit from the person's own photos.
_LEAST_PRESENCE = 0.5
_CERTAIN_CLARITY, _CERTAIN_PRESENCE, _CERTAIN_ROLL = 9.5, 0.95, 45.0
_SIGNAL_OF_FAULT = {
    QualityCode.TOO_DARK: SignalCode.FRAME_DARK,
    QualityCode.TOO_BRIGHT: SignalCode.FRAME_DARK,
    QualityCode.BLURRED: SignalCode.FRAME_BLURRED,
    QualityCode.TOO_FEW_PIXELS: SignalCode.FACE_SMALL,
    QualityCode.FACE_TOO_SMALL: SignalCode.FACE_SMALL,
    QualityCode.FACE_CUT_OFF: SignalCode.FACE_SMALL,
    QualityCode.TURNED_AWAY: SignalCode.FACE_AWAY,
    QualityCode.TILTED: SignalCode.FACE_AWAY,
    QualityCode.FACE_HIDDEN: SignalCode.FACE_COVERED,
}


@dataclass
class _Frame:
    """One decoded frame and what was read from it."""

    picture: Pixels
    scale: float
    hash: PictureHash
    faces: tuple[Face, ...]
    mesh: Mesh | None
    """Of the largest face."""
    faults: frozenset[QualityCode] = frozenset()
    """What keeps its distance from meaning something."""
    is_certain: bool = False
    """Whether the face is seen so clearly that it may speak against somebody."""
    is_masked: bool = False
    distance_micro: int | None = None
    middle_micro: int = 0
    """How far its face lies from the middle frame of the burst."""
    expression: Expression | None = None

    @property
    def face(self) -> Face:
        return self.faces[0]

    @property
    def usable(self) -> bool:
        """Whether the one face in the frame is seen well enough for its distance to mean something."""
        return len(self.faces) == 1 and not self.faults

    @property
    def may_answer(self) -> bool:
        """Whether the frame may answer a prompt: a head that is turned does."""
        return len(self.faces) == 1 and self.is_of_the_burst and not self.faults - _OF_A_MOVING_HEAD

    @property
    def is_of_the_burst(self) -> bool:
        """Whether it shows the person whom the burst shows: only then may it answer for her."""
        return self.middle_micro <= SAME_MICRO


@dataclass(frozen=True)
class _Moved:
    """One movement as it was read, and what it is known again by."""

    movement: Movement
    hash: PictureHash


@dataclass
class _Notes:
    """The signals in the order in which they were noticed."""

    signals: list[Signal] = field(default_factory=list)
    of_movements: int = 0
    """How many of them stand against the movements: each forbids a match, none accuses anybody."""

    def add(self, code: SignalCode, value: int | None = None) -> None:
        self.signals.append(Signal(code, value))


def judge(
    frames: Sequence[bytes],
    *,
    references: Sequence[Descriptor],
    prompts: Sequence[Prompt] = (),
    movements: Sequence[Strip] = (),
    device_label: str = "",
    earlier: Sequence[PictureHash] = (),
    settings: JudgeSettings | None = None,
    engine: Engine,
    opener: Opener | None = None,
) -> Verdict:
    """Judge the frames of one check, in the order in which they were taken, not mirrored.

    ``references`` are the descriptors of the person's reference photos, made by this engine's model; ``earlier`` are
    the hashes of pictures that already answered a check. ``movements``: one strip for each prompt, in their order; none
    where the prompts are to be seen in the frames themselves, as they were before there were strips. A frame that
    cannot be decoded is a signal, not an error. Raises ``ValueError`` without references or frames and ``EngineDown``
    when engine or opener fails: then nothing is known, and nobody is called an impostor.
    """
    settings = settings or JudgeSettings()
    if not references:
        raise ValueError("a check needs at least one reference")
    if not 0 < len(frames) <= settings.max_frames:
        raise ValueError(f"a check has 1 to {settings.max_frames} frames")
    if movements and len(movements) != len(prompts):
        raise ValueError("each prompt has one strip")
    notes = _Notes()
    opener = opener or OpenHere()
    read = _read_frames(frames, settings, engine, opener, notes)
    wide = not read or read[0].picture.shape[1] >= read[0].picture.shape[0]
    with_eyes = Prompt.BLINK in prompts
    moved = [
        _read_strip(strip, asked, wide, engine, opener, with_eyes=with_eyes)
        for strip, asked in zip(movements, prompts, strict=False)
    ]
    shown = [frame for frame in read if frame.faces]
    described = [_describe(frame, references, settings, engine, with_eyes=with_eyes) for frame in shown]
    for frame, apart in zip(shown, distances_to_middle(described), strict=True):
        frame.middle_micro = apart

    if moved:
        _note_movements(moved, shown, references, engine, earlier, settings, notes)
    doubted = bool(moved and notes.of_movements)
    outcome, score = _decide(read, shown, () if moved else prompts, device_label, earlier, settings, notes)
    if outcome is FaceOutcome.SEVERAL_FACES:
        _note_prints(read, moved, notes)
    if doubted and outcome is FaceOutcome.MATCH:
        outcome = FaceOutcome.UNCLEAR
    return Verdict(
        outcome=outcome,
        score_micro=score,
        threshold_micro=settings.threshold_micro,
        engine=engine.name,
        model=engine.model,
        faces=max((len(frame.faces) for frame in read), default=0),
        signals=tuple(notes.signals),
        pictures=(*(frame.hash for frame in read), *(each.hash for each in moved)),
        mismatch_micro=settings.mismatch_micro,
    )


def _describe(
    frame: _Frame, references: Sequence[Descriptor], settings: JudgeSettings, engine: Engine, *, with_eyes: bool
) -> Descriptor:
    """Read everything from the frame's largest face; its descriptor."""
    mesh = frame.mesh or engine.read_mesh(frame.picture, frame.face)
    descriptor, clarity = engine.describe_with_clarity(frame.picture, frame.face, mesh)
    expression = engine.read_expression(frame.picture, frame.face, mesh, with_eyes=with_eyes)
    frame.expression = expression
    frame.distance_micro = _distance(descriptor, references)
    frame.faults = _faults(frame, expression, settings)
    frame.is_masked = is_masked(frame.picture, mesh.points)
    frame.is_certain = (
        frame.usable
        and not frame.is_masked
        and clarity >= _CERTAIN_CLARITY
        and expression.presence >= _CERTAIN_PRESENCE
        and abs(expression.roll) <= _CERTAIN_ROLL
    )
    return descriptor


def _distance(face: Descriptor, references: Sequence[Descriptor]) -> int:
    """How far a face is from the person, in micro-units: the median of the distances to her photos.

    Never the distance to their mean: the mean of two unlike faces lies near both.
    """
    return to_micro(statistics.median(compare(face, reference) for reference in references))


def _read_frames(
    frames: Sequence[bytes], settings: JudgeSettings, engine: Engine, opener: Opener, notes: _Notes
) -> list[_Frame]:
    """Decode every distinct frame and find its faces. Frames for which no time is left count as undecodable."""
    opened: dict[str, tuple[bytes, OpenedPicture]] = {}
    refused = copies = 0
    left = JUDGEMENT_SECONDS
    for data in frames:
        exact = hashlib.sha256(data).hexdigest()
        if exact in opened:
            copies += 1
            continue
        if left <= 0:
            refused += 1
            continue
        try:
            opened[exact] = data, opener.open(data, min(PICTURE_SECONDS, left))
        except DecodeError as error:
            left -= error.seconds
            refused += 1
            continue
        left -= opened[exact][1].seconds
    if refused:
        notes.add(SignalCode.UNDECODABLE_FRAME, refused)
    if copies:
        notes.add(SignalCode.REPEATED_FRAME, copies)
    return _find_people(opened, settings, engine)


def _find_people(
    opened: Mapping[str, tuple[bytes, OpenedPicture]], settings: JudgeSettings, engine: Engine
) -> list[_Frame]:
    """The faces of every frame. Small ones are looked for in one frame, and in all when it shows somebody more.

    Which frame that is follows from the pictures' bytes: nobody can know beforehand when to step out of the view.
    """
    chosen = min(opened, default=None)
    frames: dict[str, _Frame] = {}
    search, turns = Search.NEAREST, 0
    if settings.everyone and chosen is not None:
        frames[chosen], turns = _find_in(*opened[chosen], Search.EVERYONE, turns, settings, engine)
        if len(frames[chosen].faces) > 1:
            search = Search.EVERYONE
    for exact, picture in opened.items():
        if exact not in frames:
            frames[exact], turns = _find_in(*picture, search, turns, settings, engine)
    return [frames[exact] for exact in opened]


def _find_in(
    data: bytes, opened: OpenedPicture, search: Search, turns: int, settings: JudgeSettings, engine: Engine
) -> tuple[_Frame, int]:
    seen = look(engine, opened.picture, search, turns)
    people = tuple(face for face in seen.faces if face.side / opened.scale >= settings.second_face_pixels)
    known = hash_picture(data, seen.picture, people[0].points if people else None)
    return _Frame(seen.picture, opened.scale, known, people, seen.mesh), seen.turns


def _read_strip(strip: Strip, prompt: Prompt, wide: bool, engine: Engine, opener: Opener, *, with_eyes: bool) -> _Moved:
    """One movement; without moments where the picture is no strip of as many.

    Eyes are read where they are asked for: in a strip of them, and at rest in the others, to know how they look.
    """
    pictures: list[Pixels] = []
    with contextlib.suppress(DecodeError, strips.NoStrip):
        opened = opener.open(strip.data, PICTURE_SECONDS)
        pictures = strips.cut(opened.picture, len(strip.moments_ms), wide=wide)
    movement = motion.read(engine if prompt is Prompt.BLINK else engine.without_eyes(), prompt, pictures)
    if with_eyes and prompt is not Prompt.BLINK:
        first = [_with_eyes(moment, engine) for moment in movement.moments[: motion.REST_MOMENTS]]
        movement = replace(movement, moments=(*first, *movement.moments[motion.REST_MOMENTS :]))
    exact = hashlib.sha256(strip.data).hexdigest()
    return _Moved(movement, PictureHash(exact, "", motion.memory(movement)))


def _note_prints(read: Sequence[_Frame], moved: Sequence[_Moved], notes: _Notes) -> None:
    """Say it where all further faces are pictures on a wall. It changes no outcome: who knows it can mend it."""
    crowded = next((frame for frame in read if len(frame.faces) > 1), None)
    if crowded is None:
        return  # one after the other before the camera
    later = [moments[place].picture for each in moved if (moments := each.movement.moments) for place in (0, -1)]
    others = crowded.faces[1:]
    if all(is_print(face, crowded.picture, later) for face in others):
        notes.add(SignalCode.PRINTED_FACE, len(others))


def _with_eyes(moment: Moment, engine: Engine) -> Moment:
    if moment.face is None or moment.points is None or moment.expression is None:
        return moment
    read = Mesh(moment.points, moment.expression.presence)
    return replace(moment, expression=engine.read_expression(moment.picture, moment.face, read))


def _moment_of(frame: _Frame) -> Moment:
    """A single frame as a moment of rest: all that was read of it already."""
    if frame.mesh is None or frame.expression is None or frame.mesh.presence < _LEAST_PRESENCE:
        return Moment(frame.picture, frame.face)
    return Moment(frame.picture, frame.face, frame.mesh.points, frame.expression)


def _note_movements(
    moved: Sequence[_Moved],
    shown: Sequence[_Frame],
    references: Sequence[Descriptor],
    engine: Engine,
    earlier: Sequence[PictureHash],
    settings: JudgeSettings,
    notes: _Notes,
) -> None:
    """Note every sign that the movements were not made here, now, by the person of the frames."""
    before = len(notes.signals)
    frames = [_moment_of(frame) for frame in shown if len(frame.faces) == 1]
    for signal in motion.doubts([each.movement for each in moved], frames):
        notes.add(signal.code, signal.value)
    distances = [
        _distance(engine.describe(moment.picture, moment.face), references)
        for each in moved
        for moment in motion.compared(each.movement)
        if moment.face is not None
    ]
    farthest = max(distances, default=0)
    if farthest > settings.mismatch_micro:
        notes.add(SignalCode.FACE_CHANGED, farthest)
    replayed = _replayed(moved, earlier)
    if replayed is not None:
        notes.add(SignalCode.REPLAY, replayed)
    notes.of_movements = len(notes.signals) - before


def _replayed(moved: Sequence[_Moved], earlier: Sequence[PictureHash]) -> int | None:
    """How near a movement is to an earlier one: 0 for the same bytes, else of 128 what is left over; None when new."""
    digests, known = [each.hash.sha256 for each in moved], {picture.sha256 for picture in earlier}
    if len(set(digests)) < len(digests) or known.intersection(digests):
        return 0
    memories = [each.hash.memory for each in moved]
    before = [picture.memory for picture in earlier if picture.memory]
    # The same movement may be asked for twice in one check.
    apart = [
        motion.same_movement(memory, known)
        for place, memory in enumerate(memories)
        for known in (*before, *memories[:place])
    ]
    nearest = min((left for left in apart if left is not None), default=None)
    return None if nearest is None else max(1, round(nearest * 128))


def _faults(frame: _Frame, expression: Expression, settings: JudgeSettings) -> frozenset[QualityCode]:
    """What is wrong with the frame's largest face. The number of pixels is judged as it was before shrinking."""
    measures = quality.measure(frame.picture, frame.face)
    wrong = set(quality.judge_picture(frame.picture, frame.face, measures, expression, quality.COMPARISON))
    wrong.discard(QualityCode.TOO_FEW_PIXELS)
    height, width = frame.picture.shape[:2]
    if height * width < settings.min_pixels * frame.scale**2:
        wrong.add(QualityCode.TOO_FEW_PIXELS)
    return frozenset(wrong - _NO_FAULT_OF_A_FRAME)


def _decide(
    read: Sequence[_Frame],
    shown: Sequence[_Frame],
    prompts: Sequence[Prompt],
    device_label: str,
    earlier: Sequence[PictureHash],
    settings: JudgeSettings,
    notes: _Notes,
) -> tuple[FaceOutcome, int | None]:
    if not read:
        return FaceOutcome.UNCLEAR, None
    _note_faults(shown, notes)
    doubts = _doubts(read, shown, prompts, device_label, earlier, settings, notes)
    if not shown:
        return FaceOutcome.NO_FACE, None
    crowded = sum(len(frame.faces) > 1 for frame in read)
    if crowded >= min(2, len(read)):
        return FaceOutcome.SEVERAL_FACES, None
    if crowded:
        notes.add(SignalCode.SECOND_FACE_ONCE, crowded)

    usable = [frame for frame in shown if frame.usable]
    if _shows_two_people([frame for frame in usable if frame.is_certain], settings):
        return FaceOutcome.SEVERAL_FACES, None
    distances = [frame.distance_micro for frame in usable if frame.distance_micro is not None]
    if not distances:
        return FaceOutcome.UNCLEAR, None
    score = round(statistics.median(distances))
    near = sum(distance <= settings.threshold_micro for distance in distances)
    far = sum(distance > settings.mismatch_micro for distance in distances)
    against = sum(frame.is_certain and (frame.distance_micro or 0) > settings.mismatch_micro for frame in usable)
    if not near and against >= settings.mismatch_frames and score > settings.mismatch_micro:
        return FaceOutcome.MISMATCH, score
    if near and far:
        notes.add(SignalCode.DISAGREEMENT, near)
        doubts = doubts or far > 1
    if doubts or score > settings.threshold_micro:
        return FaceOutcome.UNCLEAR, score
    return FaceOutcome.MATCH, score


def _shows_two_people(certain: Sequence[_Frame], settings: JudgeSettings) -> bool:
    """Whether one clear frame shows somebody who is not she of the photos, and another one somebody else again.

    One after the other before one camera is as good as two at once.
    """
    limit = settings.mismatch_micro
    strangers = sum((frame.distance_micro or 0) > limit for frame in certain)
    return 0 < strangers < len(certain) and any(frame.middle_micro > limit for frame in certain)


def _note_faults(shown: Sequence[_Frame], notes: _Notes) -> None:
    """How many frames tell nothing, and what is most often wrong with them: so that she can be told what to do."""
    unusable = [frame for frame in shown if not frame.usable and len(frame.faces) == 1]
    if not unusable:
        return
    notes.add(SignalCode.FRAME_UNUSABLE, len(unusable))
    counted = Counter(code for frame in unusable for code in {_SIGNAL_OF_FAULT[fault] for fault in frame.faults})
    for code, number in counted.most_common():
        notes.add(code, number)


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
    masked = sum(frame.is_masked for frame in shown)
    if 2 * masked > len(shown):
        notes.add(SignalCode.FACE_COVERED, masked)
    # What is too dark, too blurred or half out of the picture to compare a face in answers no prompt, nor does another.
    answering = [frame.expression if frame.may_answer else None for frame in read]
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
        movements: Sequence[Strip] = (),
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
        movements: Sequence[Strip] = (),
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
                movements=movements,
                device_label=device_label,
                earlier=earlier,
                settings=settings,
                engine=self.engine,
                opener=self.opener,
            )
        finally:
            models.keep_memory_small()
