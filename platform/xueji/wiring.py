"""What a process other than the web needs to be one of the installation's."""

from __future__ import annotations

from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.web.sockets import announce_from_worker


def open_for_worker(settings: Settings) -> Context:
    """The context of a worker process: what its tasks announce reaches the pages the web processes hold open."""
    context = Context.open(settings)
    announce_from_worker(context)
    return context
