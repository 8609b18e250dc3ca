"""The institution's pages for checks: what to review, who is here; and the trainee's way to contest."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from xueji.cohorts.access import access_own_cohort
from xueji.enrolment.access import access_reference
from xueji.enrolment.roster_queries import PER_PAGE as ROSTER_PAGE
from xueji.enrolment.roster_queries import found_in_roster
from xueji.identity import queries as identity
from xueji.identity.errors import Erased
from xueji.identity.wording import PHOTO_STANDING
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound
from xueji.proctoring import queries, services, wording
from xueji.proctoring.access import access_check_to_review
from xueji.proctoring.review_cases import case_of, has_picture
from xueji.proctoring.rules import may_be_reviewed
from xueji.proctoring.services.checkins import CODE_LASTS_MS
from xueji.proctoring.services.reviewing import appeal_words, review_words
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.reviewing import may_speak
from xueji.rulebook.vocabulary import ReviewOutcome
from xueji.web.access import roles
from xueji.web.form_values import given_text
from xueji.web.paging import page_asked, pages_of
from xueji.web.redirects import local_path
from xueji.web.session import actor, context, db, reads

blueprint = Blueprint("proctoring", __name__, template_folder="templates")

FEWEST_LETTERS, MOST_LETTERS = 2, 1000
DURATIONS = (60, 120, 180, 240, 300)
"""Minutes a check-in may last; after half a day people are looked at again."""


@blueprint.post("/checks/<uuid:check_id>/contest")
@roles(Role.TRAINEE)
def contest(check_id: UUID) -> Response:
    services.contest(
        db(),
        context().keyring,
        actor=actor(),
        check_id=check_id,
        reason=_reason(),
    )
    flash(_("申诉已提交，培训机构将在%(days)s天内答复。", days=wording.DECIDE_DAYS), "success")
    return redirect(local_path(request.form.get("next")) or "/")


@blueprint.get("/review")
@roles(Role.INSTITUTION)
def review_queue() -> str:
    """Contested checks by their clock, those that failed and nobody contests, those that wait for a second person."""
    shown = request.args.get("show", "")
    finders = {"": queries.contested_checks, "failed": queries.failed_checks, "second": queries.seconds_awaited}
    if shown not in finders:
        raise NotFound
    page = page_asked()
    organisation_id = _own_organisation()
    counts = dict(zip(finders, queries.review_counts(db(), organisation_id), strict=True))
    waiting = finders[shown](db(), organisation_id, page)
    return render_template(
        "proctoring/review_queue.html",
        waiting=waiting,
        names=identity.display_names(db(), context().keyring, {each.person_id for each in waiting}),
        shown=shown,
        counts=counts,
        page=page,
        pages=pages_of(counts[shown], queries.PER_PAGE),
        now_ms=clock.to_ms(clock.now()),
        check_words=wording,
    )


@blueprint.route("/review/<uuid:check_id>", methods=["GET", "POST"])
@roles(Role.INSTITUTION, Role.REGULATOR)
def review(check_id: UUID) -> Any:
    """One check with its pictures beside her reference photos, what was said, and a word in writing."""
    found = access_check_to_review(db(), actor(), check_id)
    if request.method == "POST":
        decided = request.form.get("outcome", "")
        if decided not in set(ReviewOutcome):
            raise Invalid(_("请选择复核结论。"))
        outcome, reason = ReviewOutcome(decided), _reason()
        check = services.review(
            db(), context().keyring, actor=actor(), check_id=check_id, outcome=outcome, reason=reason
        )
        flash(
            _("复核结论已记录，学时随之更新。")
            if check.reviews[-1].led_to is not None
            else _("意见已记录。须由另一位看过后作出同样的结论，才会生效。"),
            "success",
        )
        if actor().is_(Role.INSTITUTION):
            return redirect(url_for("proctoring.review_queue"))
        return redirect(url_for("hours.statement", enrolment_id=check.enrolment_id))
    line = queries.one_check(db(), check_id)
    if line is None:
        raise NotFound
    appeal = found.appeals[-1] if found.appeals else None
    try:
        said = appeal_words(db(), context().keyring, found, appeal) if appeal is not None else ("", "")
        reasons = review_words(db(), context().keyring, found)
    except Erased:
        said, reasons = ("", ""), {}
    case = case_of(found)
    may = [each for each in ReviewOutcome if may_be_reviewed(found.state, found.kind, found.outcome, case, each)]
    if not may_speak(case, str(actor().person_id)):
        may = []
    _enrolment, photos = access_reference(db(), actor(), found.enrolment_id)
    compared = set(line.last.references) if line.last is not None else set()
    return render_template(
        "proctoring/review.html",
        check=line,
        said=said,
        name=identity.display_names(db(), context().keyring, [found.person_id]).get(found.person_id, ""),
        reasons=reasons,
        people=identity.masked_names(db(), {each.by for each in line.reviews}),
        photos=photos,
        compared=compared,
        standings=PHOTO_STANDING,
        outcomes=may,
        alone=case.appealed and has_picture(found),
        institution=actor().is_(Role.INSTITUTION),
        now_ms=clock.to_ms(clock.now()),
        check_words=wording,
    )


@blueprint.get("/check-ins")
@roles(Role.INSTITUTION)
def check_in_cohorts() -> str:
    page = page_asked()
    found, total = queries.check_in_cohorts(db(), _own_organisation(), clock.to_ms(clock.now()), page)
    return render_template(
        "proctoring/check_in_cohorts.html", cohorts=found, page=page, pages=pages_of(total, queries.PER_PAGE)
    )


@blueprint.get("/check-ins/<uuid:cohort_id>")
@roles(Role.INSTITUTION)
def check_ins(cohort_id: UUID) -> str:
    """Who is here and who is not yet, a page of each."""
    return _check_ins(cohort_id)


@blueprint.post("/check-ins/<uuid:cohort_id>/find")
@roles(Role.INSTITUTION)
@reads
def find_check_ins(cohort_id: UUID) -> str:
    """Somebody looked for by a form: addresses are kept in histories and logs."""
    return _check_ins(cohort_id, request.form.get("q", "").strip())


def _check_ins(cohort_id: UUID, text: str = "") -> str:
    cohort = access_own_cohort(db(), actor(), cohort_id)
    now_ms = clock.to_ms(clock.now())
    page, here_page = page_asked(), page_asked("here")
    among = found_in_roster(db(), context().keyring, cohort_id, text) if text else None
    here, here_total = queries.attendants(db(), cohort_id, now_ms, here=True, page=here_page, among=among)
    away, away_total = queries.attendants(db(), cohort_id, now_ms, here=False, page=page, among=among)
    room, plan = queries.room_of(db(), cohort_id, now_ms), ProctoringPlan.from_dict(cohort.plan)
    address = partial(url_for, "proctoring.check_ins", cohort_id=cohort_id)
    return render_template(
        "proctoring/check_ins.html",
        cohort=cohort,
        room=room,
        here=here,
        here_page=here_page,
        here_pages=pages_of(here_total, ROSTER_PAGE),
        here_url=lambda number: address(here=number, page=page if page > 1 else None),
        away=away,
        page=page,
        pages=pages_of(away_total, ROSTER_PAGE),
        page_url=lambda number: address(page=number, here=here_page if here_page > 1 else None),
        per_page=ROSTER_PAGE,
        text=text,
        names=identity.display_names(db(), context().keyring, [each.person_id for each in (*here, *away)]),
        places=queries.places_of(db(), cohort),
        place=queries.place_last_used(db(), actor().person_id),
        codes=_codes(cohort_id, set(room.places), now_ms, plan),
        round_ms=plan.round_ms,
        durations=DURATIONS,
        now_ms=now_ms,
    )


@blueprint.get("/check-ins/<uuid:cohort_id>/code")
@roles(Role.INSTITUTION)
def check_in_code(cohort_id: UUID) -> Any:
    """The code alone, to be shown in the room; the page asks anew as the code changes."""
    cohort = access_own_cohort(db(), actor(), cohort_id)
    now_ms = clock.to_ms(clock.now())
    places = queries.places_of(db(), cohort)
    place = request.args.get("place", "")
    place = place if place in places else next(iter(places), "")
    page = render_template(
        "proctoring/room_code.html",
        cohort=cohort,
        place=place,
        code=services.room_code(context().keyring, cohort_id, place, now_ms),
    )
    left_s = (CODE_LASTS_MS - now_ms % CODE_LASTS_MS + 999) // 1000
    return page, 200, {"Refresh": str(left_s)}


@blueprint.get("/check-ins/<uuid:cohort_id>/past")
@roles(Role.INSTITUTION)
def past_check_ins(cohort_id: UUID) -> str:
    cohort = access_own_cohort(db(), actor(), cohort_id)
    page = page_asked()
    found, total = queries.past_check_ins(db(), cohort_id=cohort_id, page=page)
    people = {person for each in found for person in (each.person_id, each.supervisor_id)}
    return render_template(
        "proctoring/past_check_ins.html",
        cohort=cohort,
        found=found,
        names=identity.display_names(db(), context().keyring, people),
        me=actor().person_id,
        page=page,
        pages=pages_of(total, queries.PER_PAGE),
    )


@blueprint.post("/check-ins/<uuid:cohort_id>")
@roles(Role.INSTITUTION)
def check_in(cohort_id: UUID) -> Response:
    """Check one in, by her enrolment; or everybody that is marked."""
    access_own_cohort(db(), actor(), cohort_id)
    place = request.form.get("place", "").strip()
    minutes = request.form.get("minutes", 0, type=int)
    chosen = _ids("enrolment_id")
    if minutes not in DURATIONS or not chosen:
        raise Invalid(_("请选择地点、学员和时长。"))
    for enrolment_id in chosen:
        services.check_in(
            db(),
            context().keyring,
            actor=actor(),
            enrolment_id=enrolment_id,
            place=place,
            lasts=timedelta(minutes=minutes),
        )
    flash(_("已签到 %(n)s 人。", n=len(chosen)), "success")
    return redirect(url_for("proctoring.check_ins", cohort_id=cohort_id))


@blueprint.post("/check-ins/<uuid:cohort_id>/round")
@roles(Role.INSTITUTION)
def check_in_round(cohort_id: UUID) -> Response:
    """One tap for everybody on the page: they are here, but for those marked as absent."""
    absent = _ids("absent")
    seen = services.go_round(
        db(), context().keyring, actor=actor(), cohort_id=cohort_id, seen=_ids("seen"), absent=absent
    )
    flash(_("已确认 %(n)s 人在场。", n=len(seen)), "success")
    return redirect(url_for("proctoring.check_ins", cohort_id=cohort_id))


@blueprint.post("/check-ins/<uuid:cohort_id>/out")
@roles(Role.INSTITUTION)
def check_in_out(cohort_id: UUID) -> Response:
    access_own_cohort(db(), actor(), cohort_id)
    for check_in_id in _ids("out"):
        services.check_out(db(), context().keyring, actor=actor(), check_in_id=check_in_id)
    flash(_("已签退，学习时间确认到此刻为止。"), "success")
    return redirect(url_for("proctoring.check_ins", cohort_id=cohort_id))


@blueprint.post("/check-ins/<uuid:check_in_id>/revoke")
@roles(Role.INSTITUTION, Role.REGULATOR)
def revoke_check_in(check_in_id: UUID) -> Response:
    services.revoke_check_in(
        db(),
        context().keyring,
        actor=actor(),
        check_in_id=check_in_id,
        reason=_reason(),
    )
    flash(_("这次签到已作废，学时随之更新。"), "success")
    return redirect(local_path(request.form.get("next")) or "/")


@blueprint.post("/check-ins/<uuid:check_in_id>/restore")
@roles(Role.INSTITUTION, Role.REGULATOR)
def restore_check_in(check_in_id: UUID) -> Response:
    services.restore_check_in(
        db(),
        context().keyring,
        actor=actor(),
        check_in_id=check_in_id,
        reason=_reason(),
    )
    flash(_("这次签到已恢复，学时随之更新。"), "success")
    return redirect(local_path(request.form.get("next")) or "/")


@blueprint.post("/room-code")
@roles(Role.TRAINEE)
def enter_code() -> Response:
    """The trainee types the code she sees in the room."""
    if services.enter_code(db(), context().keyring, actor=actor(), code=request.form.get("code", "")):
        flash(_("验证码正确，可以开始学习。"), "success")
    else:
        flash(_("验证码不对，请按教室里正在显示的六位数字输入。"), "danger")
    return redirect(local_path(request.form.get("next")) or "/")


def _codes(cohort_id: UUID, places: set[str], now_ms: int, plan: ProctoringPlan) -> list[tuple[str, str]]:
    """By place; none where the plan asks for no code."""
    if not plan.room_code:
        return []
    return [(place, services.room_code(context().keyring, cohort_id, place, now_ms)) for place in sorted(places)]


def _own_organisation() -> UUID:
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    return organisation_id


def _reason() -> str:
    """In somebody's own words. Raises Invalid."""
    return given_text("reason", FEWEST_LETTERS, MOST_LETTERS)


def _ids(field: str) -> list[UUID]:
    """Raises Invalid for what is no id."""
    try:
        return list(dict.fromkeys(UUID(given) for given in request.form.getlist(field)))
    except ValueError as error:
        raise Invalid from error
