"""docs/hours.md tells the truth: its worked example is run, and every reason it must know is in it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.trace_stories import BOOK, MINUTE, OPENS, Story

from xueji.hours.rules import assess, evidence
from xueji.rulebook.vocabulary import Reason

DOCUMENT = (Path(__file__).parents[3] / "docs" / "hours.md").read_text(encoding="utf-8")
CLOCK = re.compile(r"\d\d:\d\d:\d\d")
INSTANTS = ("answer_by_ms", "began", "ended", "server")


def instant(clock: str) -> int:
    """The epoch ms of a time on the example's day."""
    hours, minutes, seconds = map(int, clock.split(":"))
    return OPENS + ((hours * 60 + minutes) * 60 + seconds) * 1_000


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading row."""
    lines = DOCUMENT[DOCUMENT.index(heading) :].splitlines()[2:]
    table = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def told(value: Any) -> Any:
    """The values of a row with its clock times as instants."""
    if isinstance(value, list):
        return [told(item) for item in value]
    return instant(value) if isinstance(value, str) and CLOCK.fullmatch(value) else value


def example(until: int) -> Story:
    lessons = [{"lesson": "A", "part": "theory", "duration_ms": 45 * MINUTE}]
    story = Story(
        category="safety_manager", total_ms=100 * MINUTE, theory_ms=60 * MINUTE, practical_ms=40 * MINUTE,
        online_ms=40 * MINUTE, in_person_ms=60 * MINUTE, lessons=lessons,
    )  # fmt: skip
    for clock, event, values in rows("| time | event | values |"):
        if instant(clock) <= until:
            given = json.loads(values.strip("`"))
            story.leaf(
                event,
                instant(clock),
                **{name: told(value) if name in INSTANTS else value for name, value in given.items()},
            )
    return story


def minutes(ms: int) -> str:
    return f"{ms // MINUTE}:{ms % MINUTE // 1_000:02d}"


ACCOUNTS = rows("| as of | counted |")


@pytest.mark.parametrize("row", ACCOUNTS, ids=[row[0] for row in ACCOUNTS])
def test_the_worked_example_is_what_the_account_says(row: list[str]) -> None:
    at = instant(row[0])
    statement = assess(BOOK, evidence(example(at).leaves), at)
    online = statement.online
    refused = ", ".join(f"{item.reason} {minutes(item.ms)}" for item in online.refused)
    sums = [minutes(online.counted_ms), minutes(online.provisional_ms), minutes(online.held_ms)]
    assert row == [row[0], *sums, refused, "yes" if statement.complete else "no"]
    assert statement.flags == ()


def test_the_last_account_has_the_shares_the_text_names() -> None:
    at = instant(ACCOUNTS[-1][0])
    statement = assess(BOOK, evidence(example(at).leaves), at)
    assert (statement.online_of_syllabus.per_mille, statement.online_of_delivered.per_mille) == (400, 400)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert f"`{reason.value}`" in DOCUMENT
