"""The index of decisions names every decision once, with the title and the standing that its page has."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from architecture.house import HOUSE

FOLDER = HOUSE / "docs" / "decisions"
INDEX = FOLDER / "README.md"
PAGES = {path.name: path for path in sorted(FOLDER.glob("*.md")) if path != INDEX}
_ROW = re.compile(
    r"^\| \[(?P<number>\d{3})\]\((?P<file>[a-z0-9.-]+)\)"
    r" \| (?P<day>\d{4}-\d{2}-\d{2}) \| (?P<status>[^|]+) \| (?P<title>.+) \|$"
)
_STATUS = re.compile(r"stands|(amended|replaced) by \d{3}(, \d{3})*")
FORM = "| [NNN](NNN-a-few-words.md) | 2026-11-28 | stands | Title |"


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
