"""Whether a living face made the movements it was asked for: judged by how each one grows, moment by moment.

A single frame shows a state, and a state can be printed. A movement is a way from rest to its end; it is made by one
face that stays one from moment to moment; and while it is made, everything else about a living head moves a little too.
"""

from __future__ import annotations

import statistics
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline import stills
from media_pipeline.detector import Face
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import Pixels
from media_pipeline.mesh import Expression, MeshPoints
from media_pipeline.stills import Cut
from media_pipeline.verdict import Prompt, Signal, SignalCode

REST_MOMENTS = 2
"""How many of a strip's moments are taken before the movement begins."""
_LEAST_PRESENCE = 0.5
_LEAST_SEEN = 0.7
"""Share of a strip's moments in which the face must be found: some are lost to the movement itself."""
_STEP, _GROWTH = 0.75, 1.4
"""The farthest a face goes (in sides of its square) and the most it grows between two moments that follow."""

_TURN_DEGREES = 13.0
_TILT_DEGREES = 12.0
_SIDES = {Prompt.TURN_LEFT: 1, Prompt.TURN_RIGHT: -1, Prompt.TILT_LEFT: 1, Prompt.TILT_RIGHT: -1}
_TURNS, _TILTS = (Prompt.TURN_LEFT, Prompt.TURN_RIGHT), (Prompt.TILT_LEFT, Prompt.TILT_RIGHT)
_WAY_FROM, _WAY_TO = 0.15, 0.85
"""Between these shares of the whole movement a moment lies on its way."""
_EYES_OPEN = 0.12
_EYES_SHUT_SHARE = 0.62
_LIDS_ON_THEIR_WAY = 0.85
_MOUTH_CHANGE, _CAVITY_CHANGE = 0.2, 0.18
_CHIN_LOWER, _CHIN_KNOWN = 0.09, 0.5
"""How far a chin goes down (in the distance of the eyes), and how well its skin must be found again (1: the very
same)."""
_SAME_PICTURE = 0.006
"""What is left over between two pictures of one face (see ``stills``) by which they are the same picture.

Measured: copies leave 0.003, a living head seconds later 0.09, and less than 0.022 in one of twenty cases. Of whoever
sits quite still before a plain wall and only moves the face, two pictures of rest may be as near as copies (0.002).
"""
_APART_SHARE = 0.75
"""Of all pairs of pictures of rest, this share may be the same picture."""
_SAME_MOVEMENT = 0.012
_SIMILAR = 0.35
"""What must be left over at most before the costlier look."""

_UPPER_SIDE = 32
_MEMORY = struct.Struct("<B")


@dataclass(frozen=True)
class Moment:
    """One moment of a strip; face, points and expression are None where no face was found."""

    picture: Pixels
    face: Face | None = None
    points: MeshPoints | None = None
    expression: Expression | None = None


@dataclass(frozen=True)
class Movement:
    """One strip as it was read."""

    prompt: Prompt
    moments: tuple[Moment, ...]

    @property
    def seen(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.expression is not None]

    @property
    def rest(self) -> Moment | None:
        """The first moment that shows the face, if it lies before the movement."""
        return next((moment for moment in self.moments[:REST_MOMENTS] if moment.expression is not None), None)


def read(engine: Engine, prompt: Prompt, pictures: Sequence[Pixels]) -> Movement:
    """Find and read the face in each moment of a strip."""
    return Movement(prompt, tuple(_read_moment(engine, picture) for picture in pictures))


def _read_moment(engine: Engine, picture: Pixels) -> Moment:
    faces = engine.find_faces(picture, Search.NEAREST)
    return read_face(engine, picture, faces[0]) if faces else Moment(picture)


def read_face(engine: Engine, picture: Pixels, face: Face) -> Moment:
    """What the face does in this picture; without points where it cannot be read."""
    mesh = engine.read_mesh(picture, face)
    if mesh.presence < _LEAST_PRESENCE:
        return Moment(picture, face)
    return Moment(picture, face, mesh.points, engine.read_expression(picture, face, mesh))


