"""What beats earn: tables of examples, the attacks seen elsewhere, and properties that hold for any reports."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trace_stories import CLOSES, HOUR, MINUTE, NINE, OPENS, PLAN, Story, Study, refused_for

from xueji.progress.rules import (
    BeatBackwards,
    BeatNotWhole,
    BeatOutOfRange,
    BeatStateUnknown,
    BeatTooLong,
    InvalidBeat,
    LeaseAnswer,
    LeaseState,
    PlayedSpan,
    SittingState,
    SittingTerms,
    asks_presence,
    check_asked,
    check_beat,
    check_due,
    credit,
    may_take,
    person_seen,
    presence_asked,
)
from xueji.rulebook.intervals import length, subtract, union
from xueji.rulebook.shanghai import DAY_MS, date_of, day_begins_ms, day_of
from xueji.rulebook.vocabulary import Reason

TERMS = SittingTerms(duration_ms=30 * MINUTE, plan=PLAN, schedule=(), opens_ms=OPENS, closes_ms=CLOSES)


def sitting(**values: object) -> SittingState:
    start = {"terms": TERMS, "furthest_ms": 0, "used_until_ms": NINE, "last_interaction_ms": NINE, **values}
    return SittingState(**start)  # type: ignore[arg-type]


def one(
    state: SittingState, beat: PlayedSpan, after_ms: int
) -> tuple[list[tuple[int, int]], dict[str, int], SittingState]:
    results, state = credit(state, [beat], NINE + after_ms)
    return list(results[0].credited), refused_for(results), state


SECONDS = 1_000
EXAMPLES = {
    "the ordinary beat": ({}, (0, 10_000), {}, 10_000, [(0, 10_000)], {}),
    "the first one may come at once, within the clock": (
        {},
        (0, 10_000),
        {},
        4_000,
        [(0, 4_000)],
        {"faster_than_clock": 6_000},
    ),
    "seen before": ({"furthest_ms": 60_000}, (0, 10_000), {}, 10_000, [], {"already_counted": 10_000}),
    "across the frontier": (
        {"furthest_ms": 4_000},
        (0, 10_000),
        {},
        10_000,
        [(4_000, 10_000)],
        {"already_counted": 4_000},
    ),
    "a jump ahead": ({}, (1, 10_000), {}, 10_000, [], {"ahead": 9_999}),
    "past the end": (
        {"furthest_ms": 30 * MINUTE - 4_000},
        (30 * MINUTE - 4_000, 30 * MINUTE + 6_000),
        {},
        10_000,
        [(30 * MINUTE - 4_000, 30 * MINUTE)],
        {"beyond_end": 6_000},
    ),
    "all past the end": (
        {"furthest_ms": 30 * MINUTE},
        (30 * MINUTE, 30 * MINUTE + 6_000),
        {},
        10_000,
        [],
        {"beyond_end": 6_000},
    ),
    "paused": ({}, (0, 10_000), {"state": "paused"}, 10_000, [], {"paused": 10_000}),
    "paused for a moment": ({}, (0, 4_000), {"state": "paused"}, 4_000, [], {"paused": 4_000}),
    "hidden": ({}, (0, 10_000), {"state": "hidden"}, 10_000, [], {"hidden": 10_000}),
    "idle": ({}, (0, 10_000), {"state": "idle"}, 10_000, [], {"idle": 10_000}),
    "buffering": ({}, (0, 10_000), {"state": "buffering"}, 10_000, [], {"buffering": 10_000}),
    "no time has passed": ({}, (0, 10_000), {}, 0, [], {"faster_than_clock": 10_000}),
    "from what is known to beyond the end": (
        {"furthest_ms": 30 * MINUTE},
        (30 * MINUTE - 4_000, 30 * MINUTE + 6_000),
        {},
        10_000,
        [],
        {"already_counted": 4_000, "beyond_end": 6_000},
    ),
    "fast playback of what is known, to the frontier": (
        {"furthest_ms": 10_000},
        (0, 10_000),
        {"rate": 2_000},
        10_000,
        [],
        {"already_counted": 10_000},
    ),
    "paused and standing still": ({}, (5, 5), {"state": "paused"}, 10_000, [], {}),
    "slow playback": ({}, (0, 10_000), {"rate": 500}, 20_000, [(0, 10_000)], {}),
    "fast playback": ({}, (0, 10_000), {"rate": 1_001}, 10_000, [], {"too_fast": 10_000}),
    "fast playback of what is known": (
        {"furthest_ms": 60_000},
        (0, 10_000),
        {"rate": 2_000},
        5_000,
        [],
        {"already_counted": 10_000},
    ),
    "a made-up piece below the frontier": (
        {"furthest_ms": 60_000, "make_up": ((2_000, 5_000),)},
        (0, 10_000),
        {},
        10_000,
        [(2_000, 5_000)],
        {"already_counted": 7_000},
    ),
    "fast playback of what is to be made up": (
        {"furthest_ms": 60_000, "make_up": ((2_000, 5_000),)},
        (0, 10_000),
        {"rate": 2_000},
        10_000,
        [],
        {"too_fast": 10_000},
    ),
    "after the question's time": (
        {"question_by_ms": NINE + 4_000},
        (0, 10_000),
        {},
        10_000,
        [(0, 4_000)],
        {"idle": 6_000},
    ),
    "the day is nearly full": (
        {"day": day_of(NINE), "day_used_ms": PLAN.daily_max_ms - 3_000},
        (0, 10_000),
        {},
        10_000,
        [(0, 3_000)],
        {"daily_maximum": 7_000},
    ),
    "yesterday was full": (
        {"day": day_of(NINE) - 1, "day_used_ms": PLAN.daily_max_ms},
        (0, 10_000),
        {},
        10_000,
        [(0, 10_000)],
        {},
    ),
    "six minutes kept while offline": ({}, (0, 6 * MINUTE), {}, 6 * MINUTE, [(0, 5 * MINUTE)], {"too_late": MINUTE}),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_what_one_beat_earns(example: tuple[Any, ...]) -> None:
    state, (first, last), more, after_ms, credited, refused = example
    found_credited, found_refused, _ = one(sitting(**state), PlayedSpan(1, "b", first, last, **more), after_ms)
    assert (found_credited, found_refused) == (credited, refused)


def test_nothing_counts_before_the_first_day_or_after_the_last() -> None:
    early = sitting(used_until_ms=OPENS - MINUTE)
    results, _ = credit(early, [PlayedSpan(1, "b", 0, 10_000)], OPENS + 4_000)
    assert refused_for(results) == {"outside_dates": 6_000}
    assert results[0].server == (OPENS, OPENS + 4_000)

    late = sitting(used_until_ms=CLOSES - 3_000)
    results, _ = credit(late, [PlayedSpan(1, "b", 0, 10_000)], CLOSES + 7_000)
    assert refused_for(results) == {"outside_dates": 7_000}
    assert results[0].server == (CLOSES - 3_000, CLOSES)

    results, _ = credit(sitting(used_until_ms=CLOSES), [PlayedSpan(1, "b", 0, 10_000)], CLOSES + 10_000)
    assert refused_for(results) == {"outside_dates": 10_000}


def test_a_sitting_without_the_lease_earns_nothing() -> None:
    results, state = credit(
        sitting(), [PlayedSpan(1, "b", 0, 10_000), PlayedSpan(2, "c", 5, 5, "paused")], NINE + 10_000, lease_held=False
    )
    assert refused_for(results) == {"lease_lost": 10_000}
    assert state == sitting()


def test_practical_lessons_never_earn_online() -> None:
    practical = sitting(terms=replace(TERMS, part="practical"))
    results, _ = credit(practical, [PlayedSpan(1, "b", 0, 10_000)], NINE + 10_000)
    assert refused_for(results) == {"practical_online": 10_000}


def test_a_batch_that_follows_on_is_refused_for_the_clock_and_not_as_a_jump() -> None:
    beats = [PlayedSpan(i, str(i), i * 10_000, (i + 1) * 10_000) for i in range(36)]
    results, state = credit(sitting(), beats, NINE + 6 * MINUTE)
    assert refused_for(results) == {"too_late": MINUTE}
    assert state.furthest_ms == 5 * MINUTE
    assert [result.furthest_ms for result in results][-6:] == [5 * MINUTE] * 6


def test_what_the_clock_refused_can_be_watched_again() -> None:
    _, _, state = one(sitting(), PlayedSpan(1, "b", 0, 10_000), 4_000)
    assert state.furthest_ms == 4_000
    credited, refused, _ = one(state, PlayedSpan(2, "c", 4_000, 10_000), 10_000)
    assert (credited, refused) == ([(4_000, 10_000)], {})


def test_made_up_media_earns_once() -> None:
    state = sitting(furthest_ms=60_000, make_up=((0, 10_000),))
    credited, _, state = one(state, PlayedSpan(1, "b", 0, 10_000), 10_000)
    assert credited == [(0, 10_000)]
    assert state.make_up == ()
    _, refused, _ = one(state, PlayedSpan(2, "c", 0, 10_000), 20_000)
    assert refused == {"already_counted": 10_000}


def test_several_pieces_of_one_beat_share_one_server_interval() -> None:
    state = sitting(furthest_ms=8_000, make_up=((0, 2_000), (4_000, 5_000)))
    results, _ = credit(state, [PlayedSpan(1, "b", 0, 10_000)], NINE + 10_000)
    assert results[0].credited == ((0, 2_000), (4_000, 5_000), (8_000, 10_000))
    begins, ends = results[0].server or (0, 0)
    assert ends - begins == 5_000


MIDNIGHT = day_begins_ms(day_of(NINE) + 1)


@pytest.mark.parametrize(
    ("used_before", "credited_ms", "used_after", "day"),
    [
        (0, 20_000, 10_000, 1),
        (PLAN.daily_max_ms - 10_000, 20_000, 10_000, 1),
        (PLAN.daily_max_ms, 10_000, 10_000, 1),
        (PLAN.daily_max_ms - 4_000, 4_000, PLAN.daily_max_ms, 0),
    ],
    ids=["both days have room", "the old day fills up at midnight", "the old day was full", "it fills up before"],
)
def test_a_beat_across_midnight(used_before: int, credited_ms: int, used_after: int, day: int) -> None:
    state = sitting(used_until_ms=MIDNIGHT - 10_000, day=day_of(NINE), day_used_ms=used_before)
    results, after = credit(state, [PlayedSpan(1, "b", 0, 20_000)], MIDNIGHT + 10_000)
    assert results[0].credited_ms == credited_ms
    assert (after.day - day_of(NINE), after.day_used_ms) == (day, used_after)
    assert sum(refused_for(results).values()) == 20_000 - credited_ms
    assert set(refused_for(results)) <= {"daily_maximum"}


def test_days_are_shanghais() -> None:
    assert date_of(day_of(OPENS)).isoformat() == "2026-11-02"
    assert date_of(day_of(OPENS - 1)).isoformat() == "2026-11-01"


# ---- attacks: each gains nothing that was not studied, and leaves a mark


def study() -> Study:
    return Study(Story())


def test_posting_the_whole_length_at_once_earns_the_seconds_that_have_passed() -> None:
    attack = study()
    attack.story.now += 2_000
    results = attack.report(attack.beat(0, HOUR))
    assert attack.credited_ms == 2_000
    assert refused_for(results) == {"faster_than_clock": HOUR - 2_000}


def test_saving_every_second_with_ten_seconds_each_earns_real_time() -> None:
    attack = study()
    for second in range(60):
        attack.story.now += 1_000
        attack.report(attack.beat(attack.state.furthest_ms, attack.state.furthest_ms + 10_000))
        assert attack.credited_ms <= (second + 1) * 1_000
    assert refused_for(attack.results)["faster_than_clock"] == 600_000 - attack.credited_ms


def test_a_replayed_packet_under_a_new_number_earns_nothing() -> None:
    attack = study()
    attack.watch(MINUTE)
    attack.story.now += MINUTE
    results = attack.report(*(attack.beat(0, 10_000) for _ in range(6)))
    assert refused_for(results) == {"already_counted": MINUTE}


def test_five_times_the_speed_earns_nothing_whether_it_is_said_or_not() -> None:
    honest = study()
    honest.story.now += 10_000
    assert refused_for(honest.report(honest.beat(0, 50_000, rate=5_000))) == {"too_fast": 50_000}

    lying = study()
    for _ in range(6):
        lying.story.now += 10_000
        lying.report(lying.beat(lying.state.furthest_ms, lying.state.furthest_ms + 50_000))
    assert lying.credited_ms == MINUTE
    assert refused_for(lying.results)["faster_than_clock"] == 300_000 - MINUTE


def test_seeking_to_the_end_earns_nothing() -> None:
    attack = study()
    attack.watch(10_000)
    attack.story.now += 10_000
    assert refused_for(attack.report(attack.beat(3 * HOUR - 10_000, 3 * HOUR))) == {"ahead": 10_000}
    assert attack.state.furthest_ms == 10_000


def test_two_devices_never_earn_at_once() -> None:
    lease = LeaseState("desk", NINE, PLAN.lease_ms)
    assert may_take(lease, "phone", NINE + 10_000) is LeaseAnswer.HELD
    assert may_take(lease, "phone", NINE + 10_000, continue_here=True) is LeaseAnswer.TAKEN
    results, _ = credit(sitting(), [PlayedSpan(1, "b", 0, 10_000)], NINE + 10_000, lease_held=False)
    assert refused_for(results) == {"lease_lost": 10_000}


@pytest.mark.parametrize("beats", [1, 6, 60, 360])
def test_hoarding_an_hour_and_posting_it_in_one_burst_earns_the_offline_limit(beats: int) -> None:
    attack = study()
    attack.story.now += HOUR
    step = HOUR // beats
    results = attack.report(*(attack.beat(i * step, (i + 1) * step) for i in range(beats)))
    assert attack.credited_ms == PLAN.offline_ms
    assert refused_for(results) == {"too_late": HOUR - PLAN.offline_ms}
    attack.report(
        *(
            attack.beat(attack.state.furthest_ms + i * 1_000, attack.state.furthest_ms + (i + 1) * 1_000)
            for i in range(60)
        )
    )
    assert attack.credited_ms == PLAN.offline_ms


def test_an_hour_in_many_small_bursts_earns_no_more_than_one() -> None:
    attack = study()
    attack.story.now += HOUR
    for _ in range(360):
        attack.report(attack.beat(attack.state.furthest_ms, attack.state.furthest_ms + 10_000))
    assert attack.credited_ms <= 10_000 + PLAN.slack_ms


def test_a_report_that_was_on_its_way_a_little_longer_costs_the_next_one_nothing() -> None:
    late = study()
    late.story.now += HOUR + 10_000 + PLAN.slack_ms
    late.report(late.beat(0, 10_000))
    late.story.now += 10_000 - PLAN.slack_ms
    assert refused_for(late.report(late.beat(10_000, 20_000))) == {}
    late.story.now += 10_000 - 1
    assert refused_for(late.report(late.beat(20_000, 30_000))) == {"faster_than_clock": 1}


def test_ignoring_the_idle_question_earns_nothing_until_it_is_answered() -> None:
    state = sitting(furthest_ms=0)
    assert not asks_presence(state, NINE + PLAN.idle_ms - 1)
    assert asks_presence(state, NINE + PLAN.idle_ms)
    asked = presence_asked(replace(state, used_until_ms=NINE + PLAN.idle_ms), NINE + PLAN.idle_ms)
    assert not asks_presence(asked, NINE + HOUR)
    overdue = NINE + PLAN.idle_ms + PLAN.idle_answer_ms
    results, asked = credit(replace(asked, used_until_ms=overdue), [PlayedSpan(1, "b", 0, 10_000)], overdue + 10_000)
    assert refused_for(results) == {"idle": 10_000}
    seen = person_seen(asked, overdue + MINUTE)
    results, _ = credit(seen, [PlayedSpan(2, "c", 0, 10_000)], overdue + MINUTE)
    assert results[0].credited == ()
    results, _ = credit(seen, [PlayedSpan(2, "c", 0, 10_000)], overdue + MINUTE + 10_000)
    assert results[0].credited == ((0, 10_000),)


def test_a_question_answered_in_time_costs_nothing() -> None:
    asked = presence_asked(sitting(), NINE)
    seen = person_seen(asked, NINE + PLAN.idle_answer_ms)
    assert seen.used_until_ms == NINE
    assert seen.question_by_ms is None


# ---- the lease


@pytest.mark.parametrize(
    ("lease", "after_ms", "continue_here", "answer"),
    [
        (None, 0, False, LeaseAnswer.FREE),
        ("a", 0, False, LeaseAnswer.OURS),
        ("b", PLAN.lease_ms - 1, False, LeaseAnswer.HELD),
        ("b", PLAN.lease_ms - 1, True, LeaseAnswer.TAKEN),
        ("b", PLAN.lease_ms, False, LeaseAnswer.EXPIRED),
    ],
)
def test_who_may_take_the_lease(lease: str | None, after_ms: int, continue_here: bool, answer: LeaseAnswer) -> None:
    held = None if lease is None else LeaseState(lease, NINE, PLAN.lease_ms)
    assert may_take(held, "a", NINE + after_ms, continue_here=continue_here) is answer


# ---- scheduled checks


@pytest.mark.parametrize(
    ("study_ms", "next_check", "due"),
    [
        (0, 0, None),
        (99, 0, None),
        (100, 0, 0),
        (199, 0, 0),
        (250, 0, 1),
        (250, 1, 1),
        (250, 2, None),
        (300, 2, 2),
        (200, 0, 1),
        (300, 0, 2),
        (900, 0, 2),
        (900, 3, None),
    ],
)
def test_a_check_falls_due_when_study_time_reaches_it(study_ms: int, next_check: int, due: int | None) -> None:
    terms = replace(TERMS, schedule=(100, 200, 300))
    assert check_due(sitting(terms=terms, study_ms=study_ms, next_check=next_check)) == due


def test_the_run_since_the_last_check_starts_at_the_moment_it_fell_due() -> None:
    state = sitting(terms=replace(TERMS, schedule=(100, 200)), study_ms=130, since_check_ms=430)
    asked = check_asked(state, 0)
    assert (asked.next_check, asked.since_check_ms) == (1, 30)


# ---- beats that no player sends


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"to_ms": 0}, BeatBackwards, "to_ms"),
        ({"from_ms": 10, "to_ms": 9, "state": "paused"}, BeatBackwards, "to_ms"),
        ({"to_ms": HOUR + 1}, BeatTooLong, "to_ms"),
        ({"from_ms": -1}, BeatOutOfRange, "from_ms"),
        ({"from_ms": 1 << 60, "to_ms": (1 << 60) + 1}, BeatOutOfRange, "from_ms"),
        ({"seq": -1}, BeatOutOfRange, "seq"),
        ({"rate": -1}, BeatOutOfRange, "rate"),
        ({"rate": 1_000_000}, BeatOutOfRange, "rate"),
        ({"from_ms": 0.5}, BeatNotWhole, "from_ms"),
        ({"to_ms": True}, BeatNotWhole, "to_ms"),
        ({"seq": "1"}, BeatNotWhole, "seq"),
        ({"state": "sleeping"}, BeatStateUnknown, "state"),
    ],
)
def test_an_impossible_beat_is_named(values: dict[str, Any], error: type[InvalidBeat], field: str) -> None:
    with pytest.raises(error) as caught:
        check_beat(PlayedSpan(**{"seq": 1, "beat": "b", "from_ms": 0, "to_ms": 10_000, **values}))
    assert caught.value.field == field


def test_the_longest_beat_and_a_standing_one_are_fine() -> None:
    check_beat(PlayedSpan(0, "b", 0, HOUR))
    check_beat(PlayedSpan(1, "b", 7, 7, "hidden", 0))


# ---- properties

POSITIONS = st.integers(0, 40 * MINUTE)
BEATS = st.builds(
    lambda seq, first, ms, state, rate: PlayedSpan(seq, str(seq), first, first + ms, state, rate),
    st.integers(0, 1_000),
    POSITIONS,
    st.integers(1, 15 * MINUTE),
    st.sampled_from(["playing"] * 5 + ["paused", "hidden", "idle", "buffering"]),
    st.sampled_from([1_000] * 5 + [500, 1_500]),
)
NEAR_THE_FRONTIER = st.tuples(st.integers(-20_000, 5_000), st.integers(1, 10 * MINUTE))
REQUESTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 20_000), st.integers(0, 6 * HOUR)),
        st.lists(st.one_of(BEATS, NEAR_THE_FRONTIER), min_size=1, max_size=6),
    ),
    max_size=12,
)
MAKE_UPS = st.lists(st.tuples(st.integers(0, 9 * MINUTE), st.integers(1, MINUTE)), max_size=3)


@given(requests=REQUESTS, make_up=MAKE_UPS, furthest=st.sampled_from([0, 10 * MINUTE]), used=st.integers(0, 8 * HOUR))
def test_no_sequence_of_reports_beats_the_clock(
    requests: list[tuple[int, list[PlayedSpan | tuple[int, int]]]],
    make_up: list[tuple[int, int]],
    furthest: int,
    used: int,
) -> None:
    """Each millisecond is credited or refused once; media earns once; server time is spent once and never ahead."""
    owed = union((first, min(first + ms, furthest)) for first, ms in make_up if first < furthest)
    state = sitting(
        furthest_ms=furthest, make_up=tuple(owed), day=day_of(NINE), day_used_ms=min(used, PLAN.daily_max_ms)
    )
    now = NINE
    media: list[tuple[int, int]] = []
    server: list[tuple[int, int]] = []
    by_day: dict[int, int] = {day_of(NINE): state.day_used_ms}
    for gap, said in requests:
        now += gap
        beats = [
            beat
            if isinstance(beat, PlayedSpan)
            else PlayedSpan(0, "x", max(0, state.furthest_ms + beat[0]), max(0, state.furthest_ms + beat[0]) + beat[1])
            for beat in said
        ]
        before = state
        results, state = credit(state, beats, now)
        assert state.furthest_ms >= before.furthest_ms
        assert state.used_until_ms >= before.used_until_ms
        paid = 0
        for beat, result in zip(beats, results, strict=True):
            pieces = [*result.credited, *((a, b) for a, b, _ in result.refused)]
            assert length(pieces) == beat.length_ms
            assert union(pieces) == [(beat.from_ms, beat.to_ms)]
            assert all(isinstance(piece.reason, Reason) for piece in result.refused)
            assert (result.server is None) == (not result.credited)
            media += result.credited
            if result.server is not None:
                assert result.server[1] - result.server[0] == result.credited_ms
                assert before.used_until_ms <= result.server[0] and result.server[1] <= now
                server.append(result.server)
                for day in range(day_of(result.server[0]), day_of(result.server[1]) + 1):
                    begins = day_begins_ms(day)
                    inside = min(result.server[1], begins + DAY_MS) - max(result.server[0], begins)
                    by_day[day] = by_day.get(day, 0) + max(0, inside)
            paid += result.credited_ms
        assert paid <= PLAN.offline_ms
        assert state.study_ms - before.study_ms == paid
    assert length(union(media)) == length(media)
    assert length(union(server)) == length(server)
    assert subtract(union(media), union([*owed, (furthest, 30 * MINUTE)])) == []
    assert state.study_ms == length(media) <= now - NINE
    assert all(ms <= PLAN.daily_max_ms for ms in by_day.values())
    if state.study_ms:
        assert state.day_used_ms == by_day[state.day]


@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=40))
def test_honest_study_in_real_time_always_counts_whole(steps: list[int]) -> None:
    state, now = sitting(terms=replace(TERMS, duration_ms=HOUR)), NINE
    for step in steps:
        now += step
        results, state = credit(state, [PlayedSpan(1, "b", state.furthest_ms, state.furthest_ms + step)], now)
        assert refused_for(results) == {}
    assert state.furthest_ms == sum(steps) == state.study_ms


@given(st.lists(st.integers(1_000, 10_000), min_size=1, max_size=30), st.integers(0, 5_000))
def test_beats_kept_while_offline_count_as_if_they_had_come_in_time(steps: list[int], delay: int) -> None:
    """Up to the offline limit, the slack included."""
    if sum(steps) + delay > PLAN.offline_ms:
        steps = steps[:20]
    ends = [sum(steps[: i + 1]) for i in range(len(steps))]
    beats = [PlayedSpan(i, str(i), end - step, end) for i, (step, end) in enumerate(zip(steps, ends, strict=True))]
    results, state = credit(sitting(), beats, NINE + ends[-1] + delay)
    assert refused_for(results) == {}
    assert state.furthest_ms == ends[-1]
