"""An institution's course list and course editor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from courses import queries, status, upload_requests, wording
from courses.access import access_course, access_lesson
from courses.forms import CourseForm, LessonForm, NewLessonForm
from courses.models import FilmState
from courses.services import editing
from courses.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.session import actor, context, db

ABOUT = "about-"
"""Before the names of the fields about the course, on a page that has another form with a title."""


@blueprint.route("/courses", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def course_list() -> Any:
    form = CourseForm()
    if form.validate_on_submit():
        course = editing.create_course(db(), actor=actor(), title=form.title.data, summary=form.summary.data or "")
        return redirect(url_for("courses.course_editor", course_id=course.id))
    number = page_asked()
    courses, total = queries.courses_page(db(), actor().organisation_id, number)
    page = render_template(
        "courses/list.html",
        courses=courses,
        total=total,
        page=number,
        pages=pages_of(total, queries.PER_PAGE),
        form=form,
        FilmState=FilmState,
    )
    return page, 422 if form.errors else 200


@blueprint.route("/courses/<uuid:course_id>", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def course_editor(course_id: UUID) -> Any:
    course = access_course(db(), actor(), course_id)
    form = CourseForm(data={"title": course.title, "summary": course.summary}, prefix=ABOUT)
    if form.validate_on_submit():
        editing.describe_course(
            db(), actor=actor(), course_id=course_id, title=form.title.data, summary=form.summary.data or ""
        )
        flash(_("课程信息已保存。"), "success")
        return redirect(url_for("courses.course_editor", course_id=course_id))
    return _editor(course_id, course_form=form)


@blueprint.post("/courses/<uuid:course_id>/lessons")
@roles(Role.INSTITUTION)
def add_lesson(course_id: UUID) -> Any:
    form = NewLessonForm()
    if not form.validate_on_submit():
        return _editor(course_id, new_lesson=form)
    editing.add_lesson(db(), actor=actor(), course_id=course_id, title=form.title.data, part=form.chosen_part())
    return redirect(url_for("courses.course_editor", course_id=course_id, _anchor="new-lesson"))


@blueprint.route("/lessons/<uuid:lesson_id>/edit", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def lesson_editor(lesson_id: UUID) -> Any:
    lesson = access_lesson(db(), actor(), lesson_id)
    film_id = str(lesson.film_id or "")
    form = LessonForm(data={"title": lesson.title, "part": lesson.part.value, "film_id": film_id})
    form.offer(queries.films_to_choose(db(), actor().organisation_id, lesson.film_id))
    problem = None
    if form.validate_on_submit():
        try:
            editing.change_lesson(
                db(),
                actor=actor(),
                events=context().events,
                lesson_id=lesson_id,
                title=form.title.data,
                part=form.chosen_part(),
                film_id=form.chosen_film(),
            )
        except Problem as refused:
            problem = refused
        else:
            return redirect(url_for("courses.course_editor", course_id=lesson.course_id))
    course = access_course(db(), actor(), lesson.course_id)
    page = render_template("courses/lesson.html", lesson=lesson, course=course, form=form, problem=problem)
    return page, problem.status if problem is not None else 422 if form.errors else 200


@blueprint.post("/courses/<uuid:course_id>/uploads/<uuid:upload_id>/give-up")
@roles(Role.INSTITUTION)
def give_up_upload(course_id: UUID, upload_id: UUID) -> Any:
    course = access_course(db(), actor(), course_id)
    upload_requests.give_up(upload_id)
    flash(_("这次上传已放弃。"), "success")
    return redirect(url_for("courses.course_editor", course_id=course.id))


@blueprint.post("/lessons/<uuid:lesson_id>/move")
@roles(Role.INSTITUTION)
def move_lesson(lesson_id: UUID) -> Any:
    lesson = access_lesson(db(), actor(), lesson_id)
    to = request.form.get("to", type=int) or lesson.position
    editing.move_lesson(db(), actor=actor(), lesson_id=lesson_id, to=to)
    anchor = f"lesson-{lesson_id}"
    return redirect(url_for("courses.course_editor", course_id=lesson.course_id, _anchor=anchor))


@blueprint.post("/lessons/<uuid:lesson_id>/remove")
@roles(Role.INSTITUTION)
def remove_lesson(lesson_id: UUID) -> Any:
    lesson = access_lesson(db(), actor(), lesson_id)
    editing.remove_lesson(db(), actor=actor(), events=context().events, lesson_id=lesson_id)
    flash(_("课时“%(title)s”已删除。", title=lesson.title), "success")
    return redirect(url_for("courses.course_editor", course_id=lesson.course_id))


def _editor(
    course_id: UUID, *, course_form: CourseForm | None = None, new_lesson: NewLessonForm | None = None
) -> tuple[str, int]:
    course = access_course(db(), actor(), course_id)
    outline = queries.course_outline(db(), course)
    films = {line.lesson_id: status.of_film(line.film) for line in outline.lessons if line.film is not None}
    page = render_template(
        "courses/editor.html",
        course=outline,
        films=films,
        course_form=course_form
        or CourseForm(formdata=None, data={"title": course.title, "summary": course.summary}, prefix=ABOUT),
        new_lesson=new_lesson or NewLessonForm(formdata=None),
        unfinished=[status.of_upload(*each) for each in queries.unfinished_uploads(db(), actor().organisation_id)],
        lesson_titles={line.lesson_id: line.title for line in outline.lessons},
        PART=wording.PART,
        upload_limit=context().settings.upload_limit_mib * 1024 * 1024,
    )
    wrong = (course_form is not None and course_form.errors) or (new_lesson is not None and new_lesson.errors)
    return page, 422 if wrong else 200
