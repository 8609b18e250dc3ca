"""Switching the second factor on and off from one's account."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, services
from xueji.identity.errors import WrongPassword
from xueji.identity.forms import CodeForm, ConfirmForm
from xueji.identity.gate import limit_failures
from xueji.identity.services.passwords import fits
from xueji.identity.views import blueprint
from xueji.identity.views.pictures import qr_code
from xueji.kernel.errors import Problem
from xueji.web.access import signed_in
from xueji.web.session import actor, context, db, writes


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@signed_in
@writes
def second_factor() -> Any:
    """The secret to be told to an authenticator, and the code that shows it was."""
    me = queries.profile(db(), context().keyring, actor().person_id)
    if me.second_factor:
        return render_template("identity/second_factor.html", form=ConfirmForm(), problem=None, me=me)
    enrolment = services.begin_totp(db(), context().keyring, person_id=me.person_id)
    form, problem = CodeForm(), None
    if form.validate_on_submit():
        try:
            codes = services.confirm_totp(
                db(),
                context().keyring,
                context().events,
                person_id=me.person_id,
                code=form.code.data,
                keep=actor().login_session_id,
            )
        except Problem as refused:
            problem = refused
        else:
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
    with context().database.reading() as session:
        known = queries.account_of(session, actor().person_id)
        me = queries.profile(session, context().keyring, actor().person_id)
    if not form.validate_on_submit() or not fits(form.current.data, known.password_hash):
        problem = WrongPassword(_("当前密码不正确。"))
        page = render_template("identity/second_factor.html", form=form, problem=problem, me=me)
        return page, problem.status
    services.drop_totp(db(), context().keyring, person_id=me.person_id, actor=actor())
    flash(_("两步验证已停用。"), "success")
    return redirect(url_for("identity.account"))
