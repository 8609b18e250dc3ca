"""What a report of the player is worth: how much of it the server's clock allows, and why the rest does not count.

Pure functions over frozen records; the caller keeps the `SittingState`, hands in beats and stores what comes back.
Media positions are milliseconds from the lesson's beginning, server times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from xueji.progress.rules.played import PlayedSpan
from xueji.progress.rules.state import SittingState, SittingTerms
from xueji.rulebook.intervals import Interval, intersect, length, subtract
from xueji.rulebook.shanghai import day_begins_ms, day_of
from xueji.rulebook.vocabulary import BeatState, Part, Reason

MOST_MAKE_UP: Final = 200
"""Intervals a sitting may have to make up. Somebody who watches every other millisecond of one leaves crumbs without
end, and each stands in the leaves of the beats that cross them; what is beyond is made up in the next sitting."""

_NEVER: Final = 1 << 62
_PLAYING: Final = BeatState.PLAYING
_STATE_REASONS: Final = {
    BeatState.PAUSED: Reason.PAUSED,
    BeatState.HIDDEN: Reason.HIDDEN,
    BeatState.IDLE: Reason.IDLE,
    BeatState.BUFFERING: Reason.BUFFERING,
}


class RefusedPiece(NamedTuple):
    """Media of a beat that earned nothing, with the one reason."""

    from_ms: int
    to_ms: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class BeatResult:
    """What became of one beat: each of its milliseconds is credited or refused, never both, never neither."""

    seq: int
    beat: str
    credited: tuple[Interval, ...]
    """media intervals in ascending order"""
    server: Interval | None
    """the server time spent on them, of the same length; None when nothing was credited"""
    refused: tuple[RefusedPiece, ...]
    furthest_ms: int
    """the frontier after this beat"""

    @property
    def credited_ms(self) -> int:
        return length(self.credited)


def credit(
    state: SittingState,
    beats: Sequence[PlayedSpan],
    now_ms: int,
    *,
    lease_held: bool = True,
    vouched_until_ms: int | None = None,
) -> tuple[list[BeatResult], SittingState]:
    """What the beats of one request earn at `now_ms`, and the sitting's state after it.

    Only media seen for the first time earns, or media to be made up; and no more of it than server time has passed
    that was not spent before: since `used_until_ms`, since the batch can have begun (its length plus the plan's
    slack), within the plan's offline limit, the cohort's dates, the window that staff vouch for (until
    `vouched_until_ms`; None on the face route), the pending question and the day's maximum. It is the server time
    spent that must lie within them, not the arrival: study inside a window counts also when it arrives after it.
    Beats must be valid (`check_beat`), new and in the order of their numbers. The beats of one request earn together
    what they would earn one by one at the same instant, or more; never more than the clock allows. Beats that would
    break what is to be made up into more than `MOST_MAKE_UP` pieces earn nothing of it, but what they hold of new.
    """
    terms = state.terms
    if not lease_held:
        return refuse_all(state, beats, Reason.LEASE_LOST)
    if terms.part == Part.PRACTICAL:
        return refuse_all(state, beats, Reason.PRACTICAL_ONLINE)
    results, after = _credit(state, beats, now_ms, vouched_until_ms)
    if len(after.make_up) > max(MOST_MAKE_UP, len(state.make_up)):
        results, after = _credit(state, beats, now_ms, vouched_until_ms, made_up=False)
    return results, after


def _credit(
    state: SittingState,
    beats: Sequence[PlayedSpan],
    now_ms: int,
    vouched_until_ms: int | None,
    *,
    made_up: bool = True,
) -> tuple[list[BeatResult], SittingState]:
    """`credit`, once lease and part are known to allow it; without ``made_up`` nothing to be made up earns."""
    terms = state.terms
    batch_ms = 0
    for beat in beats:
        if beat.state == _PLAYING:
            batch_ms += beat.to_ms - beat.from_ms
    start, allowances = _allowances(state, now_ms, batch_ms, vouched_until_ms)
    granted = allowances[0][0]
    max_rate = terms.plan.max_rate
    duration = terms.duration_ms
    furthest = claimed = state.furthest_ms
    make_up = state.make_up
    spent = 0
    results: list[BeatResult] = []
    for beat in beats:
        first, last = beat.from_ms, beat.to_ms
        if (
            first == furthest == claimed
            and last <= duration
            and not terms.only_make_up
            and beat.state == _PLAYING
            and beat.rate <= max_rate
            and spent + last - first <= granted
        ):
            # The ordinary beat continues at the frontier and the clock allows all of it.
            begun = start + spent
            spent += last - first
            furthest = claimed = last
            results.append(BeatResult(beat.seq, beat.beat, ((first, last),), (begun, start + spent), (), last))
            continue
        earning, refused = _earning(beat, furthest, claimed, make_up, terms, made_up=made_up)
        begun = spent
        credited: list[Interval] = []
        for piece in earning:
            paid = _spend(piece, spent, allowances, refused)
            if paid > piece[0]:
                credited.append((piece[0], paid))
                if paid > furthest:
                    furthest = paid
            spent += piece[1] - piece[0]
            if piece[1] > claimed:
                claimed = piece[1]
        if credited and make_up:
            make_up = tuple(subtract(make_up, credited))
        server = (start + begun, start + begun + length(credited)) if credited else None
        refused.sort()
        results.append(BeatResult(beat.seq, beat.beat, tuple(credited), server, tuple(refused), furthest))
    spent = min(spent, granted)
    if not spent:
        return results, state
    return results, _after(state, furthest, make_up, (start, start + spent))


def _after(state: SittingState, furthest_ms: int, make_up: tuple[Interval, ...], server: Interval) -> SittingState:
    """The state once this interval of server time was spent."""
    start, end = server
    day, day_used_ms = _day_after(state, start, end)
    return SittingState(
        terms=state.terms,
        furthest_ms=furthest_ms,
        used_until_ms=end,
        last_interaction_ms=state.last_interaction_ms,
        make_up=make_up,
        study_ms=state.study_ms + end - start,
        since_check_ms=state.since_check_ms + end - start,
        next_check=state.next_check,
        question_by_ms=state.question_by_ms,
        day=day,
        day_used_ms=day_used_ms,
    )


def refuse_all(
    state: SittingState, beats: Iterable[PlayedSpan], reason: Reason
) -> tuple[list[BeatResult], SittingState]:
    """No beat of the request earns anything, all for the one reason; the state stays."""
    return [
        BeatResult(
            beat.seq,
            beat.beat,
            (),
            None,
            (RefusedPiece(beat.from_ms, beat.to_ms, reason),) if beat.to_ms > beat.from_ms else (),
            state.furthest_ms,
        )
        for beat in beats
    ], state


def _allowances(
    state: SittingState, now_ms: int, batch_ms: int, vouched_until_ms: int | None
) -> tuple[int, tuple[tuple[int, Reason | None], ...]]:
    """The server instant at which crediting starts, and up to which sum of earned ms each reason does not yet apply.

    The first figure is what is credited; what is earned beyond it is refused for the reason of the next, and so on.
    """
    terms, plan = state.terms, state.terms.plan
    start = max(state.used_until_ms, now_ms - batch_ms - plan.slack_ms)
    by_clock = max(0, now_ms - start)
    by_limit = min(by_clock, plan.offline_ms)
    start = max(start, now_ms - plan.offline_ms, terms.opens_ms)
    end = min(now_ms, terms.closes_ms)
    by_dates = max(0, end - start)
    if vouched_until_ms is not None and vouched_until_ms < end:
        end = vouched_until_ms
    by_staff = max(0, end - start)
    if state.question_by_ms is not None and state.question_by_ms < end:
        end = state.question_by_ms
    by_presence = max(0, end - start)
    start, by_day = _day_allowance(state, start, by_presence)
    return start, (
        (by_day, None),
        (by_presence, Reason.DAILY_MAXIMUM),
        (by_staff, Reason.IDLE),
        (by_dates, Reason.NOT_SUPERVISED),
        (by_limit, Reason.OUTSIDE_DATES),
        (by_clock, Reason.TOO_LATE),
        (_NEVER, Reason.FASTER_THAN_CLOCK),
    )


def _day_allowance(state: SittingState, start: int, available_ms: int) -> tuple[int, int]:
    """Where crediting starts and how much of `available_ms` the daily maximum leaves; both days at midnight."""
    maximum = state.terms.plan.daily_max_ms
    day = day_of(start)
    left = maximum if day > state.day else max(0, maximum - state.day_used_ms)
    before_midnight = day_begins_ms(day + 1) - start
    if available_ms <= before_midnight:
        return start, min(available_ms, left)
    tomorrow = min(maximum, available_ms - before_midnight)
    if left >= before_midnight:
        return start, before_midnight + tomorrow
    if left == 0:
        return start + before_midnight, tomorrow
    # The old day runs out in the middle of the batch. One beat has one server interval, so the new day waits.
    return start, left


def _day_after(state: SittingState, start: int, end: int) -> tuple[int, int]:
    """The day and what is used of it after crediting the server interval [start, end)."""
    day = day_of(end - 1)
    begins = day_begins_ms(day)
    if start < begins:
        return day, end - begins
    return day, end - start + (state.day_used_ms if day == state.day else 0)


def _earning(
    beat: PlayedSpan,
    furthest: int,
    claimed: int,
    make_up: tuple[Interval, ...],
    terms: SittingTerms,
    *,
    made_up: bool,
) -> tuple[list[Interval], list[RefusedPiece]]:
    """The media of a beat that would earn if there were time enough, and the rest with its reasons.

    `claimed` is how far earlier beats of the request would have come, had the clock allowed: a beat that follows on
    is refused for the clock's reason, not as a jump ahead.
    """
    first, last = beat.from_ms, beat.to_ms
    if first == last:
        return [], []
    if beat.state != _PLAYING:
        return [], [RefusedPiece(first, last, _STATE_REASONS[BeatState(beat.state)])]
    refused: list[RefusedPiece] = []
    end = min(last, terms.duration_ms)
    if first >= end:
        return [], [RefusedPiece(first, last, Reason.BEYOND_END)]
    if end < last:
        refused.append(RefusedPiece(end, last, Reason.BEYOND_END))
    if first > claimed:
        return [], [RefusedPiece(first, end, Reason.AHEAD), *refused]
    earning: list[Interval] = []
    if first < furthest:
        known = [(first, min(end, furthest))]
        earning = intersect(known, make_up)
        refused += [RefusedPiece(a, b, Reason.ALREADY_COUNTED) for a, b in subtract(known, earning)]
        if not made_up:
            refused += [RefusedPiece(a, b, Reason.TOO_MANY_PIECES) for a, b in earning]
            earning = []
    if end > furthest and terms.only_make_up:
        refused.append(RefusedPiece(max(first, furthest), end, Reason.OUTSIDE_DATES))
    elif end > furthest:
        earning.append((max(first, furthest), end))
    if earning and beat.rate > terms.plan.max_rate:
        return [], [RefusedPiece(first, last, Reason.TOO_FAST)]
    return earning, refused


def _spend(
    piece: Interval, spent: int, allowances: tuple[tuple[int, Reason | None], ...], refused: list[RefusedPiece]
) -> int:
    """Where in the piece the credit ends; what follows is added to `refused`. `spent` ms were earned before it."""
    at, end = piece
    paid = at
    offset = at - spent
    for allowed, reason in allowances:
        until = min(end, allowed + offset)
        if until > at:
            if reason is None:
                paid = until
            else:
                refused.append(RefusedPiece(at, until, reason))
            at = until
            if at == end:
                break
    return paid
