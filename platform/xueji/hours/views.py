"""The trainee's pages: what she studies, what counts and why, every check; the last two for whoever may see them."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from xueji.attendance import queries as attendance_queries
from xueji.cohorts.access import access_own_cohort
from xueji.cohorts.models import Cohort, CohortState
from xueji.cohorts.queries import cohort_facts
from xueji.enrolment import wording as enrolment_wording
from xueji.enrolment.access import access_enrolment
from xueji.enrolment.models import Enrolment
from xueji.enrolment.queries import EnrolmentFacts, enrolment_facts, enrolments_of
from xueji.enrolment.roster_queries import PER_PAGE as PER_PAGE_OF_ROSTER
from xueji.enrolment.roster_queries import found_in_roster
from xueji.hours import flag_clearing, reminding, wording
from xueji.hours.overview import LessonStanding, enrolment_overview
from xueji.hours.queries import statement_of
from xueji.hours.roster import (
    SHOWS,
    AccountLine,
    Figures,
    RosterOrder,
    accounts_of,
    accounts_page,
    figures_of,
    sought,
    studying_in,
)
from xueji.identity import queries as identity
from xueji.identity.wording import PURPOSE
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound
from xueji.proctoring import wording as check_wording
from xueji.proctoring.access import may_see_faces
from xueji.proctoring.queries import PER_PAGE, checks_of, count_checks
from xueji.web import csv_export
from xueji.web.access import roles, signed_in
from xueji.web.paging import page_asked, pages_of
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db, reads

blueprint = Blueprint("hours", __name__, template_folder="templates")

NAMED_AT_CLOSING = 20
"""Of those whom closing a cohort costs something, how many are named; the tab beside shows all."""
LATEST = 5
"""Checks and looks on the statement's own page; the rest is one step away."""


@blueprint.get("/hours")
@roles(Role.TRAINEE)
def my_hours() -> Response:
    """Her newest training's account."""
    found = enrolments_of(db(), actor().person_id)
    if not found:
        return redirect(url_for("desks.my_training"))
    return redirect(url_for("hours.statement", enrolment_id=found[0].enrolment_id))


@blueprint.get("/enrolments/<uuid:enrolment_id>/hours")
@signed_in
def statement(enrolment_id: UUID) -> str:
    enrolment = access_enrolment(db(), actor(), enrolment_id)
    shown = enrolment_overview(_facts(enrolment), statement_of(db(), enrolment_id))
    return render_template(
        "hours/statement.html",
        shown=shown,
        sessions=attendance_queries.class_sessions_by_id(db(), (line.session for line in shown.statement.attendance)),
        clearing=flag_clearing.clearing_for(db(), actor(), enrolment, shown.statement.flags),
        others=_others(enrolment),
        checks=checks_of(db(), enrolment_id, per_page=LATEST),
        check_count=count_checks(db(), enrolment_id),
        looks=_looks(enrolment),
        LessonStanding=LessonStanding,
        **_person(enrolment),
        **_words(),
    )


@blueprint.post("/enrolments/<uuid:enrolment_id>/flags/<code>/clear")
@roles(Role.REGULATOR, Role.INSTITUTION)
def clear_flag(enrolment_id: UUID, code: str) -> Response:
    row = flag_clearing.clear_flag(
        db(),
        context().keyring,
        actor=actor(),
        enrolment_id=enrolment_id,
        code=code,
        reason=request.form.get("reason", ""),
    )
    if row.decided_at is None:
        flash(_("已提出放行，等待第二人确认。"), "success")
    else:
        flash(_("这项异常已放行，并记入学习轨迹。"), "success")
    return redirect(url_for("hours.statement", enrolment_id=enrolment_id))


@blueprint.post("/enrolments/<uuid:enrolment_id>/flags/<code>/restore")
@roles(Role.REGULATOR, Role.INSTITUTION)
def restore_flag(enrolment_id: UUID, code: str) -> Response:
    flag_clearing.restore_flag(
        db(),
        context().keyring,
        actor=actor(),
        enrolment_id=enrolment_id,
        code=code,
        reason=request.form.get("reason", ""),
    )
    flash(_("放行已撤回，异常重新列出。"), "success")
    return redirect(url_for("hours.statement", enrolment_id=enrolment_id))


