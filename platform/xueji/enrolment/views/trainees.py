"""The roster of a cohort, and letting people in and out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from xueji.enrolment import queries, wording
from xueji.enrolment.access import access_own_cohort
from xueji.enrolment.errors import ImportRefused
from xueji.enrolment.forms import ImportForm, ReasonForm
from xueji.enrolment.models import CohortState
from xueji.enrolment.services.trainees import import_trainees, readmit, withdraw
from xueji.enrolment.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem
from xueji.web.access import roles
from xueji.web.session import actor, context, db


@blueprint.get("/cohorts/<uuid:cohort_id>/trainees")
@roles(Role.INSTITUTION)
def trainees(cohort_id: UUID) -> str:
    return _roster(cohort_id, None)


@blueprint.post("/cohorts/<uuid:cohort_id>/trainees")
@roles(Role.INSTITUTION)
def add_trainees(cohort_id: UUID) -> Any:
    form, problem = ImportForm(), None
    if not form.validate_on_submit():
        return _roster(cohort_id, form), 422
    try:
        # It opens sessions of its own, so this view must not hold one.
        imported = import_trainees(
            context(), actor=actor(), cohort_id=cohort_id, text=form.people.data, declared=form.declared()
        )
    except Problem as refused:
        problem = refused
        return _roster(cohort_id, form, problem), problem.status
    if not imported.accounts:
        flash(_("已导入 %(n)s 名学员。", n=imported.enrolled), "success")
        return redirect(url_for("enrolment.trainees", cohort_id=cohort_id))
    with context().database.reading() as session:
        cohort = access_own_cohort(session, actor(), cohort_id)
    return render_template("enrolment/imported.html", cohort=cohort, imported=imported, wording=wording)


@blueprint.post("/enrolments/<uuid:enrolment_id>/withdraw")
@roles(Role.INSTITUTION)
def withdraw_trainee(enrolment_id: UUID) -> Any:
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
    form = ReasonForm()
    form.validate()
    reason = form.reason.data or ""
    enrolment = readmit(db(), context().keyring, enrolment_id=enrolment_id, reason=reason, actor=actor())
    flash(_("已恢复学籍，此前的学时保留。"), "success")
    return redirect(url_for("enrolment.trainees", cohort_id=enrolment.cohort_id))


def _roster(cohort_id: UUID, form: ImportForm | None, problem: Problem | None = None) -> str:
    with context().database.reading() as session:
        cohort = access_own_cohort(session, actor(), cohort_id)
        lines = queries.roster(session, context().keyring, cohort_id)
        declared = queries.declarations(session, [line.enrolment_id for line in lines])
    if form is None:
        form = ImportForm(formdata=None, data=ImportForm.preset(cohort))
    return render_template(
        "enrolment/trainees.html",
        cohort=cohort,
        lines=lines,
        declared=declared,
        form=form,
        problem=problem,
        bad_lines=problem.refused if isinstance(problem, ImportRefused) else [],
        may_import=cohort.state is CohortState.OPEN,
        wording=wording,
    )
