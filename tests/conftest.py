"""An installation in a temporary folder, on SQLite or, with XUEJI_TEST_DATABASE=postgres, on a real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from xueji.app import create_app
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Base, Database
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store

POSTGRES = os.environ.get("XUEJI_TEST_DATABASE") == "postgres"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL made for this run."""
    from services_for_tests import postgres

    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if not POSTGRES:
        yield f"sqlite:///{tmp_path / 'xueji.sqlite'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"t{uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield str(server.rsplit("/", 1)[0] + "/" + name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings.load(
        {
            "XUEJI_DATA": str(tmp_path),
            "XUEJI_DATABASE_URL": database_url,
            "XUEJI_BROKER_URL": "memory://",
            "XUEJI_STAFF_SECOND_FACTOR": "offered",
            "XUEJI_LOG_ORIGIN": "tests.example/log",
        }
    )


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    import xueji.tables  # noqa: F401  every table, so that create_all knows them

    database = Database(settings)
    Base.metadata.create_all(database.engine)
    context = Context(settings, database, Store.in_folder(settings.data / "files"), Keyring.create(settings.keys))
    yield context
    context.close()


@pytest.fixture
def app(context: Context) -> Flask:
    app = create_app(context=context)
    app.config["TESTING"] = False  # errors are answered as in life
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