def compared(movement: Movement) -> list[Moment]:
    """The moments whose face must be hers: before the movement and, where she does not turn away, at its farthest."""
    rest, seen = movement.rest, movement.seen
    if rest is None:
        return []
    if movement.prompt in _TURNS:
        return [rest]
    return [rest, max(seen, key=lambda moment: _extent(movement, moment))]


def is_readable(movement: Movement) -> bool:
    """Whether the strip shows a face before the movement and in most of its moments."""
    return movement.rest is not None and len(movement.seen) >= _LEAST_SEEN * len(movement.moments)


def is_whole(movement: Movement) -> bool:
    """Whether it is one face that moves: never far, never suddenly larger, never turned from one moment to the next."""
    faces = [moment.face for moment in movement.seen if moment.face is not None]
    for one, other in pairwise(faces):
        (x, y), (u, v) = one.centre, other.centre
        if max(abs(x - u), abs(y - v)) > _STEP * one.side or not 1 / _GROWTH < other.side / one.side < _GROWTH:
            return False
    if movement.prompt in _SIDES:
        return _has_way([_extent(movement, moment) for moment in movement.seen])
    return True


def _has_way(angles: Sequence[float]) -> bool:
    """Whether some moment lies between rest and the farthest: a stack of pictures has only the ends."""
    farthest = max(angles, default=0.0)
    return any(_WAY_FROM * farthest < angle < _WAY_TO * farthest for angle in angles)


def neutral(movements: Sequence[Movement], frames: Sequence[Expression]) -> Expression | None:
    """How the face looks at rest in this check: the middle of what frames and the strips' beginnings show."""
    found = [movement.rest.expression for movement in movements if movement.rest is not None]
    known = [expression for expression in (*found, *frames) if expression is not None]
    if not known:
        return None
    middle = {
        name: statistics.median(getattr(expression, name) for expression in known)
        for name in ("yaw", "pitch", "roll", "eyes", "mouth", "cavity", "presence")
    }
    return Expression(**middle)


def is_answered(movement: Movement, rest: Expression) -> bool:
    """Whether the movement that was asked for is seen, against how this very face looks at rest, and no other.

    A film in which she does everything, at once or one after the other, would answer whatever is asked. Only a mouth
    may open with the eyes shut: then it is no answer to whoever asked for the eyes.
    """
    made = _made_by_head(movement)
    if movement.prompt in _SIDES:
        return made == {movement.prompt}
    if made:
        return False
    if movement.prompt is Prompt.BLINK:
        return _blinks(movement.seen, rest) and not _opens_mouth(movement, rest)
    return _opens_mouth(movement, rest)


def _made_by_head(movement: Movement) -> set[Prompt]:
    """Every turn and tilt that the strip shows. Who turns leans a little too: what went farther is what was made."""
    made = set()
    for moment in movement.seen:
        turned, tilted = _head(movement, moment)
        if abs(turned) >= max(_TURN_DEGREES, abs(tilted)):
            made.add(Prompt.TURN_LEFT if turned > 0 else Prompt.TURN_RIGHT)
        elif abs(tilted) >= _TILT_DEGREES:
            made.add(Prompt.TILT_LEFT if tilted > 0 else Prompt.TILT_RIGHT)
    return made


def _head(movement: Movement, moment: Moment) -> tuple[float, float]:
    """How far it has turned and tilted to its own left, against the strip's first moments, in degrees."""
    rest = movement.rest
    if rest is None or rest.expression is None or moment.expression is None:
        return 0.0, 0.0
    tilted = moment.expression.roll - rest.expression.roll
    # A head that is upside down passes from 180 to -180.
    return moment.expression.yaw - rest.expression.yaw, (tilted + 180) % 360 - 180


