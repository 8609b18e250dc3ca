"""``python -m xueji.worker``: does what was left to be done later, and what is to be done regularly.

Started without Celery's command line, whose prompt and colours would take some ten MiB of every process; for its other
commands `celery -A xueji.worker` works too.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import signal
import sys
import warnings
from collections import deque
from typing import Any

# The sockets' library loads every client of a broker that it finds installed, and uses the one of the address.
sys.modules["valkey"] = None  # type: ignore[assignment]

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import beat_embedded_init, setup_logging, worker_process_init, worker_ready
from celery.utils.nodenames import default_nodename, host_format

from media_pipeline.models import keep_memory_small
from xueji.kernel import logs
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import make_celery, open_with, ready_file
from xueji.parts import PARTS
from xueji.tables import modules
from xueji.wiring import open_for_worker

_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


def make_worker(settings: Settings) -> Celery:
    celery = make_celery(settings)
    schedule: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        # What could not be done in time is not done late as well: the next turn does it all.
        schedule |= {
            name: {"task": name, "schedule": interval, "options": {"expires": interval.total_seconds()}}
            for name, interval in part.schedule.items()
        }
    # Tasks are known to Celery once their modules are loaded.
    deque(modules("tasks"), maxlen=0)
    celery.conf.beat_schedule = schedule
    celery.conf.beat_schedule_filename = str(settings.data / "run" / "schedule")
    open_with(lambda: open_for_worker(settings))
    return celery


def main() -> int:
    """Work until told to stop. Options are named like those of `celery worker`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m xueji.worker")
    parser.add_argument("--queues", required=True)
    parser.add_argument("--concurrency", type=int, default=settings.worker_processes)
    parser.add_argument("--max-memory-per-child", type=int, help="KiB, after which a process is replaced")
    parser.add_argument("--beat", action="store_true", help="also do what is to be done regularly")
    chosen = parser.parse_args()
    worker = celery.Worker(
        hostname=host_format(default_nodename(f"{process}@%h")),
        loglevel=settings.log_level,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        **vars(chosen),
    )
    # What importing left behind would be in every process of the pool.
    gc.collect()
    keep_memory_small()
    worker.start()
    return int(worker.exitcode or 0)


def _log(**_: Any) -> None:
    logs.configure(settings, process)


def _die_with_the_parent(**_: Any) -> None:
    """A pool process whose parent was killed must not go on by itself."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _say_ready(**_: Any) -> None:
    ready_file(settings, process).touch()


# Celery warns root of pickled tasks; only JSON is accepted here.
warnings.filterwarnings("ignore", message=".*superuser privileges", category=SecurityWarning)
settings = Settings.load()
process = os.environ.get("XUEJI_PROCESS", "worker")
celery = make_worker(settings)
setup_logging.connect(_log)
worker_process_init.connect(_die_with_the_parent)
beat_embedded_init.connect(_die_with_the_parent)
worker_ready.connect(_say_ready)

if __name__ == "__main__":
    sys.exit(main())
