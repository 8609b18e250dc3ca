"""Beats first: what other lanes' threads may do while somebody who reports study waits for her answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from xueji.gateway.lanes import Lane, Threads
from xueji.gateway.worker import PHOTO_THREADS, GatewayWorker
from xueji.kernel import permits
from xueji.kernel.settings import Settings


class CalmLoop:
    def wait_for_calm(self, _seconds: float) -> bool:
        return True


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60.0
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("lane", [Lane.PAGES, Lane.FILMS])
def test_one_thread_of_a_lane_computes_while_a_beat_is_under_way(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    # However busy the machine is, nobody grows impatient in this test.
    monkeypatch.setattr(permits.Permits.__init__, "__defaults__", (60.0, lambda: False, 60.0))
    answered, lock = threading.Event(), threading.Lock()

    def wait(_item: object) -> None:
        answered.wait(60.0)

    worker: Any = object.__new__(GatewayWorker)
    worker._loop = CalmLoop()
    worker._lanes = {Lane.BEATS: Threads("beats", 1, 1, wait)}
    computing = most = 0

    def answer(_item: object) -> None:
        nonlocal computing, most
        with lock:
            computing += 1
            most = max(most, computing)
        time.sleep(0.005)
        with lock:
            computing -= 1

    worker._answer = answer
    work = worker._work_of(lane)
    assert not worker.beats_under_way()
    assert worker._lanes[Lane.BEATS].give(object())
    assert worker.beats_under_way()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert most == 1
    answered.set()
    while worker.beats_under_way():
        time.sleep(0.001)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert most > 1


def test_a_crowd_of_photos_takes_two_threads_and_leaves_the_pages_theirs() -> None:
    worker: Any = object.__new__(GatewayWorker)
    worker._loop = CalmLoop()
    worker._lanes = lanes = worker._open_lanes(Settings(Path("/nowhere")))
    looked_at, page = threading.Event(), threading.Event()
    lock = threading.Lock()
    waiting = 0

    def answer(item: str) -> None:
        nonlocal waiting
        if item == "page":
            page.set()
            return
        # As a photo does, it waits for the child without a permit.
        with permits.PermitGivenBack():
            with lock:
                waiting += 1
            looked_at.wait(60.0)

    worker._answer = answer
    assert all(lanes[Lane.PHOTOS].give("photo") for _ in range(40))
    until(lambda: waiting == PHOTO_THREADS)
    assert lanes[Lane.PAGES].give("page")
    assert page.wait(60.0)
    time.sleep(0.1)
    assert waiting == PHOTO_THREADS == 2
    looked_at.set()
    until(lambda: not lanes[Lane.PHOTOS].taken)
    assert waiting == 40


def test_more_photos_than_can_soon_be_looked_at_are_told_to_come_again() -> None:
    worker: Any = object.__new__(GatewayWorker)
    worker._loop = CalmLoop()
    worker._lanes = lanes = worker._open_lanes(Settings(Path("/nowhere")))
    looked_at = threading.Event()
    worker._answer = lambda _item: looked_at.wait(60.0)
    assert [lanes[Lane.PHOTOS].give("photo") for _ in range(67)] == [True] * 66 + [False]
    looked_at.set()


def test_who_answers_beats_waits_for_nobody() -> None:
    worker: Any = object.__new__(GatewayWorker)
    worker._answer = object()
    assert worker._work_of(Lane.BEATS) is worker._answer
