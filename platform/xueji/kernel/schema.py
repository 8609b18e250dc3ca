"""Which revision a database is at, which it should be at, and the way there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from xueji.kernel.database import Database

PROJECT = Path(__file__).parents[3]


def configuration(database: Database | None = None) -> Config:
    """Alembic's, as pyproject.toml has it; with ``database`` its commands work on that one."""
    config = Config(toml_file=str(PROJECT / "pyproject.toml"))
    config.attributes["database"] = database
    return config


def newest() -> str | None:
    """The revision a database should be at; None while there is none."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def current(database: Database) -> str | None:
    """The revision a database is at; None when it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, revision: str = "head") -> None:
    before = current(database)
    command.upgrade(configuration(database), revision)
    if database.is_sqlite and before not in (None, current(database)):
        _forget_what_was(database)


def _forget_what_was(database: Database) -> None:
    """What a revision encrypted or removed lies on in the file's free pages until the file is written anew."""
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def downgrade(database: Database, revision: str) -> None:
    command.downgrade(configuration(database), revision)
