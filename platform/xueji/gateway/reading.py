"""A request on its way in: how much of it is here, how long the rest may take, and what is refused unread."""

from __future__ import annotations

import io
import re
import tempfile
from dataclasses import dataclass
from typing import IO

HEAD_BYTES = 64 * 1024
"""The largest head; gunicorn's own limits on lines and fields are narrower."""
BODY_BYTES = 33 * 1024 * 1024
"""A longer body is not read: the application refuses it by its length."""
IN_MEMORY_BYTES = 1024 * 1024
"""A longer body is kept in a file while it arrives: the loop, which everybody waits for, writes to the disk for it."""
_AT_ONCE = 64 * 1024
"""A shorter body is left among what has been read."""
HEAD_SECONDS = 10.0
"""From the first byte of a head, or from connecting, to its end."""
BODY_SECONDS = 30.0
SLOWEST_BYTES_A_SECOND = 4 * 1024
"""A body, and an answer, may take so long, and a second more for each 4 KiB: a poor mobile connection carries that."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)


class Refused(Exception):
    """What is coming in will not be read; ``status`` is answered and the connection closed."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class Request:
    """One whole request. ``last``: nothing can be read after it, so its connection closes with the answer."""

    head: bytes
    body: IO[bytes]
    length: int
    last: bool


class Reading:
    """Takes bytes as they come and gives back whole requests."""

    __slots__ = ("_body", "_gathers", "_head", "_left", "_length", "_searched", "buffer", "last", "waits_for_leave")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self._begin()

    def _begin(self) -> None:
        self._searched = 0
        self._head: bytes | None = None
        self._body: IO[bytes] | None = None
        self._left = self._length = 0
        self._gathers = False
        """Whether a long body is kept in memory."""
        self.last = False
        self.waits_for_leave = False
        """The client wants to hear that it may go on (Expect: 100-continue) before it sends the body."""

    @property
    def head(self) -> bytes | None:
        """The head, once it is whole."""
        return self._head

    @property
    def body_seconds(self) -> float:
        """How long the rest of the body may take."""
        return BODY_SECONDS + self._left / SLOWEST_BYTES_A_SECOND

    @property
    def on_disk(self) -> int:
        """How many bytes this body takes on the disk when it is whole; 0 when it is kept in memory."""
        return self._length if self._body is not None and not self._gathers else 0

    @property
    def in_memory(self) -> int:
        """How many bytes a long body takes in memory when it is whole; 0 when it is kept on the disk."""
        return self._length if self._gathers else 0

    def move_to_disk(self) -> None:
        """Keep in a file what was to be kept in memory: others have taken the room there."""
        gathered, self._gathers = self._body, False
        self._body = _file()
        if isinstance(gathered, io.BytesIO):
            self._body.write(gathered.getbuffer())

    def begun(self) -> bool:
        return bool(self.buffer) or self._head is not None

    @property
    def is_long(self) -> bool:
        """Whether a long body is being read."""
        return self._body is not None

    def take(self, data: bytes | memoryview) -> Request | None:
        """The request that these bytes make whole, if they do. Raises Refused."""
        if self._body is not None and not self.buffer and len(data) <= self._left:
            return self._take_part(self._body, data)
        self.buffer += data
        return self.next()

    def next(self) -> Request | None:
        """The next whole request in what has been taken. Raises Refused."""
        if self._head is None and not self._read_head():
            return None
        if self._body is not None:
            part = bytes(self.buffer[: self._left])
            del self.buffer[: len(part)]
            return self._take_part(self._body, part)
        if len(self.buffer) < self._left:
            return None
        body = io.BytesIO(bytes(self.buffer[: self._left]))
        del self.buffer[: self._left]
        return self._whole(body)

    def _take_part(self, body: IO[bytes], part: bytes | memoryview) -> Request | None:
        body.write(part)
        self._left -= len(part)
        if self._left:
            return None
        body.seek(0)
        return self._whole(body)

    def _whole(self, body: IO[bytes]) -> Request:
        whole = Request(self._head or b"", body, self._length, self.last)
        self._begin()
        return whole

    def _read_head(self) -> bool:
        at = self.buffer.find(_END, max(0, self._searched - len(_END)))
        if at < 0:
            self._searched = len(self.buffer)
            if self._searched > HEAD_BYTES:
                raise Refused("431 Request Header Fields Too Large")
            return False
        if at > HEAD_BYTES:
            raise Refused("431 Request Header Fields Too Large")
        self._head = head = bytes(self.buffer[: at + len(_END)])
        del self.buffer[: at + len(_END)]
        if _CODING.search(head) is not None:
            raise Refused("411 Length Required")
        lengths = _LENGTH.findall(head)
        if lengths:
            self._expect_body(head, lengths)
        return True

    def _expect_body(self, head: bytes, lengths: list[bytes]) -> None:
        length = int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) < 19 else -1
        if not 0 <= length <= BODY_BYTES:
            # Said twice, no number, or too much: gunicorn or the application refuses it unread.
            self.last = True
            return
        self._left = self._length = length
        self.waits_for_leave = length > len(self.buffer) and _EXPECT.search(head) is not None
        self._gathers = _AT_ONCE < length <= IN_MEMORY_BYTES
        if self._gathers:
            self._body = io.BytesIO()
        elif length > IN_MEMORY_BYTES:
            self._body = _file()

    def discard(self) -> None:
        """Let go of what has been read of a request that will not be answered."""
        if self._body is not None:
            self._body.close()
        self._begin()
        self.buffer.clear()


def _file() -> IO[bytes]:
    """Lives as long as its request."""
    return tempfile.TemporaryFile(prefix="xueji-")
