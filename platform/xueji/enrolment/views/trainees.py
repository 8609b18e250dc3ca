"""The roster of a cohort, and letting people in and out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.fields import ReasonForm
from xueji.cohorts.models import CohortState
from xueji.enrolment import queries, wording
from xueji.enrolment import roster_queries as roster
from xueji.enrolment.forms import ImportForm
from xueji.enrolment.services.trainees import readmit, withdraw
from xueji.enrolment.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.session import actor, context, db, reads


@blueprint.get("/cohorts/<uuid:cohort_id>/trainees")
@roles(Role.INSTITUTION)
def trainees(cohort_id: UUID) -> str:
    """The roster of a cohort, a page at a time."""
    return roster_page(cohort_id, None, page=page_asked())


@blueprint.post("/cohorts/<uuid:cohort_id>/trainees/find")
@roles(Role.INSTITUTION)
@reads
def find_trainees(cohort_id: UUID) -> str:
    """Somebody looked for by a form: addresses are kept in histories and logs."""
    return roster_page(cohort_id, None, text=request.form.get("q", "").strip(), page=page_asked())


@blueprint.post("/enrolments/<uuid:enrolment_id>/withdraw")
@roles(Role.INSTITUTION)
def withdraw_trainee(enrolment_id: UUID) -> Any:
    """Let her out, with a reason."""
    form = ReasonForm()
    form.validate()
    enrolment = withdraw(
        db(),
        context().keyring,
        context().events,
        enrolment_id=enrolment_id,
        reason=form.reason.data or "",
        actor=actor(),
    )
    flash(_("学员已退班，学习记录保留。"), "success")
    return redirect(url_for("enrolment.trainees", cohort_id=enrolment.cohort_id))


@blueprint.post("/enrolments/<uuid:enrolment_id>/readmit")
@roles(Role.INSTITUTION)
def readmit_trainee(enrolment_id: UUID) -> Any:
    """Take a withdrawal back, with a reason."""
    form = ReasonForm()
    form.validate()
    reason = form.reason.data or ""
    enrolment = readmit(db(), context().keyring, enrolment_id=enrolment_id, reason=reason, actor=actor())
    flash(_("已恢复学籍，此前的学时保留。"), "success")
    return redirect(url_for("enrolment.trainees", cohort_id=enrolment.cohort_id))


def roster_page(
    cohort_id: UUID, form: ImportForm | None, problem: Problem | None = None, *, text: str = "", page: int = 1
) -> str:
    """Opens a session of its own, for a view that must hold none."""
    with context().database.reading() as session:
        cohort = access_own_cohort(session, actor(), cohort_id)
        lines, total = roster.roster_page(session, context().keyring, cohort_id, text, page)
        declared = queries.declarations(session, [line.enrolment_id for line in lines])
        waiting = queries.count_without_password(session, cohort_id)
        members = roster.members_among(session, actor().organisation_id, [line.person_id for line in lines])
    if form is None:
        form = ImportForm(formdata=None, data=ImportForm.preset(cohort))
    return render_template(
        "enrolment/trainees.html",
        cohort=cohort,
        lines=lines,
        declared=declared,
        total=total,
        text=text,
        page=page,
        pages=pages_of(total, roster.PER_PAGE),
        members=members,
        waiting=waiting,
        form=form,
        problem=problem,
        may_import=cohort.state is CohortState.OPEN,
        wording=wording,
    )
