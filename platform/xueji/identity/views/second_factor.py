"""Switching the second factor on and off from one's account; each asks for the password again."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, services
from xueji.identity.authentication import limit_failures
from xueji.identity.errors import FactorStanding, WrongPassword
from xueji.identity.forms import CodeForm, ConfirmForm
from xueji.identity.services.passwords import fits
from xueji.identity.views import blueprint
from xueji.kernel import clock
from xueji.kernel.errors import Problem
from xueji.web.access import signed_in
from xueji.web.qr_codes import qr_code
from xueji.web.session import actor, context, db

SETTING_UP = "factor"
SETTING_UP_MS = 600_000
"""For how long the password that was right counts while the authenticator is set up."""


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@signed_in
@limit_failures
def second_factor() -> Any:
    """Asks for the password: whoever holds an open session must not be able to shut the owner out."""
    with context().database.reading() as session:
        me = queries.profile(session, context().keyring, actor().person_id)
    form, problem = ConfirmForm(), None
    if not me.second_factor and form.validate_on_submit():
        if _is_right(form.current.data):
            services.begin_totp(db(), context().keyring, person_id=me.person_id)
            cookie[SETTING_UP] = {"login": actor().login_session_id.hex, "since": clock.to_ms(clock.now())}
            return redirect(url_for("identity.set_up_factor"))
        problem = WrongPassword(_("当前密码不正确。"))
    page = render_template("identity/second_factor.html", form=form, problem=problem, me=me)
    return page, problem.status if problem is not None else 422 if form.errors else 200


@blueprint.route("/account/second-factor/set-up", methods=["GET", "POST"])
@signed_in
def set_up_factor() -> Any:
    """The secret to be told to an authenticator, and the code that shows it was."""
    if not _password_was_right():
        return redirect(url_for("identity.second_factor"))
    someone = actor()
    try:
        enrolment = services.begun_totp(db(), context().keyring, person_id=someone.person_id)
    except FactorStanding:
        return redirect(url_for("identity.account"))
    form, problem = CodeForm(), None
    if form.validate_on_submit():
        try:
            codes = services.confirm_totp(
                db(),
                context().keyring,
                context().events,
                person_id=someone.person_id,
                code=form.code.data,
                keep=someone.login_session_id,
            )
        except Problem as refused:
            problem = refused
        else:
            cookie.pop(SETTING_UP, None)
            return render_template("identity/recovery_codes.html", codes=codes, go_on=url_for("identity.account"))
    page = render_template(
        "identity/set_up_code.html",
        form=form,
        problem=problem,
        enrolment=enrolment,
        qr=qr_code(enrolment.uri),
        signing_in=False,
    )
    return page, problem.status if problem is not None else 422 if form.errors else 200


@blueprint.post("/account/second-factor/drop")
@signed_in
@limit_failures
def drop_second_factor() -> Response | tuple[str, int]:
    """With the password: whoever holds an open session must not be able to weaken the account."""
    form = ConfirmForm()
    if not form.validate_on_submit() or not _is_right(form.current.data):
        problem = WrongPassword(_("当前密码不正确。"))
        with context().database.reading() as session:
            me = queries.profile(session, context().keyring, actor().person_id)
        page = render_template("identity/second_factor.html", form=form, problem=problem, me=me)
        return page, problem.status
    services.drop_totp(db(), context().keyring, person_id=actor().person_id, actor=actor())
    flash(_("两步验证已停用。"), "success")
    return redirect(url_for("identity.account"))


def _is_right(password: str) -> bool:
    """Worked out with no transaction open."""
    with context().database.reading() as session:
        stored = queries.account_of(session, actor().person_id).password_hash
    return fits(password, stored)


def _password_was_right() -> bool:
    """In this session, a moment ago."""
    progress = cookie.get(SETTING_UP)
    if not isinstance(progress, dict) or progress.get("login") != actor().login_session_id.hex:
        return False
    return clock.to_ms(clock.now()) - int(progress["since"]) <= SETTING_UP_MS
