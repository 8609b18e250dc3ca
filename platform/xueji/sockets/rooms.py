"""The rooms that pages listen in. A page joins its sitting's and from then on only listens."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import socketio

from xueji.identity.tokens import Claims
from xueji.kernel.context import Context
from xueji.kernel.errors import Problem
from xueji.progress.access import access_sitting
from xueji.web.sockets import CHANNEL

CLAIMS, LINE = "xueji.claims", "xueji.line"
"""Where a connection's scope says whose it is, and what it is."""


class Rooms:
    """Socket.IO for the pages: announcements come in over the broker and go out to a sitting's room."""

    def __init__(self, context: Context) -> None:
        self._context = context
        url = context.settings.redis_url
        manager = socketio.AsyncRedisManager(url, channel=CHANNEL) if url else None
        self.server = socketio.AsyncServer(
            async_mode="asgi",
            client_manager=manager,
            transports=["websocket"],
            allow_upgrades=False,
            # Where a page may come from is decided before it gets here.
            cors_allowed_origins="*",
        )
        self.application = socketio.ASGIApp(self.server, socketio_path="socket.io")
        self.server.on("connect", self._connect)
        self.server.on("join", self._join)

    async def _connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        environ["asgi.scope"][LINE].sid = sid

    async def _join(self, sid: str, asked: Any = None) -> dict[str, bool]:
        """``{sitting_id}`` → whether the page now hears its sitting."""
        claims: Claims = self.server.get_environ(sid)["asgi.scope"][CLAIMS]
        try:
            sitting_id = UUID(str(asked["sitting_id"]))
        except (TypeError, KeyError, ValueError):
            return {"joined": False}
        if not await asyncio.to_thread(self._is_hers, claims, sitting_id):
            return {"joined": False}
        await self.server.enter_room(sid, f"sitting:{sitting_id}")
        return {"joined": True}

    def _is_hers(self, claims: Claims, sitting_id: UUID) -> bool:
        with self._context.database.reading() as session:
            try:
                access_sitting(session, claims.actor(), sitting_id)
            except Problem:
                return False
        return True
