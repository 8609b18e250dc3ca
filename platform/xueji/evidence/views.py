"""The evidence bundle from a page, and what an auditor compares the verifier with.

What cannot be had of a bundle is then said on a page, and not to a program.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from xueji.evidence.download import bundle_as_file, limit_copies, limit_exports, own_data_as_file
from xueji.evidence.program import listing, program
from xueji.web.access import public, signed_in

blueprint = Blueprint("evidence", __name__)


@blueprint.post("/enrolments/<uuid:enrolment_id>/evidence")
@signed_in
@limit_exports
def bundle(enrolment_id: UUID) -> Response:
    return bundle_as_file(enrolment_id)


@blueprint.post("/account/data")
@signed_in
@limit_copies
def own_data() -> Response:
    """What is kept about me, to take along."""
    return own_data_as_file()


@blueprint.get("/log/verifier")
@public
def verifier() -> Response:
    """The SHA-256 of each file of this release's verifier, for ``sha256sum --check`` in an extracted bundle."""
    return Response(listing(program()), mimetype="text/plain", headers={"Cache-Control": "public, max-age=3600"})
