"""The lesson page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, url_for

from xueji.cohorts.queries import LessonFacts
from xueji.enrolment.access import access_enrolment
from xueji.enrolment.queries import enrolment_facts
from xueji.identity.models import Person
from xueji.identity.queries import is_herself, standing_file
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound
from xueji.progress.leases import page_ticket
from xueji.rulebook.vocabulary import Part
from xueji.web.access import roles
from xueji.web.session import actor, context, db

blueprint = Blueprint("progress", __name__, template_folder="templates")


@blueprint.get("/learn/<uuid:enrolment_id>/<uuid:lesson_id>")
@roles(Role.TRAINEE)
def lesson(enrolment_id: UUID, lesson_id: UUID) -> str:
    session = db()
    enrolment = access_enrolment(session, actor(), enrolment_id)
    facts = enrolment_facts(session, enrolment_id)
    found = facts.lesson(lesson_id) if facts is not None else None
    if facts is None or found is None or not is_herself(db(), enrolment.person_id, actor().person_id):
        raise NotFound
    hours_url = url_for("hours.statement", enrolment_id=enrolment_id)
    follows = next((each for each in facts.lessons if each.position > found.position and _may_open(each)), None)
    return render_template(
        "progress/lesson.html",
        lesson={"id": lesson_id, "number": found.position, "title": found.title, "duration_ms": found.duration_ms},
        enrolment={"id": enrolment_id, "cohort_title": facts.cohort.title},
        page=page_ticket(context().keyring, actor(), enrolment_id, lesson_id),
        method=session.get_one(Person, standing_file(session, enrolment.person_id)).proof_route,
        back_url=url_for("desks.my_training"),
        hours_url=hours_url,
        checks_url=hours_url + "#checks",
        other_route_url=url_for("identity.account"),
        next_url="" if follows is None else url_for(".lesson", enrolment_id=enrolment_id, lesson_id=follows.lesson_id),
    )


def _may_open(lesson: LessonFacts) -> bool:
    return lesson.film_ready and lesson.part is Part.THEORY
