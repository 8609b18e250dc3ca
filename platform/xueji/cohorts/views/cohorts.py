"""The list of cohorts, one cohort, and the editor of a draft."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from courses.queries import CourseOutline, courses_of, films_by_id
from courses.status import of_film
from xueji.cohorts import queries, wording
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.errors import CohortFrozen, CohortRefused
from xueji.cohorts.forms import ClosingForm, CohortForm
from xueji.cohorts.models import Cohort, CohortState
from xueji.cohorts.rules import Judgement
from xueji.cohorts.services import closing
from xueji.cohorts.services import planning as cohorts
from xueji.cohorts.views import blueprint
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, Problem
from xueji.rulebook import rules as rulebook
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.session import actor, context, db


@blueprint.get("/cohorts")
@roles(Role.INSTITUTION)
def cohort_list() -> str:
    """A page of the institution's cohorts."""
    page = page_asked()
    lines, total = queries.cohort_lines(db(), context().events, actor().organisation_id, page)
    return render_template(
        "cohorts/cohorts.html",
        cohorts=lines,
        total=total,
        page=page,
        pages=pages_of(total, queries.PER_PAGE),
        wording=wording,
    )


@blueprint.route("/cohorts/new", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def new_cohort() -> Any:
    """The editor of a new draft."""
    region = actor().region or ""
    preset = rulebook.load().proctoring_plan(region, clock.shanghai_day(clock.now()))
    outlines = courses_of(db(), actor().organisation_id)
    form = CohortForm(data=CohortForm.preset(region, preset)).offer(_choosable(outlines))
    problem = None
    if form.validate_on_submit():
        try:
            cohort = cohorts.create_cohort(db(), actor=actor(), plan=form.plan())
            cohorts.choose_lessons(db(), actor=actor(), cohort_id=cohort.id, lesson_ids=form.chosen_lessons())
        except Problem as refused:
            problem = refused
        else:
            return redirect(url_for("cohorts.cohort", cohort_id=cohort.id))
    return _editor(form, outlines, None, problem)


@blueprint.route("/cohorts/<uuid:cohort_id>/edit", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def edit_cohort(cohort_id: UUID) -> Any:
    """The editor of a draft."""
    cohort = access_own_cohort(db(), actor(), cohort_id)
    if cohort.state is not CohortState.DRAFT:
        raise CohortFrozen
    outlines = courses_of(db(), actor().organisation_id)
    filled = CohortForm.filled(cohort, queries.chosen_lessons(db(), cohort_id))
    form = CohortForm(data=filled).offer(_choosable(outlines))
    problem = None
    if form.validate_on_submit():
        try:
            cohorts.change_cohort(db(), actor=actor(), cohort_id=cohort_id, plan=form.plan())
            cohorts.choose_lessons(db(), actor=actor(), cohort_id=cohort_id, lesson_ids=form.chosen_lessons())
        except Problem as refused:
            problem = refused
        else:
            flash(_("计划已保存。"), "success")
            return redirect(url_for("cohorts.cohort", cohort_id=cohort_id))
    return _editor(form, outlines, cohort, problem)


@blueprint.get("/cohorts/figures")
@roles(Role.INSTITUTION)
def figures() -> str:
    """What the rules say of the form as it is filled in so far; cohort.ts shows it beside the form."""
    form = CohortForm(request.args, meta={"csrf": False})
    form.offer(_choosable(courses_of(db(), actor().organisation_id)))
    form.validate()
    return _figures(form)


@blueprint.get("/cohorts/<uuid:cohort_id>")
@roles(Role.INSTITUTION)
def cohort(cohort_id: UUID) -> str:
    """One cohort: its plan, its lessons, and what the rules say of a draft."""
    return _cohort(access_own_cohort(db(), actor(), cohort_id))


@blueprint.post("/cohorts/<uuid:cohort_id>/open")
@roles(Role.INSTITUTION)
def open_cohort(cohort_id: UUID) -> Any:
    """Open it; what stands against it is shown on its page."""
    found = access_own_cohort(db(), actor(), cohort_id)
    try:
        cohorts.open_cohort(db(), context().keyring, cohort=found, actor=actor())
    except CohortRefused as refused:
        return _cohort(found), refused.status
    flash(_("已开班，现在可以导入学员。"), "success")
    return redirect(url_for("enrolment.trainees", cohort_id=cohort_id))


@blueprint.post("/cohorts/<uuid:cohort_id>/close")
@roles(Role.INSTITUTION)
def close_cohort(cohort_id: UUID) -> Any:
    """Close it at once, or set its last day."""
    form = ClosingForm()
    if not form.validate():
        raise Invalid
    last_day = None if form.now.data else form.last_day.data
    closed = closing.close_cohort(db(), context().events, actor=actor(), cohort_id=cohort_id, last_day=last_day)
    if closed.state is CohortState.CLOSED:
        flash(_("培训班已结班。"), "success")
    else:
        flash(_("已定于 %(day)s 24时结班。", day=closed.last_day.isoformat()), "success")
    return redirect(url_for("hours.cohort_hours", cohort_id=cohort_id))


@blueprint.post("/cohorts/<uuid:cohort_id>/discard")
@roles(Role.INSTITUTION)
def discard_cohort(cohort_id: UUID) -> Any:
    """Throw a draft away."""
    cohorts.discard_cohort(db(), actor=actor(), cohort_id=cohort_id)
    flash(_("草稿已删除。"), "success")
    return redirect(url_for("cohorts.cohort_list"))


def _cohort(found: Cohort) -> str:
    draft = found.state is CohortState.DRAFT
    judgement = cohorts.judge_cohort(db(), found)
    lessons = queries.cohort_lessons(db(), found.id)
    films = films_by_id(db(), [lesson.film_id for lesson in lessons])
    return render_template(
        "cohorts/cohort.html",
        cohort=found,
        lessons=lessons,
        films={film_id: of_film(film) for film_id, film in films.items()},
        judgement=judgement if draft else None,
        cap=judgement.cap,
        hour_ms=judgement.class_hour_ms,
        wording=wording,
    )


def _editor(
    form: CohortForm, outlines: list[CourseOutline], cohort: Cohort | None, problem: Problem | None
) -> tuple[str, int]:
    page = render_template(
        "cohorts/cohort_editor.html",
        form=form,
        courses=outlines,
        cohort=cohort,
        problem=problem,
        figures=_figures(form),
        wording=wording,
    )
    return page, problem.status if problem is not None else 422 if form.errors else 200


def _figures(form: CohortForm) -> str:
    """Nothing while the form cannot be read at all."""
    judgement: Judgement | None = None
    plan = form.plan()
    try:
        judgement = cohorts.judge_plan(db(), actor=actor(), plan=plan, lesson_ids=form.chosen_lessons())
    except Invalid:
        judgement = None
    return render_template("cohorts/_figures.html", plan=plan, judgement=judgement, wording=wording)


def _choosable(outlines: list[CourseOutline]) -> list[UUID]:
    """Lessons of theory; whether the film is ready is said by the rules."""
    return [lesson.lesson_id for outline in outlines for lesson in outline.lessons if lesson.film is not None]
