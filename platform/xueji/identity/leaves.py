"""What accounts, files, faces and consent write into the log. See `xueji.trace.leaf`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from xueji.trace.leaf import (
    Chain,
    Commitment,
    Division,
    Flag,
    Hidden,
    Id,
    InOffice,
    Millionths,
    OfPerson,
    OfPlatform,
    OfPower,
    OfStaff,
    OfTrainee,
    OverPerson,
    Pseudonym,
    Sha256,
    Text,
    Unit,
    Word,
    Words,
    leaf,
)
from xueji.trace.rules import Event

NearPhoto = Annotated[str, Commitment(Hidden.PERSON, "reference")]
Refusal = Annotated[str, Commitment(Hidden.PERSON, "review")]


class NearReference(TypedDict):
    """A photo that a new one was compared with."""

    reference: NearPhoto
    distance: Millionths


@leaf(Event.REFERENCE_ENROL, Chain.ENROLMENT, Chain.PLATFORM)
class ReferenceEnrolled(OfTrainee):
    """A reference photo was taken. On the platform's chain: the photo; on an enrolment's: what it is worth there."""

    photo: Id | None = None
    sha256: Sha256 | None = None
    """of the encrypted file"""
    quality: Words | None = None
    reference: OfPerson | None = None
    model: Text | None = None
    standing: Word | None = None
    near: Annotated[list[NearReference], Unit("list of objects")] | None = None
    limit: Millionths | None = None


@leaf(Event.REFERENCE_DELETE, Chain.ENROLMENT, Chain.PLATFORM)
class ReferenceDeleted(OfTrainee):
    """It was deleted."""

    photo: Id | None = None
    sha256: Sha256 | None = None
    reference: OfPerson | None = None


@leaf(Event.REFERENCE_CONFIRM, Chain.ENROLMENT, Chain.PLATFORM)
class ReferenceConfirmed(OfStaff):
    """Staff held it against the identity document: it is hers."""

    photo: Id | None = None
    sha256: Sha256 | None = None
    reference: OfPerson | None = None
    by: Pseudonym | None = None


@leaf(Event.REFERENCE_REFUSE, Chain.ENROLMENT, Chain.PLATFORM)
class ReferenceRefused(OfStaff):
    """It is not hers."""

    photo: Id | None = None
    sha256: Sha256 | None = None
    reference: OfPerson | None = None
    by: Pseudonym | None = None
    reason: Refusal | None = None


@leaf(Event.CONSENT_GIVE, Chain.PLATFORM)
class ConsentGiven(OfTrainee):
    """She consents to face checks, or to being measured with."""

    kind: Word
    text_version: Text


@leaf(Event.CONSENT_WITHDRAW, Chain.PLATFORM)
class ConsentWithdrawn(OfTrainee):
    """She takes the consent back."""

    kind: Word
    text_version: Text


@leaf(Event.FACE_VIEW, Chain.ENROLMENT, Chain.PLATFORM)
class FaceViewed(InOffice):
    """Somebody looked at a face."""

    picture: Id
    purpose: Word


@leaf(Event.DUPLICATE_NOTICE, Chain.PLATFORM)
class DuplicateNoticed(OfPlatform):
    """The faces of two accounts are so much alike that they may be one person's."""

    duplicate: Id


@leaf(Event.DUPLICATE_DECIDE, Chain.PLATFORM)
class DuplicateDecided(OfStaff):
    """Somebody decided whether they are."""

    duplicate: Id
    same: Flag


@leaf(Event.ACCOUNT_OPEN, Chain.PLATFORM)
class AccountOpened(OverPerson):
    """An account was opened."""


@leaf(Event.ACCOUNT_SUSPEND, Chain.PLATFORM)
class AccountSuspended(OverPerson):
    """It was suspended."""

    joining: Id | None = None
    """present when she said that a file under her number is not hers"""
    parts: Flag | None = None


@leaf(Event.ACCOUNT_RESTORE, Chain.PLATFORM)
class AccountRestored(OverPerson):
    """It was restored."""


