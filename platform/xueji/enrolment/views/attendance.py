"""Sessions in person and their rosters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from xueji.enrolment import queries, wording
from xueji.enrolment.access import access_own_cohort, access_own_session
from xueji.enrolment.errors import AttendanceRefused
from xueji.enrolment.forms import ReasonForm, SessionForm, attended
from xueji.enrolment.models import CohortState, EnrolmentState
from xueji.enrolment.services import attendance
from xueji.enrolment.views import blueprint
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem
from xueji.web.access import roles
from xueji.web.session import actor, context, db


@blueprint.route("/cohorts/<uuid:cohort_id>/sessions", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def sessions(cohort_id: UUID) -> Any:
    cohort = access_own_cohort(db(), actor(), cohort_id)
    form, problem = SessionForm(data={"place": cohort.venue}), None
    if form.validate_on_submit():
        try:
            added = attendance.add_session(db(), actor=actor(), cohort_id=cohort_id, plan=form.plan())
        except Problem as refused:
            problem = refused
        else:
            return redirect(url_for("enrolment.session_roster", session_id=added.id))
    lines = queries.session_lines(db(), cohort_id)
    page = render_template(
        "enrolment/sessions.html",
        cohort=cohort,
        lines=lines,
        form=form,
        problem=problem,
        may_add=cohort.state is CohortState.OPEN,
        now=clock.now(),
        wording=wording,
    )
    return page, problem.status if problem is not None else 422 if form.errors else 200


@blueprint.get("/sessions/<uuid:session_id>")
@roles(Role.INSTITUTION)
def session_roster(session_id: UUID) -> str:
    return _roster(session_id, {})


@blueprint.post("/sessions/<uuid:session_id>")
@roles(Role.INSTITUTION)
def record_attendance(session_id: UUID) -> Any:
    lesson, cohort = access_own_session(db(), actor(), session_id)
    entered, wrong = attended(request.form, queries.enrolment_ids(db(), cohort.id))
    if not wrong and entered:
        try:
            attendance.record_attendance(db(), context().keyring, actor=actor(), session_id=lesson.id, attended=entered)
        except AttendanceRefused as refused:
            wrong = {enrolment_id: str(wording.NOT_ATTENDED[why]) for enrolment_id, why in refused.refused.items()}
    if wrong or not entered:
        return _roster(session_id, wrong, nothing=not entered and not wrong), 422
    flash(_("已登记 %(n)s 人的考勤。", n=len(entered)), "success")
    return redirect(url_for("enrolment.session_roster", session_id=session_id))


@blueprint.post("/sessions/<uuid:session_id>/remove")
@roles(Role.INSTITUTION)
def remove_session(session_id: UUID) -> Any:
    _lesson, cohort = access_own_session(db(), actor(), session_id)
    attendance.remove_session(db(), actor=actor(), session_id=session_id)
    flash(_("这次课已删除。"), "success")
    return redirect(url_for("enrolment.sessions", cohort_id=cohort.id))


@blueprint.post("/attendance/<uuid:attendance_id>/revoke")
@roles(Role.INSTITUTION)
def revoke_attendance(attendance_id: UUID) -> Any:
    form = ReasonForm()
    form.validate()
    revoked = attendance.revoke_attendance(
        db(), context().keyring, actor=actor(), attendance_id=attendance_id, reason=form.reason.data or ""
    )
    flash(_("考勤已撤销，可以重新登记。"), "success")
    return redirect(url_for("enrolment.session_roster", session_id=revoked.session_id))


def _roster(session_id: UUID, wrong: dict[UUID, str], *, nothing: bool = False) -> str:
    lesson, cohort = access_own_session(db(), actor(), session_id)
    lines = queries.roster(db(), context().keyring, cohort.id)
    counted = queries.attendances(db(), session_id)
    return render_template(
        "enrolment/session.html",
        lesson=lesson,
        cohort=cohort,
        lines=[line for line in lines if line.state is EnrolmentState.ACTIVE or line.enrolment_id in counted],
        counted=counted,
        wrong=wrong,
        nothing=nothing,
        sent=request.form,
        whole_minutes=(lesson.ended_at - lesson.began_at) // timedelta(minutes=1),
        over=lesson.ended_at <= clock.now(),
        may_enter=cohort.state is CohortState.OPEN and lesson.ended_at <= clock.now(),
        wording=wording,
    )
