"""The server's voice: what it has to say goes out at once over a socket where there is one.

Nothing depends on it. Whatever is announced can also be asked for over plain HTTP and stands in the answers to beats.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask
from flask_socketio import SocketIO
from socketio import RedisManager

from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.settings import Settings

log = structlog.get_logger(__name__)


def init_sockets(app: Flask) -> None:
    """The application's sockets, from now on ``app.extensions["socketio"]``; parts add their handlers to it."""
    context: Context = app.extensions["xueji"]
    sockets = SocketIO(
        app,
        async_mode="threading",
        manage_session=False,
        client_manager=_queue(context.settings, write_only=False),
    )
    context.events.subscribe(Announcement, _told_by(sockets))


def announce_from_worker(context: Context) -> None:
    """Connect a process without sockets of its own to the web processes' ones."""
    queue = _queue(context.settings, write_only=True)
    if queue is None:
        return
    context.events.subscribe(Announcement, _told_by(queue))


def _queue(settings: Settings, *, write_only: bool) -> RedisManager | None:
    """What carries announcements between processes; None in tests, where there is only one."""
    if settings.redis_url is None:
        return None
    return RedisManager(settings.redis_url, channel="xueji", write_only=write_only)


def _told_by(sockets: SocketIO | RedisManager) -> Callable[[Announcement], None]:
    def tell(said: Announcement) -> None:
        try:
            sockets.emit(said.event, said.payload, room=said.room, namespace="/")
        except Exception:  # the queue may be down; the page hears it with its next beat
            log.warning("announcement.lost", announcement=said.event)

    return tell
