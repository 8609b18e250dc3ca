"""The supervisor, with small programs in the place of servers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xueji.kernel.settings import Settings
from xueji.supervisor import supervise
from xueji.supervisor.process import NotStarted, Program
from xueji.supervisor.supervise import CannotStart, keep_up, listen, only_one, rotate

PATIENCE_SECONDS = 120
NOTE_AND_SLEEP = """
import os, pathlib, signal, sys, time
notes = pathlib.Path(sys.argv[1])
def say(word):
    with notes.open("a") as file: file.write(f"{sys.argv[2]} {word} {os.getpid()}\\n")
def end(number, frame):
    say("ended"); sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else end)
child = os.fork() if "parent" in sys.argv else None
if child: say(f"child {child}")
if child != 0: say("began")
while True: time.sleep(0.01)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    file = tmp_path / "notes"
    file.touch()
    return file


def program(
    notes: Path, name: str, *manners: str, ready: bool = True, stop_seconds: float = PATIENCE_SECONDS
) -> Program:
    def has_begun() -> bool:
        return ready and f"{name} began" in notes.read_text()

    command = [sys.executable, "-c", NOTE_AND_SLEEP, str(notes), name, *manners]
    start_seconds = PATIENCE_SECONDS if ready else 0.3
    return Program(name, command, has_begun, start_seconds=start_seconds, stop_seconds=stop_seconds)


def said(notes: Path) -> list[str]:
    """What the programs noted, without their numbers."""
    return [" ".join(line.split()[:2]) for line in notes.read_text().splitlines()]


def numbers(notes: Path, name: str) -> list[int]:
    return [int(line.split()[-1]) for line in notes.read_text().splitlines() if line.startswith(f"{name} began")]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def kept_up(stages: list[list[Program]], logs: Path) -> Iterator[threading.Event]:
    """The supervisor at work, in a thread, until the block ends."""
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=keep_up, args=(stages, logs, stop.is_set, ready.set))
    thread.start()
    try:
        assert ready.wait(PATIENCE_SECONDS)
        yield ready
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_stages_start_in_order_and_stop_in_reverse(notes: Path, tmp_path: Path) -> None:
    with kept_up([[program(notes, "broker")], [program(notes, "worker")], [program(notes, "web")]], tmp_path):
        assert said(notes) == ["broker began", "worker began", "web began"]
    assert said(notes)[3:] == ["web ended", "worker ended", "broker ended"]


def test_what_dies_is_started_again_without_what_it_had_started(notes: Path, tmp_path: Path) -> None:
    with kept_up([[program(notes, "worker", "parent")]], tmp_path):
        child = int(next(line for line in notes.read_text().splitlines() if " child " in line).split()[2])
        os.kill(numbers(notes, "worker")[0], signal.SIGKILL)
        wait_until(lambda: len(numbers(notes, "worker")) == 2)
        wait_until(lambda: not is_running(child))


def test_what_will_not_stop_is_ended(notes: Path, tmp_path: Path) -> None:
    with kept_up([[program(notes, "worker", "deaf", stop_seconds=0.3)]], tmp_path):
        (pid,) = numbers(notes, "worker")
    assert not is_running(pid)


def test_what_does_not_become_ready_stops_the_rest(notes: Path, tmp_path: Path) -> None:
    stages = [[program(notes, "broker")], [program(notes, "web", ready=False)]]
    with pytest.raises(NotStarted, match="web was not ready"):
        keep_up(stages, tmp_path, lambda: False, lambda: None)
    assert said(notes)[-1] == "broker ended"


def test_what_ends_while_starting_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="web ended while starting"):
        keep_up([[Program("web", ["false"], lambda: False)]], tmp_path, lambda: False, lambda: None)


def test_no_process_outlives_a_killed_supervisor(notes: Path) -> None:
    start = "import sys; sys.path[:0] = [sys.argv[1]]; from test_supervisor import kept; kept()"
    supervisor = subprocess.Popen([sys.executable, "-c", start, str(Path(__file__).parent), str(notes)])
    wait_until(lambda: len(numbers(notes, "web")) == 1)
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: "web ended" in said(notes))


def kept() -> None:
    """What the test above runs in a process of its own."""
    notes = Path(sys.argv[2])
    keep_up([[program(notes, "web")]], notes.parent, lambda: False, lambda: None)


def test_one_data_folder_has_one_supervisor(settings: Settings) -> None:
    with only_one(settings), pytest.raises(CannotStart, match="already running"), only_one(settings):
        raise AssertionError("two supervisors at once")


def test_a_lock_left_behind_by_a_dead_supervisor_blocks_nobody(settings: Settings) -> None:
    with only_one(settings):
        left = (settings.data / "run" / "supervisor.lock").read_text()
    assert int(left) == os.getpid()
    with only_one(settings):
        pass


def test_a_port_that_is_taken_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = Settings.load({"XUEJI_DATA": str(tmp_path), "XUEJI_PORT": str(port)})
        with pytest.raises(CannotStart, match="XUEJI_PORT"):
            listen(taken)


def test_large_logs_are_set_aside_and_the_oldest_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LARGEST_LOG_BYTES", 3)
    for turn in range(supervise.LOGS_KEPT + 2):
        (tmp_path / "web.jsonl").write_text(f"turn {turn}")
        rotate(tmp_path)
    kept = sorted(file.name for file in tmp_path.glob("web.jsonl*"))
    assert kept == [f"web.jsonl.{number}" for number in range(1, supervise.LOGS_KEPT + 1)]
    assert (tmp_path / "web.jsonl.1").read_text() == f"turn {supervise.LOGS_KEPT + 1}"
