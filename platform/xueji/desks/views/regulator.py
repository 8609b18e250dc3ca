"""The regulator's pages: her jurisdiction, its trainees and sittings, and what is out of the ordinary."""

from __future__ import annotations

from uuid import UUID

from flask import Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from courses.queries import films_by_id
from courses.schemas import FilmStatus
from courses.status import of_film
from xueji.attendance import queries as attendance_queries
from xueji.attendance import wording as attendance_wording
from xueji.desks import queries, rooms, wording
from xueji.desks.queries import Sought
from xueji.desks.replay import timeline
from xueji.desks.today import tasks_of
from xueji.desks.views import blueprint
from xueji.desks.views.lists import statements, trainee_table, words
from xueji.enrolment import wording as cohort_wording
from xueji.enrolment.access import access_enrolment, access_reference
from xueji.enrolment.queries import EnrolmentFacts, enrolment_facts
from xueji.hours.flag_clearing import clearing_for
from xueji.hours.overview import LessonStanding, enrolment_overview
from xueji.hours.queries import statement_of
from xueji.hours.rules import evidence
from xueji.identity import queries as identity
from xueji.identity.wording import PHOTO_STANDING
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound
from xueji.oversight import queries as oversight
from xueji.oversight import trainee_lines
from xueji.oversight import wording as finding_wording
from xueji.oversight.access import seen_cohorts
from xueji.oversight.deadlines import default_deadline
from xueji.oversight.trainee_lines import PER_PAGE
from xueji.proctoring import queries as proctoring
from xueji.progress.access import access_sitting_to_read
from xueji.trace import queries as trace
from xueji.web.access import roles
from xueji.web.form_values import given_id
from xueji.web.paging import page_asked, paging
from xueji.web.session import actor, context, db, reads


@blueprint.get("/oversight")
@roles(Role.REGULATOR)
def regulator_home() -> str:
    today = clock.shanghai_day(clock.now())
    open_, _total = oversight.findings(db(), actor())
    return render_template(
        "desks/regulator_home.html",
        tasks=tasks_of(db(), context().keyring, actor()),
        figures=queries.overview(db(), actor(), today),
        findings=open_[:5],
        draws=oversight.draws(db(), actor())[0][:5],
        today=today,
        words=wording,
        finding_words=finding_wording,
    )


@blueprint.route("/oversight/trainees", methods=["GET", "POST"])
@roles(Role.REGULATOR)
@reads
def trainees() -> str | AnyResponse:
    """A name or an identity number is looked for by a form: addresses are kept in histories and logs."""
    sought = _sought()
    if request.method == "POST" and not sought.text.strip():
        return redirect(url_for("desks.trainees", cohort=sought.cohort_id, organisation=sought.organisation_id))
    page = page_asked()
    found, total = queries.search_trainees(db(), context().keyring, actor(), sought, page)
    return render_template(
        "desks/trainees.html",
        sought=sought,
        trainees=found,
        statements=statements(found),
        cohorts=trainee_lines.cohort_choices(db(), actor()),
        institutions=trainee_lines.institution_choices(db(), actor()),
        **paging(page, total, PER_PAGE),
        **words(),
    )


@blueprint.post("/oversight/trainees.csv")
@roles(Role.REGULATOR)
@reads
def trainees_csv() -> Response:
    """The page of the list that is on the screen: each account on it is worked out, so it is no larger."""
    found, _total = queries.search_trainees(db(), context().keyring, actor(), _sought(), page_asked())
    return trainee_table(found, "trainees.csv")


@blueprint.get("/oversight/trainees/<uuid:enrolment_id>")
@roles(Role.REGULATOR)
def trainee(enrolment_id: UUID) -> str:
    enrolment = access_enrolment(db(), actor(), enrolment_id)
    facts = enrolment_facts(db(), enrolment.id)
    if facts is None:
        raise NotFound
    page = page_asked()
    sittings, total = queries.sittings(db(), enrolment_id, page)
    shown = enrolment_overview(facts, statement_of(db(), enrolment_id))
    check_ins, _all = proctoring.past_check_ins(db(), enrolment_id=enrolment_id)
    return render_template(
        "desks/trainee.html",
        line=trainee_lines.trainee_line(db(), enrolment_id),
        shown=shown,
        sessions=attendance_queries.class_sessions_by_id(db(), (each.session for each in shown.statement.attendance)),
        contradictions=rooms.flagged_people(db(), actor(), enrolment.person_id),
        check_ins=check_ins,
        check_in_names=identity.masked_names(db(), {each.supervisor_id for each in check_ins}),
        me=actor().person_id,
        clearing=clearing_for(db(), actor(), enrolment, shown.statement.flags),
        checks=proctoring.checks_of(db(), enrolment_id, per_page=5),
        check_count=proctoring.count_checks(db(), enrolment_id),
        sittings=sittings,
        findings=oversight.findings(db(), actor(), enrolment_id=enrolment_id)[0],
        deadline=default_deadline(),
        today=clock.shanghai_day(clock.now()),
        LessonStanding=LessonStanding,
        **paging(page, total, PER_PAGE),
        **words(),
    )


