"""The sequencer gives every leaf one place, signs what it has done, and stops when it should not go on."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text
from support.growing_log import BEGINNING, GrowingLog, growing_log

from bench.loose_leaves import loose
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.trace import alarms, merkle, queries, rules, services
from xueji.trace import sequencer as sequencer_module
from xueji.trace.audit import audit
from xueji.trace.fork_guard import CannotSign, OutsideCheckpoint
from xueji.trace.leaf import Entry
from xueji.trace.models import LeafRow, VerifierKeyRow
from xueji.trace.note import Checkpoint, Note
from xueji.trace.note import VerifierKey as PublicKey
from xueji.trace.process import AnotherSequencer, run_sequencer, sequencer_lock
from xueji.trace.rules import Event
from xueji.trace.sequencer import Overtaken, Sequencer
from xueji.trace.signing import KeyFile, SigningKey
from xueji.trace.tree import Tree, current_log


def all_keys(context: Context) -> list[PublicKey]:
    with context.database.reading() as session:
        return [PublicKey.parse(key.key) for key in session.query(VerifierKeyRow)]


def alarms_of(context: Context) -> list[tuple[str, str | None]]:
    with context.database.reading() as session:
        return [(alarm.kind, alarm.chain) for alarm in queries.state(session).alarms]


def test_a_log_begins_with_a_leaf_that_says_so(context: Context) -> None:
    with growing_log(context) as log:
        assert log.settle().size == 1
        with context.database.reading() as session:
            (leaf,) = queries.chain(session, "log/tests.example/log")
    assert leaf["event"] == "log.open"
    assert leaf["n"] == 0


def test_every_recorded_leaf_is_proven_by_the_newest_checkpoint(context: Context) -> None:
    with growing_log(context) as log:
        draw = random.Random(7)
        for _ in range(30):
            for chain in draw.sample("abcdef", 3):
                log.record(chain, draw.randint(1, 40))
            log.sequencer.step()
        newest = log.settle()
        with context.database.reading() as session:
            current = current_log(session)
            assert current is not None
            tree = Tree(session, current, newest.size)
            for leaf in session.query(LeafRow):
                proof = merkle.inclusion_proof(leaf.position, newest.size, tree.node)
                root = merkle.root_from_inclusion(leaf.position, newest.size, merkle.leaf_hash(leaf.leaf), proof)
                assert root == newest.root
            assert queries.state(session).pending == 0
            assert audit(session) == []


def test_successive_checkpoints_are_consistent_and_their_times_ascend(context: Context) -> None:
    with growing_log(context) as log:
        for count in (1, 200, 56, 1, 300, 513):
            log.record("a", count)
            log.settle()
        keys = all_keys(context)
        notes = [Note.parse(written) for written in log.notes()]
        times = [[signed.time for signed in note.verify(keys)] for note in notes]
        assert all(len(each) == 2 for each in times), "each is signed by the log and by its clock"
        assert times == sorted(times, key=lambda each: each[1] or 0)
        checkpoints = [Checkpoint.parse(note.text) for note in notes]
        with context.database.reading() as session:
            current = current_log(session)
            assert current is not None
            tree = Tree(session, current, checkpoints[-1].size)
            for old, new in pairwise(checkpoints):
                proof = merkle.consistency_proof(old.size, new.size, tree.node)
                merkle.verify_consistency(old.size, old.root, new.size, new.root, proof)


def test_at_most_one_checkpoint_a_second(context: Context) -> None:
    with growing_log(context) as log:
        log.settle()
        for _ in range(10):
            log.record("a")
            log.sequencer.step()
            log.time.advance(timedelta(milliseconds=100))
        assert len(log.notes()) == 2
        log.time.advance(timedelta(milliseconds=100))
        assert log.sequencer.step().signed == log.newest()
        assert log.newest().size == 11


def test_what_waited_for_the_log_is_covered_by_its_first_checkpoint_after(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaves recorded before the log was opened, or while the sequencer stood still, are not dated back."""
    monkeypatch.setattr(sequencer_module, "MOST_LEAVES_A_STEP", 100)
    with clock.fixed(BEGINNING) as time:
        with context.database.writing() as session:
            services.record_many(session, [Entry(loose(Event.BEAT, {"n": n}), "a", "someone") for n in range(250)])
        time.advance(timedelta(minutes=10))
        sequencer = Sequencer(context.database, context.settings)
        sequencer.start()
        steps = [sequencer.step() for _ in range(4)]
    assert [step.leaves for step in steps] == [100, 100, 50, 0]
    assert [step.signed.size for step in steps if step.signed] == [251]
    assert alarms_of(context) == []


