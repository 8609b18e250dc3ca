"""Where personal data is, and where it must not get to: logs, errors, settings."""

from __future__ import annotations

import inspect
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import xueji.tables  # noqa: F401  every table
from xueji.demo.cast import CAST, with_check_digit
from xueji.kernel import logs
from xueji.kernel.context import Context
from xueji.kernel.database import Base
from xueji.kernel.settings import Settings
from xueji.web.access import public

NUMBER = CAST[0].id_number
TELEPHONE = "13900000000"
EVERY_CLASS = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda each: each.__name__)


@pytest.mark.parametrize("table", EVERY_CLASS, ids=lambda table: table.__name__)
def test_every_table_says_what_personal_data_it_holds(table: type) -> None:
    """On the column, in the class's words, or in those of a module whose tables are alike."""
    columns = [column for mapper in Base.registry.mappers if mapper.class_ is table for column in mapper.columns]
    said = [inspect.getdoc(table) or "", sys.modules[table.__module__].__doc__ or ""]
    assert any("personal" in column.info for column in columns) or any("ersonal data" in words for words in said)


@pytest.fixture
def log_lines(settings: Settings) -> Iterator[Path]:
    """The log file of a process that writes as in life."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    logs.configure(settings, "web")
    yield settings.data / "log" / "web.jsonl"
    for handler in root.handlers:
        handler.close()
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def written(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_numbers_that_name_a_person_are_masked_wherever_they_stand(log_lines: Path) -> None:
    log = structlog.get_logger("tests")
    log.info("found", number=NUMBER, nested={"of": [NUMBER, f"tel {TELEPHONE}"]})
    logging.getLogger("elsewhere").warning("for %s", NUMBER)
    try:
        raise ValueError(f"bad {NUMBER}")
    except ValueError:
        log.exception("failed")
    content = log_lines.read_text("utf-8")
    assert NUMBER not in content and TELEPHONE not in content
    assert content.count("[identity number]") >= 4


def test_other_numbers_stay_readable() -> None:
    harmless = "1795304012550 49566db5-b764-43bb-a72b-2ee128e07603 220104199 12345678901234567890"
    assert logs.mask(harmless) == harmless
    assert logs.mask(with_check_digit("11010519491231002")) == "[identity number]"


def test_a_request_is_logged_by_its_route_and_never_by_what_was_typed(client: FlaskClient, log_lines: Path) -> None:
    response = client.get(f"/administration/people/{'0' * 8}-0000-4000-8000-{'0' * 12}?q={NUMBER}")
    (line,) = [line for line in written(log_lines) if line["event"] == "request"]
    assert line["route"] == "/administration/people/<uuid:person_id>"
    assert line["request"] == response.headers["X-Request-ID"]
    assert set(line) == {"event", "logger", "level", "timestamp", "request", "method", "route", "status", "ms"}


def test_a_failed_statement_does_not_tell_its_values(context: Context) -> None:
    with context.database.reading() as session, pytest.raises(DBAPIError) as failed:
        session.execute(text("SELECT * FROM nowhere WHERE number = :number"), {"number": NUMBER})
    assert NUMBER not in str(failed.value)


def test_an_unforeseen_error_shows_a_number_and_no_more(app: Flask, client: FlaskClient, log_lines: Path) -> None:
    """What the page shows is what the log can be searched by."""

    @public
    def broken() -> str:
        raise RuntimeError(f"of {NUMBER}")

    app.view_functions["health.alive"] = broken
    response = client.get("/healthz", headers={"Accept": "application/json"})
    assert response.status_code == 500 and NUMBER not in response.text
    failure = next(line for line in written(log_lines) if line["event"] == "request.failed")
    assert failure["request"] == response.get_json()["reference"]
    assert NUMBER not in failure["exception"]


def test_settings_hold_no_personal_data() -> None:
    """They are printed by the operator's tools; whoever adds one that names a person must think again."""
    assert not {name for name in Settings.__dataclass_fields__ if "name" in name.split("_") or "phone" in name}
