"""Findings: a regulator raises them, the institution answers, the regulator closes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.oversight import queries, services, wording
from xueji.oversight.access import access_finding
from xueji.oversight.deadlines import default_deadline
from xueji.oversight.rules import FindingKind, FindingState
from xueji.oversight.trainee_lines import PER_PAGE
from xueji.oversight.views import blueprint
from xueji.web.access import roles
from xueji.web.form_values import given_day, given_id, given_text, one_of
from xueji.web.paging import page_asked, paging
from xueji.web.session import actor, context, db


@blueprint.get("/findings")
@roles(Role.REGULATOR, Role.INSTITUTION)
def findings() -> str:
    closed = request.args.get("show") == "closed"
    page = page_asked()
    found, total = queries.findings(db(), actor(), closed=closed, page=page)
    return render_template(
        "oversight/findings.html",
        findings=found,
        closed=closed,
        regulator=actor().is_(Role.REGULATOR),
        today=clock.shanghai_day(clock.now()),
        **paging(page, total, PER_PAGE),
        own_words=wording,
    )


@blueprint.get("/findings/<uuid:finding_id>")
@roles(Role.REGULATOR, Role.INSTITUTION)
def finding(finding_id: UUID) -> str:
    found = access_finding(db(), actor(), finding_id)
    regulator = actor().is_(Role.REGULATOR)
    return render_template(
        "oversight/finding.html",
        line=queries.finding_line(db(), found.id),
        regulator=regulator,
        may_answer=not regulator and found.state is FindingState.OPEN,
        may_close=regulator and found.state is not FindingState.CLOSED,
        may_send_back=regulator and found.state is FindingState.ANSWERED,
        may_extend=regulator and found.state is FindingState.OPEN,
        turns=queries.turns(db(), found.id),
        deadline=max(default_deadline(), found.deadline + timedelta(days=1)),
        today=clock.shanghai_day(clock.now()),
        own_words=wording,
    )


@blueprint.post("/oversight/trainees/<uuid:enrolment_id>/findings")
@roles(Role.REGULATOR)
def raise_finding(enrolment_id: UUID) -> AnyResponse:
    raised = services.raise_finding(
        db(),
        context().keyring,
        actor=actor(),
        enrolment_id=enrolment_id,
        sitting_id=given_id("sitting", request.form),
        moment_ms=request.form.get("moment", type=int),
        kind=one_of(FindingKind, "kind"),
        words=given_text("words"),
        deadline=given_day("deadline"),
    )
    flash(_("问题已发给培训机构，并记入学习轨迹。"), "success")
    return redirect(url_for("oversight.finding", finding_id=raised.id))


@blueprint.post("/findings/<uuid:finding_id>/answer")
@roles(Role.INSTITUTION)
def answer_finding(finding_id: UUID) -> AnyResponse:
    services.answer_finding(db(), context().keyring, actor=actor(), finding_id=finding_id, answer=given_text("answer"))
    flash(_("答复已提交监管部门。"), "success")
    return redirect(url_for("oversight.finding", finding_id=finding_id))


@blueprint.post("/findings/<uuid:finding_id>/close")
@roles(Role.REGULATOR)
def close_finding(finding_id: UUID) -> AnyResponse:
    services.close_finding(db(), context().keyring, actor=actor(), finding_id=finding_id)
    flash(_("问题已关闭。"), "success")
    return redirect(url_for("oversight.finding", finding_id=finding_id))


@blueprint.post("/findings/<uuid:finding_id>/send-back")
@roles(Role.REGULATOR)
def send_back_finding(finding_id: UUID) -> AnyResponse:
    services.send_back(
        db(),
        context().keyring,
        actor=actor(),
        finding_id=finding_id,
        words=given_text("words"),
        deadline=given_day("deadline"),
    )
    flash(_("已退回培训机构重新答复。"), "success")
    return redirect(url_for("oversight.finding", finding_id=finding_id))


@blueprint.post("/findings/<uuid:finding_id>/extend")
@roles(Role.REGULATOR)
def extend_finding(finding_id: UUID) -> AnyResponse:
    services.extend(
        db(),
        context().keyring,
        actor=actor(),
        finding_id=finding_id,
        words=given_text("words"),
        deadline=given_day("deadline"),
    )
    flash(_("整改期限已延长。"), "success")
    return redirect(url_for("oversight.finding", finding_id=finding_id))
