"""A report of the player: what it says, and which cannot be real. Positions are ms of media."""

from __future__ import annotations

from typing import Final, NamedTuple

from xueji.rulebook.shanghai import DAY_MS
from xueji.rulebook.vocabulary import BeatState

LONGEST_BEAT_MS: Final = 3_600_000
FASTEST_RATE: Final = 16_000
"""the most browsers can do, in thousandths; a higher figure is no report of a player"""
LATEST_POSITION_MS: Final = 30 * DAY_MS
_STATES: Final = frozenset(BeatState)


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
    if beat.state not in _STATES:
        raise BeatStateUnknown(f"state {beat.state!r} is unknown")
    if not 0 <= beat.rate <= FASTEST_RATE or (beat.rate == 0 and beat.state == BeatState.PLAYING):
        raise BeatOutOfRange("rate")
    if beat.to_ms < beat.from_ms or (beat.to_ms == beat.from_ms and beat.state == BeatState.PLAYING):
        raise BeatBackwards("to_ms must be after from_ms")
    if beat.to_ms - beat.from_ms > LONGEST_BEAT_MS:
        raise BeatTooLong("a beat covers at most an hour")
