"""The files of films: asked for every few seconds by every player, so decided once a minute and then remembered."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from flask import Response, current_app, request

from courses import rules
from courses.access import FilmDecisions, access_film_folder
from courses.events import FilmHandedOut
from courses.film_parts import FilmParts
from courses.views import blueprint
from xueji.kernel import clock
from xueji.kernel.errors import NotFound
from xueji.web.access import signed_in
from xueji.web.session import actor, context, db

KEPT_SECONDS = 7 * 24 * 3600


@blueprint.get("/media/<uuid:film_id>/<path:path>")
@signed_in
def film_file(film_id: UUID, path: str) -> Response:
    """A playlist, a segment or the poster; ranges are answered. Whatever a film cannot have is not found."""
    media_type = rules.media_type(path)
    if media_type is None:
        raise NotFound
    folder = _folder(film_id)
    try:
        content = context().store.get(f"{folder}/{path}")
    except FileNotFoundError as error:
        raise NotFound from error
    response = Response(content, mimetype=media_type)
    # A finished film never changes, so whoever seeks back has it already; but no shared cache may keep it.
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    response.cache_control.immutable = True
    response.set_etag(f"{folder.rsplit('/', 1)[-1]}-{path}")
    response.make_conditional(request, accept_ranges=True, complete_length=len(content))
    return response


@blueprint.get("/media/<uuid:film_id>/<uuid:sitting_id>/<path:path>")
@signed_in
def film_part(film_id: UUID, sitting_id: UUID, path: str) -> Response:
    """The same for a sitting, under addresses of its own: what it is handed of the film is written down first."""
    if path.endswith(rules.MEDIA):
        known = cast(FilmParts, current_app.extensions.setdefault("film_parts", FilmParts()))
        part = known.find(context().store, _folder(film_id), path)
        if part is not None:
            context().events.publish(FilmHandedOut(actor(), film_id, sitting_id, part))
    return film_file(film_id, path)


def _folder(film_id: UUID) -> str:
    decisions = cast(FilmDecisions, current_app.extensions.setdefault("film_decisions", FilmDecisions()))
    someone, now = actor(), clock.now()
    folder = decisions.find(someone.login_session_id, film_id, now)
    if folder is None:
        folder = access_film_folder(db(), someone, film_id, context().events)
        decisions.keep(someone.login_session_id, film_id, folder, now)
    return folder
