"""The loop: accepts, reads whole requests, hands them to a lane's threads, sends what does not fit at once.

Only the loop's own thread opens and closes connections. A thread that answers sends what the kernel takes and leaves
the rest to the loop, so that who reads slowly keeps nobody waiting but herself.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from xueji.gateway.reading import HEAD_SECONDS, SLOWEST_BYTES_A_SECOND, Reading, Refused, Request
from xueji.kernel.permits import give_back

log = structlog.get_logger(__name__)

_ONCE = select.EPOLLONESHOT
_READ, _WRITE = select.EPOLLIN | _ONCE, select.EPOLLOUT | _ONCE
_CHUNK = 64 * 1024
_PIECE = 256 * 1024
PIECE_SECONDS = 0.001
"""A piece of a long body is read so often: 256 MB a second of all bodies, more than a machine's line brings. A loop
that always has something to read would keep the interpreter from a beat at each of its turns."""
_CROWD = 16
"""So many things to do at once: then they are done before anybody but beats begins to answer (`Loop.wait_for_calm`)."""
SEND_SECONDS = 30.0
LINGER_SECONDS = 2.0
MOST_UNSENT = 1024 * 1024
"""Bytes of one answer that may wait for the client before the thread that makes more of it does."""
MOST_UNSENT_IN_ALL = 256 * 1024 * 1024
MOST_ON_DISK = 2 * 1024 * 1024 * 1024
"""Bytes of all bodies that are arriving together."""
MOST_IN_MEMORY = 128 * 1024 * 1024
"""Bytes of long bodies that are arriving together in memory; the next are kept on the disk."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Answering(Protocol):
    """What the loop does with what it has read."""

    def begin(self, connection: Connection, request: Request) -> bool:
        """Have a request answered on another thread; False when there is no room for it."""

    def take_over(self, connection: Connection, head: bytes) -> bool:
        """Whether a connection belongs to somebody else from now on; the loop then forgets it."""


@dataclass(frozen=True)
class Limits:
    connections: int = 4000
    keep_seconds: float = 30.0


class Connection:
    """One client. ``deadline``: when it is closed unless something happens; of no meaning while ``busy``."""

    __slots__ = (
        *("begun", "busy", "closing", "deadline", "fd", "keep", "lock", "loop"),
        *("peer", "reading", "room", "server", "socket", "unsent", "unsent_bytes"),
    )

    def __init__(self, loop: Loop, given: socket.socket, peer: object, server: object, deadline: float) -> None:
        self.loop, self.socket, self.peer, self.server = loop, given, peer, server
        self.fd = given.fileno()
        self.deadline = deadline
        self.reading = Reading()
        self.busy = False
        self.begun = False
        """Whether it has ever sent a whole request."""
        self.closing = False
        self.keep: bool | None = None
        """Whether it stays open once everything is sent; None while its answer is still being made."""
        self.unsent: deque[memoryview] = deque()
        self.unsent_bytes = 0
        self.lock = threading.Lock()
        self.room = threading.Condition(self.lock)

    def send(self, data: bytes) -> None:
        """Send, or leave it to the loop. Waits only when a lot is unsent already. Raises OSError when she is gone."""
        with self.lock:
            if self.closing:
                raise ConnectionAbortedError
            self._wait_for_room()
            if self.unsent:
                self._leave(memoryview(data))
                return
            left = memoryview(data)
            with contextlib.suppress(BlockingIOError):
                left = left[self.socket.send(left) :]
            if left:
                self._leave(left)
                self.loop.watch(self, _WRITE)

    def _leave(self, data: memoryview) -> None:
        self.unsent.append(data)
        self.unsent_bytes += len(data)
        self.deadline = time.monotonic() + SEND_SECONDS + self.unsent_bytes / SLOWEST_BYTES_A_SECOND

    def _wait_for_room(self) -> None:
        while (
            self.unsent
            and not self.closing
            and (self.unsent_bytes > MOST_UNSENT or self.loop.unsent > MOST_UNSENT_IN_ALL)
        ):
            give_back()
            self.room.wait(SEND_SECONDS)
        if self.closing:
            raise ConnectionAbortedError

    def flush(self) -> tuple[bool, bool]:
        """Send what the kernel takes of what was left. The loop's thread only.

        Whether all of it went, and whether the answer had been finished before: then it is the loop that goes on, and
        else the thread that finishes it.
        """
        with self.lock:
            while self.unsent:
                try:
                    sent = self.socket.send(self.unsent[0])
                except BlockingIOError:
                    return False, False
                self.unsent_bytes -= sent
                if sent == len(self.unsent[0]):
                    self.unsent.popleft()
                else:
                    self.unsent[0] = self.unsent[0][sent:]
            self.room.notify_all()
            return True, self.keep is not None

    def finish(self, keep: bool) -> None:
        """The answer has been made. From the thread that made it; nothing is sent after it."""
        with self.lock:
            self.keep = keep
            if not self.unsent and not self.closing:
                self.loop.answered(self)


