"""One websocket over an open connection, spoken by wsproto, as ASGI's ``receive`` and ``send``."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

LARGEST_MESSAGE = 16 * 1024
MOST_UNSENT = 64 * 1024
"""Bytes; who does not read what she is told hears it with her next beat."""
MOST_MESSAGES, IN_SECONDS = 30, 10.0
"""A page says three things when it connects and one every 25 seconds."""


class WebsocketLine:
    """``request``: what was asked for; None when that was no request for a websocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        self._reader, self._writer = reader, writer
        self._wire = WSConnection(ConnectionType.SERVER)
        self._arrived: deque[float] = deque(maxlen=MOST_MESSAGES)
        self._connected = False
        self._parts: list[Any] = []
        self._size = 0
        self.sid: str | None = None
        """Its name at the rooms, once it has one."""
        self.request: Request | None = None
        try:
            self._wire.receive_data(head)
            first = next(self._wire.events(), None)
        except RemoteProtocolError:
            return
        if isinstance(first, Request):
            self.request = first

    async def reject(self, status: int) -> None:
        if self.request is not None:
            self._write(RejectConnection(status_code=status, headers=[(b"content-length", b"0")]))
        await self.end()

    async def receive(self) -> dict[str, Any]:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        try:
            while True:
                message = self._next()
                if message is not None:
                    return message
                self._wire.receive_data(await self._reader.read(4096) or None)
        except (RemoteProtocolError, LocalProtocolError, OSError):
            return _gone()

    async def send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            self._write(AcceptConnection())
        elif kind == "websocket.send":
            text = message.get("text")
            self._write(TextMessage(text) if text is not None else BytesMessage(message["bytes"]))
        else:
            self._write(CloseConnection(code=message.get("code") or 1000))
            await self.end()

    async def end(self) -> None:
        """Close; what has been said may still arrive, for a moment."""
        try:
            await asyncio.wait_for(self._writer.drain(), 2.0)
        except (OSError, TimeoutError):
            self._writer.transport.abort()
        self._writer.close()

    def _write(self, event: Any) -> None:
        try:
            self._writer.write(self._wire.send(event))
        except LocalProtocolError:  # it is closed
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
            self._writer.transport.abort()

    def _next(self) -> dict[str, Any] | None:
        """The next whole message that has arrived; None when more must be read."""
        for event in self._wire.events():
            if isinstance(event, Ping):
                self._write(event.response())
            elif isinstance(event, CloseConnection):
                self._write(event.response())
                return _gone(event.code)
            elif isinstance(event, Message):
                self._size += len(event.data)
                self._parts.append(event.data)
                if self._size > LARGEST_MESSAGE or self._too_often():
                    self._write(CloseConnection(code=1008))
                    return _gone(1008)
                if event.message_finished:
                    parts, self._parts, self._size = self._parts, [], 0
                    if isinstance(event, TextMessage):
                        return {"type": "websocket.receive", "text": "".join(parts)}
                    return {"type": "websocket.receive", "bytes": b"".join(map(bytes, parts))}
        return None

    def _too_often(self) -> bool:
        now = time.monotonic()
        self._arrived.append(now)
        return len(self._arrived) == MOST_MESSAGES and now - self._arrived[0] < IN_SECONDS


def _gone(code: int = 1006) -> dict[str, Any]:
    return {"type": "websocket.disconnect", "code": int(code)}