@blueprint.get("/enrolments/<uuid:enrolment_id>/checks")
@signed_in
def checks(enrolment_id: UUID) -> str:
    enrolment = access_enrolment(db(), actor(), enrolment_id)
    page = page_asked()
    total = count_checks(db(), enrolment_id)
    return render_template(
        "hours/checks.html",
        facts=_facts(enrolment),
        checks=checks_of(db(), enrolment_id, page),
        page=page,
        pages=pages_of(total, PER_PAGE),
        total=total,
        **_person(enrolment),
        **_words(),
    )


@blueprint.route("/cohorts/<uuid:cohort_id>/hours", methods=["GET", "POST"])
@roles(Role.INSTITUTION)
@reads
def cohort_hours(cohort_id: UUID) -> str:
    """A page of accounts, narrowed and sorted; and what closing the cohort would end for whom.

    Somebody is looked for by a form: addresses are kept in histories and logs.
    """
    cohort = access_own_cohort(db(), actor(), cohort_id)
    show, text, page = request.values.get("show", ""), request.form.get("q", "").strip(), page_asked()
    asked = request.values.get("order", RosterOrder.ENROLLED)
    if show not in SHOWS or asked not in set(RosterOrder):
        raise NotFound
    order = RosterOrder(asked)
    found = figures_of(db(), cohort_id)
    now = clock.now()
    among = set(found_in_roster(db(), context().keyring, cohort_id, text)) if text else None
    chosen = sought(found, show, order, among)
    address = partial(url_for, "hours.cohort_hours", cohort_id=cohort_id)
    lines = accounts_page(db(), context().keyring, context().events, chosen, page)
    sorted_by = None if order is RosterOrder.ENROLLED else order.value
    return render_template(
        "hours/cohort_hours.html",
        cohort=cohort,
        facts=cohort_facts(cohort),
        count=len(found),
        total=len(chosen),
        lines=lines,
        remindable={each.enrolment_id for each in chosen if reminding.may_be_reminded(each, cohort, now)},
        reminded=reminding.last_reminded(db(), [line.person.enrolment_id for line in lines]),
        most_reminded=reminding.MOST_AT_ONCE,
        text=text,
        show=show,
        order=order,
        page=page,
        pages=pages_of(len(chosen), PER_PAGE_OF_ROSTER),
        page_url=lambda number: address(show=show or None, order=sorted_by, page=number),
        shows=[
            (address(show=each or None, order=sorted_by), wording.SHOW[each], each == show, sum(map(narrows, found)))
            for each, narrows in SHOWS.items()
        ],
        orders=[(each.value, wording.ORDER[each]) for each in RosterOrder],
        closing=_closing(cohort, found),
        today=clock.shanghai_day(clock.now()),
        wording=enrolment_wording,
        **_words(),
    )


@blueprint.post("/cohorts/<uuid:cohort_id>/reminders")
@roles(Role.INSTITUTION)
def remind_trainees(cohort_id: UUID) -> Response:
    """Those that are ticked, or all whom a tab shows."""
    if request.form.get("all"):
        show = request.form.get("show", "")
        access_own_cohort(db(), actor(), cohort_id)
        if show not in SHOWS:
            raise NotFound
        chosen = [each.enrolment_id for each in sought(figures_of(db(), cohort_id), show, RosterOrder.ENROLLED, None)]
    else:
        chosen = _ticked()
    done = reminding.remind(
        db(), context().keyring, actor=actor(), cohort_id=cohort_id, enrolment_ids=frozenset(chosen)
    )
    said = [ngettext("已提醒 %(n)s 人。", "已提醒 %(n)s 人。", done.told, n=done.told)]
    if done.today:
        said.append(ngettext("%(n)s 人今天已经提醒过。", "%(n)s 人今天已经提醒过。", done.today, n=done.today))
    if done.needless:
        said.append(ngettext("%(n)s 人不需要提醒。", "%(n)s 人不需要提醒。", done.needless, n=done.needless))
    if done.left:
        said.append(ngettext("还有 %(n)s 人，请再点一次。", "还有 %(n)s 人，请再点一次。", done.left, n=done.left))
    flash(" ".join(said), "success" if done.told else "warning")
    return redirect(url_for("hours.cohort_hours", cohort_id=cohort_id, show=request.form.get("show") or None))


