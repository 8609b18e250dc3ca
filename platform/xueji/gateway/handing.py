"""Sockets of pages go to a process of their own: the open connection is handed over, with what was read of it.

The two ends belong to the supervisor, who gives one to each process; so either may be started again, and what was
handed over meanwhile waits.
"""

from __future__ import annotations

import os
import socket

ENVIRONMENT = "XUEJI_HANDING"
"""Number of the end that a process was given."""
LARGEST_HEAD = 16 * 1024
"""A longer head is nobody's who asks for a socket."""
_ROOM = 1024 * 1024


def ends() -> tuple[socket.socket, socket.socket]:
    """The giving and the taking end. Each message is one connection."""
    giving, taking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    giving.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
    return giving, taking


class Handing:
    """One end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)

    @classmethod
    def inherited(cls) -> Handing | None:
        """The end this process was started with; None when it was started without."""
        number = os.environ.get(ENVIRONMENT)
        return cls(socket.socket(fileno=int(number))) if number else None

    def fileno(self) -> int:
        return self._end.fileno()

    def give(self, connection: socket.socket, head: bytes) -> bool:
        """False when the other side cannot take it now."""
        if len(head) > LARGEST_HEAD:
            return False
        try:
            socket.send_fds(self._end, [head], [connection.fileno()])
        except OSError:
            return False
        return True

    def take(self) -> tuple[socket.socket, bytes] | None:
        """A connection that was handed over, and the head that was read of it; None when there is none."""
        try:
            head, numbers, _flags, _address = socket.recv_fds(self._end, LARGEST_HEAD, 1)
        except BlockingIOError:
            return None
        if not numbers:
            return None
        return socket.socket(fileno=numbers[0]), head
