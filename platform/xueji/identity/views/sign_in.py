"""Signing in, one page for each step, and out again. None of these views opens the request's own session."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, services
from xueji.identity.authentication import end_browser_session, limit_failures, start_browser_session
from xueji.identity.devices import origin_of_request
from xueji.identity.errors import SignedOut
from xueji.identity.forms import CodeForm, NewPasswordForm, SignInForm, StrictForm
from xueji.identity.rules import SessionEnd, SessionKind, SignInStep
from xueji.identity.services import Needed, SignInResult
from xueji.identity.views import blueprint
from xueji.identity.wording import DEMONSTRATED, ROLE
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound, Problem
from xueji.web.access import public
from xueji.web.qr_codes import qr_code
from xueji.web.redirects import local_path
from xueji.web.session import actor_or_none, context, refusal

UNDER_WAY = "sign_in"
UNDER_WAY_MS = 600_000
"""How long a password that was right stays so while the next step is done."""

_PAGES = {
    SignInStep.NEW_PASSWORD: "identity.sign_in_new_password",
    SignInStep.CODE: "identity.sign_in_code",
    SignInStep.SET_UP_CODE: "identity.sign_in_set_up_code",
}


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limit_failures
def sign_in() -> Any:
    """Account and password; what else is needed follows."""
    target = local_path(request.args.get("next"))
    if request.method == "GET" and actor_or_none() is not None:
        return redirect(target or "/")
    form, problem = SignInForm(), None
    if form.validate_on_submit():
        try:
            result = services.pass_password(
                context(),
                account=form.account.data,
                password=form.password.data,
                origin=origin_of_request(form.account.data),
                **_browser(),
            )
            return _go_on(result, target)
        except Problem as refused:
            problem = refused
    ended = refusal() if request.method == "GET" else None
    page = render_template("identity/sign_in.html", form=form, problem=problem, ended=ended, demo=_demo_accounts())
    return page, _status(form, problem)


@blueprint.post("/sign-in/as/<account>")
@public
@limit_failures
def sign_in_as(account: str) -> Response:
    """One tap, with the password that the page shows beside it; in a demonstration alone."""
    shown = next((each for each in _demo_accounts() if each["account"] == account), None)
    if shown is None:
        raise NotFound
    origin = origin_of_request(account)
    result = services.pass_password(context(), account=account, password=shown["password"], origin=origin, **_browser())
    return _go_on(result, shown["next"])


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
@limit_failures
def sign_in_code() -> Any:
    """The code of the second factor."""
    account_id, target = _under_way()
    form, problem = CodeForm(), None
    if form.validate_on_submit():
        try:
            origin = origin_of_request(_account_name(account_id))
            result = services.pass_code(
                context(), account_id=account_id, code=form.code.data, origin=origin, **_browser()
            )
            return _go_on(result, target)
        except Problem as refused:
            problem = refused
    return render_template("identity/sign_in_code.html", form=form, problem=problem), _status(form, problem)


@blueprint.route("/sign-in/new-password", methods=["GET", "POST"])
@public
def sign_in_new_password() -> Any:
    """A password of her own, after the one that staff had set."""
    account_id, target = _under_way()
    form, problem = NewPasswordForm(), None
    if form.validate_on_submit():
        try:
            result = services.pass_new_password(
                context(), account_id=account_id, password=form.password.data, **_browser()
            )
            return _go_on(result, target)
        except SignedOut:
            raise
        except Problem as refused:
            problem = refused
    return render_template("identity/sign_in_new_password.html", form=form, problem=problem), _status(form, problem)


@blueprint.route("/sign-in/set-up-code", methods=["GET", "POST"])
@public
@limit_failures
def sign_in_set_up_code() -> Any:
    """A second factor for staff who have none yet and must have one."""
    account_id, target = _under_way()
    form, problem = CodeForm(), None
    enrolment = services.begun_set_up(context(), account_id=account_id)
    if form.validate_on_submit():
        try:
            result, codes = services.pass_set_up(context(), account_id=account_id, code=form.code.data, **_browser())
            go_on = _go_on(result, target).location
            return render_template("identity/recovery_codes.html", codes=codes, go_on=go_on)
        except SignedOut:
            raise
        except Problem as refused:
            problem = refused
    page = render_template(
        "identity/set_up_code.html",
        form=form,
        problem=problem,
        enrolment=enrolment,
        qr=qr_code(enrolment.uri),
        signing_in=True,
    )
    return page, _status(form, problem)


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    """End this session."""
    end_browser_session(SessionEnd.SIGNED_OUT)
    flash(_("您已退出登录。"), "success")
    return redirect(url_for("identity.sign_in"))


def _account_name(account_id: UUID) -> str:
    with context().database.reading() as session:
        return queries.account_name(session, account_id)


def _browser() -> dict[str, Any]:
    return {"kind": SessionKind.COOKIE, "user_agent": request.user_agent.string}


def _go_on(result: SignInResult | Needed, target: str | None) -> Response:
    """In, or to the page of the next step; either way with a new cookie."""
    if isinstance(result, SignInResult):
        start_browser_session(result)
        return redirect(_landing(result, target))
    end_browser_session(SessionEnd.SIGNED_OUT)
    if result.step is SignInStep.SET_UP_CODE:
        services.begin_set_up(context(), account_id=result.account_id)
    cookie[UNDER_WAY] = {
        "account": result.account_id.hex,
        "since": clock.to_ms(clock.now()),
        "target": target,
    }
    return redirect(url_for(_PAGES[result.step]))


def _under_way() -> tuple[UUID, str | None]:
    """Whose password was right a moment ago, and where she was going. Raises SignedOut: begin anew."""
    progress = cookie.get(UNDER_WAY)
    if not isinstance(progress, dict) or clock.to_ms(clock.now()) - int(progress["since"]) > UNDER_WAY_MS:
        raise SignedOut
    return UUID(progress["account"]), local_path(progress["target"])


def _landing(passed: SignInResult, target: str | None) -> str:
    """A trainee who was never shown both ways to prove herself sees them first."""
    if Role.TRAINEE in passed.claims.roles:
        with context().database.reading() as session:
            if not queries.profile(session, context().keyring, passed.claims.person_id).route_chosen:
                return url_for("identity.welcome", next=target)
    return target or "/"


def _demo_accounts() -> list[dict[str, Any]]:
    """The invented accounts of a demonstration, as its making wrote them down, with what there is to see; none
    anywhere else."""
    file = context().settings.data / "demo.json"
    if not context().settings.demo or not file.exists():
        return []
    known = {role.value: str(word) for role, word in ROLE.items()}
    accounts: list[dict[str, str]] = json.loads(file.read_text("utf-8"))["accounts"]
    nothing = ("", "/")
    return [
        {
            **each,
            "role": known.get(each["role"], each["role"]),
            "look": DEMONSTRATED.get(each["account"], nothing)[0],
            "next": DEMONSTRATED.get(each["account"], nothing)[1],
        }
        for each in accounts
    ]


def _status(form: StrictForm, problem: Problem | None) -> int:
    if problem is not None:
        return problem.status
    return 422 if form.errors else 200
