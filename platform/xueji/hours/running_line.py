"""A lesson's line while it is studied: the statement's own line, and what each beat since has added to it.

Reading a whole chain for every beat would cost more than the beat. So the line is taken from the statement when a
sitting opens and after whatever changes what time is worth (a verdict, a review, a check-in); between those the worth
of study is known beforehand, and a beat's credit only adds to one of the sums. A test holds the two equal after every
beat of any story. Pure, and kept with the sitting as short JSON.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from xueji.hours.display import film
from xueji.hours.rules import Ahead, LessonLine, Media, Statement, Status
from xueji.progress.rules import BeatResult
from xueji.rulebook.intervals import Interval, intersect, length, subtract, union
from xueji.rulebook.vocabulary import Reason

_FORMAT: Final = 2
_FATES: Final = ("refused", "held", "held", "provisional", "counted")
"""What each `Status` is called in the interface."""
_REASONS = tuple(reason.value for reason in Reason)


class OtherFormat(ValueError):
    """The line was written by another release: it is forgotten, and reckoned anew when the page asks for it."""


@dataclass(slots=True)
class RunningLine:
    """Amounts in ms of media; intervals are media of the lesson."""

    duration_ms: int
    furthest_ms: int
    room_ms: int
    """how much of what is confirmed the limit on online hours leaves to this lesson"""
    media: list[list[Interval]]
    """what was watched, by what it is worth at best, in the order of `Status`: unions, each millisecond once"""
    refused: Counter[str]
    """by beats, and by the account whatever has no place in the film"""
    spans: list[tuple[int, int]]
    """until when (epoch ms) study is worth what (`Status`), in order"""
    unseen_after_ms: int | None = None
    """how much more she may study before the rest is held, unless she shows herself; None under the first edition of
    the rules and where staff vouch for her"""
    owes_from_ms: int | None = None
    """the end of an open check's first window (epoch ms): from then on an answer is owed, and study is held"""

    @classmethod
    def read(cls, text: str) -> RunningLine:
        """Raises OtherFormat."""
        found, *values = json.loads(text)
        if found != _FORMAT or len(values) != 8:
            raise OtherFormat
        duration, furthest, room, media, refused, spans, unseen, owes = values
        return cls(
            duration, furthest, room, [_pairs(each) for each in media], Counter(refused), _pairs(spans), unseen, owes
        )

    def write(self) -> str:
        values = (
            _FORMAT,
            self.duration_ms,
            self.furthest_ms,
            self.room_ms,
            self.media,
            self.refused,
            self.spans,
            self.unseen_after_ms,
            self.owes_from_ms,
        )
        return json.dumps(values, separators=(",", ":"))

    def add(self, results: Iterable[BeatResult], handed_out: Sequence[Interval] | None = None) -> None:
        """Take in what beats earned and what was refused of them, in their order.

        ``handed_out``: the media that the sitting has been handed by now, a union; None where nobody asks.
        """
        for result in results:
            for first, last, reason in result.refused:
                if last > first:
                    self.refused[reason] += last - first
            if result.server is not None:
                at = result.server[0]
                for first, last in result.credited:
                    for begins, ends, most in _cut(first, last, handed_out):
                        self._earn(begins, ends, at + begins - first, most)
                    at += last - first
            self.furthest_ms = max(self.furthest_ms, result.furthest_ms)

    def _earn(self, first: int, last: int, at: int, most: int) -> None:
        """Media from first to last, watched from the server's instant ``at`` on, worth ``most`` at best."""
        while self.spans[0][0] <= at:
            self.spans.pop(0)
        while first < last:
            until, worth = self.spans[0]
            worth = min(worth, most)
            end = min(last, first + until - at)
            if self.owes_from_ms is not None:
                if at >= self.owes_from_ms:
                    worth = min(worth, Status.HELD)
                else:
                    end = min(end, first + self.owes_from_ms - at)
            if self.unseen_after_ms is not None:
                if self.unseen_after_ms == 0:
                    worth = min(worth, Status.HELD)
                else:
                    end = min(end, first + self.unseen_after_ms)
                self.unseen_after_ms = max(0, self.unseen_after_ms - (end - first))
            self._put((first, end), worth)
            at, first = at + end - first, end
            if at >= until:
                self.spans.pop(0)

    def owe(self, from_ms: int) -> None:
        """A scheduled check was told; from the end of its first window on (epoch ms) an answer is owed.

        The first edition of the rules asks no more than that the answer comes.
        """
        if self.owes_from_ms is None and self.unseen_after_ms is not None:
            self.owes_from_ms = from_ms

    def _put(self, piece: Interval, worth: int) -> None:
        """Media that was watched for this much: the best of what it was and what it is worth now stands."""
        media = self.media
        if piece[0] >= self.furthest_ms:
            # Seen for the first time, as in any ordinary beat.
            last = media[worth]
            if last and last[-1][1] == piece[0]:
                last[-1] = (last[-1][0], piece[1])
                return
        fresh = [piece]
        for status, pieces in enumerate(media):
            if pieces and status < worth:
                media[status] = subtract(pieces, [piece])
            elif pieces and status > worth:
                fresh = subtract(fresh, pieces)
        media[worth] = union([*media[worth], *fresh])

    def as_values(self) -> dict[str, Any]:
        """The line in the words of the interface: as the statement's, to the millisecond."""
        lost, held, awaited, provisional, confirmed = self.media
        counted = _first(confirmed, self.room_ms)
        counted_ms = length(counted)
        refused = self.refused
        over_ms = length(confirmed) - counted_ms
        if lost or over_ms:
            by_account = {Reason.CHECK_FAILED: length(lost), Reason.OVER_CAP: over_ms}
            refused = refused + Counter({str(reason): ms for reason, ms in by_account.items()})
        worth = self.spans[-1][1]
        if self.owes_from_ms is not None:
            worth = min(worth, Status.HELD)
        return _values(
            self.duration_ms,
            self.furthest_ms,
            counted,
            provisional,
            union([*held, *awaited]) if awaited else held,
            awaited_ms=length(awaited),
            refused=_sums(refused) if refused else [],
            make_up=union([*held, *lost]) if lost else [*held],
            ahead=_FATES[worth],
        )


