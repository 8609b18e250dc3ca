"""What a worker announces, on its way to the pages that the process of sockets holds open."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest
from socketio import RedisManager

from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.web import sockets


def test_a_worker_s_announcement_is_put_into_the_queue_of_the_sockets(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = create_autospec(RedisManager, instance=True)
    monkeypatch.setattr(sockets, "_queue", lambda _settings: queue)
    sockets.announce_from_worker(context)
    context.events.publish(Announcement("sitting:1", "sitting.state", {"state": "decided"}))
    queue.emit.assert_called_once_with("sitting.state", {"state": "decided"}, room="sitting:1", namespace="/")
