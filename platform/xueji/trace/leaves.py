"""What the log writes about itself. See `xueji.trace.leaf`."""

from __future__ import annotations

from typing import Annotated, TypedDict

from xueji.trace.leaf import Chain, Commitment, Count, Day, Hidden, OfAnybody, OfPlatform, Text, Unit, Word, leaf
from xueji.trace.rules import Event

Hash = Annotated[str, Unit("hash")]
Note = Annotated[str, Unit("note")]
VerifierKey = Annotated[str, Unit("verifier key")]


@leaf(Event.LOG_OPEN, Chain.LOG)
class LogOpened(OfPlatform):
    """A log begins. After a loss it names the log that it follows."""

    old_origin: Text | None = None
    old_checkpoint: Note | None = None
    """the last checkpoint of the old log"""
    restored: Count | None = None
    """leaves of the old log that the database still had"""
    carried: Count | None = None
    """leaves of the old log that were put into the new one"""


@leaf(Event.KEY_ROTATE, Chain.PLATFORM)
class KeyRotated(OfPlatform):
    """The log signs with another key from now on."""

    old: VerifierKey
    new: VerifierKey


@leaf(Event.CLOCK_RESET, *Chain)
class ClockReset(OfPlatform):
    """The operator put the server's clock right."""

    was: Annotated[str, Unit("RFC 3339")]
    """the time that was wrong"""


@leaf(Event.CHECKPOINT_HOLD, Chain.HOLDERS)
class CheckpointHeld(OfPlatform):
    """Somebody outside says that she holds a checkpoint."""

    size: Count
    """leaves in the tree"""
    root: Hash
    holder: Annotated[str, Commitment(Hidden.PLACE)]


class Law(TypedDict):
    """Why the years of a file are over."""

    years: Annotated[int, Unit("years")]
    since: Day
    figure: Text
    """the rulebook's figure that says how many years"""


@leaf(Event.ERASE, Chain.ENROLMENT, Chain.PLATFORM)
class OpeningsErased(OfAnybody):
    """What commitments of the chain were made from was erased."""

    what: Word
    """which kind of opening"""
    count: Count
    commitments: Annotated[list[str], Unit("list of commitments")]
    law: Annotated[Law, Unit("object")] | None = None
    """absent when the person herself asked"""
