"""The log's end: an earlier checkpoint cannot be slipped in, somebody outside holds a later one, clocks do not jump."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update
from support.growing_log import BEGINNING, GrowingLog, growing_log

from bench.loose_leaves import loose
from xueji import doctor
from xueji.cli import main
from xueji.doctor import LineStatus
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.trace import checkpoint_holders, queries, sealing, services
from xueji.trace.fork_guard import SEAL, CannotSign, OutsideCheckpoint
from xueji.trace.models import ChainHead, LeafRow, SealedOpening
from xueji.trace.note import Note
from xueji.trace.rules import HOLDERS, LONGEST_STANDSTILL_MS, PLATFORM, Event
from xueji.trace.sequencer import Sequencer


def _restarted(log: GrowingLog) -> str | None:
    sequencer = Sequencer(log.context.database, log.context.settings)
    sequencer.start()
    return sequencer.halted


# The guard ------------------------------------------------------------------------------------------------------------


def test_an_earlier_checkpoint_from_the_database_is_not_taken_for_the_last_one(context: Context) -> None:
    """Signed, public, and in the database: still it is not what this installation wrote outside."""
    with growing_log(context) as log:
        log.record("a", 3)
        log.settle()
        earlier = log.notes()[-1]
        log.record("a", 3)
        log.settle()
        assert _restarted(log) is None
        OutsideCheckpoint(context.settings.data).path.write_text(earlier)
        assert "no seal holds" in str(_restarted(log))
        assert (
            "no seal holds" in doctor.fork_guard(context).words or doctor.fork_guard(context).outcome is LineStatus.FAIL
        )


def test_an_older_copy_of_the_sealed_file_is_not_taken_either(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a", 3)
        log.settle()
        guard = OutsideCheckpoint(context.settings.data)
        older = guard.path.read_bytes()
        log.record("a", 3)
        log.settle()
        guard.path.write_bytes(older)
        assert "exchanged for an older one" in str(_restarted(log))
        with pytest.raises(CannotSign):
            guard.read()


def test_an_installation_from_before_there_were_seals_goes_on_and_seals(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a")
        log.settle()
        guard = OutsideCheckpoint(context.settings.data)
        guard.path.write_text(guard.path.read_text().rpartition(SEAL)[0])
        for name in ("guard.key", "last_checkpoint"):
            (context.settings.keys / name).unlink()
        log.sequencer = Sequencer(context.database, context.settings)
        log.sequencer.start()
        assert log.sequencer.halted is None
        log.record("a")
        log.settle()
        assert SEAL in guard.path.read_text() and (context.settings.keys / "guard.key").exists()
        assert _restarted(log) is None


# Held outside ---------------------------------------------------------------------------------------------------------


def _exported(context: Context) -> str:
    with context.database.reading() as session:
        return checkpoint_holders.export(session)


def _acknowledge(context: Context, written: str, holder: str = "某区应急管理局 王主任") -> None:
    with context.database.writing() as session:
        checkpoint_holders.acknowledge(session, written, holder=holder)


def test_doctor_fails_until_somebody_outside_holds_the_log_and_again_a_week_later(context: Context) -> None:
    with growing_log(context) as log:
        with pytest.raises(checkpoint_holders.NotHeld, match="nothing has been signed"):
            _exported(context)
        log.record("a", 3)
        log.settle()
        found = doctor.outside(context)
        assert found.outcome is LineStatus.FAIL and "checkpoint export" in found.words
        demonstration = replace(context, settings=replace(context.settings, demo=True))
        assert doctor.outside(demonstration).outcome is LineStatus.WARN
        _acknowledge(context, _exported(context))
        assert doctor.outside(context).outcome is LineStatus.OK
        log.time.advance(timedelta(days=7, seconds=10))
        assert doctor.outside(context).outcome is LineStatus.FAIL
        log.settle()
        with context.database.reading() as session:
            (leaf,) = queries.chain(session, HOLDERS)
            name = sealing.unseal(session, session.get_one(SealedOpening, leaf["values"]["holder"]))
        assert leaf["event"] == Event.CHECKPOINT_HOLD and leaf["values"]["size"] == 4
        assert name.value.decode() == "某区应急管理局 王主任"


def test_what_is_no_checkpoint_of_this_log_is_not_acknowledged(context: Context, tmp_path: Path) -> None:
    with growing_log(context) as log:
        log.record("a", 3)
        log.settle()
        good = _exported(context)
        note = Note.parse(good)
        for wrong, why in (
            ("nonsense", "no checkpoint of ours"),
            (good.replace(note.text.split("\n")[2], "A" * 43 + "="), "no checkpoint of ours"),
            (note.text + "\n— stranger AAAAAAAAAAA=\n", "no checkpoint of tests"),
        ):
            with pytest.raises(checkpoint_holders.NotHeld, match=why):
                _acknowledge(context, wrong)
        with pytest.raises(checkpoint_holders.NotHeld, match="say who"):
            _acknowledge(context, good, holder=" ")


def test_the_commands_hand_a_checkpoint_out_and_take_its_acknowledgement(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with growing_log(context) as log:
        monkeypatch.setattr(Settings, "load", lambda: context.settings)
        run = CliRunner().invoke
        assert "nothing has been signed" in run(main, ["log", "checkpoint", "export"]).output
        log.record("a", 3)
        log.settle()
        printed = run(main, ["log", "checkpoint", "export"]).output
        assert printed == _exported(context)
        file = tmp_path / "checkpoint.txt"
        assert run(main, ["log", "checkpoint", "export", "--out", str(file)]).exit_code == 0
        told = run(main, ["log", "checkpoint", "acknowledge", str(file), "--holder", "王主任"])
        assert "4 leaves is held outside" in told.output
        assert run(main, ["log", "checkpoint", "acknowledge", "-", "--holder", "王主任"], input="x").exit_code == 1


# The clock ------------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_is_refused_until_it_is_right_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record() -> None:
        with context.database.writing() as session:
            services.record(session, loose(Event.BEAT, {}), chain="a", who="x")

    steady = clock._Steady()
    monkeypatch.setattr(clock, "_steady", steady)
    read = steady._read
    record()
    for days, refused in ((400, True), (-400, True), (0, False)):
        monkeypatch.setattr(steady, "_read", lambda days=days: (read()[0] + days * 86_400_000, read()[1]))
        if refused:
            with pytest.raises(services.ClockJumped):
                record()
        else:
            record()


def test_a_small_step_is_taken_and_counted_from_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    steady = clock._Steady()
    now = [1_000_000, 500]
    steady._wall_ms, steady._steady_ms = now
    monkeypatch.setattr(steady, "_read", lambda: tuple(now))
    for _ in range(10):
        now[0] += 50_000
        assert steady.jump_ms() == 0
    now[0] += 60_000
    now[1] += 60_000
    assert steady.jump_ms() == 0
    now[0] += 60_001
    assert steady.jump_ms() == 60_001


def test_chains_that_say_a_time_to_come_go_on_after_the_operator_says_so(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with growing_log(context) as log:
        log.record("a")
        log.record("b")
        log.settle()
        ahead = clock.to_ms(BEGINNING + timedelta(days=400))
        with context.database.writing() as session:
            session.execute(update(ChainHead).where(ChainHead.chain == "a").values(at_ms=ahead))
        with pytest.raises(services.ClockBehind):
            log.record("a")
        monkeypatch.setattr(Settings, "load", lambda: context.settings)
        assert "1 chains" in CliRunner().invoke(main, ["log", "clock-reset", "--yes"]).output
        log.record("a")
        log.record("b")
        log.settle()
        with context.database.reading() as session:
            said = [
                json.loads(leaf)
                for leaf in session.scalars(select(LeafRow.leaf).where(LeafRow.chain == "a").order_by(LeafRow.n))
            ]
        assert [leaf["event"] for leaf in said] == ["beat", "clock.reset", "beat"]
        assert said[1]["values"] == {"was": clock.rfc3339(clock.from_ms(ahead))}


def test_after_a_long_standstill_somebody_looks_at_the_clock_first(context: Context) -> None:
    with growing_log(context) as log:
        log.record("a")
        log.settle()
        log.time.advance(timedelta(milliseconds=LONGEST_STANDSTILL_MS) + timedelta(days=1))
        assert "clock-reset" in str(_restarted(log))
        with context.database.writing() as session:
            assert services.reset_clocks(session) == 0
        assert _restarted(log) is None
        log.sequencer = Sequencer(context.database, context.settings)
        log.sequencer.start()
        log.settle()
        assert _restarted(log) is None
        with context.database.reading() as session:
            assert [leaf["event"] for leaf in queries.chain(session, PLATFORM)] == [Event.CLOCK_RESET]
