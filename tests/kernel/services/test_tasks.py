"""What is left for later: which tasks there are, where they go, and what they work in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import Celery

from xueji.kernel import tasks
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.kernel.tasks import LONG, SHORT, make_celery


@pytest.fixture
def worker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Celery:
    """The worker's application, as its process would make it."""
    monkeypatch.setenv("XUEJI_DATA", str(settings.data))
    monkeypatch.setenv("XUEJI_BROKER_URL", "memory://")
    from xueji.worker import make_worker

    made = make_worker(settings)
    made.finalize()
    return made


@pytest.fixture
def no_context(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tasks, "_opened", None)
    monkeypatch.setattr(tasks, "_opener", None)
    yield


def test_what_is_to_be_done_regularly_is_a_task_and_expires_before_its_next_turn(worker: Celery) -> None:
    schedule = worker.conf.beat_schedule
    assert schedule
    for name, turn in schedule.items():
        assert turn["task"] == name and name in worker.tasks
        assert timedelta(seconds=turn["options"]["expires"]) == turn["schedule"]


def test_only_films_keep_others_waiting(worker: Celery) -> None:
    queues = {
        name: worker.amqp.router.route({}, name, (), {}, task_type=task)["queue"].name
        for name, task in worker.tasks.items()
        if not name.startswith("celery.")
    }
    assert {name for name, queue in queues.items() if queue == LONG} == {"courses.transcode_film"}
    assert set(queues.values()) == {LONG, SHORT}


def test_a_task_is_believed_only_when_it_is_done(worker: Celery) -> None:
    assert worker.conf.task_acks_late and worker.conf.task_reject_on_worker_lost
    assert worker.conf.worker_prefetch_multiplier == 1
    assert set(worker.conf.accept_content) == {"json"}


def test_a_task_works_in_the_context_of_its_process(context: Context, no_context: None) -> None:
    with pytest.raises(RuntimeError, match="no worker"):
        tasks.context()
    with tasks.using(context):
        assert tasks.context() is context
    tasks.open_with(lambda: context)
    assert tasks.context() is tasks.context() is context


def test_a_forked_process_opens_a_context_of_its_own(
    context: Context, no_context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def opener() -> Context:
        opened.append(os.getpid())
        return context

    tasks.open_with(opener)
    tasks.context()
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as a child would see itself
    tasks.context()
    assert len(opened) == 2


def test_the_embedded_broker_is_asked_again_after_a_minute(settings: Settings) -> None:
    embedded = Settings.load({"XUEJI_DATA": str(settings.data)})
    options = make_celery(embedded).conf.broker_transport_options
    make_celery(settings)
    assert options["visibility_timeout"] == tasks.VISIBILITY_SECONDS


def test_looking_at_the_commands_asks_for_no_database_and_no_web() -> None:
    """The auditor's `xueji verify` is to start on a machine that has neither."""
    look = (
        "import sys; from xueji.cli import main\n"
        "try: main(['verify', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('sqlalchemy', 'flask', 'celery', 'cv2', 'redis') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
