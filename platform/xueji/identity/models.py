"""People, organisations, sign-in, consent and reference photos.

Every column says whether it is personal and why it is kept: ``info=personal("…")`` or ``info=IMPERSONAL``. What names
somebody is encrypted under a key of her own; without ``Person.wrapped_key`` none of it can be read again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, Uuid, false
from sqlalchemy.orm import Mapped, mapped_column

from xueji.identity.rules import (
    ConsentKind,
    OrganisationKind,
    PhotoStanding,
    PhotoState,
    ProofRoute,
    ResetKind,
    SessionKind,
)
from xueji.kernel.actor import Role
from xueji.kernel.database import Base, UTCDateTime, word

IMPERSONAL: dict[str, Any] = {"personal": None}


def personal(why: str) -> dict[str, Any]:
    return {"personal": why}


def _key() -> Mapped[UUID]:
    return mapped_column(Uuid, primary_key=True, default=uuid4, info=IMPERSONAL)


def _of_person(why: str, **options: Any) -> Mapped[UUID]:
    return mapped_column(ForeignKey("person.id"), info=personal(why), **options)


class Organisation(Base):
    """A training institution, an enterprise, an authority, or whoever operates this installation."""

    __tablename__ = "organisation"

    id: Mapped[UUID] = _key()
    name: Mapped[str] = mapped_column(String(120), unique=True, info=IMPERSONAL)
    kind: Mapped[OrganisationKind] = mapped_column(word(OrganisationKind), info=IMPERSONAL)
    region: Mapped[str] = mapped_column(String(6), index=True, info=IMPERSONAL)
    """Division code (GB/T 2260); of an authority, its jurisdiction."""
    uscc: Mapped[str | None] = mapped_column(String(18), unique=True, info=IMPERSONAL)
    """Unified social credit code, where it has one."""
    industry: Mapped[str] = mapped_column(String(64), default="", info=IMPERSONAL)
    """Of an enterprise, by the rulebook's code; empty until it is known."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, info=IMPERSONAL)


class Person(Base):
    """One human being, once: the same identity number is the same person for life, across employers."""

    __tablename__ = "person"

    id: Mapped[UUID] = _key()
    name_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("real name: the law asks for real-name training; encrypted under her own key")
    )
    name_masked: Mapped[str] = mapped_column(String(40), info=personal("what lists show instead of the name"))
    name_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32), index=True, info=personal("keyed hash: finds the exact name without reading it")
    )
    id_number_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("identity number for certificates and filings; encrypted under her own key")
    )
    id_number_masked: Mapped[str] = mapped_column(String(18), info=personal("what screens show of the number"))
    id_number_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32), unique=True, info=personal("keyed hash: one person, one account for life")
    )
    wrapped_key: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("her key under the installation's; deleting it erases all it protects")
    )
    proof_route: Mapped[ProofRoute] = mapped_column(
        word(ProofRoute), info=personal("how she proves that it is she who studies")
    )
    route_chosen_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, info=personal("when she chose; empty until she was shown both ways")
    )
    registered_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("since when she has a file"))
    joined_to: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"),
        index=True,
        info=personal(
            "the file that stands where two people found this one to be the same person's; null of a file alone"
        ),
    )
    same_number_as: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"),
        index=True,
        info=personal(
            "the file that had her number already when an organisation she was not in registered it; such a file is "
            "found by that organisation only"
        ),
    )


class Account(Base):
    """How a person signs in."""

    __tablename__ = "account"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose account it is", unique=True)
    account: Mapped[str] = mapped_column(String(64), unique=True, info=personal("the name she signs in with"))
    password_hash: Mapped[str] = mapped_column(String(200), info=personal("argon2id; the password is nowhere kept"))
    password_is_temporary: Mapped[bool] = mapped_column(default=False, info=personal("set by staff, to be replaced"))
    password_changed_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("shown to her"))
    activated_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime,
        info=personal("when she first chose a password of her own; null while the first code waits for her"),
    )
    code_lapses_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime,
        info=personal("until when a password set by staff is good; null for one of her own, and for those of before"),
    )
    staff: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        info=personal("whether she ever worked here: then two people are needed to reset her account"),
    )
    reset_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, info=personal("when others last reset it: her next study begins with a check")
    )
    suspended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("locked by an administrator"))
    totp_cipher: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("secret of the second factor; encrypted under her own key")
    )
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, info=personal("empty while she has not yet shown that her device knows the secret")
    )
    totp_last_step: Mapped[int] = mapped_column(Integer, default=0, info=personal("no code is taken twice"))


