"""The lesson page's interface: open a sitting, report beats, say "I am here"."""

from __future__ import annotations

from flask import current_app, jsonify, request
from flask.wrappers import Response
from flask_openapi3.blueprint import APIBlueprint

from xueji.enrolment.queries import enrolments_of
from xueji.identity.errors import SignedOut
from xueji.identity.tokens import BEARER, claims_of_request
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound, TooMany
from xueji.occasions.answers import check_json
from xueji.occasions.errors import CheckStillOpen, NoFaceChecks
from xueji.occasions.schemas import AskedOut
from xueji.progress import schemas
from xueji.progress.answers import answer_json, enrolment_json, opened_json
from xueji.progress.beat_intake import report_beats
from xueji.progress.errors import (
    BeatClash,
    BeatRefused,
    CheckElsewhere,
    LeaseHeld,
    LeaseLost,
    LessonNotReady,
    NotOnline,
    OutsideDates,
    QuestionNotOpen,
    SittingClash,
    SittingEnded,
)
from xueji.progress.leases import issue_lease, page_loaded, whose
from xueji.progress.opening import OpeningRequest
from xueji.progress.opening_groups import open_in_turn
from xueji.progress.queries import lesson_progress
from xueji.progress.services import answer_presence, ask_check
from xueji.web.access import decided_below, roles, signed_in
from xueji.web.api_description import refuses
from xueji.web.session import actor, context, db

blueprint = APIBlueprint("progress_api", __name__, url_prefix="/api/v1")


@blueprint.get(
    "/me/enrolments",
    summary="The trainee's enrolments with their lessons and how far she is",
    responses={200: schemas.EnrolmentsOut},
)
@signed_in
def my_enrolments() -> Response:
    session = db()
    found = enrolments_of(session, actor().person_id)
    progress = lesson_progress(session, [facts.enrolment_id for facts in found])
    return jsonify({"enrolments": [enrolment_json(facts, progress) for facts in found]})


@blueprint.post("/sittings", summary="Open a sitting, or continue here", responses={201: schemas.SittingOut})
@roles(Role.TRAINEE)
@refuses(CheckElsewhere, LeaseHeld, SittingClash, SittingEnded, LessonNotReady, NotOnline, OutsideDates, NotFound)
def open_(body: schemas.OpenSitting) -> tuple[Response, int]:
    device = body.device or (request.user_agent.string or "")
    loaded = page_loaded(context().keyring, body.page, actor(), body.enrolment_id, body.lesson_id)
    asked = OpeningRequest(
        actor(), body.sitting_id, body.enrolment_id, body.lesson_id, device, body.continue_here, loaded
    )
    opened = open_in_turn(current_app, asked)
    lease = issue_lease(
        context().keyring,
        sitting_id=body.sitting_id,
        person_id=opened.sitting.person_id,
        login_session_id=actor().login_session_id,
    )
    return jsonify(opened_json(opened, lease)), 201


@blueprint.post("/sittings/<uuid:sitting_id>/beats", summary="Report study", responses={200: schemas.BeatsOut})
@decided_below
@refuses(BeatRefused, BeatClash, LeaseLost, SittingEnded, TooMany)
def beats(path: schemas.SittingPath, body: schemas.BeatsIn) -> Response:
    """Ordinary reports with a bearer token or a sitting's lease never come here: `beat_middleware` answers them."""
    given = request.headers.get("Authorization", "")
    if given.startswith(BEARER):
        authority = whose(context().keyring, given[len(BEARER) :], path.sitting_id)
    else:
        claims = claims_of_request()
        if claims is None:
            raise SignedOut
        authority = claims.person_id, claims.login_session_id
    return jsonify(answer_json(report_beats(current_app, path.sitting_id, *authority, body)))


@blueprint.post(
    "/sittings/<uuid:sitting_id>/presence",
    summary='Answer "are you there?"',
    responses={200: schemas.PresenceOut},
)
@roles(Role.TRAINEE)
@refuses(QuestionNotOpen, LeaseLost, SittingEnded)
def presence(path: schemas.SittingPath, body: schemas.PresenceIn) -> Response:
    sitting = answer_presence(db(), actor=actor(), sitting_id=path.sitting_id, question_id=body.question_id)
    return jsonify({"furthest_ms": sitting.furthest_ms, "question": None})


@blueprint.post(
    "/sittings/<uuid:sitting_id>/checks",
    summary="Ask for a check now, to have the time confirmed",
    responses={201: AskedOut},
)
@roles(Role.TRAINEE)
@refuses(NoFaceChecks, CheckStillOpen, LeaseLost, SittingEnded)
def ask(path: schemas.SittingPath) -> tuple[Response, int]:
    check = ask_check(db(), context().events, actor=actor(), sitting_id=path.sitting_id)
    return jsonify({"check": check_json(check)}), 201
