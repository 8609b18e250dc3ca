"""One's own account: who I am here, where I am signed in, my password, who looked at my pictures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import login_user
from werkzeug.wrappers import Response

from xueji.identity import queries, services, tokens
from xueji.identity.access import access_login_session
from xueji.identity.authentication import SignedIn, limit_failures
from xueji.identity.errors import WrongPassword
from xueji.identity.forms import ChangePasswordForm, CorrectionForm
from xueji.identity.queries.acts import MOST_SHOWN
from xueji.identity.rules import MOST_REFERENCE_PHOTOS, ConsentKind, SessionEnd
from xueji.identity.services.passwords import fits, new_password
from xueji.identity.views import blueprint
from xueji.identity.wording import ACT, END, PURPOSE, RESET_KIND, ROLE, SESSION_KIND, device
from xueji.kernel.actor import Role
from xueji.kernel.errors import Malformed, Problem
from xueji.web.access import signed_in
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db

blueprint.add_app_template_filter(device, "device")


@blueprint.get("/account")
@signed_in
def account() -> str:
    """Her own account: how she signs in, and what was done to it."""
    someone = actor()
    return render_template(
        "identity/account.html",
        me=queries.profile(db(), context().keyring, someone.person_id),
        name=services.display_name(db(), context().keyring, someone.person_id),
        trainee=someone.is_(Role.TRAINEE),
        acting_for=someone.organisation_id,
        consent=queries.standing_consent(db(), someone.person_id),
        calibration=queries.standing_consent(db(), someone.person_id, ConsentKind.CALIBRATION),
        photos=queries.reference_photos(db(), someone.person_id),
        most_photos=MOST_REFERENCE_PHOTOS,
        sign_ins=queries.sign_ins(db(), someone.person_id),
        this=someone.login_session_id,
        looks=queries.face_views(db(), someone.person_id, most=5),
        acts=queries.acts(db(), someone.person_id),
        waiting=queries.waiting_resets(db(), context().keyring, someone, of=someone.person_id),
        kinds=RESET_KIND,
        correction_form=CorrectionForm(),
        words={"act": ACT, "role": ROLE, "kind": SESSION_KIND, "end": END, "purpose": PURPOSE},
    )


@blueprint.get("/account/looks")
@signed_in
def looks() -> str:
    """Who looked at my pictures."""
    found = queries.face_views(db(), actor().person_id)
    return render_template("identity/looks.html", looks=found, words={"purpose": PURPOSE})


@blueprint.post("/account/acts/read")
@signed_in
def read_acts() -> Response:
    """What was done to my account: I have read these."""
    try:
        read = [UUID(each) for each in request.form.getlist("act")]
    except ValueError as error:
        raise Malformed from error
    services.read_acts(db(), act_ids=read[:MOST_SHOWN], actor=actor())
    return redirect(local_path(request.form.get("next")) or "/")


@blueprint.post("/account/sign-ins/<uuid:login_session_id>/end")
@signed_in
def end_sign_in(login_session_id: UUID) -> Response:
    """End another of her own sessions."""
    login = access_login_session(db(), actor(), login_session_id)
    services.end_session(db(), context().events, login, reason=SessionEnd.ENDED_BY_OWNER)
    flash(_("那一处的登录已结束。"), "success")
    return redirect(url_for("identity.account") + "#sign-ins")


@blueprint.post("/account/organisation/<uuid:organisation_id>")
@signed_in
def act_for(organisation_id: UUID) -> Response:
    """Act for another of one's organisations."""
    _login, claims = services.switch_organisation(
        db(),
        context().keyring,
        context().events,
        context().settings,
        login_session_id=actor().login_session_id,
        organisation_id=organisation_id,
    )
    login_user(SignedIn(tokens.issue(context().keyring, claims)))
    return redirect(url_for("identity.account"))


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in
@limit_failures
def password() -> Any:
    """Change the own password."""
    form, problem = ChangePasswordForm(), None
    if form.validate_on_submit():
        try:
            _change(form.current.data, form.password.data)
        except Problem as refused:
            problem = refused
        else:
            flash(_("密码已更改，其他地方的登录已结束。"), "success")
            return redirect(url_for("identity.account"))
    page = render_template("identity/password.html", form=form, problem=problem)
    return page, problem.status if problem is not None else 422 if form.errors else 200


def _change(current: str, chosen: str) -> None:
    """Both passwords are worked out before the write transaction is open. Raises WrongPassword, PasswordRefused."""
    someone = actor()
    with context().database.reading() as session:
        known = queries.account_of(session, someone.person_id)
    if not fits(current, known.password_hash):
        raise WrongPassword(_("当前密码不正确。"))
    hashed = new_password(chosen, known.account)
    services.change_password(
        db(),
        context().keyring,
        context().events,
        person_id=someone.person_id,
        password=hashed,
        keep=someone.login_session_id,
    )
