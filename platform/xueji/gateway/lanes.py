"""Threads by what is asked: whatever holds up one lane, the others go on.

Beats are what study is counted by, so no page, film or slow sender can take their threads. Films are read from a store
that may hang. Photos wait for the one child that looks at them, one after the other; other large bodies cost more than
a page to take apart. Everything else shares a set of its own. A thread is made when one is needed and kept.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from enum import StrEnum
from queue import SimpleQueue
from typing import Any

import structlog

log = structlog.get_logger(__name__)


LARGE_BODY_BYTES = 64 * 1024
"""A longer body is a picture, a film's piece or a table, not a form or a report."""


class Lane(StrEnum):
    BEATS = "beats"
    FILMS = "films"
    PAGES = "pages"
    PHOTOS = "photos"
    BODIES = "bodies"


_BEATS = re.compile(rb"POST /api/v1/sittings/[0-9a-fA-F-]{36}/beats[ ?]")
_FILMS = re.compile(rb"(?:GET|HEAD) /media/")
_PHOTOS = re.compile(rb"POST (?:/api/v1/me/reference-photos|/account/photos)[ ?]")
_ALIVE = re.compile(rb"(?:GET|HEAD) /healthz[ ?]")
_SOCKET = re.compile(rb"GET /socket\.io/")
_UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)


def lane_of(head: bytes, length: int = 0) -> Lane:
    """By the request line, and the length of the body in bytes.

    That the process is alive is said by those who answer beats.
    """
    if _BEATS.match(head) or _ALIVE.match(head):
        return Lane.BEATS
    if _FILMS.match(head):
        return Lane.FILMS
    if _PHOTOS.match(head):
        return Lane.PHOTOS
    return Lane.BODIES if length > LARGE_BODY_BYTES else Lane.PAGES


def is_socket(head: bytes) -> bool:
    """Whether a page asks for a socket."""
    return _SOCKET.match(head) is not None and _UPGRADE.search(head) is not None


class Threads:
    """The threads of one lane; ``work`` must not raise."""

    def __init__(self, name: str, most: int, most_waiting: int, work: Callable[[Any], None]) -> None:
        self._name = name
        self._most = most
        self._most_waiting = most_waiting
        self._work = work
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._lock = threading.Lock()
        self._made = 0
        self._taken = 0

    def give(self, item: Any) -> bool:
        """Have it worked on; False when too much waits already. Called from one thread only."""
        with self._lock:
            if self._taken >= self._most + self._most_waiting:
                return False
            self._taken += 1
            missing = self._made < min(self._taken, self._most)
        if missing:
            self._made += 1
            threading.Thread(target=self._run, name=f"{self._name}-{self._made}", daemon=True).start()
        self._queue.put(item)
        return True

    @property
    def taken(self) -> int:
        """How many requests of this lane are being answered or wait for a thread."""
        return self._taken

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            try:
                self._work(item)
            except BaseException:
                log.exception("lane.failed", lane=self._name)
            finally:
                with self._lock:
                    self._taken -= 1
