"""Class sessions and their rosters."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from xueji.attendance import queries, wording
from xueji.attendance.access import access_own_class_session
from xueji.attendance.errors import AttendanceReasonNeeded, AttendanceRefused
from xueji.attendance.forms import ClassSessionForm, SettleForm, roster_sent, wall_clock
from xueji.attendance.models import Attendance
from xueji.attendance.rules import AttendanceState
from xueji.attendance.services import entering as attendance
from xueji.attendance.services import planning, settling
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.fields import ReasonForm
from xueji.cohorts.models import CohortState
from xueji.enrolment.models import EnrolmentState
from xueji.enrolment.queries import enrolment_ids
from xueji.enrolment.roster_queries import roster
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, Problem
from xueji.rulebook.vocabulary import ReviewOutcome
from xueji.web.access import roles
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db

blueprint = Blueprint("attendance", "xueji.attendance", template_folder="templates")


@blueprint.route("/cohorts/<uuid:cohort_id>/sessions", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def class_sessions(cohort_id: UUID) -> Any:
    """The class sessions of a cohort, and the form for another."""
    cohort = access_own_cohort(db(), actor(), cohort_id)
    form, problem = ClassSessionForm(data={"place": cohort.venue}), None
    if form.validate_on_submit():
        try:
            added = planning.plan_class_session(
                db(), context().keyring, actor=actor(), cohort_id=cohort_id, plan=form.plan()
            )
        except Problem as refused:
            problem = refused
        else:
            return redirect(url_for("attendance.class_session_roster", session_id=added.id))
    lines = queries.class_session_lines(db(), cohort_id)
    page = render_template(
        "attendance/class_sessions.html",
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
def class_session_roster(session_id: UUID) -> str:
    """Who was there, from when to when."""
    return _roster(session_id, {})


@blueprint.post("/sessions/<uuid:session_id>")
@roles(Role.INSTITUTION)
def record_attendance(session_id: UUID) -> Any:
    """Enter what was filled in on the roster."""
    class_session, cohort = access_own_class_session(db(), actor(), session_id)
    sent = roster_sent(request.form, enrolment_ids(db(), cohort.id), class_session.began_at, class_session.ended_at)
    wrong, problem = sent.unreadable, None
    entered: list[Attendance] = []
    if not wrong and (sent.attended or sent.absent):
        try:
            entered = attendance.record_attendance(
                db(),
                context(),
                actor=actor(),
                session_id=class_session.id,
                attended=sent.attended,
                absent=sent.absent,
                reason=request.form.get("reason", ""),
            )
        except AttendanceRefused as refused:
            wrong = {enrolment_id: str(wording.NOT_ATTENDED[why]) for enrolment_id, why in refused.refused.items()}
        except AttendanceReasonNeeded as refused:
            problem = refused
    if not entered:
        return _roster(session_id, wrong, problem=problem, nothing=not wrong and problem is None), 422
    waiting = sum(each.state is AttendanceState.WAITING for each in entered)
    flash(_("已登记 %(n)s 人的考勤。", n=len(entered)), "success")
    if waiting:
        flash(_("其中 %(n)s 人的考勤待确认，确认后才计入学时。", n=waiting), "warning")
    return redirect(url_for("attendance.class_session_roster", session_id=session_id))


@blueprint.post("/sessions/<uuid:session_id>/remove")
@roles(Role.INSTITUTION)
def cancel_class_session(session_id: UUID) -> Any:
    """Cancel one of which no attendance was entered."""
    _class_session, cohort = access_own_class_session(db(), actor(), session_id)
    planning.cancel_class_session(db(), context().keyring, actor=actor(), session_id=session_id)
    flash(_("这次课已删除。"), "success")
    return redirect(url_for("attendance.class_sessions", cohort_id=cohort.id))


@blueprint.post("/attendance/<uuid:attendance_id>/revoke")
@roles(Role.INSTITUTION)
def revoke_attendance(attendance_id: UUID) -> Any:
    """Take an attendance back, with a reason."""
    form = ReasonForm()
    form.validate()
    revoked = attendance.revoke_attendance(
        db(), context().keyring, actor=actor(), attendance_id=attendance_id, reason=form.reason.data or ""
    )
    flash(_("考勤已撤销，可以重新登记。"), "success")
    return redirect(url_for("attendance.class_session_roster", session_id=revoked.session_id))


@blueprint.post("/attendance/<uuid:attendance_id>/sign")
@roles(Role.INSTITUTION)
def sign_attendance(attendance_id: UUID) -> Any:
    """She signed the list on paper."""
    signed = settling.sign_attendance(db(), context().keyring, actor=actor(), attendance_id=attendance_id)
    flash(_("已记录：本人在纸质表上签名。请妥善保管原件。"), "success")
    return redirect(url_for("attendance.class_session_roster", session_id=signed.session_id))


@blueprint.post("/attendance/<uuid:attendance_id>/settle")
@roles(Role.INSTITUTION, Role.REGULATOR)
def settle_attendance(attendance_id: UUID) -> Any:
    """Decide what waits, or what she denies: a second person of the institution, or the regulator."""
    form = SettleForm()
    form.validate()
    if form.outcome.data not in set(ReviewOutcome):
        raise Invalid(_("请选择结论。"))
    settled = settling.settle_attendance(
        db(),
        context().keyring,
        actor=actor(),
        attendance_id=attendance_id,
        outcome=ReviewOutcome(form.outcome.data),
        reason=form.reason.data or "",
    )
    flash(_("结论已记录，学时随之更新。"), "success")
    if actor().is_(Role.REGULATOR):
        return redirect(local_path(form.next.data) or "/")
    return redirect(url_for("attendance.class_session_roster", session_id=settled.session_id))


@blueprint.get("/attendance")
@roles(Role.TRAINEE)
def my_attendance() -> str:
    """Each class session that was entered for her, to be confirmed or denied."""
    return render_template(
        "attendance/my_attendance.html",
        lines=queries.attendance_of(db(), actor().person_id),
        now=clock.now(),
        wording=wording,
    )


@blueprint.post("/attendance/<uuid:attendance_id>/confirm")
@roles(Role.TRAINEE)
def confirm_attendance(attendance_id: UUID) -> Any:
    """She was there."""
    settling.confirm_attendance(db(), context().keyring, actor=actor(), attendance_id=attendance_id)
    flash(_("已确认您在场。"), "success")
    return redirect(url_for("attendance.my_attendance"))


@blueprint.post("/attendance/<uuid:attendance_id>/deny")
@roles(Role.TRAINEE)
def deny_attendance(attendance_id: UUID) -> Any:
    """She was not there."""
    settling.deny_attendance(db(), context().keyring, actor=actor(), attendance_id=attendance_id)
    flash(_("已记录：您当时不在场。这次课暂不计入学时，培训机构和监管部门会看到。"), "success")
    return redirect(url_for("attendance.my_attendance"))


def _roster(session_id: UUID, wrong: dict[UUID, str], *, problem: Problem | None = None, nothing: bool = False) -> str:
    class_session, cohort = access_own_class_session(db(), actor(), session_id)
    lines = roster(db(), context().keyring, cohort.id)
    counted = queries.attendances(db(), session_id)
    now = clock.now()
    return render_template(
        "attendance/class_session.html",
        class_session=class_session,
        cohort=cohort,
        lines=[line for line in lines if line.state is EnrolmentState.ACTIVE or line.enrolment_id in counted],
        counted=counted,
        again=queries.revoked_attendances(db(), session_id) if cohort.state is CohortState.CLOSED else None,
        wrong=wrong,
        problem=problem,
        nothing=nothing,
        sent=request.form,
        began=wall_clock(class_session.began_at),
        ended=wall_clock(class_session.ended_at),
        doubts=attendance.doubts_now(cohort, class_session),
        over=class_session.ended_at <= now,
        may_enter=class_session.ended_at <= now < cohort.settles_at,
        me=actor().person_id,
        wording=wording,
        wall_clock=wall_clock,
    )
