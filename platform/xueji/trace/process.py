"""Running the sequencer: one at a time, for as long as the installation is up."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import text

from xueji.kernel.context import Context
from xueji.trace.after_signing import collect_outside_proof
from xueji.trace.sequencer import MOST_LEAVES_A_STEP, Overtaken, Sequencer

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_STEPS = 0.1
SECONDS_AFTER_A_FAILURE = 2.0
SECONDS_BETWEEN_OUTSIDE = 10.0
ADVISORY_LOCK = 0x5855454A49  # "XUEJI"


class AnotherSequencer(Exception):
    """Somebody else holds the lock."""


@contextmanager
def sequencer_lock(context: Context) -> Iterator[None]:
    """Be the one sequencer of this database. Raises AnotherSequencer."""
    if context.database.is_sqlite:
        path = context.settings.data / "run" / "sequencer.lock"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AnotherSequencer from None
        try:
            yield
        finally:
            os.close(descriptor)
        return
    with context.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}):
            raise AnotherSequencer
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def run_sequencer(context: Context, stop: threading.Event) -> None:
    """Sequence until told to stop; wait for the lock, and begin again from the database after any failure."""
    while not stop.is_set():
        try:
            with sequencer_lock(context):
                _sequence(context, stop)
        except AnotherSequencer:
            stop.wait(SECONDS_AFTER_A_FAILURE)
        except Overtaken:
            log.warning("trace.overtaken")
        except Exception:
            log.exception("trace.sequencer_failed")
            stop.wait(SECONDS_AFTER_A_FAILURE)


def _sequence(context: Context, stop: threading.Event) -> None:
    sequencer = Sequencer(context.database, context.settings)
    sequencer.start()
    outside = threading.Thread(target=_ask_outside, args=(context, stop), name="trace-outside", daemon=True)
    if context.settings.timestamp_urls or context.settings.witness_urls:
        outside.start()
    while not stop.is_set():
        step = sequencer.step()
        if step.leaves < MOST_LEAVES_A_STEP:
            stop.wait(SECONDS_BETWEEN_STEPS)


def _ask_outside(context: Context, stop: threading.Event) -> None:
    """Authorities and witnesses are asked beside the sequencer, so that a slow one holds nothing up."""
    while not stop.wait(SECONDS_BETWEEN_OUTSIDE):
        try:
            collect_outside_proof(context)
        except Exception:
            log.exception("trace.outside_failed")
