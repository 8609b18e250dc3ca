"""The account as JSON: for the trainee, for whoever may see her enrolment, and for programs that recompute it."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from xueji.enrolment.access import access_enrolment
from xueji.hours.errors import AccountUnreadable
from xueji.hours.queries import statement_of
from xueji.hours.rules import Statement
from xueji.hours.schemas import CheckQuery, ChecksOut, PageQuery, ReckonedOut, StatementOut
from xueji.hours.services import reckon
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.proctoring.access import may_see_faces
from xueji.proctoring.queries import AppealLine, AttemptLine, CheckLine, checks_of, count_checks
from xueji.progress.schemas import SittingPath
from xueji.web.access import roles, signed_in
from xueji.web.api_description import refuses
from xueji.web.schemas import EnrolmentPath
from xueji.web.session import actor, context, db

blueprint = APIBlueprint("hours_api", __name__, url_prefix="/api/v1")


@blueprint.get(
    "/enrolments/<uuid:enrolment_id>/statement",
    summary="The class hours of an enrolment, to the millisecond, with every reason",
    responses={200: StatementOut},
)
@signed_in
@refuses(AccountUnreadable)
def statement(path: EnrolmentPath) -> dict[str, Any]:
    enrolment = access_enrolment(db(), actor(), path.enrolment_id)
    return statement_json(statement_of(db(), enrolment.id))


@blueprint.post(
    "/sittings/<uuid:sitting_id>/ledger",
    summary="Reckon the sitting's lesson anew, after a verdict or whatever else changed what time is worth",
    responses={200: ReckonedOut},
)
@roles(Role.TRAINEE)
@refuses(AccountUnreadable)
def ledger(path: SittingPath, query: CheckQuery) -> dict[str, Any]:
    # It opens sessions of its own: the chain is not read while others wait to write.
    held = context()
    return reckon(held.database, held.events, actor=actor(), sitting_id=path.sitting_id, check_id=query.check)


@blueprint.get(
    "/enrolments/<uuid:enrolment_id>/checks", summary="The checks of an enrolment", responses={200: ChecksOut}
)
@signed_in
def checks(path: EnrolmentPath, query: PageQuery) -> dict[str, Any]:
    enrolment = access_enrolment(db(), actor(), path.enrolment_id)
    with_pictures = may_see_faces(db(), actor(), enrolment.person_id)
    return {
        "checks": [_check(line, with_pictures) for line in checks_of(db(), enrolment.id, query.page)],
        "page": query.page,
        "total": count_checks(db(), enrolment.id),
    }


def statement_json(statement: Statement) -> dict[str, Any]:
    values = statement.to_dict()
    return {**values, **values["online"], "as_of": clock.rfc3339(clock.from_ms(statement.as_of_ms))}


def _time(ms: int | None) -> str | None:
    return None if ms is None else clock.rfc3339(clock.from_ms(ms))


def _check(line: CheckLine, with_pictures: bool) -> dict[str, Any]:
    return {
        "check_id": str(line.check_id),
        "sitting_id": str(line.occasion_id),
        "lesson_id": str(line.subject.id),
        "kind": line.kind,
        "state": line.state,
        "outcome": line.outcome,
        "due_at": _time(line.due_ms),
        "answer_by": _time(line.answer_by_ms),
        "decided_at": _time(line.decided_ms),
        "holds_time": line.holds_time,
        "attempts": [_attempt(attempt, with_pictures) for attempt in line.attempts],
        "decision": line.decision,
        "second_awaited": line.second_awaited,
        "appeal": _appeal(line.appeal),
    }


def _attempt(attempt: AttemptLine, with_pictures: bool) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "answered_at": _time(attempt.answered_ms),
        "outcome": attempt.outcome,
        "score": attempt.score,
        "threshold": attempt.threshold,
        "engine": attempt.engine,
        "model": attempt.model,
        "prompts": list(attempt.prompts),
        "signals": list(attempt.signals),
        "pictures": [str(picture) for picture in attempt.pictures] if with_pictures else [],
        "pictures_deleted_at": _time(attempt.deleted_ms),
    }


def _appeal(appeal: AppealLine | None) -> dict[str, Any] | None:
    if appeal is None:
        return None
    return {
        "raised_at": _time(appeal.raised_ms),
        "decide_by": _time(appeal.decide_by_ms),
        "decided_at": _time(appeal.decided_ms),
        "decision": appeal.decision,
    }
