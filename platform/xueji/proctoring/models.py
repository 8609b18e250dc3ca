"""Checks and everything that may become of them; and the check-ins of those who study without a camera.

Personal data: pictures of faces (encrypted under the person's own key, in the store; here only where they lie and what
they hash to), the reasons people give in appeals (encrypted alike). They are the evidence of identity; pictures end
when the years are over for which the law has a training file kept. Every look at one is recorded by the identity part.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from xueji.kernel.database import Base


class Check(Base):
    """One moment at which a trainee is asked to show herself. Times are epoch ms of the server's clock."""

    __tablename__ = "check"
    __table_args__ = (Index("ix_check_state_answer_by", "state", "answer_by_ms"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    occasion_kind: Mapped[str] = mapped_column(String(16))
    """During what it was asked (`occasions.models.Occasion.KIND`): a sitting, or something of another part."""
    occasion_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    """Which one. No foreign key: the row is of whatever table its kind has."""
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), index=True, info={"personal": "whose face was asked for"}
    )
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    due_ms: Mapped[int] = mapped_column(BigInteger)
    answer_by_ms: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    redelivered: Mapped[int] = mapped_column(Integer, default=0)
    """How often its window began again because the answer that delivered it was lost."""
    excused_ms: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """By how many ms lost connections have lengthened it, over all its attempts."""
    camera: Mapped[str | None] = mapped_column(String(12))
    """Where the browser's question about the camera stands: asked, answered; None when no page reported it."""
    nonce: Mapped[str] = mapped_column(String(64))
    """Of the attempt that is open; a picture answers one attempt once."""
    prompts: Mapped[list[str]] = mapped_column(JSON)
    pulses: Mapped[list[list[int]]] = mapped_column(JSON, default=list)
    """For each prompt, the moments at which its pictures are taken, in ms since the movement began."""
    outcome: Mapped[str | None] = mapped_column(String(16))
    """One of the nine, of the attempt that decided; None while open."""
    decided_ms: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(String(12))
    """What people decided about it (`rulebook.reviewing.Decision`); None: its outcome stands."""
    review_case: Mapped[dict[str, Any] | None] = mapped_column(
        JSON, info={"personal": "who said what of her check, by their ids: `rulebook.reviewing.Case`"}
    )
    second_awaited: Mapped[bool] = mapped_column(default=False)
    """Whether somebody has said something about it that takes a second person."""

    attempts: Mapped[list[Attempt]] = relationship(order_by="Attempt.number", lazy="selectin")
    appeals: Mapped[list[Appeal]] = relationship(order_by="Appeal.raised_ms", lazy="selectin")
    reviews: Mapped[list[Review]] = relationship(order_by="Review.said_ms", lazy="selectin")

    @property
    def asked_in(self) -> tuple[str, UUID]:
        """Kind and id of its occasion."""
        return self.occasion_kind, self.occasion_id


class Attempt(Base):
    """One answer to a check, and what was judged of it."""

    __tablename__ = "check_attempt"
    __table_args__ = (UniqueConstraint("check_id", "number"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("check.id"))
    number: Mapped[int] = mapped_column(Integer)
    nonce: Mapped[str] = mapped_column(String(64))
    prompts: Mapped[list[str]] = mapped_column(JSON)
    pulses: Mapped[list[list[int]]] = mapped_column(JSON, default=list)
    """As the check had them when it was answered; none where the prompts were to be seen in the frames themselves."""
    device: Mapped[str] = mapped_column(String(200), info={"personal": "name of the camera, a sign of a virtual one"})
    answered_ms: Mapped[int] = mapped_column(BigInteger)
    taken_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When a process took it up to judge it, epoch ms; None when nobody is at it."""
    judged_ms: Mapped[int | None] = mapped_column(BigInteger, index=True)
    outcome: Mapped[str | None] = mapped_column(String(16))
    score: Mapped[int | None] = mapped_column(Integer)
    """Distance to the reference in millionths; smaller is nearer."""
    threshold: Mapped[int | None] = mapped_column(Integer)
    """Up to this distance it was she, in millionths."""
    mismatch: Mapped[int | None] = mapped_column(Integer)
    """Beyond this distance it was somebody else, in millionths; None of verdicts from before it was kept."""
    engine: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(80))
    signals: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    references: Mapped[list[str]] = mapped_column(
        JSON, default=list, info={"personal": "which of her reference photos it was compared with"}
    )

    pictures: Mapped[list[Picture]] = relationship(order_by="Picture.position", lazy="selectin")


class Picture(Base):
    """Where one picture of an answer lies, encrypted, and what it is known again by.

    The last three are for knowing a picture that was used before, and for nothing else; they go with her consent.
    """

    __tablename__ = "check_picture"
    __table_args__ = (
        Index("ix_check_picture_person", "person_id", "sha256"),
        # Those whose files are still to be removed.
        Index(
            "ix_check_picture_removed",
            "deleted_ms",
            sqlite_where=text("deleted_ms IS NOT NULL AND path <> ''"),
            postgresql_where=text("deleted_ms IS NOT NULL AND path <> ''"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("check_attempt.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "whose picture it is"})
    position: Mapped[int] = mapped_column(Integer)
    movement: Mapped[int | None] = mapped_column(Integer)
    """The place of the prompt whose moments it shows side by side; None: a single frame."""
    path: Mapped[str] = mapped_column(String(200))
    """Empty once the file is gone from the store."""
    deleted_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When it was deleted because the years the law asks for were over, epoch ms; None while it is kept."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the ciphertext, as in the trace."""
    commitment: Mapped[str] = mapped_column(String(64))
    mark: Mapped[str | None] = mapped_column(
        String(64),
        index=True,
        info={"personal": "keyed hash of the picture's bytes, to know it when it is shown again"},
    )
    likeness_mark: Mapped[str | None] = mapped_column(
        String(64), index=True, info={"personal": "keyed hash of its likeness, to know it under another name"}
    )
    likeness: Mapped[bytes | None] = mapped_column(
        LargeBinary, info={"personal": "what it looks like, to know it when it comes changed; encrypted under her key"}
    )


class PicturesEnd(Base):
    """Until when the pictures of one enrolment's checks are kept, and that they were deleted: kept for ever.

    Personal data: none; it names an enrolment and numbers.
    """

    __tablename__ = "check_pictures_end"

    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), primary_key=True)
    look_on: Mapped[date | None] = mapped_column(Date, index=True)
    """The next day (Asia/Shanghai) on which to ask whether they end; None once they have ended."""
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When they were deleted, epoch ms."""
    pictures: Mapped[int] = mapped_column(Integer, default=0)
    """How many were deleted."""
    years: Mapped[int | None] = mapped_column(Integer)
    """For how many years the law had them kept, when they were deleted."""
    figure: Mapped[str] = mapped_column(String(64), default="")
    """The rulebook's figure that says so."""


