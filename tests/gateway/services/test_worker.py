"""Beats first: what other lanes' threads may do while somebody who reports study waits for her answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from xueji.gateway.lanes import Lane, Threads
from xueji.gateway.worker import GatewayWorker
from xueji.kernel import permits


class CalmLoop:
    def wait_for_calm(self, _seconds: float) -> bool:
        return True


@pytest.mark.parametrize("lane", [Lane.PAGES, Lane.FILMS])
def test_one_thread_of_a_lane_computes_while_a_beat_is_under_way(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    # However busy the machine is, nobody grows impatient in this test.
    monkeypatch.setattr(permits.Permits.__init__, "__defaults__", (60.0, lambda: False, 60.0))
    answered, lock = threading.Event(), threading.Lock()
    worker: Any = object.__new__(GatewayWorker)
    worker._loop = CalmLoop()
    worker._lanes = {Lane.BEATS: Threads("beats", 1, 1, lambda _item: answered.wait(60.0))}
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


def test_who_answers_beats_waits_for_nobody() -> None:
    worker: Any = object.__new__(GatewayWorker)
    worker._answer = object()
    assert worker._work_of(Lane.BEATS) is worker._answer
