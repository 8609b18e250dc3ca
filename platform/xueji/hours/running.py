"""A lesson's line while it is studied: the statement's own line, and what each beat since has added to it.

Reading a whole chain for every beat would cost more than the beat. So the line is taken from the statement when a
sitting opens and after whatever changes what time is worth (a verdict, a review, a check-in); between those the worth
of study is known beforehand, and a beat's credit only adds to one of the sums. A test holds the two equal after every
beat of any story. Pure, and kept with the sitting as short JSON.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xueji.hours.rules import Ahead, LessonLine, Statement, Status
from xueji.progress.rules import BeatResult
from xueji.rulebook.intervals import Interval, intersect, length, subtract, union
from xueji.rulebook.vocabulary import Reason

_REASONS = tuple(reason.value for reason in Reason)


@dataclass(slots=True)
class Running:
    """Amounts in ms of media; intervals are media of the lesson."""

    duration_ms: int
    furthest_ms: int
    confirmed_ms: int
    """what good checks on both sides confirm, before the limit on online hours"""
    room_ms: int
    """how much of it that limit leaves to this lesson"""
    provisional_ms: int
    awaited_ms: int
    """held until staff confirm the photo that the checks were compared with; nothing to make up"""
    held: list[Interval]
    lost: list[Interval]
    refused: Counter[str]
    """by beats alone"""
    spans: list[tuple[int, int]]
    """until when (epoch ms) study is worth what (`Status`), in order"""
    unseen_after_ms: int | None = None
    """how much more she may study before the rest is held, unless she shows herself; None under the first edition of
    the rules and where staff vouch for her"""
    owes_from_ms: int | None = None
    """the end of an open check's first window (epoch ms): from then on an answer is owed, and study is held"""

    @classmethod
    def read(cls, text: str) -> Running:
        duration, furthest, confirmed, room, provisional, awaited, held, lost, refused, spans, unseen, owes = (
            json.loads(text)
        )
        return cls(
            duration,
            furthest,
            confirmed,
            room,
            provisional,
            awaited,
            _pairs(held),
            _pairs(lost),
            Counter(refused),
            _pairs(spans),
            unseen,
            owes,
        )

    def write(self) -> str:
        values = (
            self.duration_ms,
            self.furthest_ms,
            self.confirmed_ms,
            self.room_ms,
            self.provisional_ms,
            self.awaited_ms,
            self.held,
            self.lost,
            self.refused,
            self.spans,
            self.unseen_after_ms,
            self.owes_from_ms,
        )
        return json.dumps(values, separators=(",", ":"))

    def add(self, results: Iterable[BeatResult]) -> None:
        """Take in what beats earned and what was refused of them, in their order."""
        for result in results:
            for first, last, reason in result.refused:
                if last > first:
                    self.refused[reason] += last - first
            if result.server is not None:
                at = result.server[0]
                for first, last in result.credited:
                    self._earn(first, last, at)
                    at += last - first
            self.furthest_ms = max(self.furthest_ms, result.furthest_ms)

    def _earn(self, first: int, last: int, at: int) -> None:
        """Media from first to last, watched from the server's instant ``at`` on."""
        while self.spans[0][0] <= at:
            self.spans.pop(0)
        while first < last:
            until, worth = self.spans[0]
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
            known = min(end, self.furthest_ms)
            if first < known:
                self._put_again((first, known), worth)
            if known < end:
                self._put((max(first, self.furthest_ms), end), worth)
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
        """Media seen for the first time."""
        if worth == Status.PROVISIONAL:
            self.provisional_ms += piece[1] - piece[0]
        elif worth == Status.CONFIRMED:
            self.confirmed_ms += piece[1] - piece[0]
        elif worth == Status.AWAITED:
            self.awaited_ms += piece[1] - piece[0]
        elif worth == Status.HELD:
            self.held = union([*self.held, piece])
        else:
            self.lost = union([*self.lost, piece])

    def _put_again(self, piece: Interval, worth: int) -> None:
        """Media to be made up: the better of what it was and what it is worth now stands."""
        held, lost = intersect([piece], self.held), intersect([piece], self.lost)
        if worth > Status.LOST:
            self.lost = subtract(self.lost, lost)
        if worth > Status.HELD:
            self.held = subtract(self.held, held)
        if worth == Status.PROVISIONAL:
            self.provisional_ms += length(held) + length(lost)
        elif worth == Status.CONFIRMED:
            self.confirmed_ms += length(held) + length(lost)
        elif worth == Status.AWAITED:
            self.awaited_ms += length(held) + length(lost)
        elif worth == Status.HELD:
            self.held = union([*self.held, *lost])

    def as_values(self) -> dict[str, Any]:
        """The line in the words of the interface: as the statement's, to the millisecond."""
        counted_ms = min(self.confirmed_ms, self.room_ms)
        refused = self.refused
        if self.lost or self.confirmed_ms > counted_ms:
            by_account = {Reason.CHECK_FAILED: length(self.lost), Reason.OVER_CAP: self.confirmed_ms - counted_ms}
            refused = refused + Counter({str(reason): ms for reason, ms in by_account.items()})
        return {
            "duration_ms": self.duration_ms,
            "furthest_ms": self.furthest_ms,
            "counted_ms": counted_ms,
            "provisional_ms": self.provisional_ms,
            "held_ms": length(self.held) + self.awaited_ms,
            "awaited_ms": self.awaited_ms,
            "refused": _sums(refused) if refused else [],
            "make_up": union([*self.held, *self.lost]) if self.lost else [*self.held],
        }


def carried_on(statement: Statement, lesson: str, lost: Mapping[str, Sequence[Interval]], ahead: Ahead) -> Running:
    """A lesson's line of a statement, to be carried on.

    ``lost``: by lesson, what of its make-up a rejected check lost; ``ahead``: what study is worth from now on. Raises
    KeyError for a lesson that the statement does not have.
    """
    before_ms = 0
    for line in statement.lessons:
        refused = Counter({item.reason: item.ms for item in line.refused})
        refused.pop(Reason.CHECK_FAILED, None)
        confirmed_ms = line.counted_ms + refused.pop(Reason.OVER_CAP, 0)
        if line.lesson == lesson:
            limit_ms, gone = statement.cap.limit_ms, lost.get(lesson, ())
            return Running(
                duration_ms=line.duration_ms,
                furthest_ms=line.furthest_ms,
                confirmed_ms=confirmed_ms,
                room_ms=limit_ms - min(limit_ms, before_ms),
                provisional_ms=line.provisional_ms,
                awaited_ms=line.awaited_ms,
                held=subtract(line.make_up, gone),
                lost=list(gone),
                refused=refused,
                spans=[(until, int(status)) for _start, until, status in ahead.spans],
                unseen_after_ms=ahead.unseen_after_ms,
            )
        before_ms += confirmed_ms
    raise KeyError(lesson)


def line_values(line: LessonLine) -> dict[str, Any]:
    """The same of a statement's line."""
    return {
        "duration_ms": line.duration_ms,
        "furthest_ms": line.furthest_ms,
        "counted_ms": line.counted_ms,
        "provisional_ms": line.provisional_ms,
        "held_ms": line.held_ms,
        "awaited_ms": line.awaited_ms,
        "refused": [{"reason": item.reason, "ms": item.ms} for item in line.refused],
        "make_up": [[first, last] for first, last in line.make_up],
    }


def _sums(refused: Counter[str]) -> list[dict[str, Any]]:
    return [{"reason": each, "ms": refused[each]} for each in _REASONS if refused.get(each)]


def _pairs(values: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    return [(first, last) for first, last in values]
