"""What README and docs promise is shown somewhere: each sentence names the tests that hold it, or why none can.

`tests/promises.toml` lists the sentences of the sections below, word for word. A sentence that is changed, added or
taken away changes the list with it, and whoever does so is asked: where is this shown?
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from architecture.house import HOUSE

SECTIONS = {
    "README.md": ("Check somebody's hours without trusting us", "How an hour comes about", "What it cannot do"),
    "docs/hours.md": ("From a report to credit", "From credit to hours", "What this does not claim"),
    "docs/trace.md": ("What it claims", "What it does not claim"),
}
TABLE: dict[str, dict[str, Any]] = tomllib.loads((HOUSE / "tests" / "promises.toml").read_text("utf-8"))
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_TABLE_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_PICTURE = re.compile(r"!\[.*?\]\(.*?\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_BLOCK = re.compile(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) ")
_END = re.compile(r"(?<=[.!?]) (?=[A-Z`“\"])")


def sentences(document: str, heading: str) -> list[str]:
    """The sentences under a heading, without code, tables, pictures and marks of emphasis."""
    text = (HOUSE / document).read_text("utf-8")
    begins = next(found for found in _HEADING.finditer(text) if found.group(1) == heading)
    after = _HEADING.search(text, begins.end())
    body = text[begins.end() : after.start() if after else len(text)]
    for marks in (_CODE, _TABLE_ROW, _PICTURE):
        body = marks.sub("\n", body)
    body = _LINK.sub(r"\1", body).replace("**", "").replace("> ", "")
    blocks = (" ".join(block.split()).lstrip("-* ") for block in _BLOCK.split(body))
    return [sentence for block in blocks for sentence in _END.split(block) if re.search("[A-Za-z]", sentence)]


@pytest.mark.parametrize("document", SECTIONS)
def test_every_sentence_that_promises_something_says_where_it_is_shown(document: str) -> None:
    written = [sentence for heading in SECTIONS[document] for sentence in sentences(document, heading)]
    assert sorted(set(written) - TABLE[document].keys()) == [], "add them to tests/promises.toml"
    assert sorted(TABLE[document].keys() - set(written)) == [], "no longer written there"


@pytest.mark.parametrize("document", SECTIONS)
def test_what_shows_a_promise_is_there(document: str) -> None:
    """A list of tests, or words that say why there is none: a limit, a definition, a pointer."""
    wrong = []
    for sentence, shown in TABLE[document].items():
        if isinstance(shown, str):
            wrong += [] if len(shown) >= 10 else [sentence]
            continue
        for each in shown:
            path, _, test = each.partition("::")
            file = HOUSE / "tests" / path
            if not file.exists() or (test and f"def {test}(" not in file.read_text("utf-8")):
                wrong.append(f"{each}: {sentence}")
        wrong += [] if shown else [sentence]
    assert wrong == []
