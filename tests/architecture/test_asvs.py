"""`docs/asvs.md` is true: every line says how it stands, and every test it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from architecture.house import HOUSE
from flask import Flask
from structlog.testing import capture_logs
from support.people import bearer, someone

from xueji.kernel.actor import Role
from xueji.kernel.context import Context

TABLE = HOUSE / "docs" / "asvs.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.read_text("utf-8").splitlines()
    if re.match(r"\| [0-9]", line)
]


@cache
def _tests_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].split()[0])
def test_a_line_says_how_it_stands_and_names_tests_that_exist(row: list[str]) -> None:
    _requirement, status, how, shown = row
    assert status in ("holds", "answered", "open") and how
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
    assert bool(named) is (status != "open")
    for file, test in named:
        assert test in _tests_of(HOUSE / file), f"{file}::{test}"


def test_every_requirement_stands_somewhere() -> None:
    """Once each: what failed may not fall off the table."""
    numbers = [number for row in ROWS for number in re.findall(r"\d+\.\d+\.\d+", row[0])]
    assert len(numbers) == len(set(numbers)) >= 45


def test_a_request_is_logged_with_who_asked(app: Flask, context: Context) -> None:
    who = someone(context, Role.INSTITUTION)
    headers = bearer(context, who)
    with capture_logs() as lines:
        app.test_client().get("/administration", headers=headers)
    line = next(line for line in lines if line["event"] == "request")
    assert (line["actor"], line["status"]) == (str(who.id), 403) and "login" in line
