"""Who computes has a permit; who waits for something else gives it back meanwhile.

Threads of one interpreter take turns, and whatever they do between two turns, a beat waits for. With as many threads
as may wait for a database, a child or a store, each of a beat's dozen turns is a wait behind all of those that happen
to compute. So few may, and those who wait for something outside the interpreter do not count (`waiting`).
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from types import TracebackType

PATIENCE_SECONDS = 1.0
"""Who has got no permit after so long goes on without: somebody waits in a place that does not say so."""

_mine = threading.local()


class Permits:
    """``most`` threads at a time; those who come are served in turn. A context for the work of one thread."""

    def __init__(self, most: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        # Its queue is the interpreter's own: a semaphore costs a view a twentieth of its time.
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(most):
            self._free.put(None)
        self._patience = patience_seconds

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        give_back()

    def take(self) -> None:
        """For this thread, or go on without when its patience is at an end."""
        try:
            self._free.get(timeout=self._patience)
        except Empty:
            _mine.permits = None
        else:
            _mine.permits = self

    @property
    def free(self) -> int:
        """How many are nobody's now."""
        return self._free.qsize()

    def release(self) -> None:
        self._free.put(None)


def give_back() -> Permits | None:
    """What this thread had, which it has no longer. To be called before waiting with a lock that others need: whoever
    holds one computes without a permit, for nobody may wait for her longer than she needs.
    """
    had: Permits | None = getattr(_mine, "permits", None)
    if had is not None:
        _mine.permits = None
        had.release()
    return had


class Waiting:
    """Around a wait for something outside the interpreter (another process, a store), without a lock that others need.

    Costs next to nothing where nobody has a permit.
    """

    __slots__ = ("_had",)

    def __enter__(self) -> None:
        self._had = give_back()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._had is not None:
            self._had.take()