class Loop:
    def __init__(self, listeners: Sequence[socket.socket], answering: Answering, limits: Limits) -> None:
        self._listeners = {each.fileno(): each for each in listeners}
        self._answering = answering
        self._limits = limits
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._long: deque[Connection] = deque()
        """Those of whose long bodies there is something to read, in turn."""
        self._piece = memoryview(bytearray(_PIECE))
        self._next_piece = 0.0
        self._later: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._pipe = -1
        self._on_disk = self._in_memory = 0
        self._calm = threading.Event()
        self._calm.set()
        self.unsent = 0
        """Bytes left to send on all connections, as counted once a second."""
        for each in listeners:
            each.setblocking(False)
            self._epoll.register(each, select.EPOLLIN)

    def listen_to(self, number: int) -> None:
        """Wake up when this pipe says something: a signal was caught."""
        self._pipe = number
        self._epoll.register(number, select.EPOLLIN)

    @property
    def connections(self) -> int:
        return len(self._connections)

    def watch(self, connection: Connection, events: int) -> None:
        """The next such event is told once. From the loop's thread, or with the connection's lock held: its number
        may be another's as soon as it is closed."""
        self._epoll.modify(connection.fd, events)

    def later(self, act: Callable[[], None]) -> None:
        """Do it on the loop's thread."""
        self._later.append(act)
        os.eventfd_write(self._wake, 1)

    def answered(self, connection: Connection) -> None:
        """Everything of an answer is sent: read the next request, or say good-bye. With its lock held."""
        if connection.keep and not connection.reading.buffer:
            connection.deadline = time.monotonic() + self._limits.keep_seconds
            connection.keep = None
            connection.busy = False
            self.watch(connection, _READ)
        else:
            self.later(lambda: self._go_on(connection))

    def turn(self, seconds: float) -> None:
        """Wait for something to do, at most so long, and do it."""
        calm = self._calm.is_set()
        if self._long:
            seconds = min(seconds, PIECE_SECONDS)
        happened = self._epoll.poll(seconds if calm else 0, 256)
        if len(happened) >= _CROWD:
            self._calm.clear()
        elif not calm:
            self._calm.set()
        for fd, events in happened:
            connection = self._connections.get(fd)
            try:
                if connection is not None:
                    self._happened(connection, events)
                elif fd in self._listeners:
                    self._accept(self._listeners[fd])
                elif fd == self._wake:
                    os.eventfd_read(self._wake)
                elif fd == self._pipe:
                    os.read(fd, 4096)
            except OSError as error:
                if connection is not None:
                    self._close(connection)
                elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EBADF):
                    log.warning("gateway.failed", error=str(error))
        while self._later:
            self._later.popleft()()
        if self._long and time.monotonic() >= self._next_piece:
            self._read_piece(self._long.popleft())
            self._next_piece = time.monotonic() + PIECE_SECONDS

    def tidy(self) -> None:
        """Close whoever has taken too long. Once a second."""
        now = time.monotonic()
        self.unsent = sum(each.unsent_bytes for each in self._connections.values())
        for connection in list(self._connections.values()):
            if connection.deadline >= now or (connection.busy and not connection.unsent):
                continue
            if connection.busy or connection.closing or not connection.reading.begun():
                self._close(connection)
            else:
                self._refuse(connection, "408 Request Timeout")

    def wait_for_calm(self, seconds: float) -> bool:
        """Until the loop has read what many sent at once, but no longer than this; whether it has.

        At each of its steps it needs the interpreter, and whoever has been read last may report study.
        """
        return self._calm.wait(seconds)

    def stop_accepting(self) -> None:
        for fd in self._listeners:
            self._epoll.unregister(fd)
        self._listeners.clear()

    def close_idle(self) -> None:
        """Everybody who is not owed an answer."""
        for connection in list(self._connections.values()):
            if not connection.busy:
                self._close(connection)

    # -- on the loop's thread -------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        for count in range(64):
            try:
                given, peer = listener.accept()
            except BlockingIOError:
                return
            if count == _CROWD:
                self._calm.clear()
            if len(self._connections) >= self._limits.connections and not self._make_room():
                given.close()
                continue
            given.setblocking(False)
            if given.family in (socket.AF_INET, socket.AF_INET6):
                given.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            deadline = time.monotonic() + HEAD_SECONDS
            connection = Connection(self, given, peer, listener.getsockname(), deadline)
            self._connections[connection.fd] = connection
            self._epoll.register(connection.fd, _READ)

    def _make_room(self) -> bool:
        """Close those who keep a place and ask for nothing: first who never has asked, then who waited longest."""
        idle = [each for each in self._connections.values() if not each.busy]
        idle.sort(key=lambda each: (each.begun, each.deadline))
        for connection in idle[: max(1, len(idle) // 20)]:
            self._close(connection)
        if idle:
            log.warning("gateway.full", closed=max(1, len(idle) // 20), connections=len(self._connections))
        return bool(idle)

    def _happened(self, connection: Connection, events: int) -> None:
        if connection.closing:
            self._drain(connection)
        elif events & select.EPOLLOUT:
            self._write(connection)
        elif connection.busy:
            # She hung up while her answer is being made: sending it will say so.
            return
        elif connection.reading.is_long:
            self._long.append(connection)
        else:
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(_CHUNK)
        except BlockingIOError:
            self.watch(connection, _READ)
            return
        if not data:
            self._close(connection)
            return
        if not connection.reading.begun():
            connection.deadline = time.monotonic() + HEAD_SECONDS
        self._advance(connection, data)

    def _read_piece(self, connection: Connection) -> None:
        """The next of a long body."""
        if connection.closing or self._connections.get(connection.fd) is not connection:
            return
        try:
            count = connection.socket.recv_into(self._piece)
        except BlockingIOError:
            self.watch(connection, _READ)
            return
        except OSError:
            count = 0
        if count:
            self._advance(connection, self._piece[:count])
        else:
            self._close(connection)

    def _advance(self, connection: Connection, data: bytes | memoryview) -> None:
        reading = connection.reading
        headless = reading.head is None
        on_disk, in_memory = (0, 0) if headless else (reading.on_disk, reading.in_memory)
        try:
            request = reading.take(data)
            if headless and request is None and reading.head is not None:
                self._expect_body(connection)
        except Refused as refused:
            self._refuse(connection, refused.status)
            return
        if request is None:
            self.watch(connection, _READ)
            return
        self._on_disk -= on_disk
        self._in_memory -= in_memory
        connection.busy = connection.begun = True
        if self._answering.take_over(connection, request.head):
            self._forget(connection)
        elif not self._answering.begin(connection, request):
            request.body.close()
            connection.busy = False
            self._refuse(connection, "503 Service Unavailable")

    def _expect_body(self, connection: Connection) -> None:
        reading = connection.reading
        if self._in_memory + reading.in_memory > MOST_IN_MEMORY:
            reading.move_to_disk()
        self._in_memory += reading.in_memory
        self._on_disk += reading.on_disk
        if self._on_disk > MOST_ON_DISK:
            raise Refused("503 Service Unavailable")
        connection.deadline = time.monotonic() + reading.body_seconds
        if reading.waits_for_leave:
            connection.send(_CONTINUE)

    def _write(self, connection: Connection) -> None:
        everything, finished = connection.flush()
        if not everything:
            self.watch(connection, _WRITE)
        elif finished:
            self._go_on(connection)
        elif not connection.busy:
            self.watch(connection, _READ)

    def _go_on(self, connection: Connection) -> None:
        """After an answer: the request that came right behind it, the next one, or the end."""
        if self._connections.get(connection.fd) is not connection:
            return
        keep, connection.keep, connection.busy = connection.keep, None, False
        if not keep:
            self._say_good_bye(connection)
            return
        connection.deadline = time.monotonic() + self._limits.keep_seconds
        if connection.reading.buffer:
            connection.deadline = time.monotonic() + HEAD_SECONDS
            self._advance(connection, b"")
        else:
            self.watch(connection, _READ)

    def _refuse(self, connection: Connection, status: str) -> None:
        """Answered here, without a thread: there is no request to answer, or no room."""
        self._let_go(connection)
        more = "Retry-After: 2\r\n" if status.startswith("503") else ""
        try:
            connection.socket.send(
                f"HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Length: 0\r\n\r\n".encode()
            )
            self._say_good_bye(connection)
        except OSError:
            self._close(connection)

    def _say_good_bye(self, connection: Connection) -> None:
        """Close so that what was sent arrives: what she still sends is read and thrown away for a moment."""
        connection.closing = True
        try:
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)
            return
        connection.deadline = time.monotonic() + LINGER_SECONDS
        self.watch(connection, _READ)

    def _drain(self, connection: Connection) -> None:
        try:
            if not connection.socket.recv(_CHUNK):
                self._close(connection)
                return
        except BlockingIOError:
            pass
        self.watch(connection, _READ)

    def _let_go(self, connection: Connection) -> None:
        self._on_disk -= connection.reading.on_disk
        self._in_memory -= connection.reading.in_memory
        connection.reading.discard()

    def _forget(self, connection: Connection) -> None:
        self._connections.pop(connection.fd, None)
        self._let_go(connection)
        with connection.lock:
            connection.closing = True
            connection.unsent.clear()
            connection.unsent_bytes = 0
            connection.room.notify_all()
        connection.socket.close()

    def _close(self, connection: Connection) -> None:
        if self._connections.get(connection.fd) is connection:
            self._forget(connection)
