"""An installation in a temporary folder, on SQLite or, with XUEJI_TEST_DATABASE=postgres, on a real PostgreSQL."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from scenario import Scenario, playing
from sqlalchemy import URL, create_engine, text

from xueji.app import create_app
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Base, Database
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store

# How long an example takes says how busy the machine is, nothing about the rule it tests.
hypothesis_settings.register_profile("xueji", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("xueji")

POSTGRES = os.environ.get("XUEJI_TEST_DATABASE") == "postgres"
_TEMPLATE = "xueji_template"


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Nothing a test does may depend on, or speak to, another machine."""
    connect = socket.socket.connect

    def loopback_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", loopback_only)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The URL of a PostgreSQL made for this run."""
    from services_for_tests import postgres

    with postgres() as url:
        yield url


def _settings_on(url: str, data: Path) -> Settings:
    return Settings.load(
        {
            "XUEJI_DATA": str(data),
            "XUEJI_DATABASE_URL": url,
            "XUEJI_BROKER_URL": "memory://",
            "XUEJI_STAFF_SECOND_FACTOR": "offered",
            "XUEJI_LOG_ORIGIN": "tests.example/log",
            # The limit counts in real time, and a test plays a week in a second.
            "XUEJI_OPENINGS": "1000 per minute",
        }
    )


def _administer(server: URL, *statements: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def whole_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A database with every table, made once a run; each test's own is a copy of it."""
    import xueji.tables  # noqa: F401  every table, so that create_all knows them

    folder = tmp_path_factory.mktemp("template")
    if POSTGRES:
        server: URL = request.getfixturevalue("postgres_server")
        _administer(server, f"CREATE DATABASE {_TEMPLATE}")
        url = _rendered(server.set(database=_TEMPLATE))
    else:
        url = f"sqlite:///{folder / 'xueji.sqlite'}"
    database = Database(_settings_on(url, folder))
    try:
        Base.metadata.create_all(database.engine)
    finally:
        database.dispose()
    return folder / "xueji.sqlite"


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """``make_database()`` gives the URL of a database with every table, ``make_database(empty=True)`` with none."""
    made: list[str] = []

    def make(*, empty: bool = False) -> str:
        template = None if empty else request.getfixturevalue("whole_database")
        name = f"t{uuid4().hex}"
        made.append(name)
        if POSTGRES:
            server: URL = request.getfixturevalue("postgres_server")
            like = "" if empty else f" TEMPLATE {_TEMPLATE}"
            _administer(server, f"CREATE DATABASE {name}{like}")
            return _rendered(server.set(database=name))
        file = tmp_path / f"{name}.sqlite"
        if template is not None:
            shutil.copyfile(template, file)
        return f"sqlite:///{file}"

    yield make
    if POSTGRES and made:
        server = request.getfixturevalue("postgres_server")
        _administer(server, *(f"DROP DATABASE {name} WITH (FORCE)" for name in made))


@pytest.fixture
def database_url(make_database: Callable[..., str]) -> str:
    return make_database()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return _settings_on(database_url, tmp_path)


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    database = Database(settings)
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


@pytest.fixture
def scenario(app: Flask) -> Iterator[Scenario]:
    """A class with its staff; the clock stands still until the test moves it."""
    with playing(app) as scenario:
        yield scenario
