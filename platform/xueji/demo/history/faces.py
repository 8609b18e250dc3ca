"""Drawn people for the demonstration: nobody's picture, and plainly a drawing.

The twin of the face engine that stands by while history is played knows them by their numbers; what it writes into
verdicts says that it was no engine (`media_pipeline.harmless`).
"""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from media_pipeline.behind import Behind
from media_pipeline.frames import Pixels
from media_pipeline.harmless import ENGINE
from media_pipeline.reference import ReferenceQuality
from xueji.rulebook.vocabulary import Outcome

WIDTH, HEIGHT = 640, 480
_SKIN = ((196, 214, 240), (178, 200, 232), (160, 186, 222), (204, 220, 244))
_HAIR = ((38, 32, 30), (60, 52, 48), (96, 96, 100), (46, 44, 66))
_CLOTHES = ((130, 90, 50), (70, 110, 60), (60, 70, 140), (120, 120, 120), (40, 120, 190))
_WALLS = ((232, 232, 226), (226, 234, 236), (222, 228, 232), (236, 230, 224))


class DrawnFaces:
    """Takes every drawing as a good reference photo; templates of two drawings are far apart."""

    model = "none"

    def assess(self, photo: bytes) -> ReferenceQuality:
        number = int.from_bytes(hashlib.sha256(photo).digest()[:4], "big")
        descriptor = np.random.default_rng(number).normal(0, 0.1, 128).astype(np.float32)
        return ReferenceQuality(descriptor, (), ENGINE, self.model)

    def look_behind(self, first: bytes, later: bytes) -> Behind:
        return Behind.NOBODY


def portrait(number: int, turn: int = 0, outcome: Outcome = Outcome.MATCH, tag: int = 0) -> bytes:
    """A JPEG of person ``number``, her head turned by ``turn`` (-2 to 2), as a check that ends so would show her.

    No two drawings with different ``tag`` are the same bytes: a picture counts as an answer only once.
    """
    picture = np.full((HEIGHT, WIDTH, 3), _WALLS[number % len(_WALLS)], np.uint8)
    cv2.rectangle(picture, (0, 390), (WIDTH, HEIGHT), (200, 196, 190), -1)
    if outcome is Outcome.SEVERAL_FACES:
        _person(picture, number, 210, 250, turn)
        _person(picture, number + 17, 450, 235, 0)
    elif outcome is Outcome.MISMATCH:
        _person(picture, number + 29, 320, 240, turn)
    elif outcome is not Outcome.NO_FACE:
        _person(picture, number, 320, 240, turn)
    if outcome is Outcome.UNCLEAR:
        picture = (cv2.GaussianBlur(picture, (0, 0), 12) * 0.3).astype(np.uint8)
    # One pixel row holds the tag in black and white.
    for place in range(32):
        picture[HEIGHT - 8 :, place * 8 : place * 8 + 8] = 255 * (tag >> place & 1)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 78])[1].tobytes()


def _person(picture: Pixels, number: int, x: int, y: int, turn: int) -> None:
    skin, hair = _SKIN[number % 4], _HAIR[number // 4 % 4]
    clothes, wide = _CLOTHES[number % 5], 88 + number * 7 % 16
    cv2.ellipse(picture, (x, y + 240), (150, 120), 0, 180, 360, clothes, -1, cv2.LINE_AA)
    cv2.rectangle(picture, (x - 28, y + 90), (x + 28, y + 140), skin, -1)
    cv2.ellipse(picture, (x, y - 8), (wide + 10, 128), 0, 0, 360, hair, -1, cv2.LINE_AA)
    if number % 3 == 0:  # long hair
        cv2.rectangle(picture, (x - wide - 8, y), (x + wide + 8, y + 120), hair, -1)
    cv2.ellipse(picture, (x, y + 12), (wide, 114), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, y - 62), (wide - 4, 46), 0, 180, 360, hair, -1, cv2.LINE_AA)
    at = x + turn * 16
    for side in (-1, 1):
        eye = (at + side * 34, y)
        cv2.ellipse(picture, eye, (13, 8), 0, 0, 360, (250, 250, 250), -1, cv2.LINE_AA)
        cv2.circle(picture, (eye[0] + turn * 3, eye[1]), 6, (40, 30, 30), -1, cv2.LINE_AA)
        cv2.line(picture, (eye[0] - 16, y - 20), (eye[0] + 16, y - 22), hair, 5, cv2.LINE_AA)
        if number % 4 == 1:  # glasses
            cv2.circle(picture, eye, 24, (70, 60, 60), 3, cv2.LINE_AA)
    nose = at + turn * 8
    cv2.line(picture, (nose, y + 6), (nose + 4 + turn * 4, y + 38), (130, 150, 190), 4, cv2.LINE_AA)
    cv2.ellipse(picture, (at + turn * 4, y + 62), (24, 9), 0, 10, 170, (90, 90, 170), 5, cv2.LINE_AA)
