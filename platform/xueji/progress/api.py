"""The lesson page's interface: open a sitting, report beats, say "I am here"."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial, wraps
from typing import cast
from uuid import UUID

from flask import Flask, current_app, jsonify, request
from flask.wrappers import Response
from flask_openapi3.blueprint import APIBlueprint

from xueji.enrolment.queries import enrolments_of
from xueji.identity.errors import SignedOut
from xueji.identity.tokens import claims_of_request
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.groupcommit import GroupCommitter
from xueji.progress import schemas
from xueji.progress.answers import answer_json, enrolment_json, opened_json
from xueji.progress.errors import BeatRefused
from xueji.progress.queries import lesson_progress
from xueji.progress.record import Answer, Report, Reported, digest_of, record_reports
from xueji.progress.rules import Beat, InvalidBeat, check_beat
from xueji.progress.services import answer_presence, open_sitting
from xueji.web.access import decided_below, roles, signed_in
from xueji.web.session import actor, context, db

blueprint = APIBlueprint("progress_api", __name__, url_prefix="/api/v1")


def init_beats(app: Flask) -> None:
    """One group committer for each process: every beat of this process goes through it."""
    held: Context = app.extensions["xueji"]
    app.extensions["xueji_beats"] = GroupCommitter(held.database, partial(record_reports, events=held.events))


def _committer() -> GroupCommitter[Report, Answer]:
    return cast("GroupCommitter[Report, Answer]", current_app.extensions["xueji_beats"])


@blueprint.get("/me/enrolments", summary="The trainee's enrolments with their lessons and how far she is")
@signed_in
def my_enrolments() -> Response:
    session = db()
    found = enrolments_of(session, actor().person_id)
    progress = lesson_progress(session, [facts.enrolment_id for facts in found])
    return jsonify({"enrolments": [enrolment_json(facts, progress) for facts in found]})


@blueprint.post("/sittings", summary="Open a sitting, or continue here", responses={201: schemas.SittingOut})
@roles(Role.TRAINEE)
def open_(body: schemas.OpenSitting) -> tuple[Response, int]:
    held = context()
    opened = open_sitting(
        db(),
        actor=actor(),
        keyring=held.keyring,
        events=held.events,
        sitting_id=body.sitting_id,
        enrolment_id=body.enrolment_id,
        lesson_id=body.lesson_id,
        device=body.device or (request.user_agent.string or ""),
        continue_here=body.continue_here,
    )
    return jsonify(opened_json(opened)), 201


def _from_bytes(view: Callable[[schemas.SittingPath, schemas.BeatsIn], Response]) -> Callable[[UUID], Response]:
    """Read the models straight from the body's bytes: nothing is asked for as often as beats."""

    @wraps(view)
    def read(sitting_id: UUID) -> Response:
        body = schemas.BeatsIn.model_validate_json(request.get_data(cache=False))
        return view(schemas.SittingPath.model_construct(sitting_id=sitting_id), body)

    read.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return read


@blueprint.post("/sittings/<uuid:sitting_id>/beats", summary="Report study", responses={200: schemas.BeatsOut})
@decided_below
@_from_bytes
def beats(path: schemas.SittingPath, body: schemas.BeatsIn) -> Response:
    claims = claims_of_request()
    if claims is None:
        raise SignedOut
    report = Report(
        path.sitting_id,
        claims.person_id,
        claims.login_session_id,
        tuple(_reported(said) for said in body.beats),
    )
    return Response(json.dumps(answer_json(_committer().submit(report))), mimetype="application/json")


def _reported(said: schemas.BeatIn) -> Reported:
    """Raises BeatRefused for what no player can have sent."""
    beat = Beat(said.seq, str(said.beat_id), said.from_ms, said.to_ms, said.state, round(said.rate * 1000))
    try:
        check_beat(beat)
    except InvalidBeat as error:
        raise BeatRefused(str(error), field=error.field, seq=said.seq) from error
    occurred = clock.rfc3339(said.sent_at)
    return Reported(beat, occurred, said.interacted, digest_of(beat, occurred, said.interacted))


@blueprint.post("/sittings/<uuid:sitting_id>/presence", summary='Answer "are you there?"')
@roles(Role.TRAINEE)
def presence(path: schemas.SittingPath, body: schemas.PresenceIn) -> Response:
    sitting = answer_presence(db(), actor=actor(), sitting_id=path.sitting_id, question_id=body.question_id)
    return jsonify({"furthest_ms": sitting.furthest_ms, "question": None})