class AccountAct(Base):
    """What was done to a person's account, by whom; the leaf of the platform's chain says the same for ever."""

    __tablename__ = "account_act"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose account it was done to", index=True)
    actor_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("person.id"), info=personal("who did it; null for the installation itself")
    )
    event: Mapped[str] = mapped_column(String(32), info=personal("what was done, as the trace names it"))
    place: Mapped[int] = mapped_column(BigInteger, info=IMPERSONAL)
    """The number of its leaf in the platform's chain."""
    happened_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("shown to her"))
    told: Mapped[bool] = mapped_column(info=personal("whether she is to be told at her next sign-in"))
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("when she said that she had read it"))


class ResetRequest(Base):
    """Somebody asks that a password or a second factor be reset; a second person confirms it, or it lapses."""

    __tablename__ = "reset_request"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose account it is", index=True)
    kind: Mapped[ResetKind] = mapped_column(word(ResetKind), info=personal("what is to be reset"))
    asked_by: Mapped[UUID] = _of_person("who asked")
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True, info=personal("it lapses a week later"))
    reason_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("why, in the asker's words; encrypted under the key of whose account it is")
    )
    half_cipher: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("the asker's half of the code; encrypted under her key, gone once decided")
    )
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info=personal("who decided"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("null while it waits"))
    confirmed: Mapped[bool | None] = mapped_column(info=personal("what was decided"))


class RecoveryCode(Base):
    """One of the codes that replace a lost second factor, once."""

    __tablename__ = "recovery_code"

    id: Mapped[UUID] = _key()
    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("account.id"), index=True, info=personal("whose second factor it replaces")
    )
    code_hash: Mapped[str] = mapped_column(String(200), info=personal("argon2id of the keyed hash of the code"))
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("a code works once"))


class LockOut(Base):
    """Failed sign-ins under one account name from one place, whether or not such an account exists.

    Both look the same outside. A place is a device she has signed in from before, or the address of a stranger; all
    strangers together have one more row.
    """

    __tablename__ = "lock_out"

    name_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32),
        primary_key=True,
        info=personal("keyed hash of the account name that was tried, and from where"),
    )
    account_hash: Mapped[bytes] = mapped_column(
        LargeBinary(32), index=True, info=personal("keyed hash of the name alone, to lift her locks")
    )
    failed_attempts: Mapped[int] = mapped_column(Integer, info=personal("protects her account from guessing"))
    last_failed_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True, info=personal("a day later the row goes"))
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("shown at sign-in"))


class Membership(Base):
    """What a person is in an organisation."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "role"),)

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("who is a member")
    organisation_id: Mapped[UUID] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=personal("her employer or training institution")
    )
    role: Mapped[Role] = mapped_column(word(Role), info=personal("decides what she may see and do"))
    since: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("part of her file"))


class LoginSession(Base):
    """One sign-in, from the password to its end. A session that ended never lives again."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_person_live", "person_id", "ended_at"),)

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("who is signed in")
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id"), info=personal("for whom she acts in this session")
    )
    kind: Mapped[SessionKind] = mapped_column(word(SessionKind), info=IMPERSONAL)
    learner: Mapped[bool] = mapped_column(info=personal("a learner has one live session at a time"))
    idle_minutes: Mapped[int] = mapped_column(Integer, info=IMPERSONAL)
    """For how long it lives on after it was last used."""
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("shown to her, to notice a stranger"))
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("shown to her; kept to the minute"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True, info=personal("ends what was left open"))
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("ends even what is used all the time"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("null while it is live"))
    ended_reason: Mapped[str | None] = mapped_column(String(24), info=personal("said to whoever still holds it"))
    user_agent: Mapped[str] = mapped_column(String(200), info=personal("shown to her, to notice a stranger"))


class Consent(Base):
    """A separate consent, to which words, when, and when it was taken back."""

    __tablename__ = "consent"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("who consented", index=True)
    kind: Mapped[ConsentKind] = mapped_column(word(ConsentKind), info=IMPERSONAL)
    text_version: Mapped[str] = mapped_column(String(24), info=personal("which words she agreed to"))
    given_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("proof of the consent"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("null while it stands"))


class ReferencePhoto(Base):
    """A face enrolled for comparison: the picture in the store and its template here, both under her own key."""

    __tablename__ = "reference_photo"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose face it is", index=True)
    state: Mapped[PhotoState] = mapped_column(word(PhotoState), info=IMPERSONAL)
    path: Mapped[str | None] = mapped_column(
        String(200), info=personal("where the encrypted picture lies; null once the file is deleted")
    )
    standing: Mapped[PhotoStanding] = mapped_column(
        word(PhotoStanding), default=PhotoStanding.UNCONFIRMED, info=personal("whether checks are made against it")
    )
    replaces: Mapped[bool] = mapped_column(default=False, info=personal("whether she had enrolled another one before"))
    sha256: Mapped[str] = mapped_column(String(64), info=personal("of the ciphertext, as the trace has it"))
    plain_sha256: Mapped[str | None] = mapped_column(
        String(64), info=personal("of the picture, committed to in her enrolments; null until it was read again")
    )
    descriptor_cipher: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("face template (128 float32), for face checks she consented to; null once deleted")
    )
    model: Mapped[str] = mapped_column(String(80), info=IMPERSONAL)
    enrolled_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("shown to her"))
    compared_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, index=True, info=personal("when it was compared with everybody else's; null until then")
    )
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("proof of the deletion"))


