"""Who holds how many sockets: two a sign-in, a bounded number an address, a bounded number in all."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Generic, TypeVar
from uuid import UUID

MOST_A_SIGN_IN = 2
"""A page has one; a second is open for a moment when she reloads or changes networks."""

Line = TypeVar("Line")


class Callers(Generic[Line]):
    """``most`` and ``most_an_address``: sockets in all, and from one network address."""

    def __init__(self, most: int, most_an_address: int) -> None:
        self._most = most
        self._most_an_address = most_an_address
        self._by_sign_in: dict[UUID, deque[Line]] = {}
        self._by_address: Counter[str] = Counter()

    def may_enter(self, address: str) -> bool:
        """Before anything is read of who calls."""
        return self._by_address.total() < self._most and self._by_address[address] < self._most_an_address

    def enter(self, login_session_id: UUID, address: str, line: Line) -> Line | None:
        """The line that has to go for this one: the oldest of the same sign-in, when there are too many."""
        self._by_address[address] += 1
        lines = self._by_sign_in.setdefault(login_session_id, deque())
        lines.append(line)
        return lines[0] if len(lines) > MOST_A_SIGN_IN else None

    def leave(self, login_session_id: UUID, address: str, line: Line) -> None:
        """Leaving twice is leaving once."""
        lines = self._by_sign_in.get(login_session_id)
        if lines is None or line not in lines:
            return
        lines.remove(line)
        if not lines:
            del self._by_sign_in[login_session_id]
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def sign_ins(self) -> list[UUID]:
        return list(self._by_sign_in)

    def lines_of(self, login_session_id: UUID) -> Iterator[Line]:
        return iter(tuple(self._by_sign_in.get(login_session_id, ())))
