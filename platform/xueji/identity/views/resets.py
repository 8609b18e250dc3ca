"""Resetting an account by two people: asking, confirming, refusing; and a first code issued again by one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, rules, services
from xueji.identity.access import access_person
from xueji.identity.forms import CorrectionForm, ResetForm
from xueji.identity.rules import ResetKind
from xueji.identity.services import hash_code
from xueji.identity.views import blueprint
from xueji.identity.wording import ACT, RESET_KIND, ROLE
from xueji.kernel.actor import Role
from xueji.kernel.errors import Malformed
from xueji.web.access import roles, signed_in, staff
from xueji.web.session import actor, context, db

ASKERS = (Role.ADMINISTRATOR, Role.INSTITUTION, Role.ENTERPRISE)


@blueprint.get("/resets")
@staff
def resets() -> str:
    """What waits for a second person, for those who may be it, and what one asked for oneself."""
    waiting = queries.waiting_resets(db(), context().keyring, actor())
    return render_template("identity/resets.html", waiting=waiting, kinds=RESET_KIND)


@blueprint.get("/people/<uuid:person_id>/account")
@roles(*ASKERS)
def account_of(person_id: UUID) -> str:
    """A trainee's account, for her institution or employer: is it in use, and what if she lost the code?"""
    access_person(db(), actor(), person_id)
    account = queries.account_to_reset(db(), person_id)
    return render_template(
        "identity/account_of.html",
        me=queries.profile(db(), context().keyring, person_id),
        activated=account.activated,
        acts=queries.acts(db(), person_id),
        words={"act": ACT, "role": ROLE},
        **resets_of(person_id),
    )


def resets_of(person_id: UUID) -> dict[str, Any]:
    """What `identity/_resets_of.html` wants to show of somebody."""
    account = queries.account_to_reset(db(), person_id)
    return {
        "may_ask": rules.may_ask_reset(account, actor()),
        "alone": rules.one_person_will_do(account),
        "waiting": queries.waiting_resets(db(), context().keyring, actor(), of=person_id),
        "kinds": RESET_KIND,
        "reset_form": ResetForm(),
        "correction_form": CorrectionForm(),
    }


@blueprint.post("/people/<uuid:person_id>/first-code")
@roles(*ASKERS)
def issue_again(person_id: UUID) -> str:
    """A new first code for somebody who has not signed in yet."""
    password = services.first_code()
    hashed = hash_code(context().keyring, password)
    services.issue_again(db(), context().keyring, context().events, person_id=person_id, password=hashed, actor=actor())
    known = queries.profile(db(), context().keyring, person_id)
    page = "identity.person" if actor().is_(Role.ADMINISTRATOR) else "identity.account_of"
    whose = url_for(page, person_id=person_id)
    return render_template("identity/administration/temporary_password.html", me=known, password=password, whose=whose)


@blueprint.post("/people/<uuid:person_id>/resets")
@roles(*ASKERS)
def ask_reset(person_id: UUID) -> Response | str:
    """Ask that an account be reset."""
    form = ResetForm()
    if not form.validate_on_submit():
        raise Malformed
    kind = ResetKind(form.kind.data)
    request, half = services.ask_reset(
        db(), context().keyring, person_id=person_id, kind=kind, reason=form.reason.data, actor=actor()
    )
    if half is None:
        flash(_("已提交申请，等待另一人确认。"), "success")
        return redirect(url_for("identity.resets"))
    known = queries.profile(db(), context().keyring, request.person_id)
    return render_template("identity/half_code.html", me=known, half=half, first=True)


@blueprint.post("/resets/<uuid:request_id>/confirm")
@signed_in
def confirm_reset(request_id: UUID) -> Response | str:
    """The second person resets it."""
    confirmed = services.confirm_reset(context(), request_id=request_id, actor=actor())
    if confirmed.half is None:
        flash(_("两步验证已重置。"), "success")
        return redirect(url_for("identity.resets"))
    with context().database.reading() as session:
        known = queries.profile(session, context().keyring, confirmed.person_id)
    return render_template("identity/half_code.html", me=known, half=confirmed.half, first=False)


@blueprint.post("/resets/<uuid:request_id>/refuse")
@signed_in
def refuse_reset(request_id: UUID) -> Response:
    """The second person refuses it, or who asked takes it back."""
    services.refuse_reset(db(), context().keyring, request_id=request_id, actor=actor())
    flash(_("已拒绝这项申请。"), "success")
    home = "identity.account" if not actor().is_(*(set(Role) - {Role.TRAINEE})) else "identity.resets"
    return redirect(url_for(home))
