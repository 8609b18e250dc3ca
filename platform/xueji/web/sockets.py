"""The server's voice: what it has to say goes out at once over a socket where there is one.

Nothing depends on it. Whatever is announced can also be asked for over plain HTTP and stands in the answers to beats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from socketio import RedisManager

from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.settings import Settings

log = structlog.get_logger(__name__)


CHANNEL = "xueji"
"""The broker's channel that carries announcements to the process that holds the sockets."""


def announce_to_pages(context: Context) -> None:
    """What the web process announces reaches the pages' sockets, which a process of their own holds."""
    from flask_socketio import SocketIO

    queue = _queue(context.settings)
    if queue is not None:
        voice = SocketIO(message_queue=context.settings.redis_url, client_manager=queue, async_mode="threading")
        context.events.subscribe(Announcement, _told_by(voice))


def announce_from_worker(context: Context) -> None:
    """The same from a process that has no application: with the queue alone, which is smaller."""
    queue = _queue(context.settings)
    if queue is not None:
        context.events.subscribe(Announcement, _told_by(queue))


def _queue(settings: Settings) -> RedisManager | None:
    """Puts announcements into the broker; None in tests, which have none."""
    if settings.redis_url is None:
        return None
    return RedisManager(settings.redis_url, channel=CHANNEL, write_only=True)


def _told_by(sockets: Any) -> Callable[[Announcement], None]:
    def tell(said: Announcement) -> None:
        try:
            sockets.emit(said.event, said.payload, room=said.room, namespace="/")
        except Exception:  # the queue may be down; the page hears it with its next beat
            log.warning("announcement.lost", announcement=said.event)

    return tell