class PhotoDecision(Base):
    """A member of staff held a photo against the identity document, and said what was found. Never changed."""

    __tablename__ = "photo_decision"

    id: Mapped[UUID] = _key()
    photo_id: Mapped[UUID] = mapped_column(
        ForeignKey("reference_photo.id"), index=True, info=personal("which photo was decided on")
    )
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=personal("who answers for it"))
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id"), info=personal("on whose behalf")
    )
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("when"))
    confirmed: Mapped[bool] = mapped_column(info=personal("whether it shows her"))
    reason_cipher: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("why not, in their words; encrypted under her key")
    )


class DuplicateFlag(Base):
    """Two accounts whose faces look alike: refused to nobody, shown to staff."""

    __tablename__ = "duplicate_flag"
    __table_args__ = (UniqueConstraint("photo_id", "other_photo_id"),)

    id: Mapped[UUID] = _key()
    photo_id: Mapped[UUID] = mapped_column(
        ForeignKey("reference_photo.id"), info=personal("the photo that was enrolled last")
    )
    other_photo_id: Mapped[UUID] = mapped_column(
        ForeignKey("reference_photo.id"), info=personal("the photo it resembles")
    )
    person_id: Mapped[UUID] = _of_person("whose photo it is", index=True)
    other_person_id: Mapped[UUID] = _of_person("whom it resembles", index=True)
    distance: Mapped[int] = mapped_column(Integer, info=personal("millionths; smaller is nearer"))
    raised_at: Mapped[datetime] = mapped_column(UTCDateTime, info=IMPERSONAL)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True, info=IMPERSONAL)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info=personal("who answers for it"))
    same_person: Mapped[bool | None] = mapped_column(info=personal("what staff decided"))
    reason: Mapped[str] = mapped_column(String(300), default="", info=personal("why, in their words"))


class PersonCorrection(Base):
    """Somebody asks that a name or number be put right; a second person decides, or it lapses. Kept for good."""

    __tablename__ = "person_correction"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose name or number it is", index=True)
    slip: Mapped[bool] = mapped_column(info=personal("whether so little changes that her institution may decide it"))
    old_name_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("the name before, as earlier papers bear it; encrypted under her own key")
    )
    old_number_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("the number before; encrypted under her own key")
    )
    name_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("the name that is right; encrypted under her own key")
    )
    number_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("the number that is right; encrypted under her own key")
    )
    reason_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("why, in the asker's words; encrypted under her own key")
    )
    asked_by: Mapped[UUID] = _of_person("who asked")
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True, info=personal("it lapses a month later"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info=personal("who decided"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("null while it waits"))
    confirmed: Mapped[bool | None] = mapped_column(info=personal("what was decided"))


class FileJoining(Base):
    """Somebody asks that two files of one person be joined, or put apart again; a second person decides, or it lapses.

    A file that is joined keeps everything that is in it; whoever looks by person sees both (`queries.files_of`).
    """

    __tablename__ = "file_joining"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose file stands", index=True)
    joined_id: Mapped[UUID] = _of_person("whose file is joined to it, and whose account is suspended", index=True)
    parts: Mapped[bool] = mapped_column(info=personal("whether they are to be put apart again"))
    same_number: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        info=personal("whether both were registered under one identity number: then she herself may confirm it"),
    )
    flag_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("duplicate_flag.id"), index=True, info=personal("the likeness of faces that led to it, if any")
    )
    asked_by: Mapped[UUID] = _of_person("who asked")
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True, info=personal("it lapses a month later"))
    reason_cipher: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("why, in the asker's words; encrypted under the key of the file that stands")
    )
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), info=personal("who decided"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=personal("null while it waits"))
    confirmed: Mapped[bool | None] = mapped_column(info=personal("what was decided"))


class FaceView(Base):
    """Somebody looked at somebody's picture. The person in the picture may read this."""

    __tablename__ = "face_view"

    id: Mapped[UUID] = _key()
    person_id: Mapped[UUID] = _of_person("whose picture it was", index=True)
    viewer_id: Mapped[UUID] = _of_person("who looked")
    viewer_organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisation.id"), info=personal("on whose behalf")
    )
    picture: Mapped[str] = mapped_column(String(80), info=personal("which picture"))
    purpose: Mapped[str] = mapped_column(String(40), info=personal("what for"))
    viewed_at: Mapped[datetime] = mapped_column(UTCDateTime, info=personal("when"))
