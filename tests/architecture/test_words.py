"""What people read: every Chinese sentence has its English, in catalogues that can be compiled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from architecture.house import HOUSE, name, sources
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from messages import extracted, parts_with_words

CATALOGUES = [path for path in sources(".po") if path.parts[-3] == "en"]


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    """Every translation there is; pages look into all the catalogues, whichever part they belong to."""
    found: dict[str, str] = {}
    for path in CATALOGUES:
        for message in read(path):
            if message.id and message.string and not message.fuzzy:
                key = message.id if isinstance(message.id, str) else message.id[0]
                found[key] = message.string if isinstance(message.string, str) else message.string[0]
    return found


def test_every_part_that_says_something_says_it_in_english_too(english: dict[str, str]) -> None:
    missing = {
        f"{part.name}: {words}" for part in parts_with_words() for words in extracted(part) if words not in english
    }
    assert missing == set()


def test_no_translation_is_left_of_a_sentence_nobody_says_any_more(english: dict[str, str]) -> None:
    said = {words for part in parts_with_words() for words in extracted(part)}
    assert set(english) - said == set()


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
def test_a_catalogue_says_each_thing_once_and_keeps_its_gaps(path: Path) -> None:
    """A placeholder lost in translation would take the page down for whoever reads English."""
    ids: Counter[str] = Counter()
    for message in read(path):
        if message.id:
            ids[str(message.id)] += 1
            assert not list(message.check(read(path))), message.id
    assert [words for words, count in ids.items() if count > 1] == []


def test_one_sentence_has_one_translation() -> None:
    """The catalogues are laid over each other; two translations of one sentence would come and go."""
    found: dict[str, set[str]] = {}
    for path in CATALOGUES:
        for message in read(path):
            if message.id:
                found.setdefault(str(message.id), set()).add(str(message.string))
    assert {words: english for words, english in found.items() if len(english) > 1} == {}


def test_catalogues_stand_where_they_are_looked_for() -> None:
    assert CATALOGUES
    for path in CATALOGUES:
        assert path.relative_to(HOUSE).parts[-4:] == ("translations", "en", "LC_MESSAGES", "messages.po")
