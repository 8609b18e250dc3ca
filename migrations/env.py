"""How Alembic reaches the database: the product's own engine and tables, SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Enum

import xueji.tables  # noqa: F401  every table, so that the metadata is whole
from xueji.kernel.database import WRITES, Base, Database, UTCDateTime
from xueji.kernel.settings import Settings


def plain(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Revisions speak SQLAlchemy's own words: what they mean must not change when the product's types do."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    return False


def number(_context: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:
    """Revisions are numbered one after the other."""
    newest = ScriptDirectory.from_config(context.config).get_current_head()
    for directive in directives:
        directive.rev_id = f"{int(newest or 0) + 1:04d}"


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite alters a table by copying it; done in one transaction, a failed migration leaves nothing behind.
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        compare_type=True,
        compare_server_default=True,
        render_item=plain,
        process_revision_directives=number,
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"the migration would leave {len(broken)} rows pointing nowhere")


def run() -> None:
    given: Database | None = context.config.attributes.get("database")
    database = given or Database(Settings.load())
    context.config.attributes["keys"] = database.keys
    connection = database.engine.connect()
    try:
        if connection.dialect.name == "sqlite":
            # Copying a table drops the old one, which must not take along the rows that point to it. The setting
            # holds for the connection, which is therefore thrown away afterwards.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        migrate(connection.execution_options(**{WRITES: True}))
    finally:
        connection.invalidate()
        connection.close()
        if given is None:
            database.dispose()


run()
