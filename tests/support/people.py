"""People who can sign in, and browsers and programs that do it for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import numpy as np
import pyotp
from flask import Flask
from flask.testing import FlaskClient
from stdnum.cn import ric

from media_pipeline.behind import Behind
from media_pipeline.quality import QualityCode
from media_pipeline.reference import ReferenceQuality
from media_pipeline.verdict import EngineDown
from xueji.identity import consent_text, faces, services
from xueji.identity.models import Organisation, Person
from xueji.identity.rules import ConsentKind, OrganisationKind, SessionKind
from xueji.identity.services import HashedPassword, SignInResult
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context

PASSWORD = "correct-horse-7"
_HASHED = services.hash_password(PASSWORD)
_KINDS = {
    Role.TRAINEE: OrganisationKind.INSTITUTION,
    Role.INSTITUTION: OrganisationKind.INSTITUTION,
    Role.ENTERPRISE: OrganisationKind.ENTERPRISE,
    Role.REGULATOR: OrganisationKind.AUTHORITY,
    Role.ADMINISTRATOR: OrganisationKind.OPERATOR,
    Role.INSPECTOR: OrganisationKind.AUTHORITY,
}
_serial = count(1)


def identity_number(serial: int) -> str:
    """A well-formed number of nobody, born in 1985."""
    body = f"62010219850{1 + serial // 10000 % 9}{10 + serial // 1000 % 10}{serial % 1000:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def organisation(context: Context, kind: OrganisationKind, region: str = "620102") -> Organisation:
    with context.database.writing() as session:
        return services.create_organisation(
            session, context.keyring, name=f"单位{next(_serial)}", kind=kind, region=region, uscc=None, actor=None
        )


@dataclass(frozen=True)
class Someone:
    """A person who knows her password."""

    id: UUID
    account: str
    organisation_id: UUID
    id_number: str
    name: str = "王小明"

    def actor(self, *roles: Role, region: str | None = "620102") -> Actor:
        """Acting as that, with no session behind it."""
        return Actor(self.id, UUID(int=0), frozenset(roles), self.organisation_id, region)


def someone(
    context: Context,
    role: Role = Role.TRAINEE,
    *,
    at: Organisation | None = None,
    region: str = "620102",
    name: str = "王小明",
    temporary: bool = False,
    password: HashedPassword = _HASHED,
) -> Someone:
    where = at or organisation(context, _KINDS[role], region)
    serial = next(_serial)
    number, account = identity_number(serial), f"person{serial}"
    with context.database.writing() as session:
        person: Person = services.register_person(
            session,
            context.keyring,
            name=name,
            id_number=number,
            account=account,
            password=password,
            role=role,
            organisation_id=where.id,
            actor=None,
            temporary=temporary,
        )
        return Someone(person.id, account, where.id, number, name)


def signed_in(context: Context, who: Someone, kind: SessionKind = SessionKind.TOKEN) -> SignInResult:
    passed = services.pass_password(
        context, account=who.account, password=PASSWORD, kind=kind, user_agent="Mozilla/5.0 (Windows) Chrome/130"
    )
    assert isinstance(passed, SignInResult)
    return passed


def bearer(context: Context, who: Someone) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed_in(context, who).token}"}


def consented(context: Context, who: Someone) -> None:
    with context.database.writing() as session:
        services.give_consent(
            session,
            context.keyring,
            person=session.get_one(Person, who.id),
            kind=ConsentKind.FACE,
            text_version=consent_text.CURRENT[ConsentKind.FACE],
        )


def with_factor(context: Context, who: Someone) -> tuple[pyotp.TOTP, list[str]]:
    """Enrol a second factor with the code of the step before, so that the present one is still unused."""
    with context.database.writing() as session:
        totp = pyotp.TOTP(services.begin_totp(session, context.keyring, person_id=who.id).secret)
    with context.database.writing() as session:
        code = totp.at(clock.now() - timedelta(seconds=30))
        codes = services.confirm_totp(session, context.keyring, context.events, person_id=who.id, code=code, keep=None)
    return totp, codes


@dataclass
class Browser:
    """A person's browser: it keeps cookies and sends the anti-forgery token of the page it has before it."""

    app: Flask
    client: FlaskClient = field(init=False)
    page: str = ""

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, **options: Any) -> Any:
        response = self.client.get(path, **options)
        self.page = response.text if response.mimetype == "text/html" else ""
        return response

    def post(self, path: str, data: dict[str, Any] | None = None, *, look: str | None = None, **options: Any) -> Any:
        """Look at the page (``look``, else the address itself), then send its form."""
        if look is not None or 'name="csrf-token"' not in self.page:
            assert self.get(look or path).status_code < 500
        token = re.search(r'name="csrf-token" content="([^"]+)"', self.page)
        assert token is not None, self.page[:400]
        response = self.client.post(path, data={"csrf_token": token.group(1), **(data or {})}, **options)
        self.page = response.text if response.mimetype == "text/html" else ""
        return response

    def sign_in(self, who: Someone, password: str = PASSWORD, next: str | None = None) -> Any:  # noqa: A002
        path = "/sign-in" + (f"?next={next}" if next else "")
        return self.post(path, {"account": who.account, "password": password}, look=path)


@dataclass
class HarmlessFaces:
    """Answers what it was told: each photo's first byte names the face in it."""

    codes: tuple[QualityCode, ...] = ()
    down: bool = False
    described_by: str = "none"
    kept: bytes | None = None
    """What it says is to be kept of a photo."""
    behind: Behind = Behind.NOBODY

    @property
    def model(self) -> str:
        if self.down:
            raise EngineDown("told to be down")
        return self.described_by

    def assess(self, photo: bytes) -> ReferenceQuality:
        if self.down:
            raise EngineDown("told to be down")
        descriptor = None if self.codes else face(photo[0])
        return ReferenceQuality(descriptor, self.codes, "harmless/1", self.described_by, self.kept)

    def look_behind(self, first: bytes, later: bytes) -> Behind:
        if self.down:
            raise EngineDown("told to be down")
        return self.behind

    @classmethod
    def in_(cls, context: Context) -> HarmlessFaces:
        twin = cls()
        context.outside[faces.FaceEngine] = twin
        return twin


def face(number: int) -> Any:
    """A template; those of different numbers are far apart."""
    return np.random.default_rng(number).normal(0, 0.1, 128).astype(np.float32)
