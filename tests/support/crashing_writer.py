"""A process that records as fast as it can, notes what was acknowledged, and expects to be killed at any moment.

``python crashing_writer.py FILE ROUND``: settings come from the environment; each acknowledged leaf is a line in FILE.
"""

from __future__ import annotations

import os
import sys
import threading

import xueji.tables  # noqa: F401  every table
from bench.loose_leaves import loose
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.trace import services
from xueji.trace.leaf import Entry
from xueji.trace.process import run_sequencer
from xueji.trace.rules import Event


def write(context: Context, number: int, acknowledged: int) -> None:
    turn = 0
    while True:
        turn += 1
        entries = [Entry(loose(Event.BEAT, {"turn": turn}), chain, "someone") for chain in (f"own{number}", "shared")]
        with context.database.writing() as session:
            recorded = services.record_many(session, sorted(entries, key=lambda entry: entry.chain))
        lines = [f"{entry.chain} {each.n} {each.hex}\n" for entry, each in zip(entries, recorded, strict=True)]
        os.write(acknowledged, "".join(lines).encode())


def main() -> None:
    context = Context.open(Settings.load())
    acknowledged = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in range(4):
        threading.Thread(target=write, args=(context, number, acknowledged), daemon=True).start()
    run_sequencer(context, threading.Event())


if __name__ == "__main__":
    main()
