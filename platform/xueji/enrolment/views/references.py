"""Holding reference photos against identity documents: who waits, and one click each."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.enrolment.access import access_reference
from xueji.enrolment.reference_queries import decisions, to_confirm
from xueji.enrolment.views import blueprint
from xueji.identity import queries as identity
from xueji.identity import services, vault
from xueji.identity.wording import PHOTO_STANDING
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.session import actor, context, db, writes

PER_PAGE = 12
FEWEST_LETTERS, MOST_LETTERS = 2, 300


@blueprint.get("/references")
@roles(Role.INSTITUTION)
def references() -> str:
    """Whose photo is still to be held against her document; a look at each picture is recorded as it is shown."""
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    waiting = to_confirm(db(), organisation_id, clock.shanghai_day(clock.now()))
    page = page_asked()
    shown = waiting[(page - 1) * PER_PAGE : page * PER_PAGE]
    return render_template(
        "enrolment/references.html",
        shown=shown,
        total=len(waiting),
        page=page,
        pages=pages_of(len(waiting), PER_PAGE),
        names=identity.display_names(db(), context().keyring, {each.person_id for each in shown}),
        standings=PHOTO_STANDING,
    )


@blueprint.get("/references/<uuid:enrolment_id>")
@roles(Role.INSTITUTION, Role.REGULATOR)
def reference(enrolment_id: UUID) -> str:
    """Everything about one trainee's photos: what stands, who decided what, and a way to turn it round."""
    enrolment, photos = access_reference(db(), actor(), enrolment_id)
    found = decisions(db(), context().keyring, enrolment.person_id, [photo.id for photo in photos])
    people = {line.decided_by for lines in found.values() for line in lines}
    profile = identity.profile(db(), context().keyring, enrolment.person_id)
    names = identity.display_names(db(), context().keyring, [enrolment.person_id])
    return render_template(
        "enrolment/reference.html",
        enrolment=enrolment,
        photos=photos,
        decisions=found,
        staff=identity.masked_names(db(), people),
        profile=profile,
        name=names[enrolment.person_id] if actor().is_(Role.INSTITUTION) else profile.name_masked,
        standings=PHOTO_STANDING,
        me=actor().person_id,
    )


@blueprint.post("/references/<uuid:enrolment_id>")
@roles(Role.INSTITUTION, Role.REGULATOR)
def decide_reference(enrolment_id: UUID) -> Response:
    """One click confirms the photos that were shown; refusing one takes a reason."""
    confirmed = request.form.get("outcome") == "confirm"
    reason = request.form.get("reason", "").strip()
    if not confirmed and not FEWEST_LETTERS <= len(reason) <= MOST_LETTERS:
        raise Invalid(_("请写明原因，%(least)s 至 %(most)s 个字。", least=FEWEST_LETTERS, most=MOST_LETTERS))
    try:
        chosen = {UUID(given) for given in request.form.getlist("photo_id")}
    except ValueError as error:
        raise Invalid from error
    _enrolment, photos = access_reference(db(), actor(), enrolment_id, lock=True)
    wanted = [photo for photo in photos if photo.id in chosen]
    if not wanted or len(wanted) != len(chosen):
        raise NotFound
    installation = context()
    for photo in wanted:
        services.decide_photo(
            db(),
            installation.keyring,
            installation.events,
            photo=photo,
            confirmed=confirmed,
            actor=actor(),
            reason=reason,
        )
    flash(
        _("已确认登记照片，等它的学习时间随之计入。") if confirmed else _("已记录：这张登记照片不能确认为本人。"),
        "success",
    )
    back = "enrolment.references" if request.form.get("from") == "list" else "enrolment.reference"
    return redirect(url_for(back) if back == "enrolment.references" else url_for(back, enrolment_id=enrolment_id))


@blueprint.get("/references/<uuid:enrolment_id>/<uuid:photo_id>/picture")
@roles(Role.INSTITUTION, Role.REGULATOR)
@writes
def reference_picture(enrolment_id: UUID, photo_id: UUID) -> Response:
    """A reference photo, for whoever holds it against a document or beside a check; the look is recorded."""
    enrolment, (photo,) = access_reference(db(), actor(), enrolment_id, photo_id)
    picture = services.show_picture(
        db(),
        context(),
        viewer=actor(),
        picture=services.FacePicture.of_reference(photo),
        purpose="audit" if actor().is_(Role.REGULATOR) else "confirm",
        chain=enrolment.chain,
    )
    response = Response(picture, mimetype=vault.picture_type(picture))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
