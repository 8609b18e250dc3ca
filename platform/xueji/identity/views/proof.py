"""The two ways a trainee proves that it is she who studies: side by side, one click from one to the other."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import consent_text, queries, services
from xueji.identity.access import access_person
from xueji.identity.forms import ConsentForm, RouteForm
from xueji.identity.models import Person
from xueji.identity.rules import ConsentKind, ProofRoute
from xueji.identity.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import Malformed
from xueji.web.access import roles
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db


@blueprint.get("/welcome")
@roles(Role.TRAINEE)
def welcome() -> str:
    """What a trainee sees at her first sign-in."""
    return render_template(
        "identity/welcome.html",
        me=queries.profile(db(), context().keyring, actor().person_id),
        consent=queries.standing_consent(db(), actor().person_id),
        next=local_path(request.args.get("next")),
    )


@blueprint.post("/account/proof-route")
@roles(Role.TRAINEE)
def choose_route() -> Response:
    """Choose how she proves that it is she."""
    form = RouteForm()
    if not form.validate_on_submit():
        raise Malformed
    route = ProofRoute(form.route.data)
    target = local_path(form.next.data)
    if route is ProofRoute.FACE and queries.standing_consent(db(), actor().person_id) is None:
        return redirect(url_for("identity.consent", kind=ConsentKind.FACE, next=target))
    services.choose_route(db(), context().events, person=_herself(), route=route)
    if route is ProofRoute.FACE:
        flash(_("已改用人脸核验。"), "success")
    else:
        flash(_("已改用现场核验：由工作人员当面核实，效力相同。"), "success")
    return redirect(target or url_for("identity.account"))


@blueprint.route("/account/consents/<any(face, calibration):kind>", methods=["GET", "POST"])
@roles(Role.TRAINEE)
def consent(kind: str) -> Any:
    """A separate consent: its words, and one button for yes, one for the other way."""
    which = ConsentKind(kind)
    if which is not ConsentKind.FACE and queries.standing_consent(db(), actor().person_id) is None:
        return redirect(url_for("identity.consent", kind=ConsentKind.FACE))
    form = ConsentForm(data={"text_version": consent_text.CURRENT[which], "next": request.args.get("next", "")})
    if form.validate_on_submit():
        services.give_consent(
            db(), context().keyring, person=_herself(), kind=which, text_version=form.text_version.data
        )
        if which is not ConsentKind.FACE:
            flash(_("已记录您的同意，感谢您参加校准。"), "success")
            return redirect(url_for("identity.account", _anchor="calibration"))
        flash(_("已记录您的同意。请拍摄登记照片，供核验时比对。"), "success")
        return redirect(url_for("identity.photos", next=local_path(form.next.data)))
    language = "en" if str(get_locale()) == "en" else "zh"
    return render_template(
        "identity/consent.html" if which is ConsentKind.FACE else "identity/calibration.html",
        form=form,
        kind=which,
        standing=queries.standing_consent(db(), actor().person_id, which),
        words=consent_text.template(which, consent_text.CURRENT[which], language),
        version=consent_text.CURRENT[which],
        next=local_path(form.next.data),
    )


@blueprint.post("/account/consents/<any(face, calibration):kind>/withdraw")
@roles(Role.TRAINEE)
def withdraw_consent(kind: str) -> Response:
    """Take the consent to face checks back."""
    services.withdraw_consent(
        db(), context().keyring, context().store, context().events, person=_herself(), kind=ConsentKind(kind)
    )
    if kind != ConsentKind.FACE:
        flash(_("已撤回同意：以后的校准不再用到您的信息。"), "success")
        return redirect(url_for("identity.account", _anchor="calibration"))
    flash(_("已撤回同意：人脸模板和登记照片已删除，改用现场核验。已完成的学习记录不受影响。"), "success")
    return redirect(url_for("identity.account"))


def _herself() -> Person:
    return access_person(db(), actor(), actor().person_id)
