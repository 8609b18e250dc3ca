"""docs/glossary.md names words that the code has, and each Chinese term once."""

from __future__ import annotations

import re

from architecture.house import HOUSE, sources

PAGE = (HOUSE / "docs" / "glossary.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (`\w+`|–) \| ([^|]+) \|$", PAGE, re.MULTILINE)
_HEADINGS = ("| Chinese |", "|---|")


def test_every_row_has_four_cells() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(_HEADINGS)]
    assert len(lines) == len(ROWS)


def test_every_code_word_exists_in_the_code() -> None:
    words = {word for path in sources(".py") for word in re.findall(r"\w+", path.read_text("utf-8"))}
    named = {code.strip("`") for _chinese, _english, code, _meaning in ROWS} - {"–"}
    assert sorted(named - words) == []


def test_a_term_stands_once() -> None:
    terms = [term for chinese, *_ in ROWS for term in chinese.split("、")]
    assert sorted(term for term in set(terms) if terms.count(term) > 1) == []
