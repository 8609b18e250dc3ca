"""What a report of the player is worth: how much of it the server's clock allows, and why the rest does not count.

Pure functions over frozen records; the caller keeps the `SittingState`, hands in beats and stores what comes back.
Media positions are milliseconds from the lesson's beginning, server times are epoch milliseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from xueji.rulebook.intervals import Interval, intersect, length, subtract
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.shanghai import DAY_MS, day_begins_ms, day_of
from xueji.rulebook.vocabulary import BeatState, Part, Reason

LONGEST_BEAT_MS: Final = 3_600_000
FASTEST_RATE: Final = 16_000
"""the most browsers can do, in thousandths; a higher figure is no report of a player"""
LATEST_POSITION_MS: Final = 30 * DAY_MS
MOST_MAKE_UP: Final = 200
"""Intervals a sitting may have to make up. Somebody who watches every other millisecond of one leaves crumbs without
end, and each stands in the leaves of the beats that cross them; what is beyond is made up in the next sitting."""

MOST_AT_ONCE: Final = 1_000
FEWEST_MS_APART: Final = 1_000
"""A player reports every ten seconds and at every change of state, and hands in what it kept while it had no network. A
person may report so often at once and once more in each of these milliseconds: far more than any player needs, and an
end to what a script can have logged. What one sitting has used beyond its time, the next begins with."""

_NEVER: Final = 1 << 62
_PLAYING: Final = BeatState.PLAYING
_STATE_REASONS: Final = {
    BeatState.PAUSED: Reason.PAUSED,
    BeatState.HIDDEN: Reason.HIDDEN,
    BeatState.IDLE: Reason.IDLE,
    BeatState.BUFFERING: Reason.BUFFERING,
}


class InvalidBeat(ValueError):
    """A beat that no player can have sent; `field` names what is wrong with it."""

    field = "beat"


class BeatNotWhole(InvalidBeat):
    """A figure is not a whole number."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} must be a whole number")
        self.field = field


class BeatOutOfRange(InvalidBeat):
    """A figure is negative or larger than any player's."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is out of range")
        self.field = field


class BeatBackwards(InvalidBeat):
    """The beat ends before it begins, or claims to have played nothing."""

    field = "to_ms"


class BeatTooLong(InvalidBeat):
    """The beat is longer than an hour."""

    field = "to_ms"


class BeatStateUnknown(InvalidBeat):
    """The state is none of playing, paused, hidden, idle, buffering."""

    field = "state"


class PlayedSpan(NamedTuple):
    """One report: the media from `from_ms` to `to_ms` while the player was in `state` at `rate` thousandths."""

    seq: int
    beat: str
    """the client's UUID of this report"""
    from_ms: int
    to_ms: int
    state: str = BeatState.PLAYING
    rate: int = 1_000

    @property
    def length_ms(self) -> int:
        return self.to_ms - self.from_ms


def check_beat(beat: PlayedSpan) -> None:
    """Raise the InvalidBeat that says why the beat cannot be real.

    A playing beat covers something; any other may stand still. Nothing is repaired: a wrong beat is refused whole.
    """
    for field in ("seq", "from_ms", "to_ms", "rate"):
        if type(getattr(beat, field)) is not int:
            raise BeatNotWhole(field)
    if not 0 <= beat.seq < 1 << 53:
        raise BeatOutOfRange("seq")
    if not 0 <= beat.from_ms <= LATEST_POSITION_MS:
        raise BeatOutOfRange("from_ms")
    if beat.state != _PLAYING and beat.state not in _STATE_REASONS:
        raise BeatStateUnknown(f"state {beat.state!r} is unknown")
    if not 0 <= beat.rate <= FASTEST_RATE or (beat.rate == 0 and beat.state == _PLAYING):
        raise BeatOutOfRange("rate")
    if beat.to_ms < beat.from_ms or (beat.to_ms == beat.from_ms and beat.state == _PLAYING):
        raise BeatBackwards("to_ms must be after from_ms")
    if beat.to_ms - beat.from_ms > LONGEST_BEAT_MS:
        raise BeatTooLong("a beat covers at most an hour")


def most_reports(opened_ms: int, now_ms: int) -> int:
    """How many beats a sitting opened then may have reported by now."""
    return MOST_AT_ONCE + (now_ms - opened_ms) // FEWEST_MS_APART


