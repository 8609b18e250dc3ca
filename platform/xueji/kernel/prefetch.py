"""What is asked for many at once, so that each of them need not ask by herself.

Kept with a session until whoever wants it takes it, and for one transaction only: after that it may be untrue. Whoever
keeps something holds the locks that keep it true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar, cast

from sqlalchemy.orm import Session

Key = TypeVar("Key")
Value = TypeVar("Value")


class Prefetched(Generic[Key, Value]):
    """Values by key; ``name`` says what they are."""

    def __init__(self, name: str) -> None:
        self._name = name

    def keep(self, session: Session, found: Mapping[Key, Value]) -> None:
        self._kept(session).update(found)

    def take(self, session: Session, key: Key) -> Value | None:
        """What was asked for; each of it is given once. None when nobody asked ahead."""
        return self._kept(session).pop(key, None) if self._name in session.info else None

    def look(self, session: Session, keys: Iterable[Key]) -> dict[Key, Value]:
        """The same without taking it, for as many of these as there are."""
        kept = self._kept(session) if self._name in session.info else {}
        return {key: kept[key] for key in keys if key in kept}

    def _kept(self, session: Session) -> dict[Key, Value]:
        transaction, kept = cast("tuple[object, dict[Key, Value]]", session.info.get(self._name, (None, {})))
        if transaction is None or transaction is not session.get_transaction():
            session.connection()  # a transaction is begun by the first that is asked in it
            kept = {}
            session.info[self._name] = session.get_transaction(), kept
        return kept
