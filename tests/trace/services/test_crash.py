"""Killed with -9 in mid-load, again and again: nothing acknowledged is lost, and the log goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import select

from xueji.kernel.context import Context
from xueji.trace import merkle, queries
from xueji.trace.audit import audit
from xueji.trace.models import LeafRow
from xueji.trace.sequencer import Sequencer

ROUNDS = 6
LEAVES_A_ROUND = 12
"""More than every thread's first ones, so that what is killed is well under way."""
PATIENCE_SECONDS = 180
WRITER = Path(__file__).parents[2] / "support/crashing_writer.py"


def test_a_killed_writer_loses_nothing_it_acknowledged(context: Context, tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged"
    environment = {
        **os.environ,
        "XUEJI_DATA": str(context.settings.data),
        "XUEJI_DATABASE_URL": context.settings.database_url,
        "XUEJI_LOG_ORIGIN": context.settings.log_origin,
        "XUEJI_BROKER_URL": "memory://",
    }
    draw = random.Random(1)
    for _ in range(ROUNDS):
        before = leaves_in(acknowledged)
        process = subprocess.Popen([sys.executable, str(WRITER), str(acknowledged)], env=environment)
        try:
            wait_for_leaves(acknowledged, before + LEAVES_A_ROUND, process)
            time.sleep(draw.uniform(0, 0.3))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    sequencer = Sequencer(context.database, context.settings)
    sequencer.start()
    while sequencer.step().leaves:
        pass
    assert sequencer.halted is None
    claimed = [line.split() for line in acknowledged.read_text().splitlines()]
    assert len(claimed) >= ROUNDS * LEAVES_A_ROUND
    with context.database.reading() as session:
        held = {(leaf.chain, leaf.n): merkle.leaf_hash(leaf.leaf) for leaf in session.scalars(select(LeafRow))}
        assert all(held[chain, int(n)].hex() == digest for chain, n, digest in claimed)
        assert audit(session) == []
        assert queries.state(session).alarms == ()


def leaves_in(file: Path) -> int:
    """How many are acknowledged."""
    return len(file.read_bytes().splitlines()) if file.exists() else 0


def wait_for_leaves(file: Path, many: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while leaves_in(file) < many:
        assert process.poll() is None, "the writer ended by itself"
        assert time.monotonic() < deadline, "the writer does not go on"
        time.sleep(0.02)
