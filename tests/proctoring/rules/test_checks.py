"""When checks are asked, what their outcomes lead to, and who may be said to have missed one."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trace_stories import HOUR, MINUTE, NINE, PLAN

from media_pipeline.verdict import Prompt
from xueji.proctoring.rules import (
    BLAMES_NOBODY,
    CAMERA_QUESTION_MS,
    MOST_ASKED_AFTER_LOSS,
    MOST_REDELIVERIES,
    MOVES,
    OF_THE_HEAD,
    PROMPTS,
    PULSE_MOMENTS,
    STORING_MS,
    TILTS,
    CheckKind,
    CheckState,
    Contact,
    Delivery,
    IllegalMove,
    NextStep,
    OpenCheck,
    Outcome,
    after_loss,
    after_verdict,
    ask_camera,
    camera_answered,
    deliver,
    draw_prompts,
    draw_pulses,
    draw_schedule,
    gap_range,
    holds,
    is_there,
    missed_counts,
    move,
    unanswered,
)
from xueji.rulebook.plan import ProctoringPlan

# ---- states

ALLOWED = """
scheduled → due unreached
unreached →
due → answered decided
answered → decided due
decided → contested reviewed
contested → reviewed
reviewed → contested decided
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


def test_every_state_is_reached_and_people_alone_move_what_has_a_verdict() -> None:
    reached = {CheckState.SCHEDULED}
    while True:
        further = reached.union(*(MOVES[state] for state in reached))
        if further == reached:
            break
        reached = further
    assert reached == set(CheckState)
    after = {CheckState.DECIDED, CheckState.CONTESTED, CheckState.REVIEWED}
    assert set().union(*(MOVES[state] for state in after)) <= after


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
def test_no_gap_is_longer_than_the_longest_the_run_before_included(
    plan: ProctoringPlan, remaining: int, carried: int, seed: int
) -> None:
    schedule = draw_schedule(Random(seed), remaining, plan, carried)
    assert schedule
    assert all(0 <= at <= remaining for at in schedule)
    least, most = gap_range(plan)
    assert schedule[0] == 0 or carried + schedule[0] <= most
    for earlier, later in pairwise(schedule):
        assert least <= later - earlier <= most
    assert remaining - schedule[-1] < most
    if carried + remaining >= most:
        assert carried + schedule[0] >= least


@given(PLANS, st.lists(st.integers(1, 12 * MINUTE), min_size=1, max_size=20), st.integers())
def test_closing_the_page_again_and_again_never_dodges_a_check(
    plan: ProctoringPlan, stays: list[int], seed: int
) -> None:
    """Sitting after sitting is left before its first check, if there is time: the run carries over."""
    random, carried = Random(seed), 0
    for stay in stays:
        schedule = draw_schedule(random, 3 * HOUR, plan, carried)
        if stay >= schedule[0]:
            carried = 0
        else:
            carried += stay
        assert carried <= plan.checks_max_gap_ms


@given(PLANS)
def test_every_plan_leaves_at_least_a_third_of_its_longest_gap_to_chance(plan: ProctoringPlan) -> None:
    least, most = gap_range(plan)
    assert most == plan.checks_max_gap_ms
    assert most - least >= most // 3
    assert least == plan.checks_min_gap_ms or plan.checks_max_gap_ms - plan.checks_min_gap_ms < most // 3


def test_a_plan_of_one_fixed_gap_can_still_not_be_foreseen() -> None:
    fixed = replace(PLAN, checks_min_gap_ms=15 * MINUTE, checks_max_gap_ms=15 * MINUTE)
    schedules = {draw_schedule(Random(seed), HOUR, fixed, 0) for seed in range(100)}
    assert len(schedules) > 90
    assert all(10 * MINUTE <= schedule[0] <= 15 * MINUTE for schedule in schedules)


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


def test_after_the_first_check_of_a_sitting_the_run_before_it_plays_no_part() -> None:
    carried = PLAN.checks_max_gap_ms - MINUTE
    schedules = [draw_schedule(Random(seed), 3 * HOUR, PLAN, carried) for seed in range(300)]
    gaps = [later - earlier for earlier, later, *_ in schedules]
    assert min(gaps) < PLAN.checks_min_gap_ms + MINUTE < PLAN.checks_max_gap_ms - MINUTE < max(gaps)


