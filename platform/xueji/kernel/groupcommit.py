"""Many small writes in one durable transaction.

Callers hand in an item and wait; one thread takes everything that waits, has it written, and wakes the callers when it
is durable. There is no timed window: a lone item is written at once, and while one batch is being flushed to disk the
next one gathers by itself.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from xueji.kernel.database import Database, commit
from xueji.kernel.errors import Unavailable
from xueji.kernel.permits import PermitGivenBack

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
LONGEST_WAIT_SECONDS = 30.0
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""The bounds under which batches are counted."""

_counting = threading.Lock()
_batches: Counter[float] = Counter()
_items = 0


def committed_batches() -> tuple[Counter[float], int]:
    """How many batches this process has committed, by the bound they fall under, and how many items were in them."""
    return _batches, _items


def _count(items: int) -> None:
    global _items
    with _counting:
        _items += items
        _batches[next((bound for bound in BATCH_SIZES if items <= bound), float("inf"))] += 1


class _Waiting(Generic[Item]):
    __slots__ = ("done", "item", "outcome")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = threading.Lock()  # cheaper than an Event: taken here, let go by the writer
        self.done.acquire()
        self.outcome: Any = None


Write = Callable[[Sequence[Item]], Sequence[Result | Exception]]
"""Writes a batch durably, or raises; one result or refusal for each item, in order."""


Handler = Callable[[Session, Sequence[Any]], Sequence[Any]]
"""Works on the items of one kind in a batch; one result or refusal for each, in order. It commits nothing."""


def by_kind(handlers: Mapping[type, Handler]) -> Handler:
    """One handler for items of several kinds: items of one kind are handed to its handler together.

    The kinds of a batch take their turns in the order of ``handlers``, so that two batches lock in the same order.
    Raises KeyError for an item of a kind that has none.
    """

    def handle(session: Session, items: Sequence[Any]) -> Sequence[Any]:
        kinds = set(map(type, items))
        if len(kinds) == 1:
            return handlers[kinds.pop()](session, items)
        if not kinds <= handlers.keys():
            raise KeyError(kinds - handlers.keys())
        outcomes: list[Any] = [None] * len(items)
        for kind, handler in handlers.items():
            places = [place for place, item in enumerate(items) if type(item) is kind]
            if places:
                for place, outcome in zip(places, handler(session, [items[place] for place in places]), strict=True):
                    outcomes[place] = outcome
        return outcomes

    return handle


def in_one_transaction(
    database: Database, handler: Callable[[Session, Sequence[Item]], Sequence[Result | Exception]]
) -> Write[Item, Result]:
    """``handler(session, items)`` works on the batch; the commit is done here."""

    def write(items: Sequence[Item]) -> Sequence[Result | Exception]:
        with database.open_session(writes=True) as session:
            outcomes = handler(session, items)
            commit(session)
        return outcomes

    return write


class GroupCommitter(Generic[Item, Result]):
    """Gathers what waits into batches for ``write``, one batch at a time."""

    def __init__(self, write: Write[Item, Result], *, largest_batch: int = 256, most_waiting: int = 4096) -> None:
        self._write = write
        self._largest = largest_batch
        self._most_waiting = most_waiting
        self._queue: deque[_Waiting[Item]] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def submit(self, item: Item) -> Result:
        """Blocks until the item is durably written. Raises what the handler answered, or Unavailable."""
        mine = _Waiting(item)
        with self._wake:
            if len(self._queue) >= self._most_waiting:
                raise Unavailable
            self._queue.append(mine)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
                self._thread.start()
            self._wake.notify()
        with PermitGivenBack():
            written = mine.done.acquire(timeout=LONGEST_WAIT_SECONDS)
        if not written:
            raise Unavailable
        if isinstance(mine.outcome, Exception):
            raise mine.outcome
        result: Result = mine.outcome
        return result

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue:
                    self._wake.wait()
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._largest))]
            outcomes = self._try([each.item for each in batch])
            for each, outcome in zip(batch, outcomes, strict=True):
                each.outcome = outcome
                each.done.release()

    def _try(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        """When a batch cannot be written, each of its items by itself: one that cannot be must not cost the others."""
        try:
            outcomes = self._write(items)
            _count(len(items))
            return outcomes
        except Unavailable as refusal:
            return [refusal] * len(items)
        except Exception:
            log.exception("group_commit.failed", items=len(items))
        if len(items) == 1:
            return [Unavailable()]
        return [outcome for item in items for outcome in self._try([item])]
