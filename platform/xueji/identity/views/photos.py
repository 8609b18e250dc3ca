"""Reference photos: taken with the camera or chosen from the device, looked at, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.identity import queries, services
from xueji.identity.access import access_reference_photo
from xueji.identity.errors import PhotoUnusable
from xueji.identity.forms import PhotoForm
from xueji.identity.rules import MOST_REFERENCE_PHOTOS
from xueji.identity.views import blueprint
from xueji.identity.views.pictures import shown_photo
from xueji.identity.wording import PHOTO_PROBLEM, PHOTO_STANDING
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem
from xueji.web.access import roles
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db, writes


@blueprint.route("/account/photos", methods=["GET", "POST"])
@roles(Role.TRAINEE)
def photos() -> Any:
    """Also works where a page may not use the camera: then a photo is taken or chosen by the form itself."""
    form = PhotoForm()
    problem: Problem | None = None
    wrong: list[Any] = []
    target = local_path(request.args.get("next"))
    if form.validate_on_submit():
        try:
            services.enrol_photo(context(), person_id=actor().person_id, photo=form.photo.data.read())
        except PhotoUnusable as refused:
            problem, wrong = refused, [PHOTO_PROBLEM[code] for code in refused.extra["problems"]]
        except Problem as refused:
            problem = refused
        else:
            flash(_("登记照片已保存。"), "success")
            return redirect(url_for("identity.photos", next=target))
    with context().database.reading() as session:
        page = render_template(
            "identity/photos.html",
            form=form,
            problem=problem,
            wrong=wrong,
            photos=queries.reference_photos(session, actor().person_id),
            most=MOST_REFERENCE_PHOTOS,
            consent=queries.standing_consent(session, actor().person_id),
            next=target,
            standings=PHOTO_STANDING,
        )
    return page, problem.status if problem is not None else 422 if form.errors else 200


@blueprint.get("/account/photos/<uuid:photo_id>/picture")
@roles(Role.TRAINEE)
@writes
def photo_picture(photo_id: UUID) -> Response:
    """An own reference photo."""
    return shown_photo(access_reference_photo(db(), actor(), photo_id), purpose="own")


@blueprint.post("/account/photos/<uuid:photo_id>/delete")
@roles(Role.TRAINEE)
def delete_photo(photo_id: UUID) -> Response:
    """Delete an own reference photo."""
    photo = access_reference_photo(db(), actor(), photo_id)
    services.delete_photo(db(), context().keyring, context().store, context().events, photo)
    flash(_("登记照片已删除。"), "success")
    return redirect(url_for("identity.photos"))
