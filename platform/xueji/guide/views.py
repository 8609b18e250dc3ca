"""The pages of the guide, in a demonstration alone."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request
from flask.wrappers import Response

from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.access import access_enrolment
from xueji.enrolment.queries import EnrolmentFacts, enrolments_of
from xueji.identity.queries import is_herself
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound
from xueji.progress.queries import lesson_progress
from xueji.rulebook.vocabulary import Part
from xueji.trace import queries as trace
from xueji.web.access import public, roles
from xueji.web.session import actor, context, db

blueprint = Blueprint("guide", __name__, template_folder="templates")

MOST_LEAVES = 40


@blueprint.get("/tour")
@public
def tour() -> str:
    """Fail a check, make the time up, replay it, verify it."""
    _only_in_a_demonstration()
    return render_template("guide/tour.html")


@blueprint.get("/tour/cheat")
@roles(Role.TRAINEE)
def cheat() -> str:
    """What a script in the page would send, sent for the visitor, and what became of it."""
    _only_in_a_demonstration()
    found = _studied_online()
    return render_template("guide/cheat.html", found=found)


@blueprint.get("/tour/cheat/<uuid:enrolment_id>/leaves")
@roles(Role.TRAINEE)
def leaves(enrolment_id: UUID) -> Response:
    """What her chain has gained since leaf number ``after``, at most `MOST_LEAVES`, and how many there are."""
    _only_in_a_demonstration()
    enrolment = access_enrolment(db(), actor(), enrolment_id)
    if not is_herself(db(), enrolment.person_id, actor().person_id):
        raise NotFound
    length = trace.chain_length(db(), enrolment.chain)
    after = request.args.get("after", length - 1, type=int)
    start = max(0, after + 1, length - MOST_LEAVES)
    gained = [_shown(leaf) for leaf in trace.chain(db(), enrolment.chain, start)]
    return jsonify({"length": length, "leaves": gained})


def _shown(leaf: dict[str, Any]) -> dict[str, Any]:
    return {"n": leaf["n"], "event": leaf["event"], "values": json.dumps(leaf["values"], ensure_ascii=False)}


def _studied_online() -> tuple[EnrolmentFacts, LessonFacts] | None:
    """Her newest training with a film that she has not watched to its end, and that lesson; else the first."""
    trainings = enrolments_of(db(), actor().person_id)
    progress = lesson_progress(db(), [facts.enrolment_id for facts in trainings])
    ready = [
        (facts, lesson)
        for facts in trainings
        for lesson in facts.lessons
        if lesson.film_ready and lesson.part is Part.THEORY
    ]

    def watched(each: tuple[EnrolmentFacts, LessonFacts]) -> bool:
        facts, lesson = each
        done = progress.get((facts.enrolment_id, lesson.lesson_id))
        return done is not None and done.furthest_ms >= lesson.duration_ms

    return min(ready, key=watched, default=None)


def _only_in_a_demonstration() -> None:
    """Raises NotFound."""
    if not context().settings.demo:
        raise NotFound
