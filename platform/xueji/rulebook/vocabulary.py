"""The words that rules, leaves and screens share; each member's value is what stands in a leaf, and never changes."""

from __future__ import annotations

from typing import Final

from xueji.python38 import StrEnum

RULES: Final = 2
"""The edition of the account's rules under which enrolments are opened today; it stands in the opening leaf (`rules`,
absent in those of the first edition). What a later edition asks for beyond an earlier one holds from it on, so that no
hours already earned fall, and old bundles are judged as they were."""


class Category(StrEnum):
    """Whom the training is for (003 art. 45)."""

    PRINCIPAL = "principal"
    SAFETY_MANAGER = "safety_manager"
    SPECIAL_OPERATOR = "special_operator"
    OTHER = "other"


class Training(StrEnum):
    """Which training it is: 初训, 再培训, 复审, 换证."""

    INITIAL = "initial"
    REFRESHER = "refresher"
    REVIEW = "review"
    RENEWAL = "renewal"


class Part(StrEnum):
    """The part of a syllabus a lesson or a session belongs to."""

    THEORY = "theory"
    PRACTICAL = "practical"


class Method(StrEnum):
    """How a sitting is vouched for: by face checks, or by staff who confirm the person."""

    FACE = "face"
    SUPERVISED = "supervised"


class BeatState(StrEnum):
    """What the player says it was doing during a beat."""

    PLAYING = "playing"
    PAUSED = "paused"
    HIDDEN = "hidden"
    IDLE = "idle"
    BUFFERING = "buffering"


class Reason(StrEnum):
    """Why a millisecond does not count. The first group is decided with the beat, the second by the account."""

    ALREADY_COUNTED = "already_counted"
    TOO_MANY_PIECES = "too_many_pieces"
    """what is to be made up would be left in more pieces than a sitting may have"""
    AHEAD = "ahead"
    BEYOND_END = "beyond_end"
    FASTER_THAN_CLOCK = "faster_than_clock"
    TOO_LATE = "too_late"
    TOO_FAST = "too_fast"
    PAUSED = "paused"
    HIDDEN = "hidden"
    IDLE = "idle"
    BUFFERING = "buffering"
    LEASE_LOST = "lease_lost"
    DAILY_MAXIMUM = "daily_maximum"
    OUTSIDE_DATES = "outside_dates"
    PRACTICAL_ONLINE = "practical_online"
    NOT_SUPERVISED = "not_supervised"

    CHECK_FAILED = "check_failed"
    NOT_MADE_UP = "not_made_up"
    OVER_CAP = "over_cap"
    IMPOSSIBLE = "impossible"


class CheckKind(StrEnum):
    """Why a check is asked: by the sitting's schedule, at a lesson's end, or because the trainee wants one."""

    SCHEDULED = "scheduled"
    CLOSING = "closing"
    VOLUNTARY = "voluntary"


class Outcome(StrEnum):
    """The nine ways a check can end."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNCLEAR = "unclear"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    NO_CAMERA = "no_camera"
    SERVICE_DOWN = "service_down"
    REFUSED = "refused"
    MISSED = "missed"


OFFERS_NOT_TAKEN: Final = frozenset((kind, Outcome.MISSED) for kind in CheckKind if kind is not CheckKind.SCHEDULED)
"""kind and outcome of a check that was an offer and was left alone: it says nothing, and holds no time"""


class ReviewOutcome(StrEnum):
    """What a person decided about a check after looking at it."""

    ACCEPT = "accept"
    REJECT = "reject"


class Clearer(StrEnum):
    """Who cleared an impossible sum: a regulator, or two people of the institution."""

    REGULATOR = "regulator"
    INSTITUTION = "institution"


class Doubt(StrEnum):
    """Which bound an attendance does not keep by itself."""

    BEFORE_BEGINNING = "before_beginning"
    AFTER_SETTLEMENT = "after_settlement"
    LATE_ENTRY = "late_entry"
    NOT_PLANNED = "not_planned"
    OVERLAP = "overlap"
    DENIED = "denied"


class HerWord(StrEnum):
    """What the trainee says about an attendance."""

    SILENT = "silent"
    CONFIRMED = "confirmed"
    SIGNED = "signed"
    """on paper, as staff state who keep the list"""
    DENIED = "denied"
