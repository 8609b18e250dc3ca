"""Class sessions and their rosters."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

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
from xueji.enrolment.roster_queries import MOST_ON_PAPER, PER_PAGE
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound, Problem
from xueji.rulebook.vocabulary import ReviewOutcome
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db, reads

blueprint = Blueprint("attendance", "xueji.attendance", template_folder="templates")

MISSING = "missing"
"""The word in the address for those of whom a list says nothing yet."""


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
    number = page_asked()
    lines, total = queries.class_session_lines(db(), cohort_id, number)
    page = render_template(
        "attendance/class_sessions.html",
        cohort=cohort,
        lines=lines,
        total=total,
        page=number,
        pages=pages_of(total, PER_PAGE),
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
    """A page of those whom the session concerns, or of those who are missing in its list."""
    return _roster(session_id, {})


@blueprint.post("/sessions/<uuid:session_id>/find")
@roles(Role.INSTITUTION)
@reads
def find_in_class_session(session_id: UUID) -> str:
    """Somebody looked for by a form: addresses are kept in histories and logs."""
    return _roster(session_id, {}, text=request.form.get("q", "").strip())


@blueprint.get("/sessions/<uuid:session_id>/sheet")
@roles(Role.INSTITUTION)
def class_session_sheet(session_id: UUID) -> str:
    """The list that is printed and signed in the room."""
    class_session, cohort = access_own_class_session(db(), actor(), session_id)
    page = page_asked()
    lines, total = queries.class_session_sheet(db(), context().keyring, class_session, page)
    return render_template(
        "attendance/class_session_sheet.html",
        class_session=class_session,
        cohort=cohort,
        lines=lines,
        counted=queries.attendances(db(), session_id, [line.enrolment_id for line in lines]),
        total=total,
        page=page,
        pages=pages_of(total, MOST_ON_PAPER),
        first=(page - 1) * MOST_ON_PAPER,
        wording=wording,
        wall_clock=wall_clock,
    )


@blueprint.post("/sessions/<uuid:session_id>")
@roles(Role.INSTITUTION)
def record_attendance(session_id: UUID) -> Any:
    """What a page of the list says; the other pages keep what they have."""
    class_session, _cohort = access_own_class_session(db(), actor(), session_id)
    sent = roster_sent(request.form, class_session.began_at, class_session.ended_at)
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
        text = request.form.get("q", "").strip()
        return _roster(session_id, wrong, problem=problem, nothing=not wrong and problem is None, text=text), 422
    waiting = sum(each.state is AttendanceState.WAITING for each in entered)
    flash(_("已登记 %(n)s 人的考勤。", n=len(entered)), "success")
    if waiting:
        flash(_("其中 %(n)s 人的考勤待确认，确认后才计入学时。", n=waiting), "warning")
    return _back_to(session_id)


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
    return _back_to(revoked.session_id)


@blueprint.post("/attendance/<uuid:attendance_id>/sign")
@roles(Role.INSTITUTION)
def sign_attendance(attendance_id: UUID) -> Any:
    """She signed the list on paper."""
    signed = settling.sign_attendance(db(), context().keyring, actor=actor(), attendance_id=attendance_id)
    flash(_("已记录：本人在纸质表上签名。请妥善保管原件。"), "success")
    return _back_to(signed.session_id)


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
    return _back_to(settled.session_id)


@blueprint.get("/attendance")
@roles(Role.TRAINEE)
def my_attendance() -> str:
    """Each session in person that was entered for her, to be confirmed or denied."""
    page = page_asked()
    lines, total = queries.attendance_of(db(), actor().person_id, page)
    return render_template(
        "attendance/my_attendance.html",
        lines=lines,
        total=total,
        page=page,
        pages=pages_of(total, PER_PAGE),
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


def _back_to(session_id: UUID) -> Response:
    """The page of the list that was left."""
    page, show = page_asked(), request.values.get("show")
    return redirect(
        url_for(
            "attendance.class_session_roster",
            session_id=session_id,
            page=page if page > 1 else None,
            show=show if show == MISSING else None,
        )
    )


def _roster(
    session_id: UUID,
    wrong: dict[UUID, str],
    *,
    problem: Problem | None = None,
    nothing: bool = False,
    text: str = "",
) -> str:
    class_session, cohort = access_own_class_session(db(), actor(), session_id)
    page, show = page_asked(), request.values.get("show", "")
    if show not in ("", MISSING):
        raise NotFound
    lines, total = queries.class_session_page(
        db(), context().keyring, class_session, text, page, missing=show == MISSING
    )
    shown = [line.enrolment_id for line in lines]
    counts = queries.attendance_counts(db(), class_session)
    now = clock.now()
    address = partial(url_for, "attendance.class_session_roster", session_id=session_id)
    return render_template(
        "attendance/class_session.html",
        class_session=class_session,
        cohort=cohort,
        lines=lines,
        counts=counts,
        total=total,
        text=text,
        show=show,
        shows=[
            (address(), _("全部学员"), not show, counts.everybody),
            (address(show=MISSING), _("未登记"), show == MISSING, counts.everybody - counts.entered),
        ],
        page=page,
        pages=pages_of(total, PER_PAGE),
        page_url=lambda number: address(show=show or None, page=number),
        counted=queries.attendances(db(), session_id, shown),
        again=queries.revoked_attendances(db(), session_id, shown) if cohort.state is CohortState.CLOSED else None,
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
