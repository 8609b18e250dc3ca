"""Whether checks came as the plan promised: what the second edition holds because nobody saw who studied."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trace_stories import HOUR, MINUTE, NINE, PLAN, Story

from xueji.hours.rules import Status, evidence
from xueji.hours.rules.worth import held_spans, spans, spans_of
from xueji.rulebook.intervals import intersect, length, union

NEW: dict[str, Any] = {"rules": 2, "subject": None}
LONGEST = PLAN.checks_max_gap_ms + PLAN.offline_ms + PLAN.answer_ms
"""of study without a sign of her that may still count: 21 minutes under the preset"""


def figures(story: Story) -> tuple[int, int, int]:
    online = story.statement().online
    return online.counted_ms, online.provisional_ms, online.held_ms


def due(story: Story, check: str = "check", kind: str = "scheduled", attempt: int = 1) -> None:
    story.due(check, kind, attempt=attempt)


def answer(story: Story, outcome: str | None = "match", check: str = "check", *, final: bool = True) -> None:
    story.leaf("check.answer", check=check, attempt=1, method="face", frames=[], signals=[])
    if outcome is not None:
        story.verdict(check, outcome, final=final)


# ---- the longest run without a sign of her


def test_study_beyond_the_longest_gap_since_the_last_good_check_is_held() -> None:
    story = Story(**NEW)
    story.watched(0, 3 * HOUR)
    story.check("match")
    assert figures(story) == (LONGEST, 0, 3 * HOUR - LONGEST)
    assert story.statement().lessons[0].make_up == ((LONGEST, 3 * HOUR),)


def test_in_the_first_edition_it_counts_as_it_did() -> None:
    story = Story()
    story.watched(0, 3 * HOUR)
    story.check("match")
    story.leaf("check.retold", check="check-2", answer_by_ms=story.now)
    assert figures(story) == (3 * HOUR, 0, 0)
    assert story.statement().marks == ()


def test_exactly_the_longest_gap_and_its_room_counts() -> None:
    story = Story(**NEW)
    story.watched(0, LONGEST)
    story.check("match")
    story.watched(LONGEST, 2 * LONGEST)
    assert figures(story) == (LONGEST, LONGEST, 0)
    story.watched(2 * LONGEST, 2 * LONGEST + 1)
    assert figures(story) == (LONGEST, LONGEST, 1)


def test_beats_of_any_length_say_the_same() -> None:
    whole, pieces = Story(**NEW), Story(**NEW)
    whole.watched(0, HOUR)
    for minute in range(60):
        pieces.watched(minute * MINUTE, (minute + 1) * MINUTE)
    assert figures(whole) == figures(pieces) == (0, LONGEST, HOUR - LONGEST)


def test_a_pause_is_no_study() -> None:
    story = Story(**NEW)
    story.watched(0, 10 * MINUTE)
    story.now += 5 * HOUR
    story.watched(10 * MINUTE, 20 * MINUTE)
    story.check("match")
    assert figures(story) == (20 * MINUTE, 0, 0)


@pytest.mark.parametrize("outcome", [None, "service_down"])
def test_an_answer_that_was_never_judged_ends_the_run_as_well(outcome: str | None) -> None:
    """A fault of ours holds nobody's time."""
    story = Story(**NEW)
    story.watched(0, 15 * MINUTE)
    due(story)
    answer(story, outcome)
    story.watched(15 * MINUTE, 30 * MINUTE)
    story.check("match")
    assert figures(story) == (30 * MINUTE, 0, 0)


def test_staff_who_confirm_her_end_the_run_and_their_sittings_have_none() -> None:
    story = Story(**NEW, plan=replace(PLAN, round_ms=5 * HOUR, room_code=0))
    supervised = story.sitting(method="supervised")
    story.leaf("checkin.confirm", checkin="in", kind="open", at_ms=story.now, until_ms=story.now + 5 * HOUR)
    story.watched(0, 2 * HOUR, sitting=supervised)
    story.leaf("checkin.confirm", checkin="in", kind="close", at_ms=story.now, until_ms=story.now)
    assert figures(story) == (2 * HOUR, 0, 0)
    story.watched(2 * HOUR, 2 * HOUR + LONGEST)
    assert figures(story) == (2 * HOUR, LONGEST, 0)


# ---- while an answer is owed


def test_what_silence_hands_in_between_the_telling_and_the_answer_is_held_beyond_the_window() -> None:
    story = Story(**NEW)
    story.watched(0, 10 * MINUTE)
    due(story)
    story.watched(10 * MINUTE, 14 * MINUTE)
    assert figures(story) == (0, 11 * MINUTE, 3 * MINUTE)
    story.leaf("check.retold", check="check", answer_by_ms=story.now + PLAN.answer_ms)
    answer(story)
    assert figures(story) == (11 * MINUTE, 0, 3 * MINUTE)
    story.watched(14 * MINUTE, 15 * MINUTE)
    assert figures(story) == (11 * MINUTE, MINUTE, 3 * MINUTE)
    assert story.statement().marks == (("retold", 1),)


def test_what_was_held_so_is_made_up_by_watching_it_again() -> None:
    story = Story(**NEW)
    story.watched(0, 10 * MINUTE)
    due(story)
    story.watched(10 * MINUTE, 14 * MINUTE)
    answer(story)
    story.watched(11 * MINUTE, 14 * MINUTE)
    story.check("match", check="next")
    assert figures(story) == (14 * MINUTE, 0, 0)


