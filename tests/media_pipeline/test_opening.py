"""Strangers' pictures are opened by a child: what comes back, what a bomb costs, and what a death of the child says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import cv2
import numpy as np
import psutil
import pytest
from support.bombs import bomb

from media_pipeline import opening
from media_pipeline.frames import WORKING_SIDE, DecodeError, DecodeFault
from media_pipeline.opening import Child, OpenHere
from media_pipeline.verdict import EngineDown


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.end()


def photo(width: int = 640, height: int = 480, extension: str = ".jpg") -> bytes:
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=-1).astype(np.uint8)
    return bytes(cv2.imencode(extension, pixels)[1])


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("size", [(640, 480), (3000, 2000)])
def test_the_child_gives_the_same_pixels_as_opening_here(child: Child, size: tuple[int, int], extension: str) -> None:
    data = photo(*size, extension)
    there, here = child.open(data), OpenHere().open(data)
    assert np.array_equal(there.picture, here.picture)
    assert (there.scale, there.width, there.height) == (here.scale, *size)
    assert max(there.picture.shape) <= WORKING_SIDE


@pytest.mark.parametrize(
    ("data", "fault"), [(b"", DecodeFault.EMPTY), (b"hello", DecodeFault.NOT_A_PICTURE), (b"\xff\xd8\xff", None)]
)
def test_what_is_refused_keeps_its_reason_and_the_child_lives(
    child: Child, data: bytes, fault: DecodeFault | None
) -> None:
    child.open(photo())
    before = child.pid
    with pytest.raises(DecodeError) as refused:
        child.open(data)
    assert refused.value.fault is (fault or DecodeFault.NOT_A_PICTURE)
    assert child.pid == before


def test_a_picture_that_takes_too_long_is_refused_by_name_and_the_next_is_opened() -> None:
    child, seconds = Child(), 0.02
    try:
        child.open(photo())
        began = time.monotonic()
        with pytest.raises(DecodeError) as refused:
            child.open(bomb(20), seconds)
        assert (refused.value.fault, refused.value.seconds) == (DecodeFault.TOO_COSTLY, seconds)
        assert time.monotonic() - began < 15
        assert child.open(photo()).width == 640
    finally:
        child.end()


def test_a_picture_that_wants_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child()
    try:
        child.open(photo())
        process = psutil.Process(child.pid)
        process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + 20_000_000,) * 2)
        with pytest.raises(DecodeError) as refused:
            child.open(photo(4000, 4000))
        assert refused.value.fault in (DecodeFault.TOO_COSTLY, DecodeFault.DAMAGED)
    finally:
        child.end()


def test_the_child_may_write_nothing_and_has_little_memory(child: Child) -> None:
    child.open(photo())
    process = psutil.Process(child.pid)
    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    most, _ = process.rlimit(psutil.RLIMIT_AS)
    assert most <= process.memory_info().vms + opening.MEMORY_BYTES
    assert process.memory_info().rss < 120_000_000
    used = sum(process.cpu_times()[:2])
    assert process.rlimit(psutil.RLIMIT_CPU)[0] <= used + opening.PICTURE_SECONDS + 1


def test_the_largest_picture_that_is_allowed_is_opened(child: Child) -> None:
    assert child.open(photo(4000, 4000)).width == 4000


def test_a_child_that_was_ended_from_outside_says_nothing_about_the_picture(child: Child) -> None:
    child.open(photo())
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(child.open, photo())
        time.sleep(0.3)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(EngineDown):
            waiting.result(30)
    assert child.open(photo()).width == 640


@pytest.mark.parametrize("death", [signal.SIGSEGV, signal.SIGXCPU, signal.SIGABRT])
def test_a_child_that_crashes_on_a_picture_is_the_picture_s_doing(child: Child, death: signal.Signals) -> None:
    child.open(photo())
    assert child.pid is not None
    os.kill(child.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(child.open, photo())
        time.sleep(0.3)
        os.kill(child.pid, death)
        os.kill(child.pid, signal.SIGCONT)
        with pytest.raises(DecodeError) as refused:
            waiting.result(30)
    assert refused.value.fault is DecodeFault.TOO_COSTLY


def test_who_waits_too_long_for_another_s_picture_is_told_so(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "TURN_SECONDS", 0.05)
    with child._process._turn, pytest.raises(EngineDown):
        child.open(photo())


def test_a_child_without_work_ends_and_another_takes_the_next_picture() -> None:
    child = Child()
    try:
        child.open(photo())
        first = psutil.Process(child.pid)
        os.kill(first.pid, signal.SIGSTOP)
        # As if its five minutes were over: its owner's end is closed and opened again for the next picture.
        os.kill(first.pid, signal.SIGCONT)
        child._process._channel.close()  # type: ignore[union-attr]
        first.wait(30)
        child._process._channel = Connection(os.open("/dev/null", os.O_RDWR))
        assert child.open(photo()).width == 640
        assert child.pid != first.pid
    finally:
        child.end()
