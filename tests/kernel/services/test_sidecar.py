"""A process beside its owner: it answers, is replaced when it dies, and never outlives who asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from xueji.kernel import sidecar
from xueji.kernel.errors import Invalid, NotFound, Unavailable
from xueji.kernel.sidecar import Sidecar, WorkFailed

PATIENCE_SECONDS = 120
WORK = """
import os, sys, time
from xueji.kernel.sidecar import serve
from xueji.kernel.errors import Invalid
def work(said):
    if said == "pid": return os.getpid()
    if said == "refuse": return [Invalid("so nicht", field="seq")]
    if said == "sleep": time.sleep(60)
    if said == "die": os._exit(1)
    if said == "die once" and not os.path.exists(sys.argv[1]):
        open(sys.argv[1], "w").close()
        os._exit(1)
    if said == "fail": raise ValueError("a value that must not be told")
    return said
serve(int(sys.argv[2]), work)
"""
OWNER = """
import sys
from xueji.kernel.sidecar import Sidecar
sidecar = Sidecar(sys.executable, "-c", sys.argv[1], sys.argv[2])
print(sidecar.call("pid"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Sidecar]:
    worker = Sidecar(sys.executable, "-c", WORK, str(tmp_path / "died"))
    yield worker
    worker.end()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_process_answers_everything_in_order(worker: Sidecar) -> None:
    assert [worker.call(number) for number in range(50)] == list(range(50))
    assert worker.call("pid") == worker.call("pid")


def test_a_refusal_comes_back_as_it_was_spoken(worker: Sidecar) -> None:
    (refusal,) = worker.call("refuse")
    assert type(refusal) is Invalid
    assert (refusal.type, refusal.status, refusal.detail, refusal.extra) == (
        "invalid",
        422,
        "so nicht",
        {"field": "seq"},
    )


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_was_killed_is_replaced(worker: Sidecar, blow: signal.Signals) -> None:
    first = worker.call("pid")
    os.kill(first, blow)
    assert worker.call("again") == "again"
    assert worker.call("pid") != first


def test_what_a_death_left_unanswered_is_asked_once_more(worker: Sidecar) -> None:
    assert worker.call("die once") == "die once"


def test_what_always_kills_it_has_failed_and_the_next_call_has_not(worker: Sidecar) -> None:
    with pytest.raises(WorkFailed):
        worker.call("die")
    assert worker.call("next") == "next"


def test_work_that_raises_is_told_by_its_name_alone(worker: Sidecar) -> None:
    with pytest.raises(WorkFailed, match=r"^ValueError$"):
        worker.call("fail")
    assert worker.call("next") == "next"


def test_one_that_hangs_is_ended(worker: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    worker.start()
    hanging = worker.call("pid")
    monkeypatch.setattr(sidecar, "LONGEST_ANSWER_SECONDS", 0.2)
    with pytest.raises(Unavailable):
        worker.call("sleep")
    assert gone(hanging)


def test_it_is_the_owner_that_obeys_a_signal_to_stop(worker: Sidecar) -> None:
    pid = worker.call("pid")
    for each in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, each)
    assert worker.call("pid") == pid


def test_it_ends_with_its_owner_however_that_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, WORK, str(tmp_path / "died")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
    wait_until(lambda: gone(pid))


def test_a_forked_owner_has_one_of_its_own(worker: Sidecar) -> None:
    ours = worker.call("pid")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(worker.call("pid")).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = int(os.read(read, 32))
    os.close(read)
    os.close(write)
    assert theirs != ours == worker.call("pid")


def test_nothing_of_not_found_is_lost_on_the_way(worker: Sidecar) -> None:
    assert str(worker.call(NotFound()).detail) == str(NotFound.detail)
