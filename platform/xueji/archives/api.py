"""The evidence bundle over the interface."""

from __future__ import annotations

from flask import Response, send_file
from flask_openapi3.blueprint import APIBlueprint

from xueji.archives import services
from xueji.archives.schemas import EnrolmentPath, EvidenceQuery
from xueji.web.access import signed_in
from xueji.web.session import actor, context

blueprint = APIBlueprint("archives_api", __name__, url_prefix="/api/v1")


@blueprint.get("/enrolments/<uuid:enrolment_id>/evidence", summary="Everything needed to check an enrolment's hours")
@signed_in
def evidence(path: EnrolmentPath, query: EvidenceQuery) -> Response:
    # The service opens its own short transactions: it waits for the log to sign between writing and reading.
    bundle = services.build_bundle(
        context(),
        enrolment_id=path.enrolment_id,
        actor=actor(),
        with_pictures=query.pictures,
        held_size=query.from_size,
    )
    response = send_file(bundle.file, mimetype="application/zip", as_attachment=True, download_name=bundle.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
