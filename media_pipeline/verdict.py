"""What a face check answers: outcomes, signals, settings. Standard library only, so any part may hold one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

_STEP_BITS = 128
_COORDINATES, _COORDINATE_BITS, _COORDINATE_LIMIT = 12, 10, 1023


class FaceOutcome(StrEnum):
    """The outcomes that pictures alone can have; the other four of a check's nine never reach the judge."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNCLEAR = "unclear"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"


class Prompt(StrEnum):
    """What a person is asked to do. Left and right are the person's own.

    New ones come last: what is remembered of a movement holds its place in this list.
    """

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    BLINK = "blink"
    OPEN_MOUTH = "open_mouth"
    TILT_LEFT = "tilt_left"
    """The head leans to the left shoulder."""
    TILT_RIGHT = "tilt_right"


class SignalCode(StrEnum):
    """What was noticed beside the faces. ``value`` of a signal is described for each."""

    UNDECODABLE_FRAME = "undecodable_frame"
    """A frame was refused; value: the number of such frames."""
    FRAME_UNUSABLE = "frame_unusable"
    """Frames too dark, too small or too blurred to compare; value: their number."""
    FRAME_DARK = "frame_dark"
    """Of the unusable frames, those too dark or too bright; value: their number."""
    FRAME_BLURRED = "frame_blurred"
    """Of the unusable frames, those that are blurred; value: their number."""
    FACE_SMALL = "face_small"
    """Of the unusable frames, those with a small or cut off face or few pixels; value: their number."""
    FACE_AWAY = "face_away"
    """Of the unusable frames, those whose face looks aside or lies on its side; value: their number."""
    FACE_COVERED = "face_covered"
    """Frames in which a mask, a hand or a shadow hides the face, or it stands on its head; value: their number."""
    SECOND_FACE_ONCE = "second_face_once"
    """A second face in too few frames to count; value: the number of frames."""
    PRINTED_FACE = "printed_face"
    """The other faces do not move at all while the check lasts, as a poster's: it says what to put away; value: how
    many there are."""
    REPLAY = "replay"
    """Pictures that were used before; value: bits of 128 that differ from the earlier one (0: the same bytes)."""
    REPEATED_FRAME = "repeated_frame"
    """The same picture more than once within the burst; value: how many frames are copies."""
    FROZEN_PICTURE = "frozen_picture"
    """Nothing moved between frames, not even camera noise; value: mean difference in thousandths of a grey level."""
    PROMPT_UNANSWERED = "prompt_unanswered"
    """A prompt was not seen to be followed; value: its place in the list, from 0."""
    FACE_CHANGED = "face_changed"
    """The frames do not show one and the same person; value: the largest distance to the burst's middle frame, in
    micro-units."""
    VIRTUAL_CAMERA = "virtual_camera"
    """The device calls itself by the name of a virtual camera. No value."""
    SCREEN_PATTERN = "screen_pattern"
    """A regular pattern as of a photographed screen: a hint, never a reason; value: its strength in thousandths."""
    STRIP_UNUSABLE = "strip_unusable"
    """The picture of a movement does not show its moments with a face in them; value: the prompt's place, from 0."""
    MOVEMENT_BROKEN = "movement_broken"
    """A movement without its way: from one moment to the next the face is another, elsewhere or turned; value: the
    prompt's place."""
    ONE_PICTURE = "one_picture"
    """What was taken at different times of the check is one picture, moved or relit; value: what differs, in
    millionths."""
    DISAGREEMENT = "disagreement"
    """Some frames are near the reference and some are not; value: the number that are near."""


@dataclass(frozen=True)
class Signal:
    """One thing noticed. Integers only, so that it can stand in a trace leaf."""

    code: SignalCode
    value: int | None = None

    def as_values(self) -> dict[str, str | int]:
        """The signal as plain JSON values, ``value`` left out when there is none."""
        values: dict[str, str | int] = {"code": self.code.value}
        if self.value is not None:
            values["value"] = self.value
        return values


