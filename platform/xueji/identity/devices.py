"""Devices an account has signed in from before: what strangers do under its name does not lock them out.

A browser keeps a signed note of the account it last signed in to. The note opens nothing; it only counts apart.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from flask import Response, after_this_request, request

from xueji.identity.rules import Origin, account_name, network_of
from xueji.kernel.crypto import Keyring
from xueji.web.cookies import cookie_name
from xueji.web.session import context

COOKIE = "device"
LASTS_SECONDS = 180 * 24 * 3600
_ID, _ACCOUNT, _MAC = 16, 16, 32


def origin_of_request(account: str) -> Origin:
    """Where this request comes from, as far as it concerns the account of that name."""
    return Origin(network_of(request.remote_addr), _known_device(account))


def remember_device(account: str) -> None:
    """Note in the answer that this browser has signed in to the account."""
    keyring, settings = context().keyring, context().settings
    body = secrets.token_bytes(_ID) + _account_mark(keyring, account)
    note = urlsafe_b64encode(body + _mac(keyring, body)).decode()

    @after_this_request
    def _keep(response: Response) -> Response:
        response.set_cookie(
            cookie_name(settings, COOKIE),
            note,
            max_age=LASTS_SECONDS,
            samesite="Lax",
            secure=bool(settings.secure_cookies),
            httponly=True,
        )
        return response


def _known_device(account: str) -> str:
    keyring = context().keyring
    note = request.cookies.get(cookie_name(context().settings, COOKIE), "")
    try:
        signed = urlsafe_b64decode(note.encode("ascii"))
    except ValueError:
        return ""
    body = signed[: _ID + _ACCOUNT]
    if len(signed) != _ID + _ACCOUNT + _MAC or not hmac.compare_digest(signed[len(body) :], _mac(keyring, body)):
        return ""
    return body[:_ID].hex() if hmac.compare_digest(body[_ID:], _account_mark(keyring, account)) else ""


def _account_mark(keyring: Keyring, account: str) -> bytes:
    return keyring.keyed_hash("device", account_name(account))[:_ACCOUNT]


def _mac(keyring: Keyring, body: bytes) -> bytes:
    return hmac.digest(keyring.derived("devices"), body, "sha256")
