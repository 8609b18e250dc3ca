"""The line that beats carry on is the statement's line after every beat, whatever the story."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from trace_stories import CLOSES, HOUR, MINUTE, PLAN, Story, Study

from xueji.hours.rules import ahead, evidence, lost_media
from xueji.hours.running import Running, carried_on, line_values

LESSONS = [
    {"lesson": "before", "part": "theory", "duration_ms": HOUR},
    {"lesson": "lesson", "part": "theory", "duration_ms": 40 * MINUTE},
]
OUTCOMES = [None, None, None, None, "told", "match", "match", "mismatch", "missed", "rejected", "accepted"]


def reckoned(story: Story, study: Study) -> Running:
    found = evidence(story.leaves)
    return carried_on(story.statement(), "lesson", lost_media(found), ahead(found, "face", study.state.used_until_ms))


def line_of(story: Story) -> Any:
    return _plain(line_values(next(line for line in story.statement().lessons if line.lesson == "lesson")))


def _plain(values: Any) -> Any:
    return json.loads(json.dumps(values))


def decide(story: Story, outcome: str, waiting: str | None) -> None:
    """A check, or another attempt at the one that waits."""
    if outcome in ("rejected", "accepted"):
        story.review(story.check("mismatch", check=waiting), "reject" if outcome == "rejected" else "accept")
    else:
        story.check(outcome, check=waiting)


def come_back(story: Story) -> Study:
    """Another sitting, with what is to be made up by then."""
    line = next(line for line in story.statement().lessons if line.lesson == "lesson")
    return Study(story, duration_ms=line.duration_ms, furthest_ms=line.furthest_ms, make_up=line.make_up)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400_000),
            st.integers(-900_000, 30_000),
            st.integers(1, 400_000),
            st.sampled_from(OUTCOMES),
            st.booleans(),
        ),
        max_size=14,
    ),
    st.sampled_from([1, 2]),
)
@settings(max_examples=300, deadline=None)
def test_after_every_beat_the_line_is_the_statement_s(reports: list[Any], rules: int) -> None:
    story = Story(rules=rules, subject=None, lessons=LESSONS, total_ms=90 * MINUTE, online_ms=36 * MINUTE)
    first = Study(story, duration_ms=HOUR, lesson="before")
    first.watch(20 * MINUTE, step_ms=5 * MINUTE)
    story.check("match")
    study = come_back(story)
    running, waiting = reckoned(story, study), None
    for pause, shift, ms, outcome, again in reports:
        story.now += pause
        begins = max(0, study.state.furthest_ms + min(shift, 0) if shift < 20_000 else study.state.furthest_ms + shift)
        results = study.report(study.beat(begins, begins + ms))
        running = Running.read(running.write())
        running.add(results)
        assert _plain(running.as_values()) == line_of(story)
        if outcome == "told":
            # A check that waits: from the end of its window on an answer is owed.
            waiting = waiting or story.check(None)
            running.owe(story.now + PLAN.answer_ms)
        elif outcome is not None:
            decide(story, outcome, waiting)
            waiting = None
            running = reckoned(story, study)
            assert _plain(running.as_values()) == line_of(story)
        if again:
            study = come_back(story)
            running = reckoned(story, study)
    assert story.now < CLOSES


def test_a_line_says_what_is_confirmed_and_what_the_limit_takes() -> None:
    story = Story(lessons=LESSONS, total_ms=90 * MINUTE, online_ms=36 * MINUTE)
    first = Study(story, duration_ms=HOUR, lesson="before")
    first.watch(30 * MINUTE, step_ms=5 * MINUTE)
    story.check("match")
    study = come_back(story)
    study.watch(10 * MINUTE)
    story.check("match")
    line = reckoned(story, study).as_values()
    assert line["counted_ms"] == 6 * MINUTE
    assert line["refused"] == [{"reason": "over_cap", "ms": 4 * MINUTE}]
    assert line == line_values(story.statement().lessons[1])
