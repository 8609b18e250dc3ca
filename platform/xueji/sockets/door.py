"""Who gets a socket: somebody who is signed in, on a page of this site, from an address that has not too many."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import Headers

from xueji.identity import queries
from xueji.identity.errors import SessionEnded
from xueji.identity.tokens import Claims, claims_of_request
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.web.session import SignedCookies, cookie_settings


class Door:
    def __init__(self, context: Context) -> None:
        self._context = context
        # As much of the application as reads its cookie.
        self._app = Flask("xueji")
        self._app.config.update(cookie_settings(context))
        self._app.session_interface = SignedCookies()
        self._app.extensions["xueji"] = context

    def claims(self, headers: Headers) -> Claims | None:
        """Whose socket it would be; None for a stranger and for another site's page. No database is touched."""
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc not in self._own_hosts(headers):
            return None
        with self._app.test_request_context("/", headers=headers):
            return claims_of_request()

    def is_live(self, claims: Claims) -> bool:
        """Whether the sign-in still stands. Called beside the loop: it asks the database."""
        try:
            with self._context.database.reading() as session:
                queries.live_login(session, claims.login_session_id, clock.now())
        except (SessionEnded, SQLAlchemyError):
            return False
        return True

    def still_live(self, login_session_ids: Iterable[UUID]) -> set[UUID]:
        """Those that still stand. Called beside the loop."""
        with self._context.database.reading() as session:
            return queries.live_logins(session, login_session_ids, clock.now())

    def address(self, headers: Headers, peer: str) -> str:
        """Where it comes from: what the outermost proxy that is trusted saw."""
        trusted = self._context.settings.trusted_proxies
        passed = [each.strip() for each in headers.get("X-Forwarded-For", "").split(",") if each.strip()]
        return passed[-trusted] if trusted and len(passed) >= trusted else peer

    def _own_hosts(self, headers: Headers) -> set[str]:
        return {headers.get("Host", ""), urlsplit(self._context.settings.public_url).netloc}
