"""The line that beats carry on is the statement's line after every beat, whatever the story."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.trace_stories import BOOK, CLOSES, HOUR, MINUTE, PLAN, Story, Study

from xueji.hours.rules import Assessed, ahead, assess_media, evidence
from xueji.hours.running_line import OtherFormat, RunningLine, carried_on, line_values
from xueji.rulebook.intervals import length, union

LESSONS = [
    {"lesson": "before", "part": "theory", "duration_ms": HOUR},
    {"lesson": "lesson", "part": "theory", "duration_ms": 40 * MINUTE},
]
OUTCOMES = [None, None, None, None, "told", "match", "match", "mismatch", "missed", "rejected", "accepted"]


def assessed(story: Story) -> Assessed:
    return assess_media(BOOK, evidence(story.leaves), story.now)


def reckoned(story: Story, study: Study) -> RunningLine:
    found = evidence(story.leaves)
    statement, media = assessed(story)
    return carried_on(statement, "lesson", media, ahead(found, "face", study.state.used_until_ms))


def line_of(story: Story) -> Any:
    statement, media = assessed(story)
    found = next(line for line in statement.lessons if line.lesson == "lesson")
    values = _plain(line_values(found, media["lesson"], ahead(evidence(story.leaves), "face", story.now)))
    adds_up(values)
    return values


def adds_up(line: Any) -> None:
    """Figures and stretches are the same sums, and together the film."""
    shown, stretches = line["shown"], line["stretches"]
    assert sum(shown.values()) == line["duration_ms"] // 1000
    assert min(shown.values()) >= 0
    assert shown["counted"] == line["counted_ms"] // 1000
    for fate in ("counted", "provisional", "held"):
        assert length(stretches[fate]) == line[f"{fate}_ms"]
        assert abs(shown[fate] * 1000 - line[f"{fate}_ms"]) < 1000
    every = [(first, last) for pieces in stretches.values() for first, last in pieces]
    assert length(every) == line["furthest_ms"]
    assert union(every) == ([(0, line["furthest_ms"])] if every else [])


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
        running = RunningLine.read(running.write())
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
    assert line["stretches"] == {
        "counted": [(0, 6 * MINUTE)],
        "provisional": [],
        "held": [],
        "refused": [(6 * MINUTE, 10 * MINUTE)],
    }
    statement, media = assessed(story)
    assert line == line_values(statement.lessons[1], media["lesson"], ahead(evidence(story.leaves), "face", story.now))


def test_the_line_says_where_in_the_film_time_is_held_and_what_a_person_s_word_lost() -> None:
    story = Story(lessons=LESSONS)
    study = come_back(story)
    study.watch(2 * MINUTE)
    story.check("match")
    study.watch(3 * MINUTE)
    story.review(story.check("mismatch"), "reject")
    study.watch(4 * MINUTE)
    story.check("no_face")
    study.watch(MINUTE)
    line = reckoned(story, study).as_values()
    assert line["stretches"] == {
        "counted": [(0, 2 * MINUTE)],
        "provisional": [],
        "held": [(9 * MINUTE, 10 * MINUTE)],
        "refused": [(2 * MINUTE, 9 * MINUTE)],
    }
    assert line["make_up"] == [(2 * MINUTE, 10 * MINUTE)]
    assert line["ahead"] == "held", "the last check failed"
    assert line["shown"] == {"counted": 120, "provisional": 0, "held": 60, "refused": 420, "unseen": 1800}


def test_a_line_of_another_release_is_not_read() -> None:
    with pytest.raises(OtherFormat):
        RunningLine.read("[2400000,60000,60000,2160000,0,0,[],[],{},[],null,null]")