def reports_owed(opened_ms: int, reports: int, now_ms: int) -> int:
    """With how many reports a person's next sitting begins: another sitting is no new allowance."""
    return max(0, reports - max(0, now_ms - opened_ms) // FEWEST_MS_APART)


@dataclass(frozen=True, slots=True)
class SittingTerms:
    """What stays as it is for the whole sitting: frozen when it is opened."""

    duration_ms: int
    """length of the lesson"""
    plan: ProctoringPlan
    schedule: tuple[int, ...]
    """the study time (ms credited in this sitting) at which each scheduled check falls due"""
    opens_ms: int
    """first instant of the cohort (Asia/Shanghai midnight), epoch ms"""
    closes_ms: int
    """first instant after the cohort"""
    part: str = Part.THEORY
    only_make_up: bool = False
    """whether the cohort's days are over: nothing new earns, only what is to be made up"""
    film: str = ""
    """id of the lesson's film; empty in sittings of earlier releases"""


@dataclass(frozen=True, slots=True)
class SittingState:
    """Where a sitting stands. `furthest_ms` is the lesson's one frontier: all before it has been watched once."""

    terms: SittingTerms
    furthest_ms: int
    used_until_ms: int
    """the server's time up to which this person's time has been spent (epoch ms); the opening, at first"""
    last_interaction_ms: int
    """last sign of the person (epoch ms)"""
    make_up: tuple[Interval, ...] = ()
    """media before the frontier that earns again, once: a union"""
    study_ms: int = 0
    """ms credited in this sitting"""
    since_check_ms: int = 0
    """ms credited since a check last fell due, carried over from the enrolment's earlier sittings"""
    next_check: int = 0
    """index into the schedule of the next check to fall due"""
    question_by_ms: int | None = None
    """until when the pending question "are you there?" may be answered (epoch ms)"""
    day: int = 0
    """the day (`rulebook.shanghai.day_of`) that `day_used_ms` belongs to"""
    day_used_ms: int = 0
    """ms credited to the person on that day, in all sittings"""


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
    day, day_used = _day_after(state, start, start + spent)
    return results, SittingState(
        terms,
        furthest,
        start + spent,
        state.last_interaction_ms,
        make_up,
        state.study_ms + spent,
        state.since_check_ms + spent,
        state.next_check,
        state.question_by_ms,
        day,
        day_used,
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


def check_due(state: SittingState) -> int | None:
    """The index of the scheduled check that the study time has reached, or None.

    When a batch passes several at once, one check answers for all of them: the last.
    """
    schedule, study = state.terms.schedule, state.study_ms
    index = state.next_check
    if index >= len(schedule) or study < schedule[index]:
        return None
    while index + 1 < len(schedule) and study >= schedule[index + 1]:
        index += 1
    return index


def complete(state: SittingState) -> bool:
    """Whether nothing of the lesson is left to earn."""
    return not state.make_up and (state.terms.only_make_up or state.furthest_ms >= state.terms.duration_ms)


def check_asked(state: SittingState, index: int) -> SittingState:
    """The state after the scheduled check of this index fell due."""
    return replace(state, next_check=index + 1, since_check_ms=state.study_ms - state.terms.schedule[index])


def check_overdue(state: SittingState) -> bool:
    """Whether a check is due whatever the schedule says: the run since the last one has reached the longest gap."""
    return state.since_check_ms >= state.terms.plan.checks_max_gap_ms


def owe_check(state: SittingState) -> SittingState:
    """The state in which the next study that earns makes a check due: after one that failed no time is good."""
    return replace(state, since_check_ms=max(state.since_check_ms, state.terms.plan.checks_max_gap_ms))


def overdue_check_asked(state: SittingState) -> SittingState:
    """The state after a check outside the schedule fell due; what was drawn too soon after it is passed over."""
    schedule, next_check = state.terms.schedule, state.next_check
    not_before = state.study_ms + state.terms.plan.checks_min_gap_ms
    while next_check < len(schedule) and schedule[next_check] < not_before:
        next_check += 1
    return replace(state, next_check=next_check, since_check_ms=0)


def asks_presence(state: SittingState, now_ms: int) -> bool:
    """Whether the person is to be asked whether she is there: no sign of her for the plan's idle time."""
    return state.question_by_ms is None and now_ms - state.last_interaction_ms >= state.terms.plan.idle_ms


def presence_asked(state: SittingState, now_ms: int) -> SittingState:
    """The state with the question pending; beats earn until its time is over, and again from the answer on."""
    return replace(state, question_by_ms=now_ms + state.terms.plan.idle_answer_ms)


def person_seen(state: SittingState, now_ms: int) -> SittingState:
    """The state after a sign of the person. An overdue question's time is lost: it counts as spent."""
    used_until = state.used_until_ms
    if state.question_by_ms is not None and state.question_by_ms < now_ms:
        used_until = max(used_until, now_ms)
    return replace(
        state, question_by_ms=None, last_interaction_ms=max(now_ms, state.last_interaction_ms), used_until_ms=used_until
    )


class LeaseAnswer(StrEnum):
    """What a sitting that wants to study is told about the person's one lease."""

    OURS = "ours"
    FREE = "free"
    EXPIRED = "expired"
    """the other sitting has been silent for the plan's lease time"""
    TAKEN = "taken"
    """the person chose "continue here": the other sitting loses it"""
    HELD = "held"
    """another sitting is studying; refused, with "continue here" as the way out"""


@dataclass(frozen=True, slots=True)
class LeaseState:
    """The right of one sitting to earn for a person, kept alive by its beats."""

    sitting: str
    seen_ms: int
    """the server's time of its last sign of life (epoch ms)"""
    lease_ms: int
    """silence after which it may be taken"""

    def expired(self, now_ms: int) -> bool:
        """Whether the sitting has been silent for the whole lease time."""
        return now_ms - self.seen_ms >= self.lease_ms


def may_take(lease: LeaseState | None, sitting: str, now_ms: int, *, continue_here: bool = False) -> LeaseAnswer:
    """Whether the sitting may hold the person's lease at `now_ms`: every answer but HELD says yes."""
    if lease is None:
        return LeaseAnswer.FREE
    if lease.sitting == sitting:
        return LeaseAnswer.OURS
    if lease.expired(now_ms):
        return LeaseAnswer.EXPIRED
    return LeaseAnswer.TAKEN if continue_here else LeaseAnswer.HELD
