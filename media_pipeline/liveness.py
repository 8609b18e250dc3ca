"""Signs that a living person sits before a real camera, in a burst of frames in time order.

What this can tell: a person follows random prompts in order; a picture was used before; nothing at all moves; the
camera calls itself virtual. What it cannot: a good video played to the camera of somebody who knows the prompts, a
mask, a virtual camera under a real one's name. So these are signals beside the match, and doubt leads to
``unclear`` and to a person's review, never to ``mismatch``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from media_pipeline.frames import Pixels
from media_pipeline.mesh import Expression
from media_pipeline.verdict import PictureHash, Prompt

_TURN_DEGREES = 14.0
_TURN_CHANGE_DEGREES = 12.0
_TILT_DEGREES = 12.0
_EYES_OPEN = 0.12
_BLINK_SHARE = 0.62
_MOUTH_OPEN = 0.45
_MOUTH_CHANGE = 0.22
_CAVITY_OPEN = 0.22
_CAVITY_CHANGE = 0.18
_LEAST_PRESENCE = 0.5
_MOTION_SIZE = (160, 120)
# Grey levels. Camera noise alone gives 0.5 and more at this size; the same still picture encoded again less than 0.2.
_STILL = 0.25
# In 1023rds of the picture's longer side: encoding again moves the points by half of this, a breath by twice.
_SAME_PLACE = 2.2
_PATTERN_SIDE = 256
_PATTERN_PEAK = 60.0
# What noise of one grey level gives: an enlarged picture has none, and any trace would stand out against nothing.
_PATTERN_FLOOR = 96.0

_VIRTUAL_CAMERAS = re.compile(
    r"obs[ -]?(virtual|camera)|virtual[ _-]?(cam|video|webcam)|manycam|v4l2[ _-]?loopback|dummy video|snap[ _-]?camera|"
    r"droidcam|iriun|epoccam|ivcam|xsplit|vcam\b|e2esoft|splitcam|youcam|webcammax|webcamoid|altercam|sparkocam|"
    r"camtwist|chromacam|mmhmm|nvidia broadcast|ndi (video|webcam|virtual)|unity video capture|akvcam|fake ?webcam|"
    r"虚拟(摄像|相机|视频)",
    re.IGNORECASE,
)


def is_virtual_camera(device_label: str) -> bool:
    """Whether the label is one that programs feeding made-up pictures are known to use.

    A label is the client's word: a hit is telling, the lack of one is not.
    """
    return _VIRTUAL_CAMERAS.search(device_label) is not None


def unanswered_prompts(prompts: Sequence[Prompt], expressions: Sequence[Expression | None]) -> tuple[int, ...]:
    """The places in ``prompts`` that no frame answers. They must be followed in order, each in a frame of its own.

    ``expressions`` has one entry a frame, None where the face could not be read. A prompt asks for a *change*:
    a still picture of an open mouth answers nothing.
    """
    known = [
        expression if expression is not None and expression.presence >= _LEAST_PRESENCE else None
        for expression in expressions
    ]
    unanswered = []
    reached = -1
    for place, prompt in enumerate(prompts):
        shown = [index for index in _frames_showing(prompt, known) if index > reached]
        if shown:
            reached = shown[0]
        else:
            unanswered.append(place)
    return tuple(unanswered)


def _frames_showing(prompt: Prompt, expressions: Sequence[Expression | None]) -> list[int]:
    read = [(index, expression) for index, expression in enumerate(expressions) if expression is not None]
    shows = _SHOWS[prompt]
    return [index for index, expression in read if shows(expression, [other for at, other in read if at != index])]


def _turns(direction: int) -> Callable[[Expression, list[Expression]], bool]:
    def shows(expression: Expression, others: list[Expression]) -> bool:
        yaw = direction * expression.yaw
        return yaw >= _TURN_DEGREES and any(yaw - direction * other.yaw >= _TURN_CHANGE_DEGREES for other in others)

    return shows


def _tilts(direction: int) -> Callable[[Expression, list[Expression]], bool]:
    def shows(expression: Expression, others: list[Expression]) -> bool:
        # The change alone would let the frame before a tilt to the left answer for one to the right.
        roll = direction * expression.roll
        return roll >= _TILT_DEGREES / 2 and any(roll - direction * other.roll >= _TILT_DEGREES for other in others)

    return shows


def _blinks(expression: Expression, others: list[Expression]) -> bool:
    if abs(expression.yaw) > 2 * _TURN_DEGREES:
        return False
    widest = max((other.eyes for other in others), default=0.0)
    return widest >= _EYES_OPEN and expression.eyes <= _BLINK_SHARE * widest


def _opens_mouth(expression: Expression, others: list[Expression]) -> bool:
    """The lips part, or the dark inside of the mouth shows: on small faces the points of the lips lag behind."""
    apart = expression.mouth >= _MOUTH_OPEN and any(expression.mouth - other.mouth >= _MOUTH_CHANGE for other in others)
    dark = expression.cavity >= _CAVITY_OPEN and any(expression.cavity - o.cavity >= _CAVITY_CHANGE for o in others)
    return apart or dark


_SHOWS: dict[Prompt, Callable[[Expression, list[Expression]], bool]] = {
    Prompt.TURN_LEFT: _turns(1),
    Prompt.TURN_RIGHT: _turns(-1),
    Prompt.BLINK: _blinks,
    Prompt.OPEN_MOUTH: _opens_mouth,
    Prompt.TILT_LEFT: _tilts(1),
    Prompt.TILT_RIGHT: _tilts(-1),
}


def motion(pictures: Sequence[Pixels]) -> tuple[int, bool]:
    """How much moves: the largest mean difference between neighbours in thousandths of a grey level, and whether
    the burst is frozen. Fewer than three pictures are never called frozen."""
    small = [
        cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), _MOTION_SIZE, interpolation=cv2.INTER_AREA)
        for picture in pictures
    ]
    differences = [
        float(np.mean(np.abs(one.astype(np.float32) - other.astype(np.float32)))) for one, other in pairwise(small)
    ]
    largest = max(differences, default=0.0)
    return round(largest * 1000), len(small) >= 3 and largest < _STILL


def find_replay(pictures: Sequence[PictureHash], earlier: Sequence[PictureHash], within_bits: int) -> int | None:
    """How near the burst is to earlier pictures: 0 for the same bytes, else differing bits, None when it is new.

    One picture of the same bytes is enough. Of pictures that only look alike at least half must, for one may by
    chance: somebody sits at the same desk for months. Cropping and mirroring hide a copy from this.
    """
    known = {picture.sha256 for picture in earlier}
    if any(picture.sha256 in known for picture in pictures):
        return 0
    nearest = [_nearest_copy(picture, earlier, within_bits) for picture in pictures]
    near = sorted(bits for bits in nearest if bits is not None)
    return near[0] if near and 2 * len(near) >= len(pictures) else None


def _nearest_copy(picture: PictureHash, earlier: Sequence[PictureHash], within_bits: int) -> int | None:
    apart = [(picture.steps_apart(other), other) for other in earlier]
    copies = [bits for bits, other in apart if bits <= within_bits and picture.face_shift(other) <= _SAME_PLACE]
    return min(copies, default=None)


def screen_pattern(picture: Pixels) -> int | None:
    """The strength, in thousandths, of a regular fine pattern as a photographed screen shows; None when there is none.

    Weak: many cameras blur the pattern away, and a knitted pullover has one too. A hint for the reviewer.
    """
    height, width = picture.shape[:2]
    if min(height, width) < _PATTERN_SIDE:
        return None
    top, left = (height - _PATTERN_SIDE) // 2, (width - _PATTERN_SIDE) // 2
    part = cv2.cvtColor(picture[top : top + _PATTERN_SIDE, left : left + _PATTERN_SIDE], cv2.COLOR_BGR2GRAY)
    window, is_fine = _pattern_window()
    spectrum = cv2.dft((part.astype(np.float32) - float(part.mean())) * window, flags=cv2.DFT_COMPLEX_OUTPUT)
    fine = cv2.magnitude(spectrum[..., 0], spectrum[..., 1])[is_fine]
    peak = float(fine.max() / max(float(np.median(fine)), _PATTERN_FLOOR))
    return round(peak * 1000) if peak >= _PATTERN_PEAK else None


@cache
def _pattern_window() -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What fades the part out towards its edges, and which frequencies are fine."""
    window = np.hanning(_PATTERN_SIDE).astype(np.float32)
    frequency = np.fft.fftfreq(_PATTERN_SIDE)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    return np.outer(window, window), (radius > 0.15) & (radius < 0.45)
