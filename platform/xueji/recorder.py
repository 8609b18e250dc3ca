"""``python -m xueji.recorder SOCKET``: judges and writes the beats that one web process takes in."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from xueji.kernel import logs
from xueji.kernel.beside import serve
from xueji.kernel.context import Context
from xueji.kernel.events import Announcement
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import make_celery
from xueji.progress.record import Report
from xueji.progress.reporting import Written, write_here
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
    write = write_here(context)

    def work(reports: Sequence[Report]) -> Written:
        outcomes = write(reports)
        told, said[:] = tuple(said), ()
        return Written(outcomes, told)

    serve(number, work)


if __name__ == "__main__":
    main(int(sys.argv[1]))
