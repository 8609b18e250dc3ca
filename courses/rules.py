"""Decisions about uploads, lessons and the files of a film: pure functions over plain values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

PIECE_BYTES = 4 * 1024 * 1024
"""The most bytes of an upload in one request: under ten seconds on a slow office line, and held in memory."""
MOST_UNFINISHED_UPLOADS = 20
"""Of one organisation."""
ABANDONED_AFTER = timedelta(days=2)
"""An unfinished upload nobody has touched for so long is thrown away."""

LEASE = timedelta(minutes=2)
"""How long a worker that says nothing keeps a film."""
REST = timedelta(minutes=5)
"""How long a film waits after a failure of the machine; after the second twice as long, and so on."""
MOST_ATTEMPTS = 4
UNUSED_KEPT = timedelta(days=30)
"""A film no lesson shows is deleted after so long."""

LONGEST_NAME = 120
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

PLAYLIST = "master.m3u8"
POSTER = "poster.jpg"
STRIP = "strip.jpg"
MEDIA = ".m4s"
"""Names within a finished film, as `media_pipeline.hls` writes them."""
_MEDIA_FILE = re.compile(r"(?:[a-z0-9_-]{1,32}/)?[a-z0-9_-]{1,64}\.(m3u8|m4s|mp4|jpg)", re.ASCII)
_MEDIA_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "m4s": "video/iso.segment",
    "mp4": "video/mp4",
    "jpg": "image/jpeg",
}

Item = TypeVar("Item")


class Fault(StrEnum):
    """Why a film failed that is no fault of the file; the file's own are `media_pipeline.film.FilmFault`."""

    ORIGINAL_LOST = "original_lost"
    GAVE_UP = "gave_up"


def shown_name(given: str) -> str:
    """A file's name fit to be shown: the last part of a path, without control or direction-changing characters.

    It is never used to name anything in the store; that is not what makes it safe.
    """
    last = re.split(r"[/\\]", _CONTROL.sub("", given))[-1].strip()
    return last[:LONGEST_NAME] or "film"


def media_type(path: str) -> str | None:
    """The content type of a file of a film, or None when no film can have a file of that name."""
    match = _MEDIA_FILE.fullmatch(path)
    return _MEDIA_TYPES[match[1]] if match else None


def moved(order: Sequence[Item], item: Item, to: int) -> list[Item]:
    """The order with the item at the place ``to`` (from 1; further than the end means the end)."""
    rest = [other for other in order if other != item]
    rest.insert(min(max(0, to - 1), len(rest)), item)
    return rest
