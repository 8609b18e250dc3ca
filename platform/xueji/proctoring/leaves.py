"""What checks, check-ins and the measuring of the face engine write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, NotRequired, TypedDict

from xueji.trace.leaf import (
    Chain,
    Commitment,
    Count,
    EpochMs,
    Flag,
    Hidden,
    Id,
    Millionths,
    NumberFromOne,
    OfPerson,
    OfPlace,
    OfPlatform,
    OfStaff,
    OfTrainee,
    Pseudonym,
    Sha256,
    Text,
    Unit,
    Word,
    Words,
    leaf,
)
from xueji.trace.rules import Event

Appealed = Annotated[str, Commitment(Hidden.PERSON, "appeal")]
Reviewed = Annotated[str, Commitment(Hidden.PERSON, "review")]
ReferencePhotos = Annotated[list[str], Commitment(Hidden.PERSON, "reference")]


class AnswerPicture(TypedDict):
    """One picture of an answer."""

    sha256: Sha256
    """of the encrypted file"""
    commitment: Annotated[str, Commitment(Hidden.PERSON, "picture")]
    """to the SHA-256 of the picture itself"""
    movement: NotRequired[Annotated[int, Unit("number from 0")]]


class Cause(TypedDict):
    """Why there are no pictures."""

    code: Word


class AttemptSignal(Cause):
    """What was noticed about an attempt."""

    value: NotRequired[Annotated[int, Unit("number")]]


@leaf(Event.CHECK_DUE)
class CheckDue(OfTrainee):
    """A check is asked; or asked again, as another attempt."""

    check: Id
    sitting: Id
    kind: Word
    at_ms: EpochMs
    answer_by_ms: EpochMs
    attempt: NumberFromOne


@leaf(Event.CHECK_REDELIVER)
class CheckRedelivered(OfTrainee):
    """The answer that told her of the check was lost; the time to answer begins again."""

    check: Id
    answer_by_ms: EpochMs


@leaf(Event.CHECK_MOVE)
class CheckMoved(OfTrainee):
    """A waiting check goes on in her next sitting."""

    check: Id
    sitting: Id
    from_sitting: Id


@leaf(Event.CHECK_EXTEND)
class CheckExtended(OfTrainee):
    """The browser's question about the camera stands, or was answered; the time to answer is later."""

    check: Id
    question: Word
    answer_by_ms: EpochMs


@leaf(Event.CHECK_ANSWER)
class CheckAnswered(OfTrainee):
    """Pictures arrived, or she said why there are none."""

    check: Id
    attempt: NumberFromOne
    method: Word
    frames: Annotated[list[AnswerPicture], Unit("list of objects")]
    signals: Annotated[list[Cause], Unit("list of objects")]
    arrived_ms: EpochMs | None = None
    """the rest is absent where there are no pictures"""
    prompts: Words | None = None
    pulses: Annotated[list[list[int]], Unit("list of lists of ms")] | None = None
    device: Annotated[str, Commitment(Hidden.PERSON, "camera")] | None = None


@leaf(Event.CHECK_VERDICT)
class CheckJudged(OfPlatform):
    """What the pictures, or their absence, were judged to be."""

    check: Id
    attempt: NumberFromOne
    outcome: Word
    final: Flag
    signals: Annotated[list[AttemptSignal], Unit("list of objects")]
    threshold: Millionths | None = None
    mismatch: Millionths | None = None
    engine: Text | None = None
    model: Text | None = None
    score: Millionths | None = None
    references: ReferencePhotos | None = None
    """those it was made against; absent when there were none"""


@leaf(Event.CHECK_APPEAL)
class CheckContested(OfTrainee):
    """She contests it."""

    check: Id
    reason: Appealed


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewWord(OfStaff):
    """What somebody in office says a check is worth."""

    check: Id
    outcome: Word
    by: Pseudonym
    office: Word
    reason: Reviewed


@leaf(Event.CHECK_PROPOSE)
class ReviewProposed(ReviewWord):
    """The first of two people says what the check is worth."""


@leaf(Event.CHECK_REVIEW)
class CheckReviewed(ReviewWord):
    """People have decided."""


@leaf(Event.CHECK_STRIKE)
class CheckStruck(ReviewWord):
    """A regulator doubts a check that counted."""


@leaf(Event.CHECK_REOPEN)
class CheckReopened(ReviewWord):
    """A decision is looked at again."""


@leaf(Event.CHECKIN_CONFIRM)
class PresenceConfirmed(OfStaff):
    """Staff saw her: at the beginning, in a round, or when she left."""

    checkin: Id
    kind: Word
    at_ms: EpochMs
    method: Word
    place: OfPlace
    until_ms: EpochMs


@leaf(Event.CHECKIN_CODE)
class RoomCodeTyped(OfTrainee):
    """She typed the code that is shown in the room."""

    checkin: Id


@leaf(Event.CHECKIN_END)
class CheckInEnded(OfStaff):
    """A check-in ended without anybody having seen her leave."""

    checkin: Id
    why: Word
    at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInWord(OfStaff):
    """What somebody in office says of a check-in afterwards."""

    checkin: Id
    role: Word
    reason: OfPerson


@leaf(Event.CHECKIN_REVOKE)
class CheckInRevoked(CheckInWord):
    """A check-in was false."""


@leaf(Event.CHECKIN_RESTORE)
class CheckInRestored(CheckInWord):
    """It was right after all."""


@leaf(Event.FACE_CALIBRATE, Chain.PLATFORM)
class FacesCalibrated(OfStaff):
    """It was measured how well faces are told apart here."""

    engine: Text
    model: Text
    people: Count
    frames: Count
    threshold: Millionths
    tar: Millionths | None = None
    """absent when it could not be reckoned"""
    far: Millionths | None = None