def test_a_check_may_fall_on_the_last_instant_of_a_lesson() -> None:
    class Longest(Random):
        def random(self) -> float:
            return 1 - 2**-53

    most = PLAN.checks_max_gap_ms
    assert draw_schedule(Longest(), most, PLAN, 0, at_least_one=False) == (most,)
    assert draw_schedule(Longest(), most - 1, PLAN, 0, at_least_one=False) == ()


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


@pytest.mark.parametrize(("planned", "asked"), [(0, 0), (1, 2), (2, 3), (3, 4), (4, 4)])
def test_one_movement_more_than_planned_is_asked_for(planned: int, asked: int) -> None:
    plan = replace(PLAN, prompts=planned)
    drawn = [draw_prompts(Random(seed), plan) for seed in range(300)]
    assert {len(prompts) for prompts in drawn} == {asked}
    assert planned == 0 or {prompts[-1] for prompts in drawn} == set(PROMPTS)


def test_whoever_s_answer_did_not_do_is_asked_for_one_more() -> None:
    """Films that are tried until one of them does have the less chance."""
    lengths = [len(draw_prompts(Random(3), replace(PLAN, prompts=planned), failed=True)) for planned in range(5)]
    assert lengths == [0, 3, 4, 4, 4]


@pytest.mark.parametrize(("planned", "kinds"), [(1, 18), (2, 138), (3, 738)])
def test_every_row_of_movements_is_as_likely_as_any_other_that_may_be_asked(planned: int, kinds: int) -> None:
    random, plan = Random(5), replace(PLAN, prompts=planned)
    drawn = Counter(draw_prompts(random, plan) for _ in range(kinds * 200))
    assert len(drawn) == kinds
    assert max(drawn.values()) < 1.5 * 200 and min(drawn.values()) > 0.5 * 200
    for prompts in drawn:
        assert all(one != other for one, other in pairwise(prompts)), "a movement that goes on is no second one"
        assert OF_THE_HEAD.intersection(prompts[:-1]), "her head comes back to another place"
        assert not TILTS.issuperset(prompts), "a telephone that shows a film is tilted as well"


def test_no_two_checks_look_at_the_same_moments() -> None:
    pulses = [pulse for seed in range(200) for pulse in draw_pulses(Random(seed), ("blink", "turn_left"))]
    assert len(set(pulses)) == len(pulses)
    for pulse in pulses:
        assert PULSE_MOMENTS[0] <= len(pulse) <= PULSE_MOMENTS[1]
        assert list(pulse) == sorted(set(pulse))
        assert [moment < 0 for moment in pulse] == [True, True] + [False] * (len(pulse) - 2)
        assert 2_400 <= pulse[-1] <= 3_300, "the slowest need three seconds"
        assert sum(moment <= 700 for moment in pulse[2:]) >= 3, "the quickest are on their way for half a second"


def test_the_moments_of_a_movement_lie_within_their_bounds_and_may_lie_anywhere_there() -> None:
    pulses = [pulse for seed in range(3_000) for pulse in draw_pulses(Random(seed), ("blink",))]
    assert {pulse[0] for pulse in pulses} == set(range(-520, -379))
    assert {pulse[1] for pulse in pulses} == set(range(-260, -139))
    assert {pulse[2] for pulse in pulses} == set(range(60, 81)), "80 ms, and up to a quarter of it earlier"
    fewest = [pulse for pulse in pulses if len(pulse) == PULSE_MOMENTS[0]]
    last = {pulse[-1] for pulse in fewest}
    assert max(last) == 3_300
    assert 3_095 <= min(last) <= 3_105, "a quarter of the last gap of 817 ms"
    assert max(later - earlier for pulse in fewest for earlier, later in pairwise(pulse)) < 1_000, (
        "nothing is passed by"
    )


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


# ---- left alone


LEFT_ALONE = {
    "never answered": ([], Outcome.MISSED),
    "another person, then nothing": ([Outcome.MISMATCH], Outcome.MISMATCH),
    "the latest that was seen": ([Outcome.MISMATCH, Outcome.NO_FACE], Outcome.NO_FACE),
    "answered, and lost by us": ([Outcome.SERVICE_DOWN], Outcome.SERVICE_DOWN),
    "unclear, then answered and lost by us": ([Outcome.UNCLEAR, Outcome.SERVICE_DOWN], Outcome.SERVICE_DOWN),
    "lost by us, then unclear, then nothing": ([Outcome.SERVICE_DOWN, Outcome.UNCLEAR], Outcome.UNCLEAR),
    "still with the judge": ([Outcome.UNCLEAR, None], Outcome.UNCLEAR),
}