class Appeal(Base):
    """A trainee contests what a check decided; a person decides, in writing."""

    __tablename__ = "check_appeal"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("check.id"), index=True)
    reason_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info={"personal": "her own words; encrypted under her key"}
    )
    raised_ms: Mapped[int] = mapped_column(BigInteger)
    decide_by_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    decided_ms: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str | None] = mapped_column(String(8))
    answer_cipher: Mapped[bytes | None] = mapped_column(LargeBinary, info={"personal": "the reviewer's answer to her"})


class Review(Base):
    """What one member of staff or regulator said about a check. Never changed: what is said later stands beside it."""

    __tablename__ = "check_review"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("check.id"), index=True)
    by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info={"personal": "who answers for it"})
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    office: Mapped[str] = mapped_column(String(12))
    """On whose behalf: `rulebook.reviewing.Office`."""
    outcome: Mapped[str] = mapped_column(String(8))
    reason_cipher: Mapped[bytes] = mapped_column(LargeBinary, info={"personal": "why; encrypted under her key"})
    said_ms: Mapped[int] = mapped_column(BigInteger)
    looked_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When this person first looked at a picture of the check, epoch ms; None when it has none or nobody looked."""
    asked_ms: Mapped[int] = mapped_column(BigInteger)
    """Since when the check waited for somebody: her appeal, else its verdict; epoch ms."""
    led_to: Mapped[str | None] = mapped_column(String(12))
    """The decision made with it, ``open`` when it took one back; None while it waits for a second person."""


class CheckIn(Base):
    """A member of staff confirms in person who is studying, where and until when: the route without a camera."""

    __tablename__ = "check_in"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolment.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info={"personal": "who was present"})
    supervisor_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), index=True, info={"personal": "who answers for it"}
    )
    place: Mapped[str] = mapped_column(String(120))
    opened_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int] = mapped_column(BigInteger)
    confirmed_ms: Mapped[int] = mapped_column(BigInteger)
    """When staff last saw her."""
    closed_ms: Mapped[int | None] = mapped_column(BigInteger)
    ended_why: Mapped[str | None] = mapped_column(String(12))
    """Where nobody saw her leave: absent in a round, or checked in elsewhere."""
    code_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When she typed the code shown in the room."""
    code_tries: Mapped[int] = mapped_column(Integer, default=0)
    """Wrong codes so far."""
    revoked_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When it was struck as false; None where it stands."""
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info={"personal": "who struck it"})


class CheckInLook(Base):
    """A member of staff looked and saw her: as she came, in a round, as she left. Times are epoch ms."""

    __tablename__ = "check_in_look"
    __table_args__ = (Index("ix_check_in_look_by_at", "by_id", "at_ms"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    check_in_id: Mapped[UUID] = mapped_column(ForeignKey("check_in.id"), index=True)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "who answers for it"})
    kind: Mapped[str] = mapped_column(String(8))
    """open, round or close"""
    at_ms: Mapped[int] = mapped_column(BigInteger)


class Calibration(Base):
    """How well the faces of a site's own people were told apart when somebody had it measured: shares and numbers of
    groups, nothing about anybody in them."""

    __tablename__ = "calibration"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info={"personal": "who answers for it"})
    measured_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    """Epoch ms."""
    engine: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(80))
    threshold: Mapped[int] = mapped_column(Integer)
    """The preset's distance up to which a face is hers, in millionths."""
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As `media_pipeline.site.measure` gives it."""
