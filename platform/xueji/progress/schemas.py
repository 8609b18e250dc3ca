"""What the lesson page and other clients send and get: bounded, exact, nothing extra."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from xueji.kernel import clock
from xueji.occasions.schemas import OpenCheckOut
from xueji.rulebook.vocabulary import Part
from xueji.web.schemas import Strict

MOST_BEATS = 120
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What any device's clock may say, however wrong it is set."""
_LEAST_MS = 100_000_000_000
"""Fewer since 1970 are seconds, said by mistake."""
LONGEST_FILM_MS = 24 * 3_600_000

_RFC_3339 = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"


def _written(source: Any, read: GetCoreSchemaHandler) -> CoreSchema:
    """The text first: a text of digits would be read as seconds since 1970, and so would a number that is small."""
    text = core_schema.chain_schema([core_schema.str_schema(strict=True, pattern=_RFC_3339), read(source)])
    number = core_schema.int_schema(strict=True, ge=_LEAST_MS, le=clock.to_ms(LATEST))
    counted = core_schema.no_info_after_validator_function(clock.from_ms, number)
    either = core_schema.union_schema([text, counted], mode="left_to_right")
    said = "Input should be a time as RFC 3339 writes it, with its zone, or in whole milliseconds since 1970"
    return core_schema.custom_error_schema(either, "moment", custom_error_message=said)


Moment = Annotated[
    AwareDatetime,
    GetPydanticSchema(_written),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": _LEAST_MS}]},
    ),
]
"""A time as RFC 3339 writes it, with its zone, or as a script's clock counts it."""
Milliseconds = Annotated[int, Field(ge=0, le=LONGEST_FILM_MS, strict=True)]


class SittingPath(BaseModel):
    sitting_id: UUID


class OpenSitting(Strict):
    sitting_id: UUID = Field(description="Chosen by the client; opening again with the same id gives the same answer")
    enrolment_id: UUID
    lesson_id: UUID
    device: str = Field(default="", max_length=200)
    continue_here: bool = Field(default=False, strict=True, description="Take over from another page or device")
    page: str = Field(
        default="", max_length=100, description="What the lesson page carries; without it the opening is marked"
    )


class BeatIn(Strict):
    beat_id: UUID
    seq: Annotated[int, Field(ge=1, le=2**40, strict=True)]
    from_ms: Milliseconds
    to_ms: Milliseconds
    state: Literal["playing", "paused", "hidden", "idle", "buffering"]
    rate: Annotated[float, Field(ge=0, le=16, allow_inf_nan=False, strict=True)]
    sent_at: Moment = Field(ge=EARLIEST, le=LATEST, description="The client's own time; kept, never believed")
    interacted: bool = Field(
        default=False, strict=True, description="Whether there was a touch, key or pointer since the last beat"
    )


class BeatsIn(Strict):
    beats: Annotated[list[BeatIn], Field(min_length=1, max_length=MOST_BEATS)]


class PresenceIn(Strict):
    question_id: UUID


class LeaseOut(BaseModel):
    id: UUID
    token: str = Field(description="Bearer token for this sitting's beats, and for nothing else")
    expires_at: AwareDatetime


class QuestionOut(BaseModel):
    question_id: UUID
    answer_by: AwareDatetime


class RefusedOut(BaseModel):
    from_ms: int
    to_ms: int
    reason: str


class MediaOut(BaseModel):
    hls: str
    poster: str


class RefusedSumOut(BaseModel):
    reason: str = Field(description="Code of `rulebook.vocabulary.Reason`")
    ms: int


class ShownOut(BaseModel):
    """The lesson's film in whole seconds that add up to its length; the first is cut, never rounded up."""

    counted: int
    provisional: int
    held: int
    refused: int = Field(description="Watched, and does not count: lost to a check or over the limit on online hours")
    unseen: int


class StretchesOut(BaseModel):
    """Where in the film each of these sums lies; what none of them names was not watched yet."""

    counted: list[tuple[int, int]]
    provisional: list[tuple[int, int]]
    held: list[tuple[int, int]]
    refused: list[tuple[int, int]]


class LedgerOut(BaseModel):
    """The sitting's lesson as the statement of hours has it; amounts are of its film."""

    duration_ms: int
    furthest_ms: int
    counted_ms: int
    provisional_ms: int = Field(description="Watched, and waiting for the next good check")
    held_ms: int = Field(description="Next to a failed check: to be made up, reviewed or lost")
    awaited_ms: int = Field(description="Of the held: what staff release by confirming her photo; nothing to make up")
    refused: list[RefusedSumOut] = Field(description="Everything of this lesson that does not count, by reason")
    make_up: list[tuple[int, int]] = Field(description="Media that earns again when it is watched again")
    ahead: Literal["counted", "provisional", "held", "refused"] = Field(
        description="What study from now on is worth until the next check; held after one that failed"
    )
    shown: ShownOut
    stretches: StretchesOut


_LEDGER = "None when it has to be reckoned anew: ask for it (`POST …/ledger`)"


class SittingOut(BaseModel):
    sitting_id: UUID
    resume_ms: int
    furthest_ms: int = Field(description="How far the lesson has been watched, over all sittings")
    ledger: LedgerOut | None = Field(description=_LEDGER)
    duration_ms: int
    beat_seconds: int
    lease: LeaseOut
    rulebook: str
    method: Literal["face", "supervised"]
    plan: dict[str, int]
    make_up: list[tuple[int, int]]
    media: MediaOut | None
    check: OpenCheckOut | None
    question: QuestionOut | None


class BeatsOut(BaseModel):
    credited_ms: int = Field(description="The same as furthest_ms; what counts stands in the ledger")
    furthest_ms: int = Field(description="How far the lesson has been watched, over all sittings")
    ledger: LedgerOut | None = Field(description=_LEDGER)
    refused: list[RefusedOut]
    check: OpenCheckOut | None
    question: QuestionOut | None
    server_time: AwareDatetime


class PresenceOut(BaseModel):
    furthest_ms: int
    question: None = Field(description="None stands open any more")


class CohortOut(BaseModel):
    cohort_id: UUID
    title: str
    syllabus: str
    starts_on: date
    ends_on: date
    total_ms: int
    theory_ms: int
    practical_ms: int
    online_ms: int
    in_person_ms: int
    rulebook: str


class LessonOut(BaseModel):
    lesson_id: UUID
    title: str
    part: Part
    position: int
    duration_ms: int
    film_ready: bool
    furthest_ms: int


class EnrolmentOut(BaseModel):
    enrolment_id: UUID
    state: str
    cohort: CohortOut
    lessons: list[LessonOut]


class EnrolmentsOut(BaseModel):
    enrolments: list[EnrolmentOut]
