"""Checks over the interface: answer one, ask how it stands, contest it, decide it; and check-ins by staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint

from xueji.enrolment.access import access_enrolment
from xueji.enrolment.errors import NotForOneself
from xueji.identity import vault
from xueji.identity.errors import AnotherPersonNeeded, Erased
from xueji.identity.queries import is_herself
from xueji.identity.services import FacePicture, show_picture
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound, Problem
from xueji.proctoring import schemas, services
from xueji.proctoring.access import access_own_check, access_picture
from xueji.proctoring.errors import (
    AlreadyCheckedIn,
    AlreadyContested,
    AlreadySaid,
    CheckInClosed,
    CheckInNeeded,
    CheckOver,
    FramesUnusable,
    FrameTooLarge,
    NonceUsed,
    NothingToContest,
    NotOnThisRoute,
    NotToReview,
    PictureOver,
    PlaceUnknown,
    RoomCodeWrong,
    TooLateToContest,
    TooLateToReview,
)
from xueji.proctoring.models import Check, CheckIn
from xueji.proctoring.rules import CheckState
from xueji.rulebook.vocabulary import Outcome
from xueji.web.access import roles, signed_in
from xueji.web.api_description import files, refuses
from xueji.web.session import actor, context, db, writes

blueprint = APIBlueprint("proctoring_api", __name__, url_prefix="/api/v1")


@blueprint.post(
    "/checks/<uuid:check_id>/frames", summary="Answer a check with pictures", responses={202: schemas.AnsweredOut}
)
@roles(Role.TRAINEE)
@refuses(CheckOver, NonceUsed, FramesUnusable, FrameTooLarge, Erased)
def frames(path: schemas.CheckPath, form: schemas.FramesIn) -> tuple[Response, int]:
    arrived_ms = clock.to_ms(clock.now())
    held = context()
    pictures, movements = (
        [sent.stream.read(services.LARGEST_FRAME + 1) for sent in files] for files in (form.frame, form.movement)
    )
    stored = services.store_frames(
        held,
        actor=actor(),
        check_id=path.check_id,
        nonce=form.nonce,
        frames=pictures,
        movements=movements,
        arrived_ms=arrived_ms,
    )
    try:
        attempt = services.answer_check(
            db(),
            held,
            actor=actor(),
            check_id=path.check_id,
            nonce=form.nonce,
            stored=stored,
            device=form.device,
            arrived_ms=arrived_ms,
        )
    except Problem:
        for frame in stored:
            held.store.delete(frame.path)
        raise
    return jsonify({"check_id": str(path.check_id), "attempt": attempt.number, "state": CheckState.ANSWERED}), 202


@blueprint.get("/checks/<uuid:check_id>", summary="How a check stands", responses={200: schemas.CheckStateOut})
@roles(Role.TRAINEE)
def check_state(path: schemas.CheckPath) -> Response:
    return jsonify(_state(access_own_check(db(), actor(), path.check_id)))


@blueprint.post(
    "/checks/<uuid:check_id>/unable",
    summary="Say that the camera does not work, and why",
    responses={200: schemas.CheckStateOut},
)
@roles(Role.TRAINEE)
@refuses(CheckOver, NonceUsed)
def unable(path: schemas.CheckPath, body: schemas.UnableIn) -> Response:
    check = services.give_up(
        db(),
        actor=actor(),
        check_id=path.check_id,
        nonce=body.nonce,
        outcome=Outcome.NO_CAMERA,
        cause=body.reason,
    )
    return jsonify(_state(check))


@blueprint.post(
    "/checks/<uuid:check_id>/camera",
    summary="Say that the browser asks whether the page may use the camera, or that it was answered",
    responses={200: schemas.CheckStateOut},
)
@roles(Role.TRAINEE)
@refuses(CheckOver, NonceUsed)
def camera(path: schemas.CheckPath, body: schemas.CameraIn) -> Response:
    """The window to answer begins when that question is answered, within a bound, and once a check."""
    check = services.report_camera(
        db(), actor=actor(), check_id=path.check_id, nonce=body.nonce, question=body.question
    )
    return jsonify(_state(check))


@blueprint.post(
    "/checks/<uuid:check_id>/refuse", summary="Refuse to be photographed", responses={200: schemas.CheckStateOut}
)
@roles(Role.TRAINEE)
@refuses(CheckOver, NonceUsed)
def refuse(path: schemas.CheckPath, body: schemas.RefuseIn) -> Response:
    check = services.give_up(db(), actor=actor(), check_id=path.check_id, nonce=body.nonce, outcome=Outcome.REFUSED)
    return jsonify(_state(check))


@blueprint.post(
    "/checks/<uuid:check_id>/appeal", summary="Contest what a check decided", responses={201: schemas.ContestedOut}
)
@roles(Role.TRAINEE)
@refuses(NothingToContest, AlreadyContested, TooLateToContest, Erased)
def appeal(path: schemas.CheckPath, body: schemas.ContestIn) -> tuple[Response, int]:
    raised = services.contest(db(), context().keyring, actor=actor(), check_id=path.check_id, reason=body.reason)
    return jsonify({"decide_by": clock.rfc3339(clock.from_ms(raised.decide_by_ms))}), 201


@blueprint.post(
    "/checks/<uuid:check_id>/review",
    summary="Say what a decided check is worth; a second person may be needed",
    responses={200: schemas.ReviewedOut},
)
@roles(Role.INSTITUTION, Role.REGULATOR)
@refuses(NotToReview, TooLateToReview, AlreadySaid, AnotherPersonNeeded, Erased)
def review(path: schemas.CheckPath, body: schemas.ReviewIn) -> Response:
    check = services.review(
        db(), context().keyring, actor=actor(), check_id=path.check_id, outcome=body.outcome, reason=body.reason
    )
    return jsonify(
        {
            "check_id": str(check.id),
            "state": check.state,
            "decision": check.decision,
            "second_awaited": check.second_awaited,
        }
    )


@blueprint.get(
    "/pictures/<uuid:picture_id>",
    summary="See one picture of a check; the look is recorded",
    responses={200: files(*vault.PICTURE_TYPES)},
)
@signed_in
@writes
@refuses(Erased, PictureOver)
def picture(path: schemas.PicturePath) -> Response:
    session, held = db(), context()
    found, check = access_picture(session, actor(), path.picture_id)
    own = is_herself(db(), found.person_id, actor().person_id)
    purpose = "own" if own else "audit" if actor().is_(Role.REGULATOR) else "review"
    plain = show_picture(
        session,
        held,
        viewer=actor(),
        picture=FacePicture(found.id, found.person_id, found.path, found.path),
        purpose=purpose,
        chain=str(check.enrolment_id),
    )
    response = Response(plain, mimetype=vault.picture_type(plain))
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@blueprint.post("/check-ins", summary="Confirm a trainee who is here", responses={201: schemas.CheckInOut})
@roles(Role.INSTITUTION)
@refuses(NotForOneself, NotOnThisRoute, PlaceUnknown, AlreadyCheckedIn, NotFound)
def check_in(body: schemas.CheckInIn) -> tuple[Response, int]:
    here = services.check_in(
        db(),
        context().keyring,
        actor=actor(),
        enrolment_id=body.enrolment_id,
        place=body.place,
        lasts=timedelta(minutes=body.minutes),
    )
    return jsonify(_check_in(here)), 201


@blueprint.post(
    "/check-ins/code", summary="Type the code shown in the room, once a check-in", responses={200: schemas.CodeOut}
)
@roles(Role.TRAINEE)
@refuses(CheckInNeeded, RoomCodeWrong)
def code(body: schemas.CodeIn) -> Response:
    if not services.enter_code(db(), context().keyring, actor=actor(), code=body.code):
        db().commit()  # a refusal would take the counting of the wrong one back
        raise RoomCodeWrong
    return jsonify({"entered": True})


@blueprint.post(
    "/check-ins/<uuid:check_in_id>/confirm",
    summary="Confirm in a round that she is still here",
    responses={200: schemas.CheckInOut},
)
@roles(Role.INSTITUTION)
@refuses(NotForOneself, CheckInClosed)
def confirm(path: schemas.CheckInPath) -> Response:
    here = services.confirm_presence(db(), context().keyring, actor=actor(), check_in_id=path.check_in_id)
    return jsonify(_check_in(here))


@blueprint.post(
    "/check-ins/<uuid:check_in_id>/close", summary="Confirm that she leaves now", responses={200: schemas.CheckInOut}
)
@roles(Role.INSTITUTION)
@refuses(NotForOneself, CheckInClosed)
def check_out(path: schemas.CheckInPath) -> Response:
    here = services.check_out(db(), context().keyring, actor=actor(), check_in_id=path.check_in_id)
    return jsonify(_check_in(here))


def _state(check: Check) -> dict[str, Any]:
    waiting = check.state == CheckState.DUE
    last = check.attempts[-1] if check.attempts else None
    return {
        "check_id": str(check.id),
        "kind": check.kind,
        "state": check.state,
        "outcome": check.outcome,
        "attempt": check.attempt,
        "nonce": check.nonce if waiting else None,
        "prompts": check.prompts,
        "pulses": check.pulses,
        "answer_by": clock.rfc3339(clock.from_ms(check.answer_by_ms)) if waiting else None,
        "last_outcome": last.outcome if last else None,
        "signals": [signal["code"] for signal in last.signals] if last else [],
    }


def _check_in(here: CheckIn) -> dict[str, Any]:
    cohort_id = access_enrolment(db(), actor(), here.enrolment_id).cohort_id
    return {
        "room_code": services.room_code(context().keyring, cohort_id, here.place, clock.to_ms(clock.now())),
        "check_in_id": str(here.id),
        "enrolment_id": str(here.enrolment_id),
        "place": here.place,
        "until": clock.rfc3339(clock.from_ms(here.until_ms)),
        "closed": here.closed_ms is not None,
    }
