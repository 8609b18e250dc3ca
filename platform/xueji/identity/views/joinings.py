"""Two files of one person: asking that they be joined or put apart, and deciding as the second person."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, services
from xueji.identity.access import access_duplicate_photo
from xueji.identity.forms import JoiningForm, PartingForm
from xueji.identity.views import blueprint
from xueji.identity.views.pictures import shown_photo
from xueji.kernel.actor import Role
from xueji.kernel.errors import Malformed
from xueji.web.access import roles, signed_in
from xueji.web.paging import page_asked, pages_of
from xueji.web.session import actor, context, db, writes

DECIDERS = (Role.ADMINISTRATOR, Role.REGULATOR)


@blueprint.get("/joinings")
@signed_in
def joinings() -> str:
    """What waits for a second person, the files that are joined, and the accounts that were said not to be hers."""
    page = page_asked()
    refused, total = queries.refused_numbers(db(), actor(), page)
    return render_template(
        "identity/joinings.html",
        waiting=queries.waiting_joinings(db(), context().keyring, actor()),
        joined=queries.joined_files(db(), actor()),
        refused=refused,
        refused_total=total,
        page=page,
        pages=pages_of(total, queries.REFUSED_PER_PAGE),
        form=PartingForm(),
        sees_asker=actor().is_(*DECIDERS),
    )


@blueprint.post("/people/<uuid:person_id>/joinings")
@roles(*DECIDERS)
def ask_joining(person_id: UUID) -> Response:
    """By hand: this file and the one of the account that is named."""
    form = JoiningForm()
    if not form.validate_on_submit():
        raise Malformed
    services.ask_joining(
        db(),
        context().keyring,
        one=person_id,
        other=queries.person_of_account(db(), form.account.data),
        reason=form.reason.data,
        actor=actor(),
    )
    flash(_("已提交申请，等待另一人确认。"), "success")
    return redirect(url_for("identity.joinings"))


@blueprint.post("/people/<uuid:person_id>/partings")
@roles(*DECIDERS)
def ask_parting(person_id: UUID) -> Response:
    """Ask that joined files be put apart."""
    form = PartingForm()
    if not form.validate_on_submit():
        raise Malformed
    services.ask_parting(db(), context().keyring, joined=person_id, reason=form.reason.data, actor=actor())
    flash(_("已提交申请，等待另一人确认。"), "success")
    return redirect(url_for("identity.joinings"))


@blueprint.post("/joinings/<uuid:joining_id>/confirm")
@signed_in
def confirm_joining(joining_id: UUID) -> Response:
    """The second person joins or parts them."""
    done = services.confirm_joining(db(), context().keyring, context().events, joining_id=joining_id, actor=actor())
    flash(_("两份档案已分开，账号已恢复。") if done.parts else _("两份档案已合并，其中一个账号已停用。"), "success")
    return redirect(url_for("identity.joinings"))


@blueprint.post("/joinings/<uuid:joining_id>/refuse")
@signed_in
def refuse_joining(joining_id: UUID) -> Response:
    """The second person refuses it, or who asked takes it back."""
    services.refuse_joining(db(), context().keyring, context().events, joining_id=joining_id, actor=actor())
    flash(_("已拒绝这项申请。"), "success")
    return redirect(url_for("identity.joinings"))


@blueprint.get("/joinings/flags/<uuid:flag_id>/pictures/<uuid:photo_id>")
@roles(*DECIDERS)
@writes
def joining_picture(flag_id: UUID, photo_id: UUID) -> Response:
    """What led to it, for the second person; each look is recorded."""
    return shown_photo(access_duplicate_photo(db(), actor(), flag_id, photo_id), purpose="duplicate")
