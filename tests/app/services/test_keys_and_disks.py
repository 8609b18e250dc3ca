"""The right key beside its data, probes that write, and damaged pages that are named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DatabaseError, OperationalError
from support.growing_log import growing_log
from support.people import someone

from xueji import doctor, installation, keycheck, probes
from xueji.cli import main
from xueji.doctor import LineStatus
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.models import Installation
from xueji.kernel.settings import Settings
from xueji.trace.audit import audit
from xueji.trace.models import LeafRow
from xueji.web.health import Failing


@pytest.fixture
def fresh(make_database: Callable[..., str], settings: Settings) -> Settings:
    return replace(settings, data=settings.data / "fresh", database_url=make_database(empty=True))


def _other_key(context: Context, tmp_path: Path) -> Context:
    return replace(context, keyring=Keyring.create(tmp_path / "other"))


def test_set_up_refuses_to_make_a_new_key_beside_data(fresh: Settings) -> None:
    installation.make(fresh)
    key = fresh.keys / "master.key"
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(keycheck.OtherKey, match=r"put back keys/master\.key"):
        installation.make(fresh)
    assert not key.exists()
    key.write_bytes(kept)
    installation.make(fresh)


def test_set_up_refuses_a_key_that_is_not_the_data_s(fresh: Settings, tmp_path: Path) -> None:
    installation.make(fresh)
    Keyring.create(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "master.key", fresh.keys / "master.key")
    with pytest.raises(keycheck.OtherKey, match="not the one"):
        installation.make(fresh)


def test_pictures_alone_are_data_too(fresh: Settings) -> None:
    (fresh.data / "files" / "person").mkdir(parents=True)
    (fresh.data / "files" / "person" / "one").write_bytes(b"sealed")
    with pytest.raises(keycheck.OtherKey, match="files"):
        installation.make(fresh)


def test_another_key_is_not_ready_even_where_no_value_was_kept(context: Context, tmp_path: Path) -> None:
    probes.keys(context)
    someone(context)
    other = _other_key(context, tmp_path)
    probes.keys(context)
    with pytest.raises(Failing, match="not the one"):
        probes.keys(other)
    with pytest.raises(keycheck.OtherKey):
        keycheck.settle(other)
    keycheck.settle(context)
    keycheck.settle(context)
    with context.database.writing() as session:
        assert session.scalars(select(Installation.key_check)).one() == context.keyring.check_value()
    with pytest.raises(Failing, match="not the one"):
        probes.keys(other)
    assert doctor._probed("master key", lambda: probes.keys(other)).outcome is LineStatus.FAIL


def test_a_database_that_takes_no_change_is_not_ready(context: Context) -> None:
    if not context.database.is_sqlite:
        pytest.skip("a full disk is told by SQLite here")
    probes.database(context)
    database = Database(context.settings)
    pages = context.database.engine.connect().exec_driver_sql("PRAGMA page_count").scalar()
    full = replace(context, database=database)
    try:
        with database.writing() as session:
            session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            session.connection().exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(OperationalError):
            probes.database(full)
    finally:
        database.dispose()


def test_a_store_that_takes_nothing_is_not_ready(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    probes.store(context)

    def full(*_args: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(context.store, "put", full)
    with pytest.raises(OSError, match="no space"):
        probes.store(context)


def test_a_good_answer_is_believed_for_a_while_and_a_bad_one_never() -> None:
    asked: list[int] = []

    def probe() -> None:
        asked.append(1)
        if len(asked) < 3:
            raise Failing("not yet")

    patient = probes.Patient(probe, 60.0)
    for _ in range(2):
        with pytest.raises(Failing):
            patient()
    patient()
    patient()
    assert len(asked) == 3


def _file_of(context: Context) -> Path:
    with context.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    context.database.dispose()
    return Path(make_url(context.settings.database_url).database or "")


def _grown(context: Context) -> None:
    with growing_log(context) as log:
        log.record("some-chain", 600)
        log.settle()


@pytest.mark.parametrize("whole_page", [True, False])
def test_a_damaged_leaf_is_named(context: Context, whole_page: bool) -> None:
    if not context.database.is_sqlite:
        pytest.skip("PostgreSQL's pages are its own")
    _grown(context)
    with context.database.reading() as session:
        assert audit(session) == []
        victim = session.scalars(select(LeafRow).where(LeafRow.n == 300)).one()
    file = _file_of(context)
    data = bytearray(file.read_bytes())
    at = data.index(bytes(victim.leaf))
    if whole_page:
        at -= at % 4096
        data[at : at + 4096] = b"\xa5" * 4096
    else:
        data[at + 5 : at + 25] = b"\xa5" * 20
    file.write_bytes(data)
    with context.database.reading() as session:
        found = audit(session)
    assert any(("cannot be read" if whole_page else "leaf 300 of some-chain is damaged") in line for line in found)
    if whole_page:
        damaged = doctor.pages(context)
        assert damaged.outcome is LineStatus.FAIL and "restore" in damaged.words
        number = int(next(line for line in found if "cannot be read" in line).split("leaf ")[1].split()[0])
        assert number <= 301


def test_pages_that_fit_are_said_to(context: Context) -> None:
    assert doctor.pages(context).outcome is (
        LineStatus.OK if context.database.is_sqlite else doctor.pages(context).outcome
    )


def test_the_command_says_what_is_damaged_and_ends_without_a_traceback(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_session: object) -> list[str]:
        raise DatabaseError("SELECT", {}, Exception("database disk image is malformed"))

    monkeypatch.setattr("xueji.trace.audit.audit", broken)
    monkeypatch.setattr(Settings, "load", lambda: context.settings)
    result = CliRunner().invoke(main, ["log", "audit"])
    assert result.exit_code == 1 and "doctor" in result.output


def test_the_database_is_asked_to_take_a_change(context: Context) -> None:
    probes.database(context)
    with context.database.reading() as session:
        assert session.execute(text("SELECT probed_at FROM installation")).scalar() is not None
