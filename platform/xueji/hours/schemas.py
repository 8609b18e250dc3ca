"""An account and its checks as JSON. Every amount is a whole number of milliseconds; nothing is rounded."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from xueji.progress.schemas import LedgerOut, RefusedSumOut


class PageQuery(BaseModel):
    page: int = Field(default=1, ge=1, le=10_000)


class CheckQuery(BaseModel):
    check: UUID | None = Field(default=None, description="Also say what this check did to her hours")


class CheckDidOut(BaseModel):
    """What one check did to her hours, in all her lessons; ms of film."""

    check_id: UUID
    confirmed_ms: int = Field(description="Counts since this check, and did not before")
    over_cap_ms: int = Field(description="Good since this check, and beyond the limit on online hours")
    held_ms: int = Field(description="Does not count because of this check")
    make_up_ms: int = Field(description="To be watched again, whichever check it was that held it")
    awaited_ms: int = Field(description="Waits for staff to confirm her reference photo")
    provisional_ms: int = Field(description="Waits for the next check")


class ReckonedOut(LedgerOut):
    check: CheckDidOut | None = Field(description="null when none was asked about, or it has no verdict yet")


class OnlineOut(BaseModel):
    counted_ms: int
    provisional_ms: int = Field(description="Watched, and waiting for the next good check")
    held_ms: int = Field(description="Next to a failed check: to be made up, reviewed or lost")
    awaited_ms: int = Field(
        default=0, description="Of what is held: what waits for staff to confirm her reference photo"
    )
    unplayed_ms: int = Field(default=0, description="Of what is held: what was not handed out when it was reported")
    refused: list[RefusedSumOut]


class LessonLineOut(BaseModel):
    lesson: str
    part: str = Field(description="theory or practical")
    duration_ms: int
    furthest_ms: int
    counted_ms: int
    provisional_ms: int
    held_ms: int
    awaited_ms: int = Field(default=0, description="Of what is held; not to be watched again")
    unplayed_ms: int = Field(default=0, description="Of what is held: counts once it is played")
    refused: list[RefusedSumOut]
    make_up: list[tuple[int, int]] = Field(description="Media [from, to) that earns again when it is watched again")


class CapOut(BaseModel):
    applies: bool
    percent: int | None
    document: str
    article: str
    limit_ms: int
    used_ms: int
    over_ms: int
    note: str
    filed_ms: int | None = Field(default=None, description="Online hours filed; absent where the first edition applies")


class ShareOut(BaseModel):
    part_ms: int
    whole_ms: int
    per_mille: int = Field(description="Cut, never rounded up; for display only")


class InPersonOut(BaseModel):
    theory_ms: int
    practical_ms: int
    refused: list[RefusedSumOut] = Field(default=[], description="Entered, and not counted; absent when nothing is")


class TotalsOut(BaseModel):
    theory_ms: int
    practical_ms: int
    delivered_ms: int


class SyllabusOut(BaseModel):
    total_ms: int
    theory_ms: int
    practical_ms: int
    online_ms: int
    in_person_ms: int


class StatutoryOut(BaseModel):
    total_ms: int | None
    per_year: bool
    met: bool | None
    document: str
    article: str
    questions: list[str] = Field(description="Keys of what the law at hand does not answer")
    theory_ms: int | None = Field(default=None, description="The least theory; absent where no figure is known")
    practical_ms: int | None = Field(default=None, description="The least practice; absent where no figure is known")


class MissingOut(BaseModel):
    code: str
    ms: int


class FlagOut(BaseModel):
    code: str
    ids: list[str] = Field(description='What it concerns: leaves as "n:17", days, sittings, sessions')
    ms: int


class ClearedOut(BaseModel):
    code: str
    ids: list[str]
    ms: int
    n: int = Field(description="Number of the leaf that cleared it")
    by: str = Field(description="regulator or institution (two of its people)")


class StatementOut(BaseModel):
    """The very fields of the statement that an evidence bundle carries, and the online sums once more on top."""

    enrolment: str
    rulebook: str = Field(description="id@version, frozen when the enrolment was opened")
    as_of: AwareDatetime
    as_of_ms: int
    leaves: int = Field(description="How many leaves of the enrolment's chain it rests on")
    settled: bool
    class_hour_ms: int
    counted_ms: int = Field(description="Online study that counts; as in `online`")
    provisional_ms: int
    held_ms: int
    refused: list[RefusedSumOut]
    online: OnlineOut
    lessons: list[LessonLineOut]
    cap: CapOut
    in_person: InPersonOut
    totals: TotalsOut
    syllabus: SyllabusOut
    online_of_syllabus: ShareOut
    online_of_delivered: ShareOut
    statutory: StatutoryOut
    complete: bool
    missing: list[MissingOut]
    flags: list[FlagOut]
    marks: list[tuple[str, int]]
    cleared: list[ClearedOut] = Field(default=[], description="Flags a person cleared; absent when there are none")
    rules: int = Field(default=1, description="Edition of the account's rules; absent for the first")


class AttemptOut(BaseModel):
    number: int
    answered_at: AwareDatetime
    outcome: str | None
    score: int | None = Field(description="Distance to the reference in millionths; smaller is nearer")
    threshold: int | None
    engine: str | None
    model: str | None
    prompts: list[str]
    signals: list[str]
    pictures: list[UUID] = Field(description="For /pictures/{id}; empty for those who may not see faces")
    pictures_deleted_at: AwareDatetime | None = Field(
        description="When they were deleted because the years for which the law has them kept were over; else null"
    )


class AppealOut(BaseModel):
    raised_at: AwareDatetime
    decide_by: AwareDatetime
    decided_at: AwareDatetime | None
    decision: str | None


class CheckOut(BaseModel):
    check_id: UUID
    sitting_id: UUID
    lesson_id: UUID
    kind: str
    state: str
    outcome: str | None
    due_at: AwareDatetime
    answer_by: AwareDatetime
    decided_at: AwareDatetime | None
    decision: str | None = Field(
        description="What people decided: accepted, rejected, or struck (held on a regulator's word); else null"
    )
    second_awaited: bool = Field(description="Whether somebody has spoken and a second person is to look")
    holds_time: bool = Field(description="Whether the time around it is held or lost because of it")
    attempts: list[AttemptOut]
    appeal: AppealOut | None


class ChecksOut(BaseModel):
    checks: list[CheckOut] = Field(description="The newest first")
    page: int
    total: int
