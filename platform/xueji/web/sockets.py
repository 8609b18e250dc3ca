"""The server's voice: what it has to say goes out at once over a socket where there is one.

Nothing depends on it. Whatever is announced can also be asked for over plain HTTP and stands in the answers to beats.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask
from flask_socketio import SocketIO

from xueji.kernel.context import Context
from xueji.kernel.events import Announcement

log = structlog.get_logger(__name__)

socketio = SocketIO(async_mode="threading", logger=False, engineio_logger=False, manage_session=False)


def init_sockets(app: Flask) -> None:
    context: Context = app.extensions["xueji"]
    queue = context.settings.broker_url
    socketio.init_app(app, message_queue=None if queue.startswith("memory:") else queue)
    context.events.subscribe(Announcement, _told_by(socketio))


def announce_from_worker(context: Context) -> None:
    """Connect a process without sockets of its own to the web processes' ones."""
    outside = SocketIO(message_queue=context.settings.broker_url, async_mode="threading")
    context.events.subscribe(Announcement, _told_by(outside))


def _told_by(sockets: SocketIO) -> Callable[[Announcement], None]:
    def tell(said: Announcement) -> None:
        try:
            sockets.emit(said.event, said.payload, to=said.room)
        except Exception:  # the queue may be down; the page hears it with its next beat
            log.warning("announcement.lost", announcement=said.event)

    return tell
