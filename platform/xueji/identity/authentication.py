"""Where a request becomes somebody's: cookie or token, live session, no forgery, no guessing without end."""

from __future__ import annotations

import time

from flask import Flask, current_app, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_login import LoginManager, login_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from xueji.identity import queries, services, tokens
from xueji.identity.devices import origin_of_request, remember_device
from xueji.identity.errors import Forged, SignedOut
from xueji.identity.models import LoginSession
from xueji.identity.pace import init_pace
from xueji.identity.rules import MARK_OF_LIFE, SessionEnd, network_of
from xueji.identity.wording import ACT, ROLE
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.errors import TooMany
from xueji.kernel.settings import Settings
from xueji.web.errors import answer
from xueji.web.session import READ_METHODS, actor_or_none, context, set_actor_loader, set_sign_in_page

csrf = CSRFProtect()


class MarkedOnly(Limiter):
    """Looks at the views that are marked and, unlike its parent, at no other request: beats come by the thousand."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


limiter = MarkedOnly(key_func=lambda: network_of(request.remote_addr))

# Only failures count, so that a whole class behind one address signs in unhindered.
limit_failures = limiter.shared_limit(
    lambda: context().settings.sign_in_failures,
    scope="sign-in",
    deduct_when=lambda response: response.status_code in (401, 429),
    # Others behind the same address cannot shut out a device its owner has signed in from before.
    exempt_when=lambda: bool(origin_of_request(request.form.get("account", "")).device),
    error_message=lambda: _("从您的网络地址登录失败的次数过多。"),
)


class SignedIn:
    """What Flask-Login keeps in the cookie: the token itself."""

    is_active = is_authenticated = True
    is_anonymous = False

    def __init__(self, token: str) -> None:
        self._token = token

    def get_id(self) -> str:
        return self._token


def init_identity(app: Flask) -> None:
    installation: Context = app.extensions["xueji"]
    set_actor_loader(app, load_actor)
    set_sign_in_page(app, "identity.sign_in")
    _init_login(app)
    _init_csrf(app)
    _init_limiter(app, installation.settings)
    init_pace(app)
    app.context_processor(_way_in_or_out)
    app.context_processor(_person_in_the_frame)


def load_actor() -> Actor | None:
    """None for a stranger. Raises SignedOut for a token that is not ours, SessionEnded for one that is over."""
    claims = tokens.claims_of_request()
    if claims is None:
        if tokens.bearer():
            raise SignedOut
        return None
    now = clock.now()
    # A session of its own: the request's may be a writing one, and nobody should wait for it because of this look.
    with context().database.looking() as session:
        last_seen_at = queries.live_login(session, claims.login_session_id, now)
    if now - last_seen_at >= MARK_OF_LIFE:
        with context().database.writing() as session:
            services.keep_alive(session, claims.login_session_id, now)
    return claims.actor()


def start_browser_session(passed: services.SignInResult) -> None:
    """Put a new sign-in into a new cookie: nothing of the one from before survives, neither rights nor tokens."""
    end_browser_session(SessionEnd.SIGNED_OUT)
    login_user(SignedIn(passed.token))
    with context().database.reading() as session:
        remember_device(queries.account_of(session, passed.claims.person_id).account)


def end_browser_session(reason: SessionEnd) -> None:
    """End the cookie's session, if it has a live one, and empty the cookie."""
    claims = None if tokens.bearer() else tokens.claims_of_request()
    if claims is not None:
        with context().database.writing() as session:
            login = session.get(LoginSession, claims.login_session_id)
            if login is not None:
                services.end_session(session, context().events, login, reason=reason)
    cookie.clear()


def _init_login(app: Flask) -> None:
    manager = LoginManager()
    # Binding a session to the address would sign phones out whenever they change networks.
    manager.session_protection = None
    manager.user_loader(lambda token: SignedIn(token) if actor_or_none() is not None else None)
    manager.init_app(app)


def _init_csrf(app: Flask) -> None:
    # A page lives as long as its session: a film may run for hours between two forms.
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    csrf.init_app(app)

    @app.before_request
    def _refuse_forgery() -> None:
        # What no view answers changes nothing, and is told just that.
        if _is_led_here() and not tokens.bearer():
            raise Forged
        if request.endpoint is not None and _can_be_forged():
            try:
                csrf.protect()
            except CSRFError as error:
                raise Forged from error


def _is_led_here() -> bool:
    """Whether another site leads a browser to a view that answers GET and still records something.

    A browser says from where it comes (Sec-Fetch-Site); a cookie that is Lax would go along with a plain link.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    recorded = request.method in READ_METHODS and getattr(view, "xueji_writes", False)
    return recorded and request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")


def _can_be_forged() -> bool:
    """A browser adds a cookie by itself, a bearer token never; the API without either is nobody's authority."""
    if tokens.bearer():
        return False
    return tokens.COOKIE_KEY in cookie or not request.path.startswith(("/api/", "/witness/"))


def _init_limiter(app: Flask, settings: Settings) -> None:
    redis = settings.redis_url
    app.config.update(
        RATELIMIT_STORAGE_URI=redis.replace("unix://", "redis+unix://") if redis else "memory://",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=redis is not None,
        RATELIMIT_KEY_PREFIX="limits",
    )
    limiter.init_app(app)

    @app.errorhandler(RateLimitExceeded)
    def _too_many(error: RateLimitExceeded) -> AnyResponse:
        seconds = _seconds_until_allowed(error)
        detail = _("%(cause)s请约%(minutes)s分钟后再试。", cause=error.description, minutes=-(-seconds // 60))
        extra = {"retry_after": seconds}
        response = answer(TooMany.status, TooMany.type, str(TooMany.title), detail, extra)
        response.headers["Retry-After"] = str(seconds)
        return response


def _seconds_until_allowed(error: RateLimitExceeded) -> int:
    longest = error.limit.limit.get_expiry()
    reached = limiter.current_limit
    return min(longest, max(1, reached.reset_at - int(time.time()))) if reached is not None else longest


def _way_in_or_out() -> dict[str, object]:
    """Where the frame of every page leads to sign in or out; nowhere while somebody is signing in."""
    if actor_or_none() is not None:
        return {"sign_out_url": url_for("identity.sign_out")}
    signing_in = (request.endpoint or "").startswith("identity.sign_in")
    return {"sign_in_url": None if signing_in else url_for("identity.sign_in")}


def _person_in_the_frame() -> dict[str, object]:
    """What the frame of every page says of who is signed in; nothing when even that cannot be read."""
    try:
        someone = actor_or_none()
        if someone is None:
            return {}
        with context().database.reading() as session:
            names = queries.display_names(session, context().keyring, [someone.person_id])
            unread = queries.unread_acts(session, someone.person_id)
    except SQLAlchemyError:
        return {}
    return {
        "actor_name": names.get(someone.person_id, ""),
        "actor_role": "、".join(str(ROLE[role]) for role in sorted(someone.roles)),
        "unread": unread,
        "act_words": ACT,
    }