@dataclass(frozen=True)
class Strip:
    """One movement: the picture of its moments, side by side, and when each was taken.

    ``moments_ms`` counts from the moment at which the page saw the movement begin; the first ones lie before it.
    """

    data: bytes
    moments_ms: tuple[int, ...]


@dataclass(frozen=True)
class PictureHash:
    """How a picture is known again: ``sha256`` of its bytes (hex) and ``perceptual``, 64 hexadecimal digits.

    The first half of ``perceptual`` says where the picture grows lighter, the second where the face's six points lie:
    twelve numbers of ten bits, in 1023rds of the longer side. A person who sits at the same desk again gives nearly
    the same first half, but never just the same second. Empty when the picture shows no face: an empty chair is
    no evidence of anything. ``memory`` is what a movement is known again by, empty for a single frame: see ``motion``.
    All are personal data as long as the picture is.
    """

    sha256: str
    perceptual: str
    memory: bytes = b""

    def steps_apart(self, other: PictureHash) -> int:
        """How many of the 128 bits of the first half differ; 128 when either picture shows no face."""
        if not self.perceptual or not other.perceptual:
            return _STEP_BITS
        return ((int(self.perceptual, 16) ^ int(other.perceptual, 16)) >> _STEP_BITS).bit_count()

    def face_shift(self, other: PictureHash) -> float:
        """How far the face's points have moved: their mean distance (root of squares) in 1023rds of the longer side."""
        if not self.perceptual or not other.perceptual:
            return float(_COORDINATE_LIMIT)
        pairs = zip(self._coordinates(), other._coordinates(), strict=True)
        return math.sqrt(sum((one - two) ** 2 for one, two in pairs) / (_COORDINATES / 2))

    def _coordinates(self) -> list[int]:
        bits = int(self.perceptual, 16)
        return [bits >> (_COORDINATE_BITS * place) & _COORDINATE_LIMIT for place in range(_COORDINATES)]


@dataclass(frozen=True)
class JudgeSettings:
    """The limits of a check; a plan freezes them into each sitting. Distances are in micro-units.

    ``threshold_micro``: at most this far is the same person; docs/faces.md has the curve it was taken from.
    ``mismatch_micro``: only beyond this is it another person; in between nothing is said. ``mismatch_frames``: so
    many clear frames must say so. ``second_face_pixels``: a face whose square is narrower than this is a stamp on
    a wall, not a person: the square is somewhat smaller than the face. ``everyone``: look for small second faces too.
    ``replay_bits``: at most so many of 128 bits may differ for a picture to be an earlier one, the face being in the
    same place too.
    """

    threshold_micro: int = 500_000
    mismatch_micro: int = 625_000
    mismatch_frames: int = 2
    min_pixels: int = 300_000
    everyone: bool = True
    second_face_pixels: int = 26
    replay_bits: int = 4
    refuse_virtual_camera: bool = True
    max_frames: int = 40


@dataclass(frozen=True)
class Verdict:
    """The answer to one burst of frames.

    ``score_micro``: the median distance to the reference over the frames compared, in micro-units, or None when
    none could be. ``engine`` and ``model`` name what judged, ``faces`` is the largest number of faces in
    one frame, ``pictures`` the hashes of the decodable frames, to be handed in as ``earlier`` from now on.
    ``threshold_micro`` and ``mismatch_micro`` are the limits that it was judged by.
    """

    outcome: FaceOutcome
    score_micro: int | None
    threshold_micro: int
    engine: str
    model: str
    faces: int
    signals: tuple[Signal, ...] = ()
    pictures: tuple[PictureHash, ...] = ()
    mismatch_micro: int = JudgeSettings.mismatch_micro

    def has(self, code: SignalCode) -> bool:
        return any(signal.code is code for signal in self.signals)


class EngineDown(RuntimeError):
    """The judge cannot work: nothing is known about the person. The check's outcome is ``service_down``."""
