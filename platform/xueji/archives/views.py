"""The evidence bundle from a page: what cannot be had is then said on a page, and not to a program."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from xueji.archives.download import bundle_as_file, limit_exports
from xueji.web.access import signed_in

blueprint = Blueprint("archives", __name__)


@blueprint.get("/enrolments/<uuid:enrolment_id>/evidence")
@signed_in
@limit_exports
def evidence(enrolment_id: UUID) -> Response:
    return bundle_as_file(enrolment_id)
