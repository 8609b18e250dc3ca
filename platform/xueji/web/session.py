"""The request's database session and the person behind the request.

Order of every request: fetch, decide access, do, commit, then tell others. A view never commits: what it did is
committed after it returned a good answer and before that answer leaves, so there is no 200 without its effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.database import commit
from xueji.kernel.errors import Unauthorised

V = TypeVar("V", bound=Callable[..., object])
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def writes(view: V) -> V:
    """Mark a view that answers GET and still writes (a look at a face is recorded)."""
    view.xueji_writes = True  # type: ignore[attr-defined]
    return view


def reads(view: V) -> V:
    """Mark a view that answers POST and only reads: a search whose words must not stand in an address."""
    view.xueji_reads = True  # type: ignore[attr-defined]
    return view


def cookie_settings(context: Context) -> dict[str, Any]:
    """How Flask is to write and read the installation's cookie, in every process that does."""
    return {
        "SECRET_KEY": context.keyring.derived("cookies"),
        "SESSION_COOKIE_NAME": "xueji",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": context.settings.secure_cookies,
    }


def context() -> Context:
    return cast(Context, current_app.extensions["xueji"])


def db() -> Session:
    """The request's session, opened at first use: reading for GET and HEAD, else writing (keep the rest short)."""
    if "session" not in g:
        g.session = context().database.open_session(writes=changes_something())
    return cast(Session, g.session)


def changes_something() -> bool:
    """Whether what is asked for may write: by its method, unless its view is marked otherwise."""
    view = current_app.view_functions.get(request.endpoint or "")
    by_method = request.method not in READ_METHODS and not getattr(view, "xueji_reads", False)
    return by_method or bool(getattr(view, "xueji_writes", False))


def actor_or_none() -> Actor | None:
    """Who is asking, as the identity part told (see `set_actor_loader`); None for a stranger."""
    if "actor" not in g:
        g.actor, g.refusal = None, None
        try:
            g.actor = current_app.extensions["xueji_actor_loader"]()
        except Unauthorised as refusal:
            g.refusal = refusal
    return cast("Actor | None", g.actor)


def refusal() -> Unauthorised | None:
    """Why somebody who came with a token is a stranger all the same: her session ended, the token is not ours."""
    actor_or_none()
    return cast("Unauthorised | None", g.refusal)


def actor() -> Actor:
    """Raises Unauthorised for a stranger, with the reason where there is one."""
    found = actor_or_none()
    if found is None:
        raise refusal() or Unauthorised()
    return found


def set_actor_loader(app: Flask, loader: Callable[[], Actor | None]) -> None:
    """``loader`` gives the person, None for a stranger, or raises Unauthorised to say why somebody is none."""
    app.extensions["xueji_actor_loader"] = loader


def set_sign_in_page(app: Flask, endpoint: str) -> None:
    """Where strangers are led who ask for what is not theirs."""
    app.config["SIGN_IN_PAGE"] = endpoint


def sign_in_page() -> str:
    """Its endpoint (see `set_sign_in_page`)."""
    return str(current_app.config["SIGN_IN_PAGE"])


class SignedCookies(SecureCookieSessionInterface):
    """Flask's cookie sessions; the signer is made once and not at every request."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer


def init_session(app: Flask) -> None:
    app.session_interface = SignedCookies()
    app.extensions.setdefault("xueji_actor_loader", lambda: None)

    @app.after_request
    def _commit(response: Response) -> Response:
        session: Session | None = g.get("session")
        if session is not None:
            if response.status_code >= 400:
                session.rollback()
                return response
            try:
                commit(session)
            except SQLAlchemyError as error:
                # Flask looks for no handler once a view has answered; the answer is not true any more.
                session.rollback()
                return current_app.make_response(current_app.handle_user_exception(error))
        return response

    @app.teardown_request
    def _close(_error: BaseException | None) -> None:
        session: Session | None = g.pop("session", None)
        if session is not None:
            session.close()