def test_a_restart_goes_on_where_the_log_stood(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 700)
        log.settle()
        log.sequencer = Sequencer(context.database, context.settings)
        log.sequencer.start()
        log.record("a", 700)
        log.settle()
        assert log.sequencer.halted is None
        assert log.newest().size == 1401
        with context.database.reading() as session:
            assert audit(session) == []


def test_a_gap_is_raised_and_only_its_chain_waits(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 3)
        log.record("b", 3)
        with context.database.writing() as session:
            session.execute(text("DELETE FROM trace_pending WHERE chain = 'a' AND n = 1"))
        log.settle()
        log.record("a", 1)
        log.record("b", 1)
        log.settle()
        assert alarms_of(context) == [("gap", "a")]
        with context.database.reading() as session:
            state = queries.state(session)
            placed = [(leaf.chain, leaf.n) for leaf in session.query(LeafRow) if leaf.chain in "ab"]
        assert "leaf 0 is missing" in state.alarms[0].detail or "leaf 1 is missing" in state.alarms[0].detail
        assert [n for chain, n in placed if chain == "b"] == [0, 1, 2, 3]
        assert [n for chain, n in placed if chain == "a"] == []
        assert state.pending == 3


def test_an_altered_leaf_in_the_outbox_is_a_gap_too(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 2)
        with context.database.writing() as session:
            first = session.execute(text("SELECT leaf FROM trace_pending WHERE n = 0")).scalar_one()
            forged = bytes(first).replace(b'"number":0', b'"number":9')
            session.execute(text("UPDATE trace_pending SET leaf = :leaf WHERE n = 0"), {"leaf": forged})
        log.settle()
        assert alarms_of(context) == [("gap", "a")]
        with context.database.reading() as session:
            assert "by its hash" in queries.state(session).alarms[0].detail


def test_a_leaf_that_comes_far_too_late_is_kept_and_raised(context: Context) -> None:
    with growing_log(context) as log:
        early = clock.to_ms(clock.now())
        log.time.advance(timedelta(seconds=60))
        log.record("a")
        log.settle()
        with context.database.writing() as session:
            services.record_many(session, [Entry(loose(Event.BEAT, {}), "late", "someone", early)])
        log.settle()
        assert alarms_of(context) == [("clock", None)]
        with context.database.reading() as session:
            assert queries.state(session).pending == 0