@pytest.mark.parametrize(("attempts", "ends"), LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_what_was_shown_once_is_not_undone_by_leaving_the_next_attempt_alone(
    attempts: list[Outcome | None], ends: Outcome
) -> None:
    assert unanswered(attempts) is ends


@pytest.mark.parametrize("kind", CheckKind)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_failure_holds_and_an_offer_left_alone_does_not(kind: CheckKind, outcome: Outcome) -> None:
    neutral = outcome in BLAMES_NOBODY or (outcome is Outcome.MISSED and kind is not CheckKind.SCHEDULED)
    assert holds(kind, outcome) is not neutral


@pytest.mark.parametrize(("silent_ms", "there"), [(0, True), (PLAN.lease_ms, True), (PLAN.lease_ms + 1, False)])
def test_a_page_unheard_of_for_the_whole_lease_is_an_empty_chair(silent_ms: int, there: bool) -> None:
    assert is_there(PLAN, NINE, NINE + silent_ms) is there


# ---- telling

ANSWER, BUDGET = PLAN.answer_ms, PLAN.offline_ms
TOLD = OpenCheck("check", "nonce", ("blink",), "scheduled", 1, NINE, NINE + ANSWER, delivered_seq=7)
"""told with the answer to a request whose last beat was number 7"""
HEARD = replace(TOLD, acknowledged=True)
UNTOLD = replace(TOLD, delivered_seq=None)
"""told by nothing that a report answers: when the sitting opened, or over the socket"""
OVER = ANSWER + 1
LATE = ANSWER + STORING_MS + 1
ALONE, TOGETHER, LATER = {7}, {5, 6, 7, 8, 9}, {8, 9}

TELLINGS = {
    "nothing, in time": (TOLD, ANSWER, set(), Contact.NOTHING, Delivery.WAITING),
    "nothing, perhaps the telling was lost": (TOLD, LATE, set(), Contact.NOTHING, Delivery.WAITING),
    "nothing for longer than can be excused": (TOLD, ANSWER + BUDGET + 1, set(), Contact.NOTHING, Delivery.MISSED),
    "nothing, part of it excused before": (
        replace(TOLD, excused_ms=BUDGET - 30_000), ANSWER + 30_001, set(), Contact.NOTHING, Delivery.MISSED,
    ),
    "heard, pictures may be on their way": (HEARD, ANSWER + STORING_MS, set(), Contact.NOTHING, Delivery.WAITING),
    "heard, nothing came": (HEARD, LATE, set(), Contact.NOTHING, Delivery.MISSED),
    "the same beat alone": (TOLD, 10_000, ALONE, Contact.BEATS, Delivery.REDELIVERED),
    "the same beat among others": (TOLD, 10_000, TOGETHER, Contact.BEATS, Delivery.REDELIVERED),
    "the same beat after the window": (TOLD, OVER, TOGETHER, Contact.BEATS, Delivery.REDELIVERED),
    "the same beat after all that can be excused": (
        TOLD, ANSWER + BUDGET + 1, TOGETHER, Contact.BEATS, Delivery.MISSED,
    ),
    "the same beat, the budget used up": (
        replace(TOLD, excused_ms=BUDGET), LATE, TOGETHER, Contact.BEATS, Delivery.MISSED,
    ),
    "other beats in time": (TOLD, 10_000, LATER, Contact.BEATS, Delivery.WAITING),
    "other beats after the window": (TOLD, LATE, LATER, Contact.BEATS, Delivery.MISSED),
    "an old beat after it was heard": (HEARD, 10_000, ALONE, Contact.BEATS, Delivery.WAITING),
    "an old beat after it was heard, late": (HEARD, LATE, TOGETHER, Contact.BEATS, Delivery.MISSED),
    "no answer told of it yet": (UNTOLD, 10_000, LATER, Contact.BEATS, Delivery.WAITING),
    "no answer told of it, and back after the window": (UNTOLD, OVER, LATER, Contact.BEATS, Delivery.REDELIVERED),
    "another sitting in time": (TOLD, 10_000, set(), Contact.OPENING, Delivery.WAITING),
    "another sitting after the window": (TOLD, OVER, set(), Contact.OPENING, Delivery.REDELIVERED),
    "another sitting after the window, heard": (HEARD, LATE, set(), Contact.OPENING, Delivery.MISSED),
    "heard, another sitting, pictures may be on their way": (
        HEARD, ANSWER + STORING_MS, set(), Contact.OPENING, Delivery.WAITING,
    ),
    "another sitting at the last instant of the window": (TOLD, ANSWER, set(), Contact.OPENING, Delivery.WAITING),
    "the same beat, a millisecond left of the budget": (
        replace(TOLD, excused_ms=BUDGET - 1), 10_000, TOGETHER, Contact.BEATS, Delivery.REDELIVERED,
    ),
    "the same beat, what is left of the budget ends now": (
        replace(TOLD, excused_ms=BUDGET - 30_000), ANSWER + 30_000, TOGETHER, Contact.BEATS, Delivery.MISSED,
    ),
    "told again as often as may be": (
        replace(TOLD, redelivered=MOST_REDELIVERIES), LATE, TOGETHER, Contact.BEATS, Delivery.MISSED,
    ),
    "told again as often as may be, in time": (
        replace(TOLD, redelivered=MOST_REDELIVERIES), 10_000, TOGETHER, Contact.BEATS, Delivery.WAITING,
    ),
}  # fmt: skip


@pytest.mark.parametrize("example", TELLINGS.values(), ids=TELLINGS.keys())
def test_what_a_contact_does_to_a_check_that_waits(example: tuple[Any, ...]) -> None:
    check, after_ms, numbers, contact, told = example
    assert deliver(check, PLAN, NINE + after_ms, contact, numbers)[0] is told


def test_any_other_report_shows_that_the_telling_arrived_and_ends_the_excuse() -> None:
    _, heard = deliver(TOLD, PLAN, NINE + 10_000, Contact.BEATS, LATER)
    assert heard == HEARD
    assert deliver(heard, PLAN, NINE + LATE, Contact.BEATS, TOGETHER) == (Delivery.MISSED, heard)


def test_another_sitting_is_told_anew_and_keeps_the_window() -> None:
    assert deliver(TOLD, PLAN, NINE + 10_000, Contact.OPENING) == (Delivery.WAITING, UNTOLD)


def test_the_first_report_whose_answer_tells_of_it_is_remembered() -> None:
    _, told = deliver(UNTOLD, PLAN, NINE + 5_000, Contact.BEATS, {3, 4})
    assert (told.delivered_seq, told.acknowledged) == (4, False)
    assert deliver(told, PLAN, NINE + 6_000, Contact.BEATS, {3, 4, 5})[0] is Delivery.REDELIVERED


def test_a_missed_check_was_missed_at_the_end_of_its_window_however_late_that_is_noticed() -> None:
    told, check = deliver(HEARD, PLAN, NINE + 5 * HOUR, Contact.NOTHING)
    assert (told, check.answer_by_ms) == (Delivery.MISSED, NINE + ANSWER)


def test_a_window_that_begins_again_is_a_whole_one_and_its_cost_is_kept() -> None:
    told, check = deliver(TOLD, PLAN, NINE + 70_000, Contact.BEATS, TOGETHER)
    assert told is Delivery.REDELIVERED
    assert (check.delivered_ms, check.answer_by_ms) == (NINE + 70_000, NINE + 70_000 + ANSWER)
    assert (check.excused_ms, check.redelivered, check.delivered_seq) == (70_000, 1, 9)


def test_what_is_left_of_the_budget_may_be_less_than_a_window() -> None:
    nearly = replace(TOLD, excused_ms=BUDGET - 40_000)
    told, check = deliver(nearly, PLAN, NINE + 50_000, Contact.BEATS, TOGETHER)
    assert (told, check.answer_by_ms, check.excused_ms) == (Delivery.REDELIVERED, NINE + ANSWER + 40_000, BUDGET)


CONTACTS = st.lists(st.tuples(st.integers(0, 400_000), st.sampled_from(list(Contact)), st.booleans()), max_size=30)


@given(CONTACTS)
def test_one_budget_bounds_all_excuses_of_a_check(contacts: list[tuple[int, Contact, bool]]) -> None:
    """Whatever a page claims, the last window ends no later than the first and the offline limit; missed is over."""
    check, now, seq = TOLD, NINE, 7
    for pause, contact, lost in contacts:
        now += pause
        numbers: set[int] = set()
        if contact is Contact.BEATS:
            seq += 1
            numbers = {seq} | ({check.delivered_seq} if lost and check.delivered_seq is not None else set())
        told, check = deliver(check, PLAN, now, contact, numbers)
        assert check.answer_by_ms == TOLD.answer_by_ms + check.excused_ms
        assert 0 <= check.excused_ms <= BUDGET
        assert check.redelivered <= MOST_REDELIVERIES
        if told is Delivery.MISSED:
            assert check.answer_by_ms < now
            break
        if told is Delivery.REDELIVERED:
            assert now < check.answer_by_ms <= now + ANSWER


def test_an_honest_page_loses_nothing_by_answers_lost_again_and_again() -> None:
    """Each request carries everything unanswered, as pages send it."""
    check, now, unsent = TOLD, NINE, {7}
    for second in range(1, 5):
        now += 45_000
        unsent = unsent | {7 + second}
        told, check = deliver(check, PLAN, now, Contact.BEATS, unsent)
        assert (told, check.answer_by_ms) == (Delivery.REDELIVERED, now + ANSWER)


# ---- the question about the camera


def test_the_window_begins_when_the_question_about_the_camera_is_answered() -> None:
    asked = ask_camera(TOLD, PLAN, NINE + 1_000)
    assert (asked.camera, asked.answer_by_ms) == ("asked", NINE + CAMERA_QUESTION_MS + ANSWER)
    open_ = camera_answered(asked, PLAN, NINE + 26_000)
    assert (open_.camera, open_.answer_by_ms) == ("answered", NINE + 26_000 + ANSWER)
    assert open_.acknowledged


@given(st.integers(0, 10 * MINUTE), st.integers(0, 10 * MINUTE))
def test_the_question_about_the_camera_is_bounded_and_never_shortens_a_window(asked_after: int, more: int) -> None:
    asked = ask_camera(TOLD, PLAN, NINE + asked_after)
    answered = camera_answered(asked, PLAN, NINE + asked_after + more)
    for check in (asked, answered):
        assert TOLD.answer_by_ms <= check.answer_by_ms <= TOLD.answer_by_ms + CAMERA_QUESTION_MS
    if asked_after > ANSWER:
        assert answered.answer_by_ms == TOLD.answer_by_ms


def test_the_question_about_the_camera_lengthens_a_check_once() -> None:
    answered = camera_answered(ask_camera(TOLD, PLAN, NINE), PLAN, NINE + 30_000)
    again = ask_camera(
        replace(answered, delivered_ms=NINE + MINUTE, answer_by_ms=NINE + MINUTE + ANSWER), PLAN, NINE + MINUTE
    )
    assert again.answer_by_ms == NINE + MINUTE + ANSWER
    assert camera_answered(again, PLAN, NINE + 90_000) == again


def test_a_question_that_was_never_asked_lengthens_nothing() -> None:
    assert camera_answered(TOLD, PLAN, NINE + 30_000) == HEARD


def test_whoever_speaks_of_the_camera_has_heard_of_the_check() -> None:
    """In the window, after it, and where the question was asked in an earlier attempt."""
    asked = replace(HEARD, camera="asked", answer_by_ms=NINE + CAMERA_QUESTION_MS + ANSWER)
    assert ask_camera(TOLD, PLAN, NINE + ANSWER) == asked
    assert ask_camera(TOLD, PLAN, NINE + OVER) == HEARD
    earlier = replace(TOLD, camera="asked")
    assert camera_answered(earlier, PLAN, NINE + 1_000) == replace(HEARD, camera="answered")


def test_what_a_sitting_keeps_of_its_check_reads_back_and_so_does_what_an_earlier_release_kept() -> None:
    assert OpenCheck.from_json(HEARD.to_json()) == HEARD
    kept = json.loads(UNTOLD.to_json()) | {"again": 2}
    earlier = {name: value for name, value in kept.items() if name not in ("delivered_seq", "excused_ms", "camera")}
    assert OpenCheck.from_json(json.dumps(earlier)) == replace(UNTOLD, redelivered=2)
