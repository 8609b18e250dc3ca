"""Real openings survive the revision that seals them, and the database no longer says what they say."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from xueji.kernel import crypto, schema
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store
from xueji.trace import queries, sealing

WORDS = "当时设备突然断电，编号ZD998877"


def an_old_database(settings: Settings, keyring: Keyring) -> tuple[Database, dict[str, bytes]]:
    """At the revision before, with openings of a person, of nobody, and of somebody who is not registered."""
    database = Database(settings)
    schema.upgrade(database, "0014")
    person, kept = uuid4(), {}
    with database.writing() as session:
        session.execute(
            text(
                "INSERT INTO person (id, name_cipher, name_masked, name_hash, id_number_cipher, id_number_masked,"
                " id_number_hash, wrapped_key, proof_route, registered_at) VALUES"
                " (:id, :b, '', :b, :b, '', :b, :key, 'supervised', '2026-11-01 00:00:00')"
            ),
            {
                "id": person.hex if database.is_sqlite else person,
                "b": b"x",
                "key": keyring.wrap(crypto.new_key(), str(person)),
            },
        )
        for number, whose in enumerate((str(person), None, str(uuid4()))):
            key, value = crypto.new_key(), f"{WORDS}{number}".encode()
            commitment = hmac.new(key, value, hashlib.sha256).hexdigest()
            kept[commitment] = value
            session.execute(
                text(
                    "INSERT INTO trace_opening (commitment, chain, field, key, value, reference, person)"
                    " VALUES (:commitment, 'chain', 'appeal', :key, :value, NULL, :person)"
                ),
                {"commitment": commitment, "key": key, "value": value, "person": whose},
            )
    return database, kept


def files(database: Database) -> bytes:
    file = Path(database.engine.url.database or "")
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


def test_openings_are_sealed_and_still_open(make_database: Callable[..., str], settings: Settings) -> None:
    settings = replace(settings, database_url=make_database(empty=True))
    keyring = Keyring.create(settings.keys)
    database, kept = an_old_database(settings, keyring)
    context = Context(settings, database, Store.in_folder(settings.data / "files"), keyring)
    try:
        if database.is_sqlite:
            assert WORDS.encode() in files(database)
        schema.upgrade(database, "0015")
        with database.reading() as session:
            openings = queries.openings(session, "chain")
            opened = {commitment: sealing.unseal(session, each) for commitment, each in openings.items()}
        assert {commitment: each.value for commitment, each in opened.items()} == kept
        for commitment, each in opened.items():
            assert hmac.new(each.key, each.value, hashlib.sha256).hexdigest() == commitment
        if database.is_sqlite:
            assert WORDS.encode() not in files(database), "nor in the pages that were freed"
        schema.downgrade(database, "0014")
        with database.reading() as session:
            found = session.execute(text("SELECT commitment, value FROM trace_opening")).all()
        assert {row.commitment: bytes(row.value) for row in found} == kept
    finally:
        context.close()


def test_nothing_is_sealed_where_the_keys_are_not(make_database: Callable[..., str], settings: Settings) -> None:
    settings = replace(settings, database_url=make_database(empty=True))
    database, kept = an_old_database(settings, Keyring.create(settings.keys))
    (settings.keys / "master.key").rename(settings.keys / "elsewhere")
    try:
        with pytest.raises(FileNotFoundError):
            schema.upgrade(database, "0015")
        with database.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM trace_opening WHERE length(value) > 0")) == len(kept)
    finally:
        database.dispose()
