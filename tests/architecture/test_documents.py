"""The documents are whole: whatever an operator can set or call stands in them."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from typing import NamedTuple

import click
import pytest
from architecture.house import HOUSE

from xueji.cli import main
from xueji.kernel.settings import PREFIX, Settings
from xueji.trace.rules import Event

OPERATIONS = HOUSE / "docs" / "operations.md"
FOLDER = HOUSE / "docs" / "decisions"
INDEX = FOLDER / "README.md"
PAGES = {path.name: path for path in sorted(FOLDER.glob("*.md")) if path != INDEX}
DECISIONS = list(PAGES.values())
_ROW = re.compile(
    r"^\| \[(?P<number>\d{3})\]\((?P<file>[a-z0-9.-]+)\)"
    r" \| (?P<day>\d{4}-\d{2}-\d{2}) \| (?P<status>[^|]+) \| (?P<title>.+) \|$"
)
_STATUS = re.compile(r"stands|(amended|replaced) by \d{3}(, \d{3})*")
FORM = "| [NNN](NNN-a-few-words.md) | 2026-11-28 | stands | Title |"


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
    for document in [*DECISIONS, OPERATIONS, HOUSE / "README.md"]:
        told = set(re.findall(r"`make ([a-z-]+)", document.read_text("utf-8")))
        assert told <= targets, document.name


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_a_number_a_title_and_its_reasons(path: object) -> None:
    name, text = str(getattr(path, "name", "")), path.read_text("utf-8")
    assert re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", name)
    assert text.startswith(f"# {name[:3]} ")
    assert len(text.split()) > 60


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:3] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))


class Row(NamedTuple):
    number: str
    file: str
    day: str
    status: str
    title: str


def rows() -> list[Row]:
    lines = [line for line in INDEX.read_text("utf-8").splitlines() if line.startswith("| [")]
    read = [(line, _ROW.match(line)) for line in lines]
    assert [line for line, found in read if found is None] == [], f"a row has this form: {FORM}"
    return [Row(**found.groupdict()) for _, found in read if found]


def test_every_decision_stands_in_the_index_once() -> None:
    listed = [row.file for row in rows()]
    assert sorted(PAGES.keys() - set(listed)) == [], f"add a row to docs/decisions/README.md: {FORM}"
    assert sorted(set(listed) - PAGES.keys()) == [], "docs/decisions/README.md names pages that are not there"
    assert sorted(file for file in set(listed) if listed.count(file) > 1) == []


def test_a_row_has_its_page_s_number_and_title() -> None:
    first = {row: PAGES[row.file].read_text("utf-8").partition("\n")[0] for row in rows() if row.file in PAGES}
    wrong = [f"{row.file}: {line}" for row, line in first.items() if line != f"# {row.number} {row.title}"]
    assert wrong == [], "the row and the first line of the page say the same number and title"


def test_a_row_has_a_day_and_a_status() -> None:
    numbers = {row.number for row in rows()}
    for row in rows():
        date.fromisoformat(row.day)
        assert _STATUS.fullmatch(row.status), f"{row.number}: stands, amended by NNN or replaced by NNN"
        by = re.findall(r"\d{3}", row.status)
        assert set(by) <= numbers, row.number
        assert all(number > row.number for number in by), f"{row.number}: only a later decision changes an earlier one"


def test_a_page_that_says_it_was_superseded_does_not_stand_unchanged() -> None:
    for row in rows():
        if "Superseded" in PAGES[row.file].read_text("utf-8"):
            assert row.status != "stands", row.number


def test_numbers_go_up_under_each_heading() -> None:
    for group in re.split(r"^## .*$", INDEX.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        numbers = re.findall(r"^\| \[(\d{3})\]", group, re.MULTILINE)
        assert numbers == sorted(numbers)


@pytest.mark.parametrize("event", Event)
def test_every_event_of_the_log_is_described(event: Event) -> None:
    """An event's name stands in bundles for ever: whoever reads one must find what it says."""
    log = (HOUSE / "docs" / "trace.md").read_text("utf-8")
    assert f"`{event}`" in log or f"`{event.partition('.')[0]}.*`" in log
