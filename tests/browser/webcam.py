"""What stands before the camera in these tests: a file that Chromium plays as its webcam, changed between two checks.

Nobody in a file can read which movements a check asks for: whoever shall pass one is drawn by a script (`mover`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from browser import mover
from playwright.sync_api import Page
from support.faces import (
    Puppet,
    add_person,
    close_portrait,
    empty_room,
    encode_jpeg,
    make_puppet,
    portrait,
    write_camera_feed,
)

from media_pipeline.engine import Engine
from media_pipeline.frames import Pixels

FRAMES_A_SECOND = 10
_HELD_FRAMES = 4
"""Longer than the time between two frames that the page takes, so that none of the movements falls between."""
_ROUNDS = 9
# Pixels between two rounds. A living head is never twice in the same place; pictures of one that is, are a replay.
_DRIFT = 3


class Webcam:
    """The file that is the camera. Chromium opens it anew whenever a page opens the camera."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.file = folder / "webcam.y4m"
        self._folder = folder
        self._engine = engine
        self._person: Puppet | None = None

    @property
    def person(self) -> Puppet:
        """The trainee of these tests."""
        self._person = self._person or make_puppet(self._engine, portrait())
        return self._person

    def show_person(self, page: Page, **how: int) -> None:
        """From the next page on she is there and makes the movements that a check asks for; ``how``: see `mover`."""
        mover.prepare(self._folder, self.person)
        mover.stand_before(page, self._folder, **how)

    def show_stranger(self) -> None:
        """Somebody else, who sits there and makes no movement."""
        self._show("stranger", lambda: [self.person.stranger()])

    def show_two(self) -> None:
        """She and somebody beside her."""
        self._show("two", lambda: [add_person(portrait(), portrait(), 90, x, 200) for x in (20, 22)])

    def show_poster(self) -> None:
        """She sways as people do; on the wall beside her hangs a face."""

        def frames() -> list[Pixels]:
            face = self.person.stranger()
            moved = [np.roll(portrait(), _DRIFT * number, axis=1) for number in range(_ROUNDS)]
            return [add_person(picture, face, 70, 470, 40) for picture in moved for _ in range(_HELD_FRAMES)]

        self._show("poster", frames, rounds=False)

    def show_nobody(self) -> None:
        self._show("nobody", lambda: [empty_room()])

    def show_for_enrolment(self) -> None:
        """She sits near and still, as a reference photo should be taken."""
        self._show("near", lambda: [_as_webcam(close_portrait())])

    def _show(self, name: str, pictures: Callable[[], list[Pixels]], *, rounds: bool = True) -> None:
        """Make the feed once a run, then put it in the camera's place in one step.

        ``rounds``: everything in the pictures moves a little from one showing of them to the next.
        """
        feed = self._folder / f"{name}.y4m"
        if not feed.exists():
            write_camera_feed(feed, list(_rounds(pictures())) if rounds else pictures(), rate=FRAMES_A_SECOND)
        link = self._folder / "next"
        link.unlink(missing_ok=True)
        os.link(feed, link)
        link.replace(self.file)


def reference_photo() -> bytes:
    """The trainee of these tests, as JPEG."""
    return encode_jpeg(close_portrait())


def _as_webcam(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, (640, 480), interpolation=cv2.INTER_AREA), np.uint8)


def _rounds(pictures: list[Pixels]) -> Iterator[Pixels]:
    for number in range(_ROUNDS):
        for picture in pictures:
            moved = np.roll(picture, _DRIFT * number, axis=1)
            yield from [moved] * _HELD_FRAMES
