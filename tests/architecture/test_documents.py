"""The documents are whole: whatever an operator can set or call stands in them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
from architecture.house import HOUSE

from xueji.cli import main
from xueji.kernel.settings import PREFIX, Settings
from xueji.trace.rules import Event

OPERATIONS = HOUSE / "docs" / "operations.md"
DECISIONS = sorted((HOUSE / "docs" / "decisions").glob("[0-9]*.md"))


def commands(group: click.Group, words: str = "xueji") -> list[str]:
    found: list[str] = []
    for name, command in group.commands.items():
        full = f"{words} {name}"
        found += commands(command, full) if isinstance(command, click.Group) else [full]
    return found


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_described(command: str) -> None:
    assert f"`{command}" in OPERATIONS.read_text("utf-8")


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_every_setting_is_described_with_its_default(setting: str) -> None:
    row = re.search(rf"^\| `{setting}` \| (.*?) \|", OPERATIONS.read_text("utf-8"), re.MULTILINE)
    assert row is not None, f"docs/operations.md has no row for {PREFIX}{setting.upper()}"
    default = next(field.default for field in fields(Settings) if field.name == setting)
    assert row.group(1).strip("`") == (
        str(default).lower() if isinstance(default, bool) else str("" if default is None else default) or "empty"
    )


def test_every_target_of_make_that_people_are_told_of_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text("utf-8"), re.MULTILINE))
    for document in [*DECISIONS, OPERATIONS, HOUSE / "README.md", HOUSE / "CONTRIBUTING.md"]:
        told = set(re.findall(r"`make ([a-z-]+)", document.read_text("utf-8")))
        assert told <= targets, document.name


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_a_number_a_title_and_its_reasons(path: Path) -> None:
    name, text = path.name, path.read_text("utf-8")
    assert re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", name)
    assert text.startswith(f"# {name[:3]} ")
    assert len(text.split()) > 60


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:3] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))


def test_every_event_of_the_log_is_described() -> None:
    """An event's name stands in bundles for ever: whoever reads one must find what it says (`test_log_events`)."""
    page = (HOUSE / "docs" / "log-events.md").read_text("utf-8")
    assert [event for event in Event if f"\n| `{event}` |" not in page] == [], "add a row to docs/log-events.md"
