"""Few compute at a time; who waits for something else keeps nobody from it, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from xueji.kernel.context import Context
from xueji.kernel.groupcommit import GroupCommitter
from xueji.kernel.permits import PermitGivenBack, Permits, give_back

PATIENCE = 20.0


def test_no_more_compute_at_a_time_than_there_are_permits() -> None:
    assert most_at_once(Permits(2, PATIENCE), 12) == 2


def test_who_waits_for_something_else_lets_others_compute_and_goes_on_afterwards() -> None:
    permits, others_done = Permits(1, PATIENCE), threading.Event()

    def wait() -> bool:
        with permits, PermitGivenBack():
            return others_done.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(wait)
        for _ in range(3):
            with permits:
                pass
        others_done.set()
        assert waits.result()
    assert permits.free == 1


def test_a_wait_that_does_not_say_so_costs_others_their_patience_and_no_more() -> None:
    permits, done = Permits(1, 0.05), threading.Event()

    def hang() -> None:
        with permits:
            done.wait(PATIENCE)

    hangs = threading.Thread(target=hang)
    hangs.start()
    began = time.monotonic()
    with permits:
        assert time.monotonic() - began >= 0.04
    done.set()
    hangs.join()
    assert permits.free == 1


def test_what_was_given_back_is_not_given_back_twice() -> None:
    permits = Permits(1, PATIENCE)
    with permits:
        with PermitGivenBack(), PermitGivenBack():
            assert permits.free == 1
        assert permits.free == 0
        assert give_back() is permits
        assert give_back() is None
        with PermitGivenBack():
            assert permits.free == 1
    assert permits.free == 1


def test_who_has_the_turn_to_write_or_waits_for_a_group_keeps_no_permit(context: Context) -> None:
    permits = Permits(1, PATIENCE)
    free: list[int] = []

    def commit(items: Sequence[int]) -> Sequence[int]:
        free.append(permits.free)
        return items

    committer: GroupCommitter[int, int] = GroupCommitter(commit)
    with permits:
        assert committer.submit(7) == 7
        assert permits.free == 0
    assert free == [1]
    with permits, context.database.writing() as session:
        session.connection()
        assert permits.free == (1 if context.database.is_sqlite else 0)
    assert permits.free == 1


def most_at_once(permits: Permits, threads: int) -> int:
    computing, most = 0, 0
    lock = threading.Lock()

    def work(_number: int) -> None:
        nonlocal computing, most
        with permits:
            with lock:
                computing += 1
                most = max(most, computing)
            time.sleep(0.005)
            with lock:
                computing -= 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(2 * threads)))
    return most


def test_while_somebody_is_in_a_hurry_one_computes_at_a_time() -> None:
    hurries = True
    permits = Permits(4, PATIENCE, lambda: hurries, PATIENCE)
    assert most_at_once(permits, 8) == 1
    hurries = False
    assert most_at_once(permits, 8) > 1
    assert permits.free == 4


def test_a_wait_that_does_not_say_so_keeps_the_others_but_a_moment_while_somebody_is_in_a_hurry() -> None:
    permits, done = Permits(3, PATIENCE, lambda: True, 0.01), threading.Event()

    def hang() -> None:
        with permits:
            done.wait(PATIENCE)

    hangs = threading.Thread(target=hang)
    hangs.start()
    while permits.free == 3:
        time.sleep(0.001)
    began = time.monotonic()
    with permits:
        assert 0.009 <= time.monotonic() - began < PATIENCE / 2
        assert permits.free == 1
    done.set()
    hangs.join()
    assert permits.free == 3