def test_a_clock_set_back_signs_nothing_until_it_has_caught_up(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a")
        before = log.settle()
        log.time.advance(timedelta(seconds=-30))
        log.record("b")
        log.sequencer.step()
        assert log.newest() == before
        log.time.advance(timedelta(seconds=60))
        log.sequencer.step()
        assert log.newest().size == before.size + 1


def snapshot(context: Context, name: str) -> Path:
    """A backup of a SQLite database, as an operator would take one."""
    target = context.settings.data / name
    source = sqlite3.connect(context.settings.database_url.removeprefix("sqlite:///"))
    copy = sqlite3.connect(target)
    source.backup(copy)
    source.close()
    copy.close()
    return target


def restore(context: Context, backup: Path) -> None:
    context.database.dispose()
    source = sqlite3.connect(backup)
    target = sqlite3.connect(context.settings.database_url.removeprefix("sqlite:///"))
    source.backup(target)
    source.close()
    target.close()


@pytest.fixture
def on_sqlite(context: Context) -> None:
    if not context.database.is_sqlite:
        pytest.skip("restores a file; the guard itself reads no file of the database")


def restarted(log: GrowingLog, settings: Settings | None = None) -> Sequencer:
    log.sequencer = Sequencer(log.context.database, settings or log.context.settings)
    log.sequencer.start()
    return log.sequencer


@pytest.mark.usefixtures("on_sqlite")
def test_a_restored_database_signs_nothing(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 10)
        log.settle()
        backup = snapshot(context, "backup.sqlite")
        log.record("a", 5)
        after = log.settle()
        restore(context, backup)
        sequencer = restarted(log)
        assert sequencer.halted == f"{after.size} leaves were signed for, and the database holds {after.size - 5}"
        log.record("a", 3)
        log.settle()
        assert log.newest().size == after.size - 5, "nothing was signed"
        with context.database.reading() as session:
            assert queries.state(session).pending == 3, "nothing was lost"
        assert alarms_of(context) == [("fork", None)]


@pytest.mark.usefixtures("on_sqlite")
def test_after_a_real_loss_a_new_log_holds_the_last_checkpoint_of_the_old(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 10)
        log.settle()
        log.record("a", 1)
        log.sequencer.step()
        log.record("a", 4)
        assert log.sequencer.step().signed is None, "in the tree, covered by no checkpoint yet"
        log.record("a", 1)
        backup = snapshot(context, "backup.sqlite")
        log.record("b", 5)
        lost = log.settle()
        restore(context, backup)
        renamed = replace(context.settings, log_origin="tests.example/log2")
        assert restarted(log).halted is not None
        with pytest.raises(CannotSign, match="new name"):
            log.sequencer.open_new_origin()
        sequencer = restarted(log, renamed)
        assert sequencer.halted is not None
        sequencer.open_new_origin()
        log.record("a", 2)
        log.settle()
        assert sequencer.halted is None
        assert alarms_of(context) == []
        with context.database.reading() as session:
            (leaf,) = queries.chain(session, "log/tests.example/log2")
            assert [each["n"] for each in queries.chain(session, "a")] == list(range(18))
            assert audit(session) == []
        assert Checkpoint.parse(Note.parse(leaf["values"]["old_checkpoint"]).text) == lost
        assert (leaf["values"]["restored"], leaf["values"]["carried"]) == (16, 4)
        assert log.newest().origin == "tests.example/log2"
        assert restarted(log, renamed).halted is None


def test_opening_a_log_may_be_cut_short_anywhere(context: Context) -> None:
    """Killed after the empty checkpoint was written outside and before anything was committed: begin again."""
    with growing_log(context) as log:
        log.record("a", 3)
        last = log.settle()
        outside = OutsideCheckpoint(context.settings.data)
        renamed = replace(context.settings, log_origin="tests.example/log2")
        assert restarted(log, renamed).halted is not None
        outside.last_of_the_log_before("tests.example/log2")
        outside.write(empty_checkpoint("tests.example/log2"))
        sequencer = restarted(log, renamed)
        sequencer.open_new_origin()
        log.settle()
        with context.database.reading() as session:
            (leaf,) = queries.chain(session, "log/tests.example/log2")
        assert Checkpoint.parse(Note.parse(leaf["values"]["old_checkpoint"]).text) == last


def test_opening_the_first_log_may_be_cut_short_too(context: Context) -> None:
    OutsideCheckpoint(context.settings.data).write(empty_checkpoint("tests.example/log"))
    with growing_log(context) as log:
        assert log.sequencer.halted is None
        assert log.settle().size == 1


def empty_checkpoint(origin: str) -> Note:
    text_of = Checkpoint(origin, 0, merkle.EMPTY_ROOT).text
    return Note(text_of, ()).with_lines([SigningKey.new("log", origin).sign(text_of, 0)])


def test_a_missing_outside_checkpoint_stops_the_signing(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a")
        log.settle()
        OutsideCheckpoint(context.settings.data).path.unlink()
        assert "is gone" in str(restarted(log).halted)


def test_an_outside_checkpoint_of_other_leaves_stops_the_signing(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a")
        log.settle()
        outside = OutsideCheckpoint(context.settings.data)
        keys = KeyFile(context.settings.keys).load("tests.example/log")
        text_of_other = Checkpoint("tests.example/log", 2, bytes(32)).text
        outside.write(Note(text_of_other, ()).with_lines(key.sign(text_of_other, 1) for key in keys))
        assert "are not the ones" in str(restarted(log).halted)
        outside.path.write_text("nonsense")
        assert "no seal holds" in str(restarted(log).halted)
        outside.path.write_bytes(b"\xff")
        assert "damaged" in str(restarted(log).halted)


def test_an_emptied_database_does_not_begin_the_log_anew(context: Context, settings: Settings) -> None:
    note = Note(Checkpoint(settings.log_origin, 9, bytes(32)).text, ()).with_lines(["— x AAAAAAAAAAA=\n"])
    OutsideCheckpoint(settings.data).write(note)
    sequencer = Sequencer(context.database, settings)
    sequencer.start()
    assert "has been signed for before" in str(sequencer.halted)


def test_lost_signing_keys_are_not_replaced_in_silence(context: Context) -> None:
    with growing_log(context) as log:
        (context.settings.keys / "trace.keys").unlink()
        assert "keys of tests.example/log are gone" in str(restarted(log).halted)


def test_a_key_is_rotated_with_both_signing_until_the_old_is_retired(context: Context) -> None:
    with growing_log(context) as log:
        file = KeyFile(context.settings.keys)
        old, old_clock = (key.public for key in file.load("tests.example/log"))
        log.settle()
        file.add("tests.example/log")
        log.record("a")
        log.settle()
        log.settle()
        both = Note.parse(log.notes()[-1])
        assert [signed.key for signed in both.verify([old, old_clock])] == [old, old_clock]
        assert len(both.verify(all_keys(context))) == 4
        with context.database.reading() as session:
            rotations = [leaf for leaf in queries.chain(session, rules.PLATFORM) if leaf["event"] == "key.rotate"]
        assert [leaf["values"]["old"] for leaf in rotations] == [str(old), str(old_clock)]
        file.retire("tests.example/log")
        log.record("a")
        log.settle()
        new_only = Note.parse(log.notes()[-1])
        assert new_only.verify([old, old_clock]) == []
        assert len(new_only.verify(all_keys(context))) == 2
        assert restarted(log).halted is None


def test_two_sequencers_cannot_run(context: Context) -> None:
    with sequencer_lock(context), pytest.raises(AnotherSequencer), sequencer_lock(context):
        pytest.fail("the lock was given twice")
    with sequencer_lock(context):
        pass


def test_a_sequencer_that_was_overtaken_notices(context: Context) -> None:
    with growing_log(context) as log:
        other = Sequencer(context.database, context.settings)
        other.start()
        log.record("a", 3)
        log.settle()
        log.record("a", 3)
        with pytest.raises(Overtaken):
            other.step()


def test_the_audit_names_what_somebody_with_all_rights_changed(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 600)
        log.settle()
    with context.database.writing() as session:
        leaf = bytes(session.execute(text("SELECT leaf FROM trace_leaf WHERE position = 300")).scalar_one())
        forged = leaf.replace(b'"number":299', b'"number":999')
        assert forged != leaf
        if context.database.is_sqlite:
            session.execute(text("DROP TRIGGER trace_leaf_update"))
        else:
            session.execute(text("SET session_replication_role = replica"))
        session.execute(text("UPDATE trace_leaf SET leaf = :leaf WHERE position = 300"), {"leaf": forged})
    with context.database.reading() as session:
        found = audit(session)
    assert any("tile 0/1" in each for each in found)
    assert any("leaf 300 of a" in each for each in found)


def test_a_hammer_of_writers_loses_nothing(context: Context) -> None:
    """16 threads append while the sequencer runs; what was acknowledged is proven, every checkpoint is consistent."""
    stop = threading.Event()
    runner = threading.Thread(target=run_sequencer, args=(context, stop))
    acknowledged: list[tuple[str, int, bytes]] = []
    runner.start()

    def write(number: int) -> None:
        for turn in range(12):
            chains = [f"own{number}", "shared", f"pair{number % 4}"]
            with context.database.writing() as session:
                recorded = services.record_many(
                    session, [Entry(loose(Event.BEAT, {"turn": turn}), chain, "someone") for chain in sorted(chains)]
                )
            acknowledged.extend(
                (chain, each.n, each.leaf_hash) for chain, each in zip(sorted(chains), recorded, strict=True)
            )

    writers = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wait_until_signed(context, 16 * 12 * 3 + 1)
    stop.set()
    runner.join()
    with context.database.reading() as session:
        current = current_log(session)
        assert current is not None
        notes = [
            Note.parse(row)
            for row in session.execute(text("SELECT note FROM trace_checkpoint ORDER BY size")).scalars()
        ]
        checkpoints = [Checkpoint.parse(note.text) for note in notes]
        newest = checkpoints[-1]
        tree = Tree(session, current, newest.size)
        places = {(leaf.chain, leaf.n): leaf for leaf in session.query(LeafRow)}
        for chain, n, leaf_hash in acknowledged:
            leaf = places[chain, n]
            proof = merkle.inclusion_proof(leaf.position, newest.size, tree.node)
            assert merkle.root_from_inclusion(leaf.position, newest.size, leaf_hash, proof) == newest.root
        for old, new in pairwise(checkpoints):
            proof = merkle.consistency_proof(old.size, new.size, tree.node)
            merkle.verify_consistency(old.size, old.root, new.size, new.root, proof)
        assert audit(session) == []


def wait_until_signed(context: Context, size: int) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with context.database.reading() as session:
            if queries.state(session).signed_size >= size:
                return
        time.sleep(0.05)
    pytest.fail("the sequencer did not sign")


def test_one_gap_is_one_alarm_until_it_is_cleared(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 2)
        with context.database.writing() as session:
            session.execute(text("DELETE FROM trace_pending WHERE n = 0"))
        for _ in range(3):
            log.settle()
        assert alarms_of(context) == [("gap", "a")]
        with context.database.writing() as session:
            (alarm,) = alarms.standing(session)
            assert alarms.clear_one(session, alarm.id)
            assert not alarms.clear_one(session, alarm.id)
        assert alarms_of(context) == []
        log.settle()
        assert alarms_of(context) == [("gap", "a")]
        with context.database.reading() as session:
            assert [json.loads(leaf)["n"] for _, leaf in queries.chain_bytes(session, "a")] == [1]