def _values(
    duration_ms: int,
    furthest_ms: int,
    counted: list[Interval],
    provisional: list[Interval],
    held: list[Interval],
    *,
    awaited_ms: int,
    refused: list[dict[str, Any]],
    make_up: list[Interval],
    ahead: str,
) -> dict[str, Any]:
    sums = length(counted), length(provisional), length(held)
    # Ordinarily all that was watched stands; only what was lost has to be looked for.
    gone = furthest_ms > sum(sums)
    return {
        "duration_ms": duration_ms,
        "furthest_ms": furthest_ms,
        "counted_ms": sums[0],
        "provisional_ms": sums[1],
        "held_ms": sums[2],
        "awaited_ms": awaited_ms,
        "refused": refused,
        "make_up": make_up,
        "ahead": ahead,
        "shown": film(duration_ms, furthest_ms, *sums)._asdict(),
        "stretches": {
            "counted": counted,
            "provisional": provisional,
            "held": held,
            "refused": subtract([(0, furthest_ms)], union([*counted, *provisional, *held])) if gone else [],
        },
    }


def carried_on(statement: Statement, lesson: str, media: Mapping[str, Media], ahead: Ahead) -> RunningLine:
    """A lesson's line of a statement, to be carried on.

    ``media``: by lesson, the stretches that its sums are made of; ``ahead``: what study is worth from now on. Raises
    KeyError for a lesson that the statement does not have.
    """
    before_ms = 0
    for line in statement.lessons:
        stretches = media[line.lesson]
        if line.lesson == lesson:
            refused = Counter({item.reason: item.ms for item in line.refused})
            refused.pop(Reason.OVER_CAP, None)
            refused[Reason.CHECK_FAILED] -= length(stretches[Status.LOST])
            limit_ms = statement.cap.limit_ms
            return RunningLine(
                duration_ms=line.duration_ms,
                furthest_ms=line.furthest_ms,
                room_ms=limit_ms - min(limit_ms, before_ms),
                media=[list(pieces) for pieces in stretches],
                refused=+refused,
                spans=[(until, int(status)) for _start, until, status in ahead.spans],
                unseen_after_ms=ahead.unseen_after_ms,
            )
        before_ms += length(stretches[Status.CONFIRMED])
    raise KeyError(lesson)


def line_values(line: LessonLine, media: Media, ahead: Ahead) -> dict[str, Any]:
    """The same of a statement's line; ``ahead``: what study is worth from now on."""
    _lost, held, awaited, provisional, confirmed = media
    return _values(
        line.duration_ms,
        line.furthest_ms,
        _first(confirmed, line.counted_ms),
        list(provisional),
        union([*held, *awaited]),
        awaited_ms=line.awaited_ms,
        refused=[{"reason": item.reason, "ms": item.ms} for item in line.refused],
        make_up=list(line.make_up),
        ahead=_FATES[ahead.spans[-1][2]],
    )


def _first(pieces: Sequence[Interval], most_ms: int) -> list[Interval]:
    """As much of the union as fits: where a limit takes something, it takes the end."""
    found: list[Interval] = []
    for first, last in pieces:
        if most_ms <= 0:
            break
        found.append((first, min(last, first + most_ms)))
        most_ms -= last - first
    return found


def _sums(refused: Counter[str]) -> list[dict[str, Any]]:
    return [{"reason": each, "ms": refused[each]} for each in _REASONS if refused.get(each)]


def _cut(first: int, last: int, handed_out: Sequence[Interval] | None) -> Iterator[tuple[int, int, int]]:
    """Media from first to last where it was handed out and where not, in order, each with what it is worth at best."""
    if handed_out is None:
        yield first, last, Status.CONFIRMED
        return
    for begins, ends in intersect([(first, last)], handed_out):
        if first < begins:
            yield first, begins, Status.HELD
        yield begins, ends, Status.CONFIRMED
        first = ends
    if first < last:
        yield first, last, Status.HELD


def _pairs(values: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    return [(first, last) for first, last in values]
