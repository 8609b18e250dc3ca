"""The seat belt: the database itself refuses to change, remove or misplace a row of the log.

A careless statement is stopped; whoever owns the database can take the belt off, and only what is held outside
(checkpoints, time-stamps, witnesses) tells on them. SQLite's ``INSERT OR REPLACE`` deletes without firing a delete
trigger, so every table also refuses, before inserting, a row that is not the next or that is already there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, Table, event

NEXT_ONLY = {
    "trace_leaf": "NEW.position <> (SELECT COALESCE(MAX(position), -1) + 1 FROM trace_leaf)"
    " OR EXISTS (SELECT 1 FROM trace_leaf WHERE chain = NEW.chain AND n = NEW.n AND log = NEW.log)",
    "trace_tile": "NEW.number <> (SELECT COALESCE(MAX(number), -1) + 1 FROM trace_tile"
    " WHERE log = NEW.log AND level = NEW.level)",
    "trace_checkpoint": "NEW.size <= (SELECT COALESCE(MAX(size), -1) FROM trace_checkpoint WHERE log = NEW.log)",
    "trace_cosignature": "EXISTS (SELECT 1 FROM trace_cosignature"
    " WHERE log = NEW.log AND size = NEW.size AND witness = NEW.witness)",
    "trace_timestamp": "EXISTS (SELECT 1 FROM trace_timestamp"
    " WHERE log = NEW.log AND size = NEW.size AND authority = NEW.authority)",
    "trace_key": "EXISTS (SELECT 1 FROM trace_key WHERE log = NEW.log AND key = NEW.key)",
    "trace_log": "NEW.id <> (SELECT COALESCE(MAX(id), 0) + 1 FROM trace_log)"
    " OR EXISTS (SELECT 1 FROM trace_log WHERE origin = NEW.origin)",
}
"""For each table that can only grow, when a new row is out of place."""


def append_only_ddl(dialect: str, table: str | None = None) -> list[str]:
    """The statements that put the belt on, for all tables or one, ``sqlite`` or ``postgresql``."""
    tables = NEXT_ONLY if table is None else {table: NEXT_ONLY[table]}
    statements: list[str] = []
    for name, misplaced in tables.items():
        statements += _sqlite(name, misplaced) if dialect == "sqlite" else _postgresql(name, misplaced)
    return statements


def _sqlite(name: str, misplaced: str) -> list[str]:
    return [
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {name} BEGIN SELECT RAISE(ABORT, '{name} can only grow'); END",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {name} BEGIN SELECT RAISE(ABORT, '{name} can only grow'); END",
        f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {name} WHEN {misplaced} "
        f"BEGIN SELECT RAISE(ABORT, '{name}: this row is not the next'); END",
    ]


def _postgresql(name: str, misplaced: str) -> list[str]:
    return [
        f"CREATE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name} can only grow'; END $$",
        f"CREATE FUNCTION {name}_next_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {misplaced} THEN RAISE EXCEPTION '{name}: this row is not the next'; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {name}_change BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION {name}_refuse()",
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()",
        f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION {name}_next_only()",
    ]


def attach(metadata: MetaData) -> None:
    """Let `metadata.create_all` put the belt on each table as it makes it."""
    for name in NEXT_ONLY:
        event.listen(metadata.tables[name], "after_create", _after_create)
        event.listen(metadata.tables[name], "after_drop", _after_drop)


def _after_create(table: Table, connection: Connection, **_: Any) -> None:
    for statement in append_only_ddl(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)


def _after_drop(table: Table, connection: Connection, **_: Any) -> None:
    # SQLite drops a table's triggers with it; PostgreSQL leaves the functions behind.
    if connection.dialect.name == "postgresql":
        for what in ("refuse", "next_only"):
            connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {table.name}_{what}()")
