"""``python -m xueji.recorder SOCKET``: writes the beats that one web process takes in, and opens its sittings."""

from __future__ import annotations

import sys

from xueji.kernel import logs
from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.settings import Settings
from xueji.kernel.sidecar import serve
from xueji.kernel.tasks import make_celery
from xueji.progress.beat_intake import Batch, Written, write_here
from xueji.progress.opening_groups import open_here
from xueji.wiring import connect


def main(number: int) -> None:
    settings = Settings.load()
    logs.configure(settings, "recorder")
    context = Context.open(settings)
    make_celery(settings)
    connect(context)
    # The pages' sockets are the web process's: what they are to hear goes back to it with the answers.
    said: list[Announcement] = []
    context.events.subscribe(Announcement, said.append)
    write, open_ = write_here(context), open_here(context)

    def work(batch: Batch) -> Written:
        outcomes = open_(batch.openings) if batch.openings else write(batch.reports)
        told, said[:] = tuple(said), ()
        return Written(outcomes, told)

    serve(number, work)


if __name__ == "__main__":
    main(int(sys.argv[1]))
