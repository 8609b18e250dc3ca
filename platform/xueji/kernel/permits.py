"""Who computes has a permit; who waits for something else gives it back meanwhile.

Threads of one interpreter take turns, and whatever they do between two turns, a beat waits for. With as many threads
as may wait for a database, a child or a store, each of a beat's dozen turns is a wait behind all of those that happen
to compute. So few may, and those who wait for something outside the interpreter do not count (`PermitGivenBack`).
While a beat is under way one may, and others only who have waited for her so long that she seems to wait herself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import TracebackType

PATIENCE_SECONDS = 1.0
"""Who has got no permit after so long goes on without: somebody waits in a place that does not say so."""

YIELDING_SECONDS = 0.25
"""So long the others wait for the one while a beat is under way; then each takes a permit as soon as one is free."""

_mine = threading.local()


class Permits:
    """``most`` threads at a time; those who come are served in turn. A context for the work of one thread.

    ``hurry`` says whether somebody is under way who must not wait: then one thread computes at a time, for as long as
    she does not keep the others ``yielding_seconds``.
    """

    def __init__(
        self,
        most: int,
        patience_seconds: float = PATIENCE_SECONDS,
        hurry: Callable[[], bool] = lambda: False,
        yielding_seconds: float = YIELDING_SECONDS,
    ) -> None:
        # Their queues are the interpreter's own: a semaphore costs a view a twentieth of its time.
        self._first: SimpleQueue[None] = SimpleQueue()
        self._others: SimpleQueue[None] = SimpleQueue()
        self._first.put(None)
        for _ in range(most - 1):
            self._others.put(None)
        self._patience, self._hurry, self._yielding = patience_seconds, hurry, yielding_seconds

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        give_back()

    def take(self) -> None:
        """For this thread, or go on without when its patience is at an end."""
        _mine.permit = None
        end = time.monotonic() + self._patience
        if self._took(self._first, 0) or (not self._hurry() and self._took(self._others, 0)):
            return
        # In turn at both, for either may be given back first.
        while (left := end - time.monotonic()) > 0:
            if self._took(self._first, min(left, self._yielding)) or self._took(self._others, 0):
                return

    @property
    def free(self) -> int:
        """How many are nobody's now."""
        return self._first.qsize() + self._others.qsize()

    def _took(self, queue: SimpleQueue[None], seconds: float) -> bool:
        try:
            queue.get(timeout=seconds) if seconds else queue.get_nowait()
        except Empty:
            return False
        _mine.permit = self, queue
        return True


def give_back() -> Permits | None:
    """What this thread had, which it has no longer. To be called before waiting with a lock that others need: whoever
    holds one computes without a permit, for nobody may wait for her longer than she needs.
    """
    had: tuple[Permits, SimpleQueue[None]] | None = getattr(_mine, "permit", None)
    if had is None:
        return None
    _mine.permit = None
    permits, queue = had
    queue.put(None)
    return permits


class PermitGivenBack:
    """Around a wait for something outside the interpreter (another process, a store), without a lock that others need.

    Costs next to nothing where nobody has a permit.
    """

    __slots__ = ("_had",)

    def __enter__(self) -> None:
        self._had = give_back()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._had is not None:
            self._had.take()
