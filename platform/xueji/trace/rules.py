"""What a leaf of the traceability log is: the names of events, whose acts they are, and how leaves chain.

A leaf is one canonical JSON object::

    {"v":1, "event":…, "at":…, "chain":…, "n":…, "prev":…, "who":…, "values":{…}, "salt":…, "occurred":…}

``chain`` is an enrolment (or `PLATFORM`), ``n`` counts its leaves from 0 without a gap, ``prev`` is the hash of its
leaf before, so nothing of one trainee can be left out unseen. ``at`` is the server's time and never decreases within a
chain; ``occurred``, when present, is the client's word. ``salt`` is 16 random bytes in hex: a leaf's hash is public,
and without them somebody who knows most of a leaf could try the rest until the hash fits (leaves of the first release
carry none). Standard library only: the offline verifier uses this file.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from xueji.python38 import UTC, StrEnum, moment
from xueji.trace import merkle

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
LOG = "log/"
"""The chain of a log's own opening is this and its origin."""
HOLDERS = "holders"
"""The chain of those outside who say that they hold a checkpoint."""
LONGEST_STANDSTILL_MS = 45 * 24 * 3600 * 1000
"""An installation that has signed nothing for longer is asked whether its clock is right before it goes on."""
DEMONSTRATION = "demo.xueji.example/"
"""How the name of a log begins whose first weeks were played under a clock that was told the time: its signatures prove
what was recorded and in which order, and prove no time."""
PLAYED = timedelta(days=42)
"""How long those weeks are; shorter than a log may stand still."""
SALT_BYTES = 16
"""Of every leaf, from the operating system."""
LONGEST_LAG_MS = 5000
"""How far ``at`` may fall behind what the log already holds: a transaction lasts from its first leaf to its commit."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Event(StrEnum):
    """Every kind of leaf there is; a new kind is added here and nowhere else."""

    ENROLMENT_OPEN = "enrolment.open"
    ENROLMENT_CORRECT = "enrolment.correct"
    ENROLMENT_IDENTIFY = "enrolment.identify"
    ENROLMENT_WITHDRAW = "enrolment.withdraw"
    ENROLMENT_READMIT = "enrolment.readmit"
    ENROLMENT_AMEND = "enrolment.amend"
    ENROLMENT_JOIN = "enrolment.join"
    ENROLMENT_PART = "enrolment.part"
    ENROLMENT_REMIND = "enrolment.remind"
    SITTING_OPEN = "sitting.open"
    SITTING_MAKE_UP = "sitting.make_up"
    LEASE_TAKE = "lease.take"
    LEASE_EXPIRE = "lease.expire"
    BEAT = "beat"
    BEAT_CONFLICT = "beat.conflict"
    BEAT_REFUSED = "beat.refused"
    CHECK_DUE = "check.due"
    CHECK_RETOLD = "check.retold"
    CHECK_REDELIVER = "check.redeliver"
    CHECK_MOVE = "check.move"
    CHECK_EXTEND = "check.extend"
    CHECK_ANSWER = "check.answer"
    CHECK_VERDICT = "check.verdict"
    CHECK_APPEAL = "check.appeal"
    CHECK_PROPOSE = "check.propose"
    CHECK_REVIEW = "check.review"
    CHECK_STRIKE = "check.strike"
    CHECK_REOPEN = "check.reopen"
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
    DUPLICATE_NOTICE = "duplicate.notice"
    DUPLICATE_DECIDE = "duplicate.decide"
    FACE_VIEW = "face.view"
    FACE_CALIBRATE = "face.calibrate"
    EVIDENCE_EXPORT = "evidence.export"
    DRAW = "draw"
    FINDING = "finding"
    ERASE = "erase"
    INSPECTION_OPEN = "inspection.open"
    INSPECTION_END = "inspection.end"
    INSPECTION_LOOK = "inspection.look"
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
    CORRECTION_ASK = "correction.ask"
    CORRECTION_REFUSE = "correction.refuse"
    PERSON_CORRECT = "person.correct"
    JOINING_ASK = "joining.ask"
    JOINING_REFUSE = "joining.refuse"
    FILE_JOIN = "file.join"
    FILE_PART = "file.part"
    FILE_COPY = "file.copy"
    FACTOR_SET = "factor.set"
    FACTOR_DROP = "factor.drop"
    ROLE_GIVE = "role.give"
    ROLE_TAKE = "role.take"
    ORGANISATION_OPEN = "organisation.open"
    ORGANISATION_CHANGE = "organisation.change"
    COHORT_OPEN = "cohort.open"
    COHORT_AMEND = "cohort.amend"
    CLOCK_RESET = "clock.reset"
    CHECKPOINT_HOLD = "checkpoint.hold"
    KEY_ROTATE = "key.rotate"
    LOG_OPEN = "log.open"


class By(StrEnum):
    """Whose act an event is."""

    TRAINEE = "herself"
    """The person whose chain it is, under her pseudonym."""
    STAFF = "staff"
    """Somebody in office; the leaf commits to her name and organisation."""
    PLATFORM = "platform"
    """Nobody in particular."""
    POWER = "power"
    """Somebody with power over accounts, organisations or cohorts; the leaf commits to her as its `actor`."""
    ANYBODY = "anybody"
    """Whoever asked; when it was somebody in office, as `STAFF`."""


BY: dict[Event, By] = {
    # Under the trainee's pseudonym, which it introduces; it commits to who enrolled her all the same.
    Event.ENROLMENT_OPEN: By.STAFF,
    Event.ENROLMENT_IDENTIFY: By.PLATFORM,
    Event.ENROLMENT_CORRECT: By.PLATFORM,
    Event.ENROLMENT_WITHDRAW: By.STAFF,
    Event.ENROLMENT_READMIT: By.STAFF,
    Event.ENROLMENT_AMEND: By.STAFF,
    Event.COHORT_AMEND: By.STAFF,
    # The second person is somebody in office, or she herself where an organisation registered the number she held.
    Event.ENROLMENT_JOIN: By.ANYBODY,
    Event.ENROLMENT_PART: By.ANYBODY,
    Event.ENROLMENT_REMIND: By.STAFF,
    Event.SITTING_OPEN: By.TRAINEE,
    Event.SITTING_MAKE_UP: By.TRAINEE,
    Event.LEASE_TAKE: By.TRAINEE,
    Event.LEASE_EXPIRE: By.TRAINEE,
    Event.BEAT: By.TRAINEE,
    Event.BEAT_CONFLICT: By.TRAINEE,
    Event.BEAT_REFUSED: By.TRAINEE,
    Event.CHECK_DUE: By.TRAINEE,
    Event.CHECK_RETOLD: By.TRAINEE,
    Event.CHECK_REDELIVER: By.TRAINEE,
    Event.CHECK_MOVE: By.TRAINEE,
    Event.CHECK_EXTEND: By.TRAINEE,
    Event.CHECK_ANSWER: By.TRAINEE,
    Event.CHECK_VERDICT: By.PLATFORM,
    Event.CHECK_APPEAL: By.TRAINEE,
    Event.CHECK_PROPOSE: By.STAFF,
    Event.CHECK_REVIEW: By.STAFF,
    Event.CHECK_STRIKE: By.STAFF,
    Event.CHECK_REOPEN: By.STAFF,
    Event.CHECKIN_CONFIRM: By.STAFF,
    Event.ATTENDANCE: By.STAFF,
    Event.ATTENDANCE_REVOKE: By.STAFF,
    Event.FLAG_CLEAR: By.STAFF,
    Event.FLAG_RESTORE: By.STAFF,
    Event.CONSENT_GIVE: By.TRAINEE,
    Event.CONSENT_WITHDRAW: By.TRAINEE,
    Event.REFERENCE_ENROL: By.TRAINEE,
    Event.REFERENCE_DELETE: By.TRAINEE,
    Event.DUPLICATE_NOTICE: By.PLATFORM,
    Event.DUPLICATE_DECIDE: By.STAFF,
    Event.FACE_VIEW: By.ANYBODY,
    Event.FACE_CALIBRATE: By.STAFF,
    Event.EVIDENCE_EXPORT: By.ANYBODY,
    Event.DRAW: By.STAFF,
    Event.FINDING: By.STAFF,
    Event.INSPECTION_OPEN: By.STAFF,
    Event.INSPECTION_END: By.STAFF,
    Event.INSPECTION_LOOK: By.STAFF,
    Event.ERASE: By.ANYBODY,
    Event.HOURS_STATEMENT: By.ANYBODY,
    Event.ACCOUNT_OPEN: By.POWER,
    Event.ACCOUNT_SUSPEND: By.POWER,
    Event.ACCOUNT_RESTORE: By.POWER,
    Event.ACCOUNT_UNLOCK: By.POWER,
    Event.SIGNIN_OPEN: By.POWER,
    Event.PASSWORD_CHANGE: By.POWER,
    Event.PASSWORD_RESET: By.POWER,
    Event.CORRECTION_ASK: By.POWER,
    Event.CORRECTION_REFUSE: By.POWER,
    Event.PERSON_CORRECT: By.POWER,
    Event.JOINING_ASK: By.POWER,
    Event.JOINING_REFUSE: By.POWER,
    Event.FILE_JOIN: By.POWER,
    Event.FILE_PART: By.POWER,
    Event.FILE_COPY: By.POWER,
    Event.FACTOR_SET: By.POWER,
    Event.FACTOR_DROP: By.POWER,
    Event.ROLE_GIVE: By.POWER,
    Event.ROLE_TAKE: By.POWER,
    Event.ORGANISATION_OPEN: By.POWER,
    Event.ORGANISATION_CHANGE: By.POWER,
    Event.COHORT_OPEN: By.POWER,
    Event.RESET_ASK: By.POWER,
    Event.RESET_REFUSE: By.POWER,
    Event.CHECKIN_CODE: By.TRAINEE,
    Event.CHECKIN_END: By.STAFF,
    Event.CHECKIN_REVOKE: By.STAFF,
    Event.CHECKIN_RESTORE: By.STAFF,
    Event.SESSION_PLAN: By.STAFF,
    Event.SESSION_CANCEL: By.STAFF,
    Event.ATTENDANCE_ABSENT: By.STAFF,
    Event.ATTENDANCE_CONFIRM: By.TRAINEE,
    Event.ATTENDANCE_DENY: By.TRAINEE,
    Event.ATTENDANCE_SETTLE: By.STAFF,
    Event.ATTENDANCE_SIGN: By.STAFF,
    Event.ACCOUNT_RECOVER: By.POWER,
    Event.REFERENCE_STAND: By.PLATFORM,
    Event.REFERENCE_CONFIRM: By.STAFF,
    Event.REFERENCE_REFUSE: By.STAFF,
    Event.FLAG_PROPOSE: By.STAFF,
    Event.CLOCK_RESET: By.PLATFORM,
    Event.CHECKPOINT_HOLD: By.PLATFORM,
    Event.KEY_ROTATE: By.PLATFORM,
    Event.LOG_OPEN: By.PLATFORM,
}
"""For every event whose act it is; a new event is not recorded before it stands here."""
FORMER: dict[Event, tuple[Event, ...]] = {Event.CHECK_RETOLD: (Event.CHECK_REDELIVER,)}
"""Events that are written no more, with those that say the same now; leaves of both names are read for ever."""
ABOUT = "about"
"""Under this name the opening leaf, or the one that identifies it later, commits to whom and what it is about."""
DECLARED = "declared"
"""Under this name the opening leaf says which post and employer were declared, and commits to the words about them."""
STAFF_NAME, STAFF_ORGANISATION = "staff_name", "staff_organisation"
"""Under these names a leaf commits to who acted in office."""


class Recorded(NamedTuple):
    """Where an entry came to stand in its chain."""

    n: int
    leaf_hash: bytes

    @property
    def hex(self) -> str:
        return self.leaf_hash.hex()


def leaf_hash(leaf: bytes) -> bytes:
    return merkle.leaf_hash(leaf)


def epoch_ms(at: str) -> int:
    """``2026-11-21T08:00:00.000Z`` as epoch milliseconds. Raises ValueError for any other spelling."""
    if len(at) != 24 or (at[4], at[7], at[10], at[13], at[16], at[19], at[23]) != tuple("--T::.Z"):
        raise ValueError(f"{at!r} is not a time as leaves write it")
    return (moment(at) - _EPOCH) // _MILLISECOND
