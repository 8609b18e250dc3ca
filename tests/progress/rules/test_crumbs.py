"""A stretch to make up that is nibbled at: the pieces left over stay few enough to stand in a leaf."""

from __future__ import annotations

from dataclasses import replace

from support.trace_stories import PLAN

from xueji.progress.leaves import beat_leaf
from xueji.progress.rules import (
    MOST_MAKE_UP,
    BeatResult,
    PlayedSpan,
    SittingState,
    SittingTerms,
    credit,
    most_reports,
    reports_owed,
)
from xueji.rulebook.vocabulary import Reason
from xueji.trace import canonical
from xueji.trace.rules import LARGEST_LEAF

MINUTE = 60_000
NOW = 1_800_000_000_000


def state() -> SittingState:
    terms = SittingTerms(60 * MINUTE, PLAN, (), NOW - 100 * MINUTE, NOW + 10_000 * MINUTE)
    return SittingState(terms, 40 * MINUTE, NOW, NOW, make_up=((0, 40 * MINUTE),))


def beat(seq: int, first: int, last: int) -> PlayedSpan:
    return PlayedSpan(seq, f"00000000-0000-0000-0000-{seq:012}", first, last)


def nibbled() -> tuple[SittingState, list[BeatResult]]:
    """As far as it goes with beats of one millisecond that leave the next one out."""
    now, at, held = NOW, 0, state()
    results: list[BeatResult] = []
    for _request in range(40):
        now += 10_000
        beats = [beat(at + each, (at + each) * 2, (at + each) * 2 + 1) for each in range(120)]
        at += len(beats)
        said, held = credit(held, beats, now)
        results += said
    return held, results


def test_crumbs_beyond_what_a_leaf_can_hold_earn_nothing() -> None:
    held, results = nibbled()
    assert len(held.make_up) <= MOST_MAKE_UP
    last = results[-1]
    assert not last.credited
    assert [piece.reason for piece in last.refused] == [Reason.TOO_MANY_PIECES]


def test_what_is_new_counts_beside_crumbs_that_do_not() -> None:
    pieces = tuple((each * 1_000, each * 1_000 + 500) for each in range(MOST_MAKE_UP))
    held = replace(state(), make_up=pieces)
    crumb, new = beat(1, 200, 201), beat(2, held.furthest_ms, held.furthest_ms + 5_000)
    (refused, credited), after = credit(held, [crumb, new], NOW + MINUTE)
    assert [piece.reason for piece in refused.refused] == [Reason.TOO_MANY_PIECES]
    assert credited.credited == ((new.from_ms, new.to_ms),)
    assert after.furthest_ms == new.to_ms and after.make_up == pieces
    (whole,), after = credit(held, [beat(1, 0, 500)], NOW + MINUTE)
    assert whole.credited == ((0, 500),) and after.make_up == pieces[1:]


def test_a_beat_across_all_the_crumbs_fits_into_its_leaf() -> None:
    held, _results = nibbled()
    held = replace(held, make_up=tuple((each * 60_000 + 1, each * 60_000 + 30_001) for each in range(MOST_MAKE_UP)))
    held = replace(held, furthest_ms=MOST_MAKE_UP * MINUTE, terms=replace(held.terms, duration_ms=24 * 60 * MINUTE))
    across = beat(9_000, 0, 60 * MINUTE)
    (result,), _after = credit(held, [across], NOW + 60 * MINUTE)
    values = beat_leaf("0" * 36, "0" * 36, across, result).values()
    assert len(canonical.encode(values)) * 4 < LARGEST_LEAF, "sixty of two hundred pieces"


def test_what_is_watched_in_order_is_made_up_whole() -> None:
    now, held = NOW, state()
    for each in range(240):
        now += 10_000
        (result,), held = credit(held, [beat(each, each * 10_000, each * 10_000 + 10_000)], now)
        assert not result.refused
    assert held.make_up == ()


def test_a_player_may_always_report_and_a_script_not_without_end() -> None:
    opened = NOW
    hour = opened + 60 * MINUTE
    assert most_reports(opened, hour) > 60 * 60, "a change of state in every second of an hour"
    assert most_reports(opened, opened) == 1_000, "hours without a network, handed in at once"
    assert most_reports(opened, opened + 24 * 60 * MINUTE) < 90_000


def test_another_sitting_is_no_new_allowance() -> None:
    opened = NOW
    assert reports_owed(0, 0, opened) == 0, "nobody has studied before"
    assert reports_owed(opened, 900, opened + MINUTE) == 840
    assert reports_owed(opened, 360, opened + 60 * MINUTE) == 0, "an hour of honest study owes nothing"
    assert reports_owed(opened, 5, opened - MINUTE) == 5, "a clock set back gives nothing away"
