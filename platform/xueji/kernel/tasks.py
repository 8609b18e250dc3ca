"""Work that is done later, by another process: Celery's application and the context its tasks work in.

A part's ``tasks.py`` holds functions under ``celery.shared_task``; each takes plain values, opens a session on
`context()` and calls one service. A task may be run twice (a worker that dies before it has finished is not believed to
have done anything), so every task is idempotent. What is to be done regularly stands in the part's manifest
(``part.py``), under ``schedule``: task name → interval.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery

from xueji.kernel.context import Context
from xueji.kernel.settings import Settings

VISIBILITY_SECONDS = 60
"""A task whose worker has not finished it by then is given to another: long ones keep a lease of their own."""
SOFT_SECONDS, HARD_SECONDS = 45, 55
"""After so long a task is interrupted, and after so long its process is replaced: before it is given to another."""
SHORT = "short"
LONG = "long"
"""The queue of tasks that take minutes (films), so that nobody's picture waits behind one:
``shared_task(long=True, **LONG_LIMITS)``. It has a worker process of its own."""
LONG_LIMITS = {"soft_time_limit": 12 * 3600, "time_limit": 12 * 3600 + 60}
"""Seconds: the longest film there may be, on a slow machine."""

_opened: tuple[int, Context] | None = None
_opener: Callable[[], Context] | None = None


def make_celery(settings: Settings) -> Celery:
    """Celery for this installation, from now on the one that ``shared_task`` speaks of in every thread."""
    celery = Celery("xueji")
    options: dict[str, Any] = {}
    if settings.redis_url is not None:
        options = {"visibility_timeout": VISIBILITY_SECONDS, "socket_connect_timeout": 2, "socket_timeout": 30}
    celery.conf.update(
        broker_url=settings.broker_url,
        broker_connection_retry_on_startup=True,
        broker_transport_options=options,
        enable_utc=True,
        timezone="Asia/Shanghai",
        task_default_queue=SHORT,
        task_routes=(_long_apart,),
        task_acks_late=True,
        task_ignore_result=True,
        task_reject_on_worker_lost=True,
        task_soft_time_limit=SOFT_SECONDS,
        task_time_limit=HARD_SECONDS,
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
    )
    celery.set_default()
    return celery


def _long_apart(*_call: object, task: object = None, **_more: object) -> dict[str, str] | None:
    """Which queue a task goes to, as Celery asks."""
    return {"queue": LONG} if getattr(task, "long", False) else None


def ready_file(settings: Settings, process: str) -> Path:
    """Made by a worker once it takes tasks."""
    return settings.data / "run" / f"{process}.ready"


def open_with(opener: Callable[[], Context]) -> None:
    """How this process's context is to be opened, once it is needed: never before a worker has forked."""
    global _opener
    _opener = opener


def context() -> Context:
    """The context of the process a task runs in. Raises RuntimeError outside a worker."""
    global _opened
    if _opened is None or _opened[0] != os.getpid():
        if _opener is None:
            raise RuntimeError("no context: this process is no worker")
        _opened = (os.getpid(), _opener())
    return _opened[1]


@contextmanager
def using(context: Context) -> Iterator[None]:
    """Let tasks called in this process, in a test or a command, work in ``context``."""
    global _opened
    before, _opened = _opened, (os.getpid(), context)
    try:
        yield
    finally:
        _opened = before
