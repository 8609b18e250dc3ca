"""What is said about checks over the interface: nonces and reasons in, states and outcomes out."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from xueji.proctoring.services.answering import CameraFailure
from xueji.proctoring.services.camera import CameraQuestion
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import ReviewOutcome
from xueji.web.request_bodies import UploadedFiles, UploadForm
from xueji.web.schemas import Strict

Words = Annotated[str, Field(min_length=2, max_length=1000)]


class CheckPath(BaseModel):
    check_id: UUID


class PicturePath(BaseModel):
    picture_id: UUID


class CheckInPath(BaseModel):
    check_in_id: UUID


class FramesIn(UploadForm):
    frame: UploadedFiles
    movement: UploadedFiles = []
    """One picture for each prompt, in their order: its moments row by row."""
    nonce: Annotated[str, Field(max_length=64)]
    device: Annotated[str, Field(max_length=200)] = ""


class UnableIn(Strict):
    nonce: Annotated[str, Field(max_length=64)]
    reason: CameraFailure


class CameraIn(Strict):
    nonce: Annotated[str, Field(max_length=64)]
    question: CameraQuestion = Field(description="Whether the browser asks for the camera now, or was answered")


class RefuseIn(Strict):
    nonce: Annotated[str, Field(max_length=64)]


class ContestIn(Strict):
    reason: Words


class ReviewIn(Strict):
    outcome: ReviewOutcome
    reason: Words


class CheckInIn(Strict):
    enrolment_id: UUID
    place: Annotated[str, Field(min_length=1, max_length=120)]
    minutes: Annotated[int, Field(ge=5, le=300, strict=True)]


class CodeIn(Strict):
    code: Annotated[str, Field(min_length=1, max_length=20)]


class CodeOut(BaseModel):
    entered: bool


class AnsweredOut(BaseModel):
    check_id: UUID
    attempt: int
    state: str


class CheckStateOut(BaseModel):
    check_id: UUID
    kind: Literal["scheduled", "closing", "voluntary"]
    state: str
    outcome: str | None = Field(description="One of the nine, once decided")
    attempt: int
    nonce: str | None = Field(description="Only while the check waits for an answer")
    prompts: list[str]
    pulses: list[list[int]] = Field(
        description="For each prompt, at which moments its pictures are taken: ms since the movement began as the page "
        "saw it; those before it are negative"
    )
    answer_by: AwareDatetime | None
    last_outcome: str | None = Field(description="Of the latest attempt, when another one is asked for")
    signals: list[str]


class CheckInOut(BaseModel):
    check_in_id: UUID
    enrolment_id: UUID
    place: str
    until: AwareDatetime
    closed: bool
    room_code: str = Field(description="Six digits to be shown in the room; each trainee types them once")


class ContestedOut(BaseModel):
    decide_by: AwareDatetime


class ReviewedOut(BaseModel):
    check_id: UUID
    state: str
    decision: Decision | None
    """What stands after this word; null when the check's own outcome does."""
    second_awaited: bool
    """Whether a second person is to look."""
