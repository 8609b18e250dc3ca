"""What the doctor finds, and that it says what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench.loose_leaves import loose
from xueji import doctor, installation
from xueji.doctor import LineStatus
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.trace import services as trace
from xueji.trace.note import Checkpoint
from xueji.trace.process import sequencer_lock
from xueji.trace.rules import Event
from xueji.trace.sequencer import Sequencer


@pytest.fixture
def fresh(make_database: Callable[..., str], settings: Settings) -> Settings:
    """An installation nobody has set up yet."""
    data = settings.data / "fresh"
    return replace(settings, data=data, database_url=make_database(empty=True))


def test_a_new_installation_has_no_failing(fresh: Settings) -> None:
    installation.make(fresh)
    installation.make(fresh)
    found = {finding.subject: finding for finding in doctor.examine(fresh)}
    failing = {name: finding.words for name, finding in found.items() if finding.outcome is LineStatus.FAIL}
    failing.pop("front end", None)  # made by `make install`, not by set-up
    assert "checkpoint export" in failing.pop("outside")  # for the operator to arrange
    assert failing == {}
    assert {"engine/faces", "database", "migrations", "store", "log", "clock", "disk", "fonts"} <= set(found)


def test_without_keys_the_rest_is_not_looked_at(fresh: Settings) -> None:
    found = list(doctor.examine(fresh))
    assert found[-1].subject == "keys" and found[-1].outcome is LineStatus.FAIL
    assert "xueji setup" in found[-1].words


def test_what_others_can_read_is_named(context: Context) -> None:
    context.settings.data.chmod(0o755)
    assert "chmod 700" in doctor.data_folder(context.settings).words
    (context.settings.keys / "master.key").chmod(0o644)
    found = doctor.keys(context.settings)
    assert found.outcome is LineStatus.FAIL and "master.key" in found.words


def test_little_room_is_told_before_there_is_none(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for room, outcome in ((100 * 1024**3, LineStatus.OK), (2 * 1024**3, LineStatus.WARN), (1024, LineStatus.FAIL)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, room=room: type("Usage", (), {"free": room}))
        assert doctor.disk(settings).outcome is outcome


def test_settings_that_do_not_suit_real_use_are_told(settings: Settings) -> None:
    assert "demonstration" in doctor.names_and_safety(replace(settings, demo=True)).words
    required = replace(settings, staff_second_factor="required")
    assert "secure_cookies" in doctor.names_and_safety(replace(required, public_url="https://study.example")).words
    assert "log_origin" in doctor.names_and_safety(replace(required, log_origin="xueji.example/log")).words
    assert doctor.names_and_safety(required).outcome is LineStatus.OK


def test_a_database_older_than_what_was_signed_for_is_found(context: Context) -> None:
    """The likeliest accident: the database comes from a backup, the checkpoint outside it does not."""
    sequencer = Sequencer(context.database, context.settings)
    sequencer.start()
    assert doctor.fork_guard(context).outcome is LineStatus.OK
    sequencer._outside.write(sequencer._note(Checkpoint(context.settings.log_origin, 1000, bytes(32)), 1))
    found = doctor.fork_guard(context)
    assert found.outcome is LineStatus.FAIL and "1000 leaves" in found.words


def test_waiting_leaves_are_the_sequencers_fault_only_when_it_runs(context: Context) -> None:
    Sequencer(context.database, context.settings).start()
    with clock.fixed(clock.now()) as time:
        with context.database.writing() as session:
            trace.record(session, loose(Event.FINDING, {}), chain="platform", who="system")
        time.advance(timedelta(hours=1))
        assert "xueji up" in doctor.sequencer(context).words
        with sequencer_lock(context):
            assert doctor.sequencer(context).outcome is LineStatus.FAIL


def test_a_lost_checkpoint_outside_is_found(context: Context) -> None:
    Sequencer(context.database, context.settings).start()
    (context.settings.data / "log" / "last_checkpoint").unlink()
    assert "gone" in doctor.fork_guard(context).words


def test_a_part_that_cannot_even_be_looked_at_is_a_finding() -> None:
    def broken() -> doctor.Line:
        raise PermissionError("no")

    assert doctor._safely("somewhere", broken).outcome is LineStatus.FAIL


def test_a_new_installations_log_gets_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XUEJI_LOG_ORIGIN", raising=False)
    names = set()
    for number in range(2):
        data = tmp_path / str(number)
        installation.name_the_log(data)
        names.add(Settings.load({"XUEJI_DATA": str(data)}).log_origin)
        installation.name_the_log(data)
    assert len(names) == 2 and "xueji.example/log" not in names
