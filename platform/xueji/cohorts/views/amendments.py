"""A mistake found after the opening: asking that it be put right, and deciding as the second person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.cohorts import wording
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.amendment_queries import amendments
from xueji.cohorts.errors import CohortNotOpen
from xueji.cohorts.forms import AmendmentForm
from xueji.cohorts.models import CohortState
from xueji.cohorts.services import amending
from xueji.cohorts.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import Problem
from xueji.web.access import roles
from xueji.web.session import actor, context, db


@blueprint.route("/cohorts/<uuid:cohort_id>/amend", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
def amend_cohort(cohort_id: UUID) -> Any:
    """The form that asks for an amendment."""
    cohort = access_own_cohort(db(), actor(), cohort_id)
    if cohort.state is not CohortState.OPEN:
        raise CohortNotOpen
    form, problem = AmendmentForm(data=AmendmentForm.filled(cohort)), None
    if form.validate_on_submit():
        try:
            amending.ask_amendment(
                db(), actor=actor(), cohort_id=cohort_id, changes=form.changes(), reason=form.reason.data
            )
        except Problem as refused:
            problem = refused
        else:
            flash(_("已提交更正申请，等待另一人确认。"), "success")
            return redirect(url_for("cohorts.amendment_list"))
    page = render_template("cohorts/amend.html", cohort=cohort, form=form, problem=problem, wording=wording)
    return page, problem.status if problem is not None else 422 if form.errors else 200


@blueprint.get("/amendments")
@roles(Role.INSTITUTION, Role.REGULATOR)
def amendment_list() -> str:
    """Every request that she may see, what waits first."""
    return render_template("cohorts/amendments.html", lines=amendments(db(), actor()), wording=wording)


@blueprint.post("/amendments/<uuid:amendment_id>/confirm")
@roles(Role.INSTITUTION, Role.REGULATOR)
def confirm_amendment(amendment_id: UUID) -> Response:
    """The second person puts it right."""
    amending.decide_amendment(db(), context(), actor=actor(), amendment_id=amendment_id, confirmed=True)
    flash(_("已更正，并记入每位学员的学习轨迹。"), "success")
    return redirect(url_for("cohorts.amendment_list"))


@blueprint.post("/amendments/<uuid:amendment_id>/refuse")
@roles(Role.INSTITUTION, Role.REGULATOR)
def refuse_amendment(amendment_id: UUID) -> Response:
    """The second person refuses it, or who asked takes it back."""
    amending.decide_amendment(db(), context(), actor=actor(), amendment_id=amendment_id, confirmed=False)
    flash(_("已拒绝这项申请。"), "success")
    return redirect(url_for("cohorts.amendment_list"))
