"""What study writes into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from xueji.progress.rules import BeatResult, PlayedSpan
from xueji.trace.leaf import (
    Drawn,
    Flag,
    Id,
    MediaMs,
    NumberFromOne,
    OfPerson,
    OfTrainee,
    Sha256,
    Text,
    Unit,
    Word,
    leaf,
)
from xueji.trace.rules import Event

MediaIntervals = Annotated[list[list[int]], Unit("list of [from, to), ms of media")]
Parts = Annotated[list[Sequence[Any]], Unit("list of [from ms, to ms, epoch ms]")]


class RefusedSpan(TypedDict):
    """What of a beat earned nothing."""

    from_ms: MediaMs
    to_ms: MediaMs
    reason: Word


@leaf(Event.SITTING_OPEN)
class SittingOpened(OfTrainee):
    """A stretch of study of one lesson begins."""

    sitting: Id
    lesson: Id
    method: Word
    resume_ms: MediaMs
    furthest_ms: MediaMs
    make_up: MediaIntervals
    """what may earn again"""
    rulebook: Text
    device: OfPerson
    schedule: Drawn
    """in which study time checks are due"""
    lease: Id
    from_page: Flag


@leaf(Event.SITTING_MAKE_UP)
class MakeUpChanged(OfTrainee):
    """What may be made up in the sitting has changed."""

    sitting: Id
    make_up: MediaIntervals
    schedule: Drawn | None = None
    """present when checks were drawn for what is more"""


@leaf(Event.LEASE_TAKE)
class LeaseTaken(OfTrainee):
    """She goes on in another page, which takes over from one that is still heard of."""

    sitting: Id
    from_sitting: Id


@leaf(Event.LEASE_EXPIRE)
class LeaseExpired(OfTrainee):
    """A sitting that is not heard of any more is over."""

    sitting: Id


@leaf(Event.BEAT, occurred=True)
class BeatJudged(OfTrainee):
    """One report of what was played: what it earned, and what was refused and why."""

    sitting: Id
    lesson: Id
    seq: NumberFromOne
    beat: Id
    from_ms: MediaMs
    to_ms: MediaMs
    state: Word
    rate: Annotated[int, Unit("thousandths")]
    credited: MediaIntervals
    refused: Annotated[list[RefusedSpan], Unit("list of objects")]
    furthest_ms: MediaMs
    server: Annotated[list[int], Unit("[from, to), epoch ms")] | None = None
    """the server time that the credit was paid in; absent when nothing was credited"""
    handed_out: Parts | None = None
    """what of the film was handed out since the beat before, and when"""


@leaf(Event.BEAT_CONFLICT)
class BeatConflicted(OfTrainee):
    """A second report under a number that was used before, with other contents."""

    sitting: Id
    seq: NumberFromOne
    beat: Id
    digest: Sha256


@leaf(Event.BEAT_REFUSED)
class BeatsRefused(OfTrainee):
    """A request was refused whole."""

    sitting: Id
    seq: NumberFromOne
    """of its first beat"""
    beat: Id
    beats: Annotated[int, Unit("count")]
    reason: Word


def beat_leaf(
    sitting: str, lesson: str, beat: PlayedSpan, result: BeatResult, handed_out: list[Sequence[Any]] | None = None
) -> BeatJudged:
    """The leaf of a beat and its result; ``handed_out`` is what no leaf says yet of what the film's page was given."""
    return BeatJudged(
        sitting=sitting,
        lesson=lesson,
        seq=beat.seq,
        beat=beat.beat,
        from_ms=beat.from_ms,
        to_ms=beat.to_ms,
        state=str(beat.state),
        rate=beat.rate,
        credited=[[first, last] for first, last in result.credited],
        refused=[RefusedSpan(from_ms=first, to_ms=last, reason=reason.value) for first, last, reason in result.refused],
        furthest_ms=result.furthest_ms,
        server=None if result.server is None else [result.server[0], result.server[1]],
        handed_out=handed_out,
    )