def _ticked() -> list[UUID]:
    try:
        found = [UUID(each) for each in request.form.getlist("enrolment")]
    except ValueError as error:
        raise Invalid from error
    if not found:
        raise Invalid(_("请先勾选要提醒的学员。"))
    return found


@blueprint.post("/reminders/<uuid:reminder_id>/read")
@roles(Role.TRAINEE)
def read_reminder(reminder_id: UUID) -> Response:
    reminding.read_reminder(db(), actor=actor(), reminder_id=reminder_id)
    return redirect(local_path(request.form.get("next")) or url_for("desks.my_training"))


def _closing(cohort: Cohort, found: list[Figures]) -> dict[str, Any] | None:
    """Whom closing an open cohort now would cost something: how many, and the first of them by name."""
    if cohort.state is not CohortState.OPEN:
        return None
    studying = studying_in(db(), context().events, found)
    losing = [line for line in found if line.loses(studying)]
    return {
        "losing": len(losing),
        "studying": len(studying),
        "named": accounts_page(db(), context().keyring, context().events, losing[:NAMED_AT_CLOSING], 1),
    }


@blueprint.get("/cohorts/<uuid:cohort_id>/hours.csv")
@roles(Role.INSTITUTION)
def cohort_hours_csv(cohort_id: UUID) -> Response:
    """The same list for a spreadsheet, exact to the millisecond."""
    cohort = access_own_cohort(db(), actor(), cohort_id)
    lines = accounts_of(db(), context().keyring, context().events, cohort.id)
    columns = [
        _("姓名"),
        _("身份证号码"),
        _("线上已确认（秒）"),
        _("等核验（秒）"),
        _("先不算（秒）"),
        _("线上未学（秒）"),
        _("线下出勤（秒）"),
        _("学时已满"),
        _("状态"),
    ]
    return csv_export.download("hours.csv", columns, map(_csv_row, lines))


def _csv_row(line: AccountLine) -> list[object]:
    person, statement = line.person, line.statement
    who: list[object] = [person.name, person.id_number_masked]
    state = enrolment_wording.ENROLMENT_STATE[person.state]
    if statement is None:
        return [*who, *[""] * 6, state]
    online, in_person_ms = statement.online, statement.in_person.theory_ms + statement.in_person.practical_ms
    amounts = (online.counted_ms, online.provisional_ms, online.held_ms, line.unseen_ms, in_person_ms)
    return [*who, *map(csv_export.seconds, amounts), _("是") if statement.complete else _("否"), state]


def _facts(enrolment: Enrolment) -> EnrolmentFacts:
    facts = enrolment_facts(db(), enrolment.id)
    if facts is None:
        raise NotFound
    return facts


def _person(enrolment: Enrolment) -> dict[str, Any]:
    """Whose page it is, and what the reader may do on it."""
    own = identity.is_herself(db(), enrolment.person_id, actor().person_id)
    names = {} if own else identity.masked_names(db(), [enrolment.person_id])
    return {
        "own": own,
        "person_name": names.get(enrolment.person_id, ""),
        "sees_faces": may_see_faces(db(), actor(), enrolment.person_id),
    }


def _others(enrolment: Enrolment) -> list[EnrolmentFacts]:
    """Her trainings, to switch between, when there are several and they are hers."""
    if not identity.is_herself(db(), enrolment.person_id, actor().person_id):
        return []
    found = enrolments_of(db(), enrolment.person_id)
    return found if len(found) > 1 else []


def _looks(enrolment: Enrolment) -> list[identity.Look]:
    own = identity.is_herself(db(), enrolment.person_id, actor().person_id)
    return identity.face_views(db(), enrolment.person_id, most=LATEST) if own else []


def _words() -> dict[str, Any]:
    return {"words": wording, "check_words": check_wording, "purposes": PURPOSE}