@blueprint.get("/oversight/sittings/<uuid:sitting_id>")
@roles(Role.REGULATOR)
def sitting(sitting_id: UUID) -> str:
    found = access_sitting_to_read(db(), actor(), sitting_id)
    facts = enrolment_facts(db(), found.enrolment_id)
    if facts is None:
        raise NotFound
    return render_template(
        "desks/sitting.html",
        sitting=queries.sitting_line(db(), sitting_id),
        film=_film_of(facts, found.lesson_id),
        hour_ms=facts.cohort.class_hour_ms,
        line=trainee_lines.trainee_line(db(), found.enrolment_id),
        checks=proctoring.checks_of_occasion(db(), sitting_id),
        deadline=default_deadline(),
        photos=access_reference(db(), actor(), found.enrolment_id)[1],
        standings=PHOTO_STANDING,
        **words(),
    )


def _film_of(facts: EnrolmentFacts, lesson_id: UUID) -> FilmStatus | None:
    """The film that a lesson is taught by, as it looks."""
    film_ids = [lesson.film_id for lesson in facts.lessons if lesson.lesson_id == lesson_id]
    return next((of_film(film) for film in films_by_id(db(), film_ids).values()), None)


@blueprint.get("/oversight/sittings/<uuid:sitting_id>/timeline")
@roles(Role.REGULATOR)
def sitting_timeline(sitting_id: UUID) -> Response:
    """What the replay draws, from the leaves of the trace alone. No picture is looked at by asking for it."""
    found = access_sitting_to_read(db(), actor(), sitting_id)
    leaves = list(trace.chain(db(), str(found.enrolment_id)))
    checks = proctoring.checks_of_occasion(db(), sitting_id)
    pictures = {
        str(check.check_id): [url_for("proctoring_api.picture", picture_id=each) for each in check.last.pictures]
        for check in checks
        if check.last is not None
    }
    drawn = timeline(leaves, str(sitting_id), evidence(leaves), checks, device=found.device, pictures=pictures)
    return jsonify(drawn)


@blueprint.get("/oversight/flags")
@roles(Role.REGULATOR)
def flags() -> str:
    """Accounts with sums that cannot be; found by the accounts kept for lists, so the work is a page's."""
    page = page_asked()
    found, total = queries.flagged_trainees(db(), actor(), page)
    return render_template(
        "desks/flags.html",
        people=rooms.flagged_people(db(), actor()),
        trainees=found,
        statements=statements(found),
        **paging(page, total, PER_PAGE),
        **words(),
    )


@blueprint.get("/oversight/rooms")
@roles(Role.REGULATOR)
def in_rooms() -> str:
    """What staff say of rooms and cannot be, or waits for a decision."""
    return render_template(
        "desks/rooms.html",
        waiting=rooms.to_settle(db(), actor()),
        bookings=rooms.double_bookings(db(), actor()),
        staff=rooms.staff_in_two_places(db(), actor()),
        me=actor().person_id,
        entry_words=attendance_wording,
        **words(),
    )


@blueprint.get("/oversight/staff")
@roles(Role.REGULATOR)
def staff() -> str:
    """What each member of staff stood for, and what the two routes ask of people."""
    face, supervised = rooms.work_of_routes(db(), seen_cohorts(actor()))
    return render_template(
        "desks/staff.html", lines=rooms.staff_figures(db(), actor()), face=face, supervised=supervised
    )


@blueprint.get("/oversight/exceptions")
@roles(Role.REGULATOR)
def exceptions() -> str:
    """Who was let into a cohort although something does not fit, each with the institution's reason."""
    page = page_asked()
    found, total = queries.exceptions(db(), actor(), page)
    return render_template(
        "desks/exceptions.html", lines=found, cohort_words=cohort_wording, **paging(page, total, PER_PAGE)
    )


def _sought() -> Sought:
    """What is looked for; words come with a form only."""
    return Sought(request.form.get("q", "")[:100], given_id("cohort"), given_id("organisation"))
