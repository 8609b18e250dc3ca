"""What recording a leaf costs, how fast the sequencer takes leaves in, and how long an outsider needs to check.

python bench/trace.py            a table
python bench/trace.py --json     the same as JSON
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from bench.hours import chain
from bench.learners import make
from bench.loose_leaves import loose
from bench.row import Row
from xueji.cohorts.models import Cohort
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.evidence.services import build_bundle
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.trace import ed25519, merkle
from xueji.trace.leaf import Entry
from xueji.trace.process import run_sequencer
from xueji.trace.rules import Event
from xueji.trace.sequencer import Sequencer
from xueji.trace.services import record_many

LEAVES_IN_BUNDLE = 10_000
LEAVES_OF_OTHERS = 40_000
LEAVES_ROOTED = 1_000_000
BATCHES = (1, 32, 256)


def run() -> list[Row]:
    """Measure everything; takes about half a minute."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        make(data, f"sqlite:///{data / 'xueji.sqlite'}", 1)
        settings = Settings.load({"XUEJI_DATA": folder, "XUEJI_BROKER_URL": "memory://"})
        context = Context.open(settings)
        try:
            return [
                *_recording(context),
                _sequencing(context),
                *_bundle(context, data),
                _rooting(),
                _checking_signatures(),
            ]
        finally:
            context.close()


def _recording(context: Context) -> list[Row]:
    """Processor time of one leaf in `record_many`, the commit not counted: disks differ, this does not."""
    rows = []
    chains = [str(uuid4()) for _ in range(500)]
    for size in BATCHES:
        batches = [[_beat(chains[(size * turn + n) % 500], n) for n in range(size)] for turn in range(4096 // size)]
        spent = 0.0
        for batch in batches:
            with context.database.writing() as session:
                session.connection()
                began = time.thread_time()
                record_many(session, batch)
                spent += time.thread_time() - began
        each = spent / (len(batches) * size) * 1e6
        limit = 40 if size > 1 else None
        rows.append(_row(f"record_many, {size} in a batch", each, "µs a leaf", limit))
    return rows


def _beat(chain_name: str, number: int) -> Entry:
    first = number * 10_000
    values = {
        "sitting": str(uuid4()),
        "lesson": str(uuid4()),
        "seq": number,
        "beat": str(uuid4()),
        "from_ms": first,
        "to_ms": first + 10_000,
        "state": "playing",
        "rate": 1000,
        "credited": [[first, first + 10_000]],
        "server": [1_795_305_600_000 + first, 1_795_305_610_000 + first],
        "refused": [],
        "furthest_ms": first + 10_000,
    }
    return Entry(loose(Event.BEAT, values), chain_name, "a" * 32, occurred="2026-11-21T08:00:00.000Z")


def _sequencing(context: Context) -> Row:
    others = [str(uuid4()) for _ in range(500)]
    for start in range(0, LEAVES_OF_OTHERS, 1000):
        with context.database.writing() as session:
            record_many(session, [_beat(others[n % 500], n) for n in range(start, start + 1000)])
    sequencer = Sequencer(context.database, context.settings)
    sequencer.start()
    began, taken = time.perf_counter(), 0
    while leaves := sequencer.step().leaves:
        taken += leaves
    return _row("sequencer, durable, with triggers", taken / (time.perf_counter() - began), "leaves/s", None)


def _bundle(context: Context, data: Path) -> list[Row]:
    enrolment, actor = _enrolment_with_leaves(context)
    stop = Flag()
    thread = Thread(target=run_sequencer, args=(context, stop))
    thread.start()
    try:
        _wait_until_taken(context)
        began = time.perf_counter()
        bundle = build_bundle(context, enrolment_id=enrolment, actor=actor, with_pictures=False, seconds_to_sign=60)
        built = time.perf_counter() - began
    finally:
        stop.set()
        thread.join()
    with bundle.file, zipfile.ZipFile(bundle.file) as archive:
        archive.extractall(data / "bundle")
    began = time.perf_counter()
    verified = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"], cwd=data / "bundle", capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    if verified.returncode != 0:
        raise AssertionError(verified.stdout + verified.stderr)
    return [
        _row(f"build a bundle of {LEAVES_IN_BUNDLE:,} leaves, signing awaited", built, "s", None),
        _row(f"verify a bundle of {LEAVES_IN_BUNDLE:,} leaves, in a process of its own", seconds, "s", 3),
    ]


def _enrolment_with_leaves(context: Context) -> tuple[UUID, Actor]:
    """An enrolment beside the one there is, whose chain has as many leaves as are to be verified."""
    with context.database.writing() as session:
        before = session.scalars(select(Enrolment)).one()
        cohort = session.get_one(Cohort, before.cohort_id)
        columns = {column.name for column in Cohort.__table__.columns} - {"id"}
        copy = Cohort(**{name: getattr(cohort, name) for name in columns})
        session.add(copy)
        session.flush()
        enrolment = Enrolment(
            cohort_id=copy.id, person_id=before.person_id, enrolled_at=clock.now(), state=EnrolmentState.ACTIVE
        )
        session.add(enrolment)
        session.flush()
        actor = Actor(before.person_id, uuid4(), frozenset({Role.TRAINEE}))
        leaves = chain(LEAVES_IN_BUNDLE)[: LEAVES_IN_BUNDLE - 2]
        entries = [Entry(loose(Event(leaf["event"]), leaf["values"]), enrolment.chain, "a" * 32) for leaf in leaves]
        for start in range(0, len(entries), 50):
            # Others study at the same time, so that the leaves stand apart in the tree.
            record_many(session, [*entries[start : start + 50], *(_beat("somebody else", n) for n in range(50))])
        return enrolment.id, actor


def _wait_until_taken(context: Context) -> None:
    from xueji.trace import queries

    while True:
        with context.database.reading() as session:
            if queries.state(session).pending == 0:
                return
        time.sleep(0.05)


def _rooting() -> Row:
    began = time.perf_counter()
    tree = merkle.CompactRange()
    for number in range(LEAVES_ROOTED):
        tree.append(merkle.leaf_hash(b"%d" % number))
    tree.root()
    return _row(f"hash and root {LEAVES_ROOTED:,} leaves", time.perf_counter() - began, "s", 10)


def _checking_signatures() -> Row:
    secret = Ed25519PrivateKey.generate()
    public, signature = secret.public_key().public_bytes_raw(), secret.sign(b"checkpoint")
    return _row(
        "check a signature in pure Python", _best_ms(lambda: ed25519.verify(public, b"checkpoint", signature)), "ms", 5
    )


def _best_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(50):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return sorted(times)[len(times) // 2] * 1e3


def _row(name: str, value: float, unit: str, limit: float | None) -> Row:
    if limit is None:
        return Row(name, round(value, 2), unit, None, None)
    return Row(name, round(value, 2), unit, f"<= {limit:g}", value <= limit)


def main() -> int:
    rows = run()
    if "--json" in sys.argv[1:]:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        for row in rows:
            verdict = "" if row.reached is None else ("  ok" if row.reached else "  MISSED")
            print(f"{row.name:64} {row.value:12.2f} {row.unit:10} {row.limit or '':8}{verdict}")
    return 0 if all(row.reached is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
