"""The way from an empty database to this program's, and back; on whichever database the suite runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from xueji.kernel import schema
from xueji.kernel.database import Base, Database
from xueji.kernel.settings import Settings


@pytest.fixture
def empty(make_database: Callable[..., str], settings: Settings) -> Iterator[Database]:
    database = Database(replace(settings, database_url=make_database(empty=True)))
    yield database
    database.dispose()


@pytest.fixture
def from_models(settings: Settings) -> Iterator[Database]:
    database = Database(settings)
    yield database
    database.dispose()


def described(database: Database) -> dict[str, Any]:
    """Everything a database says of its tables, in an order that does not depend on how they were made."""
    found: dict[str, Any] = {}
    inspector = inspect(database.engine)
    for table in sorted(inspector.get_table_names()):
        if table == "alembic_version":
            continue
        found[table] = {
            "columns": sorted(
                (column["name"], str(column["type"]), column["nullable"], str(column["default"]))
                for column in inspector.get_columns(table)
            ),
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(str(sorted(each.items())) for each in inspector.get_unique_constraints(table)),
            "foreign": sorted(
                (str(each["name"]), each["constrained_columns"], each["referred_table"], str(each["options"]))
                for each in inspector.get_foreign_keys(table)
            ),
            "checks": sorted((str(each["name"]), each["sqltext"]) for each in inspector.get_check_constraints(table)),
            "indexes": sorted(
                (str(each["name"]), each["column_names"], each["unique"], _in_words(each.get("dialect_options")))
                for each in inspector.get_indexes(table)
            ),
        }
    return found


def _in_words(options: dict[str, Any] | None) -> str:
    return str(sorted((key, str(value)) for key, value in (options or {}).items()))


def made_by_hand(database: Database) -> list[tuple[str, ...]]:
    """Triggers, the functions they call, and what else SQLAlchemy does not describe."""
    if database.is_sqlite:
        statement = (
            "SELECT name, CASE type WHEN 'trigger' THEN sql ELSE sql LIKE '%WITHOUT ROWID%' END FROM sqlite_master "
            "WHERE type IN ('trigger', 'table') AND name NOT LIKE 'alembic%' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
    else:
        statement = (
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal UNION "
            "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
    with database.engine.connect() as connection:
        return [tuple(str(value) for value in row) for row in connection.execute(text(statement))]


def test_a_database_that_was_migrated_is_the_one_the_models_describe(empty: Database, from_models: Database) -> None:
    schema.upgrade(empty)
    assert described(empty) == described(from_models)
    assert made_by_hand(empty) == made_by_hand(from_models)


def test_alembic_itself_finds_nothing_left_to_do(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_revision_can_be_taken_back_and_made_again(empty: Database) -> None:
    schema.upgrade(empty)
    whole = described(empty), made_by_hand(empty)
    schema.downgrade(empty, "base")
    assert described(empty) == {}
    assert made_by_hand(empty) == []
    assert schema.current(empty) is None
    schema.upgrade(empty)
    assert (described(empty), made_by_hand(empty)) == whole


def test_an_upgraded_database_says_so(empty: Database) -> None:
    assert schema.current(empty) is None
    schema.upgrade(empty)
    assert schema.current(empty) == schema.newest() is not None


def test_there_is_one_line_of_revisions_and_each_says_what_it_does() -> None:
    script = ScriptDirectory.from_config(schema.configuration())
    assert len(script.get_heads()) == 1
    revisions = list(script.walk_revisions())
    assert [revision.revision for revision in reversed(revisions)] == [
        f"{number:04d}" for number in range(1, len(revisions) + 1)
    ]
    assert all(revision.doc for revision in revisions)


def test_a_migration_that_would_leave_rows_pointing_nowhere_is_undone(empty: Database) -> None:
    """SQLite checks nothing while a table is copied, so the end of the migration does."""
    if not empty.is_sqlite:
        pytest.skip("PostgreSQL checks at each statement")
    schema.upgrade(empty, "0001")
    with empty.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("CREATE TABLE lost (id INTEGER REFERENCES trace_log (id))")
        raw.execute("INSERT INTO lost VALUES (41)")
        raw.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(RuntimeError, match="1 rows pointing nowhere"):
        command.upgrade(schema.configuration(empty), "head")
    assert schema.current(empty) == "0001"
