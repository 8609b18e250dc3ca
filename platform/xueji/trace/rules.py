"""What a leaf of the traceability log is: the names of events, the shape of an entry, and how entries chain.

A leaf is one canonical JSON object::

    {"v":1, "event":…, "at":…, "chain":…, "n":…, "prev":…, "who":…, "values":{…}, "occurred":…}

``chain`` is an enrolment (or `PLATFORM`), ``n`` counts its leaves from 0 without a gap, ``prev`` is the hash of its
leaf before, so nothing of one trainee can be left out unseen. ``at`` is the server's time and never decreases within a
chain; ``occurred``, when present, is the client's word. Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from xueji.trace import canonical, merkle

COHORT = "cohort/"
"""The chain of a cohort is this and its id: what was planned for all who are in it."""
PLATFORM = "platform"
"""The chain of what belongs to no enrolment."""
SYSTEM = "system"
"""``who`` of what nobody in particular did."""
FIRST_PREVIOUS = bytes(32)
"""``prev`` of a chain's leaf 0."""
LARGEST_LEAF = 65535
"""Bytes: an entry bundle of tlog-tiles counts a leaf's length in 16 bits."""
HOLDERS = "holders"
"""The chain of those outside who say that they hold a checkpoint."""
LONGEST_STANDSTILL_MS = 45 * 24 * 3600 * 1000
"""An installation that has signed nothing for longer is asked whether its clock is right before it goes on."""
LONGEST_LAG_MS = 5000
"""How far ``at`` may fall behind what the log already holds: a transaction lasts from its first leaf to its commit."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Event(StrEnum):
    """Every kind of leaf there is; a new kind is added here and nowhere else."""

    ENROLMENT_OPEN = "enrolment.open"
    ENROLMENT_CORRECT = "enrolment.correct"
    ENROLMENT_WITHDRAW = "enrolment.withdraw"
    SITTING_OPEN = "sitting.open"
    LEASE_TAKE = "lease.take"
    LEASE_EXPIRE = "lease.expire"
    BEAT = "beat"
    BEAT_CONFLICT = "beat.conflict"
    BEAT_REFUSED = "beat.refused"
    CHECK_DUE = "check.due"
    CHECK_RETOLD = "check.retold"
    CHECK_MOVE = "check.move"
    CHECK_EXTEND = "check.extend"
    CHECK_ANSWER = "check.answer"
    CHECK_VERDICT = "check.verdict"
    CHECK_APPEAL = "check.appeal"
    CHECK_REVIEW = "check.review"
    CHECKIN_CONFIRM = "checkin.confirm"
    CHECKIN_CODE = "checkin.code"
    CHECKIN_END = "checkin.end"
    CHECKIN_REVOKE = "checkin.revoke"
    CHECKIN_RESTORE = "checkin.restore"
    SESSION_PLAN = "session.plan"
    SESSION_CANCEL = "session.cancel"
    ATTENDANCE = "attendance"
    ATTENDANCE_ABSENT = "attendance.absent"
    ATTENDANCE_CONFIRM = "attendance.confirm"
    ATTENDANCE_DENY = "attendance.deny"
    ATTENDANCE_REVOKE = "attendance.revoke"
    FLAG_PROPOSE = "flag.propose"
    FLAG_CLEAR = "flag.clear"
    FLAG_RESTORE = "flag.restore"
    ATTENDANCE_SETTLE = "attendance.settle"
    ATTENDANCE_SIGN = "attendance.sign"
    CONSENT_GIVE = "consent.give"
    CONSENT_WITHDRAW = "consent.withdraw"
    REFERENCE_ENROL = "reference.enrol"
    REFERENCE_STAND = "reference.stand"
    REFERENCE_DELETE = "reference.delete"
    REFERENCE_CONFIRM = "reference.confirm"
    REFERENCE_REFUSE = "reference.refuse"
    FACE_VIEW = "face.view"
    EVIDENCE_EXPORT = "evidence.export"
    DRAW = "draw"
    FINDING = "finding"
    ERASE = "erase"
    HOURS_STATEMENT = "hours.statement"
    ACCOUNT_OPEN = "account.open"
    ACCOUNT_SUSPEND = "account.suspend"
    ACCOUNT_RESTORE = "account.restore"
    ACCOUNT_UNLOCK = "account.unlock"
    ACCOUNT_RECOVER = "account.recover"
    SIGNIN_OPEN = "signin.open"
    PASSWORD_CHANGE = "password.change"
    PASSWORD_RESET = "password.reset"
    RESET_ASK = "reset.ask"
    RESET_REFUSE = "reset.refuse"
    FACTOR_SET = "factor.set"
    FACTOR_DROP = "factor.drop"
    ROLE_GIVE = "role.give"
    ROLE_TAKE = "role.take"
    ORGANISATION_OPEN = "organisation.open"
    COHORT_OPEN = "cohort.open"
    CLOCK_RESET = "clock.reset"
    CHECKPOINT_HOLD = "checkpoint.hold"
    KEY_ROTATE = "key.rotate"
    LOG_OPEN = "log.open"


class Entry(NamedTuple):
    """What a service asks to have recorded."""

    event: Event
    chain: str
    who: str
    values: Mapping[str, Any]
    at_ms: int | None = None
    """Server time in epoch milliseconds; None means now."""
    occurred: str | None = None
    """The client's own time of it (RFC 3339), believed by nobody, kept for the reader."""


class Recorded(NamedTuple):
    """Where an entry came to stand in its chain."""

    n: int
    leaf_hash: bytes

    @property
    def hex(self) -> str:
        return self.leaf_hash.hex()


class LeafTooLarge(ValueError):
    """Large things are hashed and the hash is logged."""


def leaf_bytes(entry: Entry, *, n: int, previous: bytes, at: str) -> bytes:
    """The bytes that are stored, hashed and never written again. Raises canonical.NotCanonical, LeafTooLarge."""
    leaf: dict[str, Any] = {
        "v": 1,
        "event": entry.event,
        "at": at,
        "chain": entry.chain,
        "n": n,
        "prev": previous.hex(),
        "who": entry.who,
        "values": entry.values,
    }
    if entry.occurred is not None:
        leaf["occurred"] = entry.occurred
    data = canonical.encode(leaf)
    if len(data) > LARGEST_LEAF:
        raise LeafTooLarge(f"{entry.event}: {len(data)} bytes")
    return data


def leaf_hash(leaf: bytes) -> bytes:
    return merkle.leaf_hash(leaf)


def epoch_ms(at: str) -> int:
    """``2026-11-21T08:00:00.000Z`` as epoch milliseconds. Raises ValueError for any other spelling."""
    if len(at) != 24 or (at[4], at[7], at[10], at[13], at[16], at[19], at[23]) != tuple("--T::.Z"):
        raise ValueError(f"{at!r} is not a time as leaves write it")
    return (datetime.fromisoformat(at) - _EPOCH) // _MILLISECOND
