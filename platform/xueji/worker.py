"""``celery -A xueji.worker worker``: does what was left to be done later, and what is to be done regularly."""

from __future__ import annotations

import ctypes
import os
import signal
import warnings
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import beat_embedded_init, setup_logging, worker_process_init, worker_ready

from xueji.kernel import logs
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import make_celery, open_with, ready_file
from xueji.tables import PARTS
from xueji.wiring import open_for_worker

_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


def task_modules() -> Iterator[ModuleType]:
    """Every part's tasks."""
    for part in PARTS:
        if find_spec(f"{part}.tasks") is not None:
            yield import_module(f"{part}.tasks")


def make_worker(settings: Settings) -> Celery:
    celery = make_celery(settings)
    schedule: dict[str, dict[str, Any]] = {}
    for module in task_modules():
        every: dict[str, timedelta] = getattr(module, "SCHEDULE", {})
        # What could not be done in time is not done late as well: the next turn does it all.
        schedule |= {
            name: {"task": name, "schedule": interval, "options": {"expires": interval.total_seconds()}}
            for name, interval in every.items()
        }
    celery.conf.beat_schedule = schedule
    celery.conf.beat_schedule_filename = str(settings.data / "run" / "schedule")
    open_with(lambda: open_for_worker(settings))
    return celery


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
