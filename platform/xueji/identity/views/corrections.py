"""A name or an identity number put right: asking for it, and deciding as the second person."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, services
from xueji.identity.forms import CorrectionForm
from xueji.identity.views import blueprint
from xueji.kernel.errors import Malformed
from xueji.web.access import signed_in
from xueji.web.session import actor, context, db


@blueprint.get("/corrections")
@signed_in
def corrections() -> str:
    """What waits for a second person, what one asked for oneself, and what was decided."""
    found = queries.corrections(db(), context().keyring, actor())
    return render_template("identity/corrections.html", found=found, form=CorrectionForm(), me=actor().person_id)


@blueprint.post("/people/<uuid:person_id>/corrections")
@signed_in
def ask_correction(person_id: UUID) -> Response:
    """Ask that a name or number be put right."""
    form = CorrectionForm()
    if not form.validate_on_submit():
        raise Malformed
    services.ask_correction(
        db(),
        context().keyring,
        person_id=person_id,
        name=form.name.data or "",
        id_number=form.id_number.data or "",
        reason=form.reason.data,
        actor=actor(),
    )
    flash(_("已提交申请，等待另一人确认。"), "success")
    return redirect(url_for("identity.corrections"))


@blueprint.post("/corrections/<uuid:correction_id>/confirm")
@signed_in
def confirm_correction(correction_id: UUID) -> Response:
    """The second person puts it right."""
    services.confirm_correction(db(), context().keyring, context().events, correction_id=correction_id, actor=actor())
    flash(_("已更正。以后出具的材料用更正后的内容，以前出具的不变。"), "success")
    return redirect(url_for("identity.corrections"))


@blueprint.post("/corrections/<uuid:correction_id>/refuse")
@signed_in
def refuse_correction(correction_id: UUID) -> Response:
    """The second person refuses it, or who asked takes it back."""
    services.refuse_correction(db(), context().keyring, correction_id=correction_id, actor=actor())
    flash(_("已拒绝这项申请。"), "success")
    return redirect(url_for("identity.corrections"))
