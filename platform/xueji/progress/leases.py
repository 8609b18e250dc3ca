"""What a lesson page reports with: a token good for the beats of one sitting and for nothing else.

It spares the page's beats the cookie and its anti-forgery token, and a script that stole it could only study for her.
Whether the sign-in it was given under is still live is read with the beats (see `record`).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from xueji.identity import tokens
from xueji.identity.errors import SignedOut
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring

PREFIX = "lease."
_BODY = 48
_LENGTH = len(PREFIX) + (_BODY + 32) * 4 // 3 + 1  # 80 bytes are 108 characters with padding


def issue_lease(keyring: Keyring, *, sitting_id: UUID, person_id: UUID, login_session_id: UUID) -> str:
    body = sitting_id.bytes + person_id.bytes + login_session_id.bytes
    return PREFIX + urlsafe_b64encode(body + _mac(keyring, body)).decode().rstrip("=")


def read_lease(keyring: Keyring, token: str, sitting_id: UUID) -> tuple[UUID, UUID] | None:
    """Person and sign-in; None for anything this installation did not give for this sitting."""
    if not token.startswith(PREFIX) or len(token) != _LENGTH or not token.isascii():
        return None
    try:
        signed = urlsafe_b64decode(token[len(PREFIX) :] + "=")
    except ValueError:
        return None
    body = signed[:_BODY]
    if body[:16] != sitting_id.bytes or not hmac.compare_digest(signed[_BODY:], _mac(keyring, body)):
        return None
    return UUID(bytes=body[16:32]), UUID(bytes=body[32:48])


def page_ticket(keyring: Keyring, actor: Actor, enrolment_id: UUID, lesson_id: UUID) -> str:
    """What a lesson page opens its sittings with: it says that she has loaded this lesson's page."""
    said = b"".join(each.bytes for each in (actor.person_id, enrolment_id, lesson_id))
    return hmac.digest(keyring.derived("lesson page"), said, "sha256").hex()


def page_loaded(keyring: Keyring, ticket: str, actor: Actor, enrolment_id: UUID, lesson_id: UUID) -> bool:
    return ticket.isascii() and hmac.compare_digest(ticket, page_ticket(keyring, actor, enrolment_id, lesson_id))


def whose(keyring: Keyring, token: str, sitting_id: UUID) -> tuple[UUID, UUID]:
    """Person and sign-in that a sitting's lease or a bearer token speaks for. Raises SignedOut."""
    lease = read_lease(keyring, token, sitting_id)
    if lease is not None:
        return lease
    claims = tokens.read(keyring, token)
    if claims is None:
        raise SignedOut
    return claims.person_id, claims.login_session_id


def _mac(keyring: Keyring, body: bytes) -> bytes:
    return hmac.digest(keyring.derived("lease"), body, "sha256")
