"""What people read: every Chinese sentence has its English, in catalogues that can be compiled."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from architecture.house import HOUSE, name, sources
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from messages import Said, extracted, parts_with_words, said

CATALOGUES = [path for path in sources(".po") if path.parts[-3] == "en"]


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


@pytest.fixture(scope="module")
def english() -> dict[Said, str]:
    """Every translation there is; pages look into all the catalogues, whichever part they belong to."""
    return {
        said(message): str(message.string)
        for path in CATALOGUES
        for message in read(path)
        if message.id and message.string and not message.fuzzy
    }


def test_no_translation_is_two_run_together(english: dict[Said, str]) -> None:
    assert [text for text in english.values() if re.search(r"[a-z][.!?][A-Z][a-z]", text)] == []


def test_every_part_that_says_something_says_it_in_english_too(english: dict[Said, str]) -> None:
    missing = {f"{part.name}: {words}" for part in parts_with_words() for words in extracted(part) - english.keys()}
    assert missing == set()


def test_no_translation_is_left_of_a_sentence_nobody_says_any_more(english: dict[Said, str]) -> None:
    spoken = {words for part in parts_with_words() for words in extracted(part)}
    assert english.keys() - spoken == set()


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_a_catalogue_says_each_thing_once_and_keeps_its_gaps(path: Path) -> None:
    """A placeholder lost in translation would take the page down for whoever reads English."""
    catalogue = read(path)
    entries = Counter(said(message) for message in catalogue if message.id)
    assert [words for words, count in entries.items() if count > 1] == []
    assert [message.id for message in catalogue if message.id and message.check(catalogue)] == []


def test_one_sentence_has_one_translation() -> None:
    """The catalogues are laid over each other; two translations of one sentence would come and go."""
    found: dict[Said, set[str]] = {}
    for path in CATALOGUES:
        for message in read(path):
            if message.id:
                found.setdefault(said(message), set()).add(str(message.string))
    assert {words: english for words, english in found.items() if len(english) > 1} == {}


def test_catalogues_stand_where_they_are_looked_for() -> None:
    assert CATALOGUES
    for path in CATALOGUES:
        assert path.relative_to(HOUSE).parts[-4:] == ("translations", "en", "LC_MESSAGES", "messages.po")
