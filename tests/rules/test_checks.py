"""When checks are asked, what their outcomes lead to, and who may be said to have missed one."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_stories import HOUR, MINUTE, NINE, PLAN

from media_pipeline.verdict import Prompt
from xueji.snapshots.rules import (
    MOST_ASKED_AFTER_LOSS,
    MOVES,
    PROMPTS,
    CheckKind,
    CheckState,
    Contact,
    IllegalMove,
    NextStep,
    Outcome,
    Telling,
    Told,
    after_loss,
    after_verdict,
    draw_prompts,
    draw_schedule,
    missed_counts,
    move,
    tell,
)

# ---- states

ALLOWED = """
scheduled → due unreached
unreached →
due → answered decided
answered → decided due
decided → contested reviewed
contested → reviewed
reviewed →
"""


def test_the_table_of_moves_is_this_one() -> None:
    rows = [f"{state} → {' '.join(sorted(MOVES[state]))}".strip() for state in CheckState]
    assert rows == ALLOWED.strip().split("\n")


@pytest.mark.parametrize("state", CheckState)
@pytest.mark.parametrize("to", CheckState)
def test_a_move_outside_the_table_is_refused(state: CheckState, to: CheckState) -> None:
    if to in MOVES[state]:
        assert move(state, to) is to
    else:
        with pytest.raises(IllegalMove) as caught:
            move(state, to)
        assert (caught.value.state, caught.value.to) == (state, to)


def test_every_state_is_reached_and_no_check_runs_in_circles_once_decided() -> None:
    reached = {CheckState.SCHEDULED}
    while True:
        further = reached.union(*(MOVES[state] for state in reached))
        if further == reached:
            break
        reached = further
    assert reached == set(CheckState)
    after = {CheckState.DECIDED, CheckState.CONTESTED, CheckState.REVIEWED}
    assert set().union(*(MOVES[state] for state in after)) <= after - {CheckState.DECIDED}


def test_there_are_nine_outcomes() -> None:
    assert [outcome.value for outcome in Outcome] == [
        "match", "mismatch", "unclear", "no_face", "several_faces", "no_camera", "service_down", "refused", "missed",
    ]  # fmt: skip


# ---- the schedule

PLANS = st.builds(
    lambda least, more: replace(PLAN, checks_min_gap_ms=least, checks_max_gap_ms=least + more),
    st.integers(1_000, 20 * MINUTE),
    st.integers(0, 20 * MINUTE),
)


@given(PLANS, st.integers(1, 3 * HOUR), st.integers(0, HOUR), st.integers())
def test_no_gap_is_longer_than_the_longest_the_run_before_included(plan, remaining: int, carried: int, seed) -> None:
    schedule = draw_schedule(Random(seed), remaining, plan, carried)
    assert schedule
    assert all(0 <= at <= remaining for at in schedule)
    most, least = plan.checks_max_gap_ms, plan.checks_min_gap_ms
    assert schedule[0] == 0 or carried + schedule[0] <= most
    for earlier, later in pairwise(schedule):
        assert least <= later - earlier <= most
    assert remaining - schedule[-1] < most
    if carried + remaining >= most:
        assert carried + schedule[0] >= least


@given(PLANS, st.lists(st.integers(1, 12 * MINUTE), min_size=1, max_size=20), st.integers())
def test_closing_the_page_again_and_again_never_dodges_a_check(plan, stays: list[int], seed: int) -> None:
    """Sitting after sitting is left before its first check, if there is time: the run carries over."""
    random, carried = Random(seed), 0
    for stay in stays:
        schedule = draw_schedule(random, 3 * HOUR, plan, carried)
        if stay >= schedule[0]:
            carried = 0
        else:
            carried += stay
        assert carried <= plan.checks_max_gap_ms


def test_a_short_lesson_has_one_check_somewhere() -> None:
    found = {draw_schedule(Random(seed), MINUTE, PLAN, 0) for seed in range(200)}
    assert all(len(schedule) == 1 and 1 <= schedule[0] <= MINUTE for schedule in found)
    assert len(found) > 150


def test_a_lesson_that_had_its_check_needs_none_in_its_last_minute() -> None:
    assert draw_schedule(Random(1), MINUTE, PLAN, 0, at_least_one=False) == ()
    assert draw_schedule(Random(1), 0, PLAN, 0) == ()


def test_the_longest_run_makes_a_check_due_at_once() -> None:
    assert draw_schedule(Random(1), HOUR, PLAN, PLAN.checks_max_gap_ms)[0] == 0
    assert draw_schedule(Random(1), HOUR, PLAN, 2 * PLAN.checks_max_gap_ms)[0] == 0


def test_coming_back_after_a_long_run_is_no_trigger_of_its_own() -> None:
    """What is left of the longest gap is drawn from evenly; the check does not wait at the door."""
    carried = PLAN.checks_max_gap_ms - MINUTE
    firsts = [draw_schedule(Random(seed), HOUR, PLAN, carried)[0] for seed in range(300)]
    assert sum(first < 6_000 for first in firsts) < 60
    assert 20_000 < sum(firsts) // 300 < 40_000


def test_the_first_check_cannot_be_guessed() -> None:
    """Over many drawings it falls into each tenth of its range about as often as into any other."""
    span = PLAN.checks_max_gap_ms - PLAN.checks_min_gap_ms
    tenths = [0] * 10
    for seed in range(3_000):
        first = draw_schedule(Random(seed), 3 * HOUR, PLAN, 0)[0]
        tenths[min(9, (first - PLAN.checks_min_gap_ms) * 10 // span)] += 1
    assert min(tenths) > 230 and max(tenths) < 370


# ---- prompts


def test_prompts_are_those_the_judge_can_see() -> None:
    assert set(PROMPTS) == {prompt.value for prompt in Prompt}


@pytest.mark.parametrize("count", range(5))
def test_as_many_different_prompts_as_the_plan_asks_for(count: int) -> None:
    plan = replace(PLAN, prompts=count)
    drawn = [draw_prompts(Random(seed), plan) for seed in range(300)]
    assert all(len(prompts) == len(set(prompts)) == count for prompts in drawn)
    assert count == 0 or {prompts[0] for prompts in drawn} == set(PROMPTS)


# ---- after the verdict


@pytest.mark.parametrize("outcome", [Outcome.UNCLEAR, Outcome.NO_FACE, Outcome.SEVERAL_FACES, Outcome.MISMATCH])
def test_a_picture_that_failed_may_be_taken_again_as_often_as_the_plan_says(outcome: Outcome) -> None:
    steps = [after_verdict(PLAN, attempt, outcome) for attempt in (1, 2, 3)]
    assert steps == [NextStep.RETRY, NextStep.RETRY, NextStep.FINAL]
    assert after_verdict(replace(PLAN, retries=0), 1, outcome) is NextStep.FINAL


@pytest.mark.parametrize("outcome", [Outcome.MATCH, Outcome.NO_CAMERA, Outcome.REFUSED, Outcome.MISSED])
def test_what_another_picture_would_not_change_is_final(outcome: Outcome) -> None:
    assert after_verdict(PLAN, 1, outcome) is NextStep.FINAL


@pytest.mark.parametrize("attempt", [1, 3, 9])
def test_an_engine_that_was_down_blames_nobody(attempt: int) -> None:
    assert after_verdict(PLAN, attempt, Outcome.SERVICE_DOWN) is NextStep.JUDGE_AGAIN


def test_pictures_lost_on_our_side_are_taken_again_and_not_for_ever() -> None:
    steps = [after_loss(losses) for losses in range(1, MOST_ASKED_AFTER_LOSS + 2)]
    assert steps == [NextStep.RETRY] * MOST_ASKED_AFTER_LOSS + [NextStep.FINAL]


def test_only_a_missed_scheduled_check_counts() -> None:
    assert [kind for kind in CheckKind if missed_counts(kind)] == [CheckKind.SCHEDULED]


# ---- telling

TOLD = Telling(told_ms=NINE, answer_by_ms=NINE + PLAN.answer_ms)
HEARD = replace(TOLD, heard=True)
OVER = PLAN.answer_ms + 1


def test_the_window_starts_when_the_check_is_first_told() -> None:
    assert tell(Telling(), PLAN, NINE, Contact.NOTHING) == (Told.WAITING, Telling())
    assert tell(Telling(), PLAN, NINE, Contact.SAME_SITTING) == (Told.TOLD, TOLD)


TELLINGS = {
    "in time": (TOLD, PLAN.answer_ms, Contact.NOTHING, Told.WAITING),
    "over, but perhaps never heard": (TOLD, OVER, Contact.NOTHING, Told.WAITING),
    "nothing heard for the whole offline limit": (TOLD, PLAN.offline_ms + 1, Contact.NOTHING, Told.MISSED),
    "over, and it was heard": (HEARD, OVER, Contact.NOTHING, Told.MISSED),
    "the answer that told it was lost": (TOLD, 10_000, Contact.SAME_BEAT, Told.TOLD_AGAIN),
    "back after the window, unheard": (TOLD, OVER, Contact.SAME_SITTING, Told.TOLD_AGAIN),
    "back after the offline limit": (TOLD, PLAN.offline_ms + 1, Contact.SAME_SITTING, Told.MISSED),
    "contact in time": (TOLD, 10_000, Contact.SAME_SITTING, Told.WAITING),
    "contact after it was heard": (HEARD, OVER, Contact.SAME_SITTING, Told.MISSED),
    "an old beat after it was heard": (HEARD, 10_000, Contact.SAME_BEAT, Told.WAITING),
    "another sitting in time": (TOLD, 10_000, Contact.NEW_SITTING, Told.MISSED),
    "another sitting late": (TOLD, OVER, Contact.NEW_SITTING, Told.MISSED),
    "told three times again": (replace(TOLD, again=3), OVER, Contact.SAME_SITTING, Told.MISSED),
    "told three times again, in time": (replace(TOLD, again=3), 10_000, Contact.SAME_BEAT, Told.WAITING),
}


@pytest.mark.parametrize("example", TELLINGS.values(), ids=TELLINGS.keys())
def test_what_a_contact_does_to_a_check_that_waits(example: tuple) -> None:
    telling, after_ms, contact, told = example
    assert tell(telling, PLAN, NINE + after_ms, contact)[0] is told


def test_contact_after_the_telling_is_remembered_and_ends_the_excuse() -> None:
    _, heard = tell(TOLD, PLAN, NINE + 10_000, Contact.SAME_SITTING)
    assert heard.heard
    assert tell(heard, PLAN, NINE + OVER, Contact.SAME_SITTING) == (Told.MISSED, heard)


def test_a_missed_check_was_missed_at_the_end_of_its_window_however_late_that_is_noticed() -> None:
    told, telling = tell(HEARD, PLAN, NINE + 5 * HOUR, Contact.NOTHING)
    assert (told, telling.answer_by_ms) == (Told.MISSED, NINE + PLAN.answer_ms)
    told, telling = tell(TOLD, PLAN, NINE + 10_000, Contact.NEW_SITTING)
    assert (told, telling.answer_by_ms) == (Told.MISSED, NINE + 10_000)


def test_a_window_that_starts_again_is_a_whole_one_and_counted() -> None:
    told, telling = tell(TOLD, PLAN, NINE + OVER, Contact.SAME_SITTING)
    assert told is Told.TOLD_AGAIN
    assert telling == Telling(NINE + OVER, NINE + OVER + PLAN.answer_ms, again=1)


@given(st.lists(st.tuples(st.integers(0, 400_000), st.sampled_from(list(Contact))), max_size=30))
def test_no_sequence_of_contacts_puts_a_check_off_for_ever(contacts: list[tuple[int, Contact]]) -> None:
    """At most four windows, each within the offline limit of the one before; and once missed, it is over."""
    telling, now, first = Telling(), NINE, None
    for pause, contact in contacts:
        now += pause
        told, telling = tell(telling, PLAN, now, contact)
        if first is None and telling.told_ms is not None:
            first = telling.told_ms
        if told is Told.MISSED:
            assert telling.answer_by_ms is not None and telling.answer_by_ms <= now
            break
        assert telling.again <= 3
        if telling.answer_by_ms is not None and first is not None:
            assert telling.answer_by_ms <= first + 3 * PLAN.offline_ms + PLAN.answer_ms
