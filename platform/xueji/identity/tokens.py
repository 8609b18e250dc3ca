"""Who a request claims to be, signed so that no database is needed to believe it.

A token is base64url of 61 fixed bytes and their HMAC-SHA256. The first byte is the version of this layout. It carries
no end of its own: whether the session it names is still live is a row in ``login_session``, which everyone who believes
a token must look at, in a query of their own if they make one anyway. The same token is the bearer's and, inside the
signed cookie, the browser's.

Before versions there were 55 bytes, whose first held eight roles. Such a token is read as long as its session lives;
its length tells it from the others.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from struct import Struct
from uuid import UUID

from flask import request
from flask import session as cookie

from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.web.session import context

COOKIE_KEY = "_user_id"
"""Where Flask-Login keeps what `flask_login.login_user` was given."""
BEARER = "Bearer "
VERSION = 1
_BODY = Struct(">BI16s16s16s6s2x")
"""Version, roles as bits, person, login session, organisation, region; zeros for none and to fill groups of three."""
_UNVERSIONED = Struct(">B16s16s16s6s")
"""Roles as bits, and the rest as now."""
_MAC_BYTES = 32
_BODY_BYTES = {(body.size + _MAC_BYTES) * 4 // 3: body.size for body in (_BODY, _UNVERSIONED)}
"""Bytes that are signed, by the length of the token."""
_NONE = bytes(16)


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token says that its bearer is."""

    person_id: UUID
    login_session_id: UUID
    roles: frozenset[Role]
    organisation_id: UUID | None
    region: str | None

    def actor(self) -> Actor:
        """The same as services take it."""
        return Actor(self.person_id, self.login_session_id, self.roles, self.organisation_id, self.region)


def issue(keyring: Keyring, claims: Claims) -> str:
    """A token that says so, in today's layout."""
    body = _BODY.pack(
        VERSION,
        sum(1 << role.bit for role in claims.roles),
        claims.person_id.bytes,
        claims.login_session_id.bytes,
        claims.organisation_id.bytes if claims.organisation_id else _NONE,
        (claims.region or "").encode("ascii"),
    )
    return urlsafe_b64encode(body + _mac(keyring, body)).decode()


def read(keyring: Keyring, token: str) -> Claims | None:
    """The claims, or None for anything this installation did not sign or whose version it does not know."""
    body_bytes = _BODY_BYTES.get(len(token))
    if body_bytes is None or not token.isascii():
        return None
    try:
        signed = urlsafe_b64decode(token)
    except ValueError:
        return None
    body = signed[:body_bytes]
    if not hmac.compare_digest(signed[body_bytes:], _mac(keyring, body)):
        return None
    if body_bytes == _UNVERSIONED.size:
        return _claims(*_UNVERSIONED.unpack(body))
    version, *fields = _BODY.unpack(body)
    return _claims(*fields) if version == VERSION else None


def _claims(mask: int, person: bytes, login: bytes, organisation: bytes, region: bytes) -> Claims:
    return Claims(
        UUID(bytes=person),
        UUID(bytes=login),
        _roles(mask),
        UUID(bytes=organisation) if organisation != _NONE else None,
        region.rstrip(b"\0").decode() or None,
    )


def bearer() -> bool:
    """Whether the request names its own authority; then the cookie counts for nothing, and nothing can be forged."""
    return "Authorization" in request.headers


def claims_of_request() -> Claims | None:
    """Whose request this says it is; None for a stranger and for a token that is not ours. No database is touched."""
    given = request.headers.get("Authorization")
    if given is None:
        token = cookie.get(COOKIE_KEY)
        return read(context().keyring, token) if isinstance(token, str) else None
    return read(context().keyring, given[len(BEARER) :]) if given.startswith(BEARER) else None


@cache
def _roles(mask: int) -> frozenset[Role]:
    return frozenset(role for role in Role if mask >> role.bit & 1)


def _mac(keyring: Keyring, body: bytes) -> bytes:
    return hmac.digest(keyring.derived("tokens"), body, "sha256")
