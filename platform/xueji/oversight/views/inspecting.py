"""Inspections: a regulator lets an inspector read one cohort; the inspector reads it, and each look is recorded."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.cohorts import wording as cohort_wording
from xueji.enrolment.queries import enrolment_facts
from xueji.hours import wording as hours_wording
from xueji.hours.overview import enrolment_overview
from xueji.hours.queries import statement_of, statements_of
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound
from xueji.oversight import inspecting, trainee_lines, wording
from xueji.oversight.views import blueprint
from xueji.proctoring import queries as proctoring
from xueji.proctoring import wording as check_wording
from xueji.web.access import roles
from xueji.web.paging import page_asked, paging
from xueji.web.session import actor, context, db, writes

FEWEST_LETTERS, MOST_LETTERS = 4, 300


@blueprint.get("/inspections")
@roles(Role.INSPECTOR, Role.REGULATOR)
def inspections() -> str:
    """What an inspector may read now; for a regulator everybody who may, and the way to let somebody."""
    page = page_asked()
    found, total = inspecting.inspections(db(), actor(), page)
    gives = actor().is_(Role.REGULATOR)
    today = clock.shanghai_day(clock.now())
    return render_template(
        "oversight/inspections.html",
        found=found,
        gives=gives,
        cohorts=trainee_lines.cohort_choices(db(), actor()) if gives else [],
        today=today,
        latest=today + inspecting.LONGEST,
        **paging(page, total, inspecting.PER_PAGE),
    )


@blueprint.post("/inspections")
@roles(Role.REGULATOR)
def give_inspection() -> Response:
    reason = request.form.get("reason", "").strip()
    if not FEWEST_LETTERS <= len(reason) <= MOST_LETTERS:
        raise Invalid(_("请写明检查事由，%(least)s 至 %(most)s 个字。", least=FEWEST_LETTERS, most=MOST_LETTERS))
    try:
        last_day = date.fromisoformat(request.form.get("last_day", ""))
        cohort_id = UUID(request.form.get("cohort", ""))
    except ValueError as error:
        raise Invalid(_("请选择培训班和最后一天。")) from error
    inspecting.give_inspection(
        db(),
        context().keyring,
        actor=actor(),
        account=request.form.get("account", "").strip(),
        cohort_id=cohort_id,
        last_day=last_day,
        reason=reason,
    )
    flash(_("已授权检查，到期自动结束；检查员每次查看都会记录。"), "success")
    return redirect(url_for("oversight.inspections"))


@blueprint.post("/inspections/<uuid:inspection_id>/end")
@roles(Role.REGULATOR)
def end_inspection(inspection_id: UUID) -> Response:
    inspecting.end_inspection(db(), context().keyring, actor=actor(), inspection_id=inspection_id)
    flash(_("检查授权已结束。"), "success")
    return redirect(url_for("oversight.inspections"))


@blueprint.get("/inspections/<uuid:inspection_id>")
@roles(Role.INSPECTOR)
@writes
def inspection(inspection_id: UUID) -> str:
    found, cohort = inspecting.look_at_cohort(db(), context().keyring, actor=actor(), inspection_id=inspection_id)
    page = page_asked()
    trainees, total = trainee_lines.cohort_trainees(db(), cohort.id, page)
    return render_template(
        "oversight/inspection.html",
        inspection=found,
        cohort=cohort,
        trainees=trainees,
        statements=statements_of(db(), [line.enrolment_id for line in trainees]),
        **paging(page, total, trainee_lines.PER_PAGE),
        cohort_words=cohort_wording,
        **_words(),
    )


@blueprint.get("/inspections/<uuid:inspection_id>/trainees/<uuid:enrolment_id>")
@roles(Role.INSPECTOR)
@writes
def inspected(inspection_id: UUID, enrolment_id: UUID) -> str:
    """One trainee's account and how her checks ended; no faces, and nothing that can be done."""
    found, enrolment = inspecting.look_at_trainee(
        db(), context().keyring, actor=actor(), inspection_id=inspection_id, enrolment_id=enrolment_id
    )
    facts = enrolment_facts(db(), enrolment.id)
    if facts is None:
        raise NotFound
    page = page_asked()
    total = proctoring.count_checks(db(), enrolment_id)
    return render_template(
        "oversight/inspected.html",
        inspection=found,
        line=trainee_lines.trainee_line(db(), enrolment_id),
        shown=enrolment_overview(facts, statement_of(db(), enrolment_id)),
        checks=proctoring.checks_of(db(), enrolment_id, page),
        **paging(page, total, proctoring.PER_PAGE),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"words": hours_wording, "check_words": check_wording, "own_words": wording}
