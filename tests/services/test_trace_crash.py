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
from xueji.trace.models import Leaf
from xueji.trace.sequencer import Sequencer

ROUNDS = 6
WRITER = Path(__file__).parents[1] / "crashing_writer.py"


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
        before = acknowledged.stat().st_size if acknowledged.exists() else 0
        process = subprocess.Popen([sys.executable, str(WRITER), str(acknowledged)], env=environment)
        try:
            wait_for_growth(acknowledged, before, process)
            time.sleep(draw.uniform(0.05, 0.4))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    sequencer = Sequencer(context.database, context.settings)
    sequencer.start()
    while sequencer.step().leaves:
        pass
    assert sequencer.halted is None
    claimed = [line.split() for line in acknowledged.read_text().splitlines()]
    assert len(claimed) > ROUNDS * 10
    with context.database.reading() as session:
        held = {(leaf.chain, leaf.n): merkle.leaf_hash(leaf.leaf) for leaf in session.scalars(select(Leaf))}
        assert all(held[chain, int(n)].hex() == digest for chain, n, digest in claimed)
        assert audit(session) == []
        assert queries.state(session).alarms == ()


def wait_for_growth(file: Path, before: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if file.exists() and file.stat().st_size > before:
            return
        assert process.poll() is None, "the writer ended by itself"
        time.sleep(0.05)
    raise AssertionError("the writer wrote nothing")
