"""What the JSON interface of identity takes and gives. Unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from xueji.identity.rules import LONGEST_PASSWORD, ConsentKind, OrganisationKind, PhotoStanding, ProofRoute
from xueji.kernel.actor import Role
from xueji.web.request_bodies import UploadedFile, UploadForm
from xueji.web.schemas import Strict


class NewToken(Strict):
    account: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=LONGEST_PASSWORD)
    code: str | None = Field(default=None, max_length=20)
    """Six digits of the second factor, or a recovery code."""


class TokenOut(BaseModel):
    token: str
    expires_at: datetime
    """When it ends if it is not used again before."""
    person_id: UUID
    roles: list[Role]


class OneMembership(BaseModel):
    role: Role
    organisation_id: UUID
    organisation: str
    kind: OrganisationKind
    region: str


class StandingConsent(BaseModel):
    kind: ConsentKind
    text_version: str
    given_at: datetime


class Me(BaseModel):
    person_id: UUID
    account: str
    name: str
    id_number_masked: str
    roles: list[Role]
    """In force in this session."""
    organisation_id: UUID | None
    region: str | None
    memberships: list[OneMembership]
    proof_route: ProofRoute
    proof_route_chosen: bool
    consent: StandingConsent | None
    reference_photos: int
    second_factor: bool


class ConsentWords(BaseModel):
    kind: ConsentKind
    text_version: str
    text: dict[str, str]
    """HTML by language: ``zh`` and ``en``."""
    standing: StandingConsent | None


class NewConsent(Strict):
    kind: ConsentKind
    text_version: str = Field(max_length=24)


class ConsentPath(Strict):
    kind: ConsentKind


class Route(Strict):
    route: ProofRoute


class NewPhoto(UploadForm):
    photo: UploadedFile


class TwoLooks(UploadForm):
    first: UploadedFile
    later: UploadedFile
    """A second or more after the first: whoever lives has moved by then."""


class InView(BaseModel):
    """Who else is in view: ``nobody``, ``picture`` (a face that does not move) or ``somebody``."""

    behind: Literal["nobody", "picture", "somebody"]


class PhotoPath(Strict):
    photo_id: UUID


class EnrolledPhoto(BaseModel):
    photo_id: UUID
    quality: list[str]
    """Codes of what could be better; a photo that cannot be used is answered 422 with ``problems``."""
    standing: PhotoStanding
    """Whether face checks are made against it (not while it is ``waiting`` or ``refused``), and on whose word."""
    enrolled_at: datetime


class Photos(BaseModel):
    photos: list[EnrolledPhoto]
    most: int


class OneLook(BaseModel):
    viewed_at: datetime
    viewer: str
    organisation: str
    own: bool
    picture: str
    purpose: str


class Looks(BaseModel):
    looks: list[OneLook]
