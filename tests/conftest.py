"""An installation in a temporary folder, on SQLite or, with XUEJI_TEST_DATABASE=postgres, on a real PostgreSQL."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import URL, create_engine, text
from sqlalchemy.orm import Session
from support.lesson_page import Page, opened_page
from support.scenario import Scenario, playing
from support.school import School, new_school

from courses import tasks
from xueji.app import create_app
from xueji.hours import queries, services
from xueji.hours.rules import Ahead, Statement
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Base, Database
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store
from xueji.rulebook.vocabulary import Method

# How long an example takes says how busy the machine is, nothing about the rule it tests.
hypothesis_settings.register_profile("xueji", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("xueji")

POSTGRES = os.environ.get("XUEJI_TEST_DATABASE") == "postgres"
_TEMPLATE = "xueji_template"
OVER_HTTP = ("web", "attacks")
"""Folders of tests that speak to the interface."""


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
    from support.servers import postgres

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


@pytest.fixture
def page(app: Flask, scenario: Scenario) -> Page:
    return opened_page(app, scenario)


@pytest.fixture
def school(app: Flask, context: Context) -> School:
    return new_school(context)


@pytest.fixture
def staff(app: Flask, school: School) -> FlaskClient:
    """Whoever runs the school, by program."""
    return school.head.client(app, school.context)


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which films were handed to the workers."""
    asked: list[str] = []
    monkeypatch.setattr(tasks.transcode_film, "delay", asked.append)
    return asked


@pytest.fixture(autouse=True)
def _an_opening_knows_the_account(request: pytest.FixtureRequest) -> None:
    """Whatever a test of the interface plays: what a sitting opens with is what the whole chain says, kept or not."""
    if request.path.parent.name not in OVER_HTTP:
        return
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")

    def account_of(
        session: Session, enrolment_id: UUID, as_of_ms: int, *, studied: bool
    ) -> tuple[Statement, queries.Worth]:
        found = queries.account_of(session, enrolment_id, as_of_ms, studied=studied)
        whole = queries.worked_out(session, enrolment_id, as_of_ms)
        assert found[0] == whole.statement
        assert found[1].media == whole.worth.media
        for method in Method:
            assert _from(found[1].ahead(method), as_of_ms) == _from(whole.worth.ahead(method), as_of_ms)
        return found

    monkeypatch.setattr(services, "account_of", account_of)


def _from(found: Ahead, as_of_ms: int) -> Ahead:
    return Ahead([span for span in found.spans if span[1] > as_of_ms], found.unseen_after_ms)
