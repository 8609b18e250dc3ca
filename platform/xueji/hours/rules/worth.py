"""What study is worth: by the checks around it, by who vouched for it, by whether checks came as the plan promised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from operator import attrgetter
from typing import NamedTuple, Tuple

from xueji.hours.rules.records import EVER, CheckStanding, ConfirmedPresence, DecidedCheck, Evidence
from xueji.rulebook.intervals import Interval, intersect, union
from xueji.rulebook.vocabulary import Method


class Status(IntEnum):
    """What a credited millisecond is worth; where media was watched several times the greatest wins."""

    LOST = 0
    """next to a check that a person rejected"""
    HELD = 1
    AWAITED = 2
    """held, and confirmed as soon as staff confirm the photo that the check was compared with"""
    PROVISIONAL = 3
    CONFIRMED = 4


Span = Tuple[int, int, Status]
"""server time from, to, and what study in it is worth"""


def spans(checks: Iterable[DecidedCheck]) -> list[Span]:
    """All of time, cut by the decided checks into spans of one worth each, in order.

    Between two good checks, or the enrolment's beginning and a good one: confirmed. Next to a failed one: held. Next
    to a match with a photo that nobody confirmed: awaited. Next to a rejected one: lost. After the last one, if it was
    good: provisional.
    """
    cut: list[Span] = []
    start, before = -EVER, CheckStanding.GOOD
    for check in sorted(checks, key=lambda check: (check.at_ms, check.n)):
        _append(cut, start, check.at_ms, _between(before, check.standing))
        start, before = check.at_ms, check.standing
    _append(cut, start, EVER, Status.PROVISIONAL if before is CheckStanding.GOOD else _between(before, before))
    return cut


def _between(before: CheckStanding, after: CheckStanding) -> Status:
    if CheckStanding.REJECTED in (before, after):
        return Status.LOST
    if CheckStanding.FAILED in (before, after):
        return Status.HELD
    return Status.AWAITED if CheckStanding.AWAITED in (before, after) else Status.CONFIRMED


def _append(cut: list[Span], start: int, end: int, status: Status) -> None:
    """Add a span, joined with the previous one when that is worth the same; an empty one vanishes."""
    if start >= end:
        return
    if cut and cut[-1][2] is status:
        cut[-1] = (cut[-1][0], end, status)
    else:
        cut.append((start, end, status))


def supervised_spans(cut: Sequence[Span], presences: Iterable[ConfirmedPresence]) -> list[Span]:
    """The spans for sittings that staff vouch for: outside the time they vouched for, nothing better than held.

    Otherwise the check-in of one day would confirm the evening before, which nobody saw.
    """
    vouched = union((presence.from_ms, presence.until_ms) for presence in presences)
    narrowed: list[Span] = []
    for start, end, status in cut:
        at = start
        for first, last in intersect([(start, end)], vouched):
            _append(narrowed, at, first, min(status, Status.HELD))
            _append(narrowed, first, last, status)
            at = last
        _append(narrowed, at, end, min(status, Status.HELD))
    return narrowed


def held_spans(cut: Sequence[Span], intervals: Iterable[Interval]) -> list[Span]:
    """The spans with nothing better than held in these intervals: time in which nobody saw who studied.

    While an answer is owed, or where checks did not come as the plan promised, silence must not pay. What a lost
    connection kept meanwhile is not lost either: it is made up.
    """
    waits, at = union(intervals), 0
    narrowed: list[Span] = []
    for start, end, status in cut:
        begins = start
        while at < len(waits) and waits[at][0] < end:
            first, last = max(waits[at][0], start), min(waits[at][1], end)
            _append(narrowed, begins, first, status)
            _append(narrowed, first, last, min(status, Status.HELD))
            begins = max(begins, last)
            if waits[at][1] > end:
                break
            at += 1
        _append(narrowed, begins, end, status)
    return narrowed


def unseen(evidence: Evidence) -> list[Interval]:
    """Server time of study beyond the longest run that the plan allows since she last showed herself."""
    return _runs(evidence)[0]


def unplayed(evidence: Evidence) -> list[Interval]:
    """Server time of study for which the film had not been handed out: nobody can have watched it."""
    return [(each.server_ms, each.server_ms + each.to_ms - each.from_ms) for each in evidence.unplayed]


def _runs(evidence: Evidence) -> tuple[list[Interval], int]:
    """Server time of study beyond the longest run that the plan allows, and what is left of the run now under way.

    Beyond the plan's longest gap there is room for what a lost connection may hand in late, because nobody could have
    asked meanwhile, and for one window to answer in. An answer that was never judged, because the engine was down or we
    lost it, ends a run as well: that was our fault. Sittings that staff vouch for have no checks and are not looked at.
    """
    plan = evidence.enrolment.plan
    most_ms = plan.checks_max_gap_ms + plan.offline_ms + plan.answer_ms
    shown, at, run_ms = evidence.shown_ms, 0, 0
    beyond: list[Interval] = []
    spent_until = -EVER
    for segment in sorted(evidence.segments, key=attrgetter("server_ms")):
        if evidence.sittings.get(segment.sitting) == Method.SUPERVISED:
            continue
        start = max(segment.server_ms, spent_until)
        end = segment.server_ms + segment.to_ms - segment.from_ms
        while start < end:
            while at < len(shown) and shown[at] <= start:
                at, run_ms = at + 1, 0
            until = min(end, shown[at]) if at < len(shown) else end
            full = min(until, start + max(0, most_ms - run_ms))
            if full < until:
                beyond.append((full, until))
            run_ms += until - start
            start = spent_until = until
    return beyond, max(0, most_ms - (run_ms if at >= len(shown) else 0))


def face_spans(evidence: Evidence) -> list[Span]:
    """The spans for sittings with face checks, under the edition of the rules the enrolment was opened by."""
    cut = spans(evidence.checks)
    if evidence.enrolment.rules < 2:
        return cut
    return held_spans(cut, [*evidence.owed, *unseen(evidence), *unplayed(evidence)])


def spans_of(evidence: Evidence, method: str | None) -> list[Span]:
    """The spans for sittings vouched for by this method."""
    if method == Method.SUPERVISED:
        return held_spans(supervised_spans(spans(evidence.checks), evidence.presences), unplayed(evidence))
    return face_spans(evidence)


class Ahead(NamedTuple):
    """What study from some instant on is worth, as far as the evidence goes."""

    spans: list[Span]
    """in order, the last one without an end"""
    unseen_after_ms: int | None
    """how much more she may study before the rest is held, unless she shows herself; None: as much as she likes"""


def ahead(evidence: Evidence, method: str | None, from_ms: int) -> Ahead:
    """What study from this instant on (epoch ms) is worth in a sitting that this method vouches for."""
    cut = [span for span in spans_of(evidence, method) if span[1] > from_ms]
    if method == Method.SUPERVISED or evidence.enrolment.rules < 2:
        return Ahead(cut, None)
    return Ahead(cut, _runs(evidence)[1])
