"""``python -m xueji.sockets``; the supervisor gives it the end where the web process hands sockets over."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import structlog
from werkzeug.datastructures import Headers

from xueji.gateway.handing import Handing
from xueji.identity.tokens import Claims
from xueji.kernel import logs
from xueji.kernel.context import Context
from xueji.kernel.limits import open_files
from xueji.kernel.settings import Settings
from xueji.sockets.callers import Callers
from xueji.sockets.door import Door
from xueji.sockets.line import WebsocketLine
from xueji.sockets.rooms import CLAIMS, LINE, Rooms

log = structlog.get_logger(__name__)

FILES_KEPT_BACK = 100
LOOK_AGAIN_SECONDS = 60.0
"""How long a socket may outlive the sign-in it was opened under."""


class Exchange:
    """Takes over what the web process hands on, and holds the lines."""

    def __init__(self, context: Context, handing: Handing) -> None:
        settings = context.settings
        self._handing = handing
        self._door = Door(context)
        self._rooms = Rooms(context)
        most = min(settings.sockets, open_files() - FILES_KEPT_BACK)
        self._callers: Callers[WebsocketLine] = Callers(most, settings.sockets_per_address)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        asyncio.get_running_loop().add_reader(self._handing.fileno(), self._take)
        while True:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            try:
                await self._end_what_is_over()
            except Exception:
                log.exception("sockets.look_failed")

    def _take(self) -> None:
        taken = self._handing.take()
        if taken is not None:
            task = asyncio.ensure_future(self._answer(*taken))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, given: socket.socket, head: bytes) -> None:
        try:
            name = given.getpeername()
            reader, writer = await asyncio.open_connection(sock=given, limit=64 * 1024)
        except OSError:
            given.close()
            return
        line = WebsocketLine(reader, writer, head)
        try:
            # Behind a proxy on a Unix socket nobody has an address of her own.
            await self._admit(line, str(name[0]) if isinstance(name, tuple) else "local")
        except OSError:
            pass
        except Exception:
            log.exception("sockets.failed")
        finally:
            await line.end()

    async def _admit(self, line: WebsocketLine, peer: str) -> None:
        if line.request is None:
            return
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in _headers(line)])
        address = self._door.address(headers, peer)
        if not self._callers.may_enter(address):
            await line.reject(503)
            return
        claims = self._door.claims(headers)
        if claims is None or not await asyncio.to_thread(self._door.is_live, claims):
            await line.reject(401)
            return
        surplus = self._callers.enter(claims.login_session_id, address, line)
        try:
            if surplus is not None:
                await self._hang_up(surplus)
            await self._rooms.application(_scope(line, claims), line.receive, line.send)
        finally:
            self._callers.leave(claims.login_session_id, address, line)

    async def _end_what_is_over(self) -> None:
        held = self._callers.sign_ins()
        live = await asyncio.to_thread(self._door.still_live, held) if held else set()
        for login_session_id in set(held) - live:
            for line in self._callers.lines_of(login_session_id):
                await self._hang_up(line)

    async def _hang_up(self, line: WebsocketLine) -> None:
        """Say so in Socket.IO's own words: the page then does not call again."""
        if line.sid is not None:
            await self._rooms.server.disconnect(line.sid)
        await line.end()


def _headers(line: WebsocketLine) -> list[tuple[bytes, bytes]]:
    request = line.request
    return [(b"host", request.host.encode()), *request.extra_headers] if request is not None else []


def _scope(line: WebsocketLine, claims: Claims) -> dict[str, Any]:
    target = line.request.target if line.request is not None else ""
    path, _, query = target.partition("?")
    return {
        "type": "websocket",
        "path": path,
        "query_string": query.encode(),
        "headers": _headers(line),
        "scheme": "ws",
        CLAIMS: claims,
        LINE: line,
    }


def main() -> int:
    settings = Settings.load()
    logs.configure(settings, "sockets")
    handing = Handing.inherited()
    if handing is None:
        sys.stderr.write("xueji.sockets is started by `xueji up`\n")
        return 1

    async def run() -> None:
        await Exchange(Context.open(settings), handing).run()

    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
