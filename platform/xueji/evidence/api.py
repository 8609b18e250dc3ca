"""The evidence bundle over the interface."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from xueji.evidence.download import bundle_as_file, limit_exports
from xueji.evidence.errors import NoSuchCheckpoint, NotYetSigned
from xueji.evidence.schemas import EvidenceQuery
from xueji.hours.errors import AccountUnreadable
from xueji.kernel.errors import TooMany
from xueji.web.access import signed_in
from xueji.web.api_description import files, refuses
from xueji.web.schemas import EnrolmentPath

blueprint = APIBlueprint("evidence_api", __name__, url_prefix="/api/v1")


@blueprint.post(
    "/enrolments/<uuid:enrolment_id>/evidence",
    summary="Everything needed to check an enrolment's hours",
    responses={200: files("application/zip")},
)
@signed_in
@limit_exports
@refuses(NoSuchCheckpoint, TooMany, NotYetSigned, AccountUnreadable)
def bundle(path: EnrolmentPath, query: EvidenceQuery) -> Response:
    """Making one records a statement and the export for ever, so it is asked for by POST and never by a mere link."""
    return bundle_as_file(path.enrolment_id, with_pictures=query.pictures, held_size=query.from_size)