def test_nothing_is_owed_in_time_by_an_offer_or_while_the_judge_is_at_work() -> None:
    story = Story(**NEW)
    due(story, "offer", "voluntary")
    story.watched(0, 5 * MINUTE)
    due(story)
    story.now += PLAN.answer_ms
    answer(story, "unclear", final=False)
    story.watched(5 * MINUTE, 15 * MINUTE)
    due(story, attempt=2)
    answer(story)
    assert figures(story) == (15 * MINUTE, 0, 0)


def test_the_arrival_of_the_pictures_is_the_instant_not_what_the_store_took() -> None:
    story = Story(**NEW)
    story.watched(0, MINUTE)
    due(story)
    arrived_ms = story.now + 10_000
    story.watched(MINUTE, 2 * MINUTE)
    story.leaf("check.answer", check="check", attempt=1, arrived_ms=arrived_ms, method="face", frames=[], signals=[])
    story.verdict("check", "match")
    assert figures(story) == (MINUTE + 10_000, 50_000, 0)


def test_a_check_that_ended_as_nobodys_fault_was_owed_until_then() -> None:
    story = Story(**NEW)
    story.watched(0, 5 * MINUTE)
    due(story)
    story.watched(5 * MINUTE, 9 * MINUTE)
    story.verdict("check", "service_down")
    story.watched(9 * MINUTE, 10 * MINUTE)
    story.check("match", check="next")
    assert figures(story) == (7 * MINUTE, 0, 3 * MINUTE)


def test_a_missed_check_that_two_people_accept_owes_nothing() -> None:
    story = Story(**NEW)
    story.watched(0, 5 * MINUTE)
    due(story)
    story.watched(5 * MINUTE, 9 * MINUTE)
    story.verdict("check", "missed")
    assert figures(story) == (0, 0, 9 * MINUTE)
    story.review("check", "accept", "one", "another")
    story.check("match", check="next")
    assert figures(story) == (9 * MINUTE, 0, 0)


def test_a_failed_check_whose_next_attempt_was_left_alone_speaks_of_what_was_seen() -> None:
    story = Story(**NEW)
    story.watched(0, 5 * MINUTE)
    due(story, kind="voluntary")
    answer(story, "mismatch", final=False)
    seen_ms = story.now
    due(story, kind="voluntary", attempt=2)
    story.now += 2 * MINUTE
    story.verdict("check", "mismatch")
    (check,) = evidence(story.leaves).checks
    assert (check.at_ms, check.outcome, check.standing) == (seen_ms, "mismatch", "failed")


def test_a_window_that_began_with_the_cameras_question_ends_later() -> None:
    story = Story(**NEW)
    story.watched(0, 5 * MINUTE)
    due(story)
    story.leaf("check.extend", check="check", question="asked", answer_by_ms=story.now + 2 * MINUTE)
    story.verdict("check", "missed")
    (check,) = evidence(story.leaves).checks
    assert check.at_ms == NINE + 7 * MINUTE
    assert story.statement().marks == ()


# ---- any evidence

STEPS = st.lists(
    st.tuples(st.sampled_from(["study", "due", "answer", "missed", "pause"]), st.integers(1, 30 * MINUTE)), max_size=25
)


@given(STEPS)
def test_what_counts_is_never_more_than_in_the_first_edition_and_nothing_is_lost(steps: list[tuple[str, int]]) -> None:
    old, new = Story(), Story(**NEW)
    for story in (old, new):
        at, open_, n = 0, "", 0
        for step, ms in steps:
            if step == "study" and at + ms < 3 * HOUR:
                story.watched(at, at + ms)
                at += ms
            elif step == "due" and not open_:
                n += 1
                open_ = f"c{n}"
                due(story, open_)
            elif step == "answer" and open_:
                answer(story, "match", open_)
                open_ = ""
            elif step == "missed" and open_:
                story.verdict(open_, "missed")
                open_ = ""
            else:
                story.now += ms
    before, after = old.statement().online, new.statement().online
    assert after.counted_ms <= before.counted_ms
    assert after.counted_ms + after.provisional_ms + after.held_ms == (
        before.counted_ms + before.provisional_ms + before.held_ms
    )


@given(STEPS, st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), max_size=8))
def test_holding_cuts_exactly_these_intervals(steps: list[tuple[str, int]], pieces: list[tuple[int, int]]) -> None:
    story = Story(**NEW)
    for number, (step, ms) in enumerate(steps):
        story.now += ms
        story.check({"answer": "match", "missed": "missed"}.get(step, "match"), check=f"c{number}")
    cut = spans(evidence(story.leaves).checks)
    held = union((NINE + a * MINUTE, NINE + (a + b) * MINUTE) for a, b in pieces)
    narrowed = held_spans(cut, held)
    assert narrowed[0][0] == cut[0][0] and narrowed[-1][1] == cut[-1][1]
    assert all(one[1] == other[0] for one, other in pairwise(narrowed))
    for start, end, status in narrowed:
        if status > Status.HELD:
            assert length(intersect([(start, end)], held)) == 0
            assert any(a <= start and end <= b and worth == status for a, b, worth in cut)


def test_the_replay_and_the_account_cut_time_alike() -> None:
    story = Story(**NEW)
    story.watched(0, HOUR)
    story.check("match")
    cut = spans_of(evidence(story.leaves), "face")
    assert [(end - start, status) for start, end, status in cut[1:-1]] == [(HOUR - LONGEST, Status.HELD)]
