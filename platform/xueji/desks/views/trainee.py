"""What a trainee comes in by: her trainings, how far she is, and what she has to do first."""

from __future__ import annotations

from flask import render_template

from xueji.attendance import queries as attendance_queries
from xueji.desks.views import blueprint
from xueji.enrolment.queries import EnrolmentFacts, enrolments_of
from xueji.hours import reminding
from xueji.hours import wording as hours_wording
from xueji.hours.overview import EnrolmentOverview, LessonStanding, enrolment_overview
from xueji.hours.queries import statements_of
from xueji.hours.rules import Statement
from xueji.identity import queries as identity
from xueji.identity.rules import ProofRoute
from xueji.identity.wording import PURPOSE
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.proctoring import wording as check_wording
from xueji.proctoring.queries import presence_of
from xueji.web.access import roles
from xueji.web.session import actor, context, db


@blueprint.get("/training")
@roles(Role.TRAINEE)
def my_training() -> str:
    person_id = actor().person_id
    found = enrolments_of(db(), person_id)
    statements = statements_of(db(), [facts.enrolment_id for facts in found])
    shown = [(facts, _overview(facts, statements[facts.enrolment_id])) for facts in found]
    profile = identity.profile(db(), context().keyring, person_id)
    return render_template(
        "desks/my_training.html",
        shown=shown,
        profile=profile,
        ready=identity.standing_consent(db(), person_id) is not None and identity.used_photos(db(), person_id),
        here=presence_of(db(), person_id, clock.to_ms(clock.now())),
        supervised=profile.proof_route is ProofRoute.SUPERVISED,
        to_confirm=attendance_queries.to_confirm(db(), person_id),
        reminders=reminding.unread_reminders(db(), person_id),
        registered_elsewhere=identity.joinings_to_confirm(db(), person_id),
        today=clock.shanghai_day(clock.now()),
        now_ms=clock.to_ms(clock.now()),
        LessonStanding=LessonStanding,
        words=hours_wording,
        check_words=check_wording,
        purposes=PURPOSE,
    )


def _overview(facts: EnrolmentFacts, statement: Statement | None) -> EnrolmentOverview | None:
    return None if statement is None else enrolment_overview(facts, statement)