@leaf(Event.ACCOUNT_UNLOCK, Chain.PLATFORM)
class AccountUnlocked(OverPerson):
    """Failed attempts to sign in were forgotten."""


@leaf(Event.ACCOUNT_RECOVER, Chain.PLATFORM)
class AccountRecovered(OverPerson):
    """The operator restored the administrator's account on the server."""


@leaf(Event.SIGNIN_OPEN, Chain.PLATFORM)
class SignInOpened(OverPerson):
    """Somebody signed in."""

    login: Id
    kind: Word
    roles: Words


@leaf(Event.PASSWORD_CHANGE, Chain.PLATFORM)
class PasswordChanged(OverPerson):
    """She changed her own password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfReset(OverPerson):
    """What two people do who reset an account together."""

    request: Id | None = None
    """absent when nobody had to ask: a first code, or her own act"""


@leaf(Event.PASSWORD_RESET, Chain.PLATFORM)
class PasswordReset(OfReset):
    """Others reset it, or issued a first code."""


@leaf(Event.FACTOR_DROP, Chain.PLATFORM)
class FactorDropped(OfReset):
    """The second factor was switched off."""


@leaf(Event.FACTOR_SET, Chain.PLATFORM)
class FactorSet(OverPerson):
    """A second factor was set up."""


@leaf(Event.RESET_ASK, Chain.PLATFORM)
class ResetAsked(OverPerson):
    """The first of two people asks that an account be reset."""

    request: Id
    kind: Word
    reason: OfPerson


@leaf(Event.RESET_REFUSE, Chain.PLATFORM)
class ResetRefused(OverPerson):
    """It was refused."""

    request: Id
    kind: Word


@leaf(Event.CORRECTION_ASK, Chain.PLATFORM)
class CorrectionAsked(OverPerson):
    """Somebody asks that a name or number be corrected."""

    correction: Id
    slip: Flag
    reason: OfPerson


@leaf(Event.CORRECTION_REFUSE, Chain.PLATFORM)
class CorrectionRefused(OverPerson):
    """It was refused."""

    correction: Id


@leaf(Event.PERSON_CORRECT, Chain.PLATFORM)
class PersonDataCorrected(OverPerson):
    """The name or number was corrected."""

    correction: Id


@leaf(Event.JOINING_ASK, Chain.PLATFORM)
class JoiningAsked(OverPerson):
    """Somebody asks that two files be joined, or parted."""

    joining: Id
    parts: Flag
    reason: OfPerson
    other: OfPerson
    """the id of the other file's person"""


@leaf(Event.JOINING_REFUSE, Chain.PLATFORM)
class JoiningRefused(OverPerson):
    """It was refused."""

    joining: Id
    parts: Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTwoFiles(OverPerson):
    """What was decided of two files; one leaf for each of them."""

    joining: Id
    other: OfPerson


@leaf(Event.FILE_JOIN, Chain.PLATFORM)
class FileJoined(OfTwoFiles):
    """Two files were joined."""


@leaf(Event.FILE_PART, Chain.PLATFORM)
class FileParted(OfTwoFiles):
    """They were parted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRole(OverPerson):
    """A role in an organisation."""

    role: Word
    organisation: Id


@leaf(Event.ROLE_GIVE, Chain.PLATFORM)
class RoleGiven(OfRole):
    """A role was given."""


@leaf(Event.ROLE_TAKE, Chain.PLATFORM)
class RoleTaken(OfRole):
    """A role was taken away."""


@leaf(Event.ORGANISATION_OPEN, Chain.PLATFORM)
class OrganisationOpened(OfPower):
    """An organisation was registered."""

    organisation: Id
    kind: Word
    region: Division
    industry: Word


@leaf(Event.ORGANISATION_CHANGE, Chain.PLATFORM)
class OrganisationChanged(OfPower):
    """Its industry was corrected."""

    organisation: Id
    industry: Word
    before: Word