def _blinks(seen: Sequence[Moment], rest: Expression) -> bool:
    """The lids close, and in a moment beside it they are closed too or on their way."""
    if rest.eyes < _EYES_OPEN:
        return False
    open_ = [moment.expression.eyes / rest.eyes for moment in seen if moment.expression is not None]
    return any(
        min(one, other) <= _EYES_SHUT_SHARE and max(one, other) <= _LIDS_ON_THEIR_WAY for one, other in pairwise(open_)
    )


def _opens_mouth(movement: Movement, rest: Expression) -> bool:
    """The lips part or the dark inside shows, and in that moment the chin is lower: paint on lips moves no chin."""
    first = movement.rest
    if first is None or first.points is None:
        return False
    for moment in movement.seen:
        expression, points = moment.expression, moment.points
        if expression is None or points is None:
            continue
        open_ = expression.mouth - rest.mouth >= _MOUTH_CHANGE or expression.cavity - rest.cavity >= _CAVITY_CHANGE
        if open_ and _chin_goes_down(first, moment):
            return True
    return False


def _chin_goes_down(first: Moment, moment: Moment) -> bool:
    """By where the skin of the chin is found again once the eyes are laid on each other.

    Not by the points: a dark dot on the mouth carries the mesh's chin down with it.
    """
    if first.points is None or moment.points is None:
        return False
    before, there = _upper_face(first.picture, first.points)
    after, _ = _upper_face(moment.picture, moment.points)
    x, y = there[:, :2] @ first.points[152, :2].astype(np.float64) + there[:, 2]
    side = _UPPER_SIDE
    left, right, top, bottom = int(x - side / 2), int(x + side / 2), int(y - 0.4 * side), int(y + 0.25 * side)
    if left < 0 or right > before.shape[1] or bottom > before.shape[0] or top < 0:
        return False
    chin = before[top:bottom, left:right]
    high, low = max(0, top - side // 3), min(after.shape[0], bottom + side)
    near, far = max(0, left - 6), min(after.shape[1], right + 6)
    found = cv2.matchTemplate(after[high:low, near:far], chin, cv2.TM_CCOEFF_NORMED)
    _, best, _, (_, down) = cv2.minMaxLoc(found)
    return best >= _CHIN_KNOWN and (down + high - top) / side >= _CHIN_LOWER


def _upper_face(picture: Pixels, points: MeshPoints) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The face cut out by its eyes alone, so that whatever else moves is seen to; and the way there."""
    right = points[[33, 133], :2].mean(axis=0).astype(np.float64)
    left = points[[263, 362], :2].mean(axis=0).astype(np.float64)
    across = left - right
    scale = _UPPER_SIDE / max(float(np.linalg.norm(across)), 1e-3)
    angle = float(np.arctan2(across[1], across[0]))
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    there = np.array(
        [
            [cosine, sine, _UPPER_SIDE - cosine * right[0] - sine * right[1]],
            [-sine, cosine, _UPPER_SIDE + sine * right[0] - cosine * right[1]],
        ]
    )
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if scale < 0.8:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 / scale)
    size = (3 * _UPPER_SIDE, round(4.2 * _UPPER_SIDE))
    cut = cv2.warpAffine(grey, there, size, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    return np.asarray(cut - cv2.GaussianBlur(cut, (0, 0), 6), np.float32), there


def doubts(movements: Sequence[Movement], frames: Sequence[Moment]) -> list[Signal]:
    """Every sign that no living person made these movements, each before the same camera as the single ``frames``.

    One movement a prompt, in the order of the prompts; ``frames`` were taken at rest before the first of them.
    """
    found: list[Signal] = []
    rest = neutral(movements, [frame.expression for frame in frames if frame.expression is not None])
    for place, movement in enumerate(movements):
        if rest is None or not is_readable(movement):
            found.append(Signal(SignalCode.STRIP_UNUSABLE, place))
            continue
        if not is_answered(movement, rest):
            found.append(Signal(SignalCode.PROMPT_UNANSWERED, place))
        elif not is_whole(movement):
            found.append(Signal(SignalCode.MOVEMENT_BROKEN, place))
    groups = [frames, *([movement.rest] for movement in movements if movement.rest is not None)]
    cuts = [
        [stills.cut_out(each.picture, each.points) for each in group if each.points is not None] for group in groups
    ]
    apart = one_picture(cuts)
    if apart is not None and apart < _SAME_PICTURE:
        found.append(Signal(SignalCode.ONE_PICTURE, round(apart * 1_000_000)))
    return found


def one_picture(groups: Sequence[Sequence[Cut]]) -> float | None:
    """What is left over between pictures of rest taken at different times; None when there are too few.

    ``groups``: those taken within one second each. One print or one photograph behind all of them leaves next to
    nothing, however it is moved, relit or bent where the movement is wanted. Not the middle of all pairs: whoever
    sits quite still is in another place only after she moved her head, which may be before the last pictures alone.
    """
    apart = [
        stills.left_over(one, other)
        for place, group in enumerate(groups)
        for later in groups[place + 1 :]
        for one in group
        for other in later
    ]
    return float(np.quantile(apart, _APART_SHARE)) if apart else None


def memory(movement: Movement) -> bytes:
    """What a movement is known again by: its first moment, its farthest and its last, each as ``stills`` cuts it."""
    seen = [moment for moment in movement.seen if moment.points is not None]
    if len(seen) < 3:
        return b""
    kept = (seen[0], max(seen[1:-1], key=lambda moment: _extent(movement, moment)), seen[-1])
    cuts = [stills.cut_out(moment.picture, moment.points).to_bytes() for moment in kept if moment.points is not None]
    return _MEMORY.pack(list(Prompt).index(movement.prompt)) + b"".join(cuts)


def _extent(movement: Movement, moment: Moment) -> float:
    """How far the movement has gone at this moment, in a measure of its own."""
    expression = moment.expression
    if expression is None:
        return 0.0
    if movement.prompt is Prompt.BLINK:
        return -expression.eyes
    if movement.prompt is Prompt.OPEN_MOUTH:
        return expression.mouth + expression.cavity
    turned, tilted = _head(movement, moment)
    return _SIDES[movement.prompt] * (turned if movement.prompt in _TURNS else tilted)


def same_movement(one: bytes, other: bytes) -> float | None:
    """What is left over between two remembered movements when they are one and the same, mirrored or not; else None.

    The farthest moment must be the same and one of the two others: a person never makes a movement twice so.
    """
    if not one or not other:
        return None
    (asked, mine), (before, theirs) = _recalled(one), _recalled(other)
    for mirrored in (False, True):
        if before is not (_MIRRORED.get(asked, asked) if mirrored else asked):
            continue
        apart = [_same(cut, then.mirrored() if mirrored else then) for cut, then in zip(mine, theirs, strict=True)]
        first, farthest, last = apart
        if farthest < _SAME_MOVEMENT and min(first, last) < _SAME_MOVEMENT:
            return max(farthest, min(first, last))
    return None


_MIRRORED = dict(zip((*_TURNS, *_TILTS), (*_TURNS[::-1], *_TILTS[::-1]), strict=True))


def _same(one: Cut, other: Cut) -> float:
    """``left_over``, the costlier look spared where the two are plainly different."""
    shared = one.seen & other.seen
    if not shared.any():
        return 1.0
    a, b = one.values[shared], other.values[shared]
    if 1 - float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6)) > _SIMILAR * 2:
        return 1.0
    return stills.left_over(one, other)


def _recalled(kept: bytes) -> tuple[Prompt, list[Cut]]:
    (place,) = _MEMORY.unpack_from(kept)
    cuts = [kept[start : start + stills.BYTES] for start in range(_MEMORY.size, len(kept), stills.BYTES)]
    return list(Prompt)[place], [Cut.from_bytes(each) for each in cuts]
