"""The pages of those who look on: the regulator, the enterprise with its own people, the operator."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from courses.queries import films_by_id
from courses.schemas import FilmStatus
from courses.status import of_film
from xueji.attendance import queries as attendance_queries
from xueji.attendance import wording as attendance_wording
from xueji.enrolment import wording as cohort_wording
from xueji.enrolment.access import access_enrolment, access_reference
from xueji.enrolment.queries import EnrolmentFacts, enrolment_facts
from xueji.enrolment.wording import ENROLMENT_STATE
from xueji.hours import wording as hours_wording
from xueji.hours.flag_clearing import clearing_for
from xueji.hours.overview import LessonStanding, enrolment_overview
from xueji.hours.queries import statement_of, statements_of
from xueji.hours.rules import Statement, evidence
from xueji.identity import queries as identity
from xueji.identity.wording import PHOTO_STANDING, ROUTE
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, NotFound
from xueji.oversight import queries, rooms, services, wording
from xueji.oversight.access import access_draw, access_finding, seen_cohorts
from xueji.oversight.queries import PER_PAGE, Sought, TraineeLine
from xueji.oversight.replay import timeline
from xueji.oversight.rules import FindingKind, FindingState
from xueji.oversight.today import tasks_of
from xueji.oversight.views import blueprint
from xueji.proctoring import queries as proctoring
from xueji.proctoring import wording as check_wording
from xueji.progress.access import access_sitting_to_read
from xueji.rulebook.draws import population_digest
from xueji.trace import queries as trace
from xueji.web import csv_export
from xueji.web.access import roles
from xueji.web.paging import page_asked
from xueji.web.session import actor, context, db, reads

FEWEST_LETTERS, MOST_LETTERS = 2, 2000
DRAW_SIZES = (5, 10, 20, 50, 100)
DAYS_TO_ANSWER = 15
FIRST_TRIES = timedelta(days=30)
"""Over how long the share of checks is told that were passed at once."""
T = TypeVar("T")


@blueprint.get("/oversight")
@roles(Role.REGULATOR)
def home() -> str:
    today = clock.shanghai_day(clock.now())
    open_, _total = queries.findings(db(), actor())
    return render_template(
        "oversight/home.html",
        tasks=tasks_of(db(), context().keyring, actor()),
        figures=queries.overview(db(), actor(), today),
        findings=open_[:5],
        draws=queries.draws(db(), actor())[0][:5],
        today=today,
        words=wording,
    )


@blueprint.route("/oversight/trainees", methods=["GET", "POST"])
@roles(Role.REGULATOR)
@reads
def trainees() -> str | AnyResponse:
    """A name or an identity number is looked for by a form: addresses are kept in histories and logs."""
    sought = _sought()
    if request.method == "POST" and not sought.text.strip():
        return redirect(url_for("oversight.trainees", cohort=sought.cohort_id, organisation=sought.organisation_id))
    page = page_asked()
    found, total = queries.search_trainees(db(), context().keyring, actor(), sought, page)
    return render_template(
        "oversight/trainees.html",
        sought=sought,
        trainees=found,
        statements=_statements(found),
        cohorts=queries.cohort_choices(db(), actor()),
        institutions=queries.institution_choices(db(), actor()),
        **_paging(page, total),
        **_words(),
    )


@blueprint.post("/oversight/trainees.csv")
@roles(Role.REGULATOR)
@reads
def trainees_csv() -> Response:
    """The page of the list that is on the screen: each account on it is worked out, so it is no larger."""
    found, _total = queries.search_trainees(db(), context().keyring, actor(), _sought(), page_asked())
    return _csv(found, "trainees.csv")


@blueprint.get("/oversight/trainees/<uuid:enrolment_id>")
@roles(Role.REGULATOR)
def trainee(enrolment_id: UUID) -> str:
    enrolment = access_enrolment(db(), actor(), enrolment_id)
    facts = enrolment_facts(db(), enrolment.id)
    if facts is None:
        raise NotFound
    page = page_asked()
    sittings, total = queries.sittings(db(), enrolment_id, page)
    shown = enrolment_overview(facts, statement_of(db(), enrolment_id))
    check_ins, _all = proctoring.past_check_ins(db(), enrolment_id=enrolment_id)
    return render_template(
        "oversight/trainee.html",
        line=queries.trainee_line(db(), enrolment_id),
        shown=shown,
        sessions=attendance_queries.class_sessions_by_id(db(), (each.session for each in shown.statement.attendance)),
        contradictions=rooms.flagged_people(db(), actor(), enrolment.person_id),
        check_ins=check_ins,
        check_in_names=identity.masked_names(db(), {each.supervisor_id for each in check_ins}),
        me=actor().person_id,
        clearing=clearing_for(db(), actor(), enrolment, shown.statement.flags),
        checks=proctoring.checks_of(db(), enrolment_id, per_page=5),
        check_count=proctoring.count_checks(db(), enrolment_id),
        sittings=sittings,
        findings=queries.findings(db(), actor(), enrolment_id=enrolment_id)[0],
        deadline=_default_deadline(),
        today=clock.shanghai_day(clock.now()),
        LessonStanding=LessonStanding,
        **_paging(page, total),
        **_words(),
    )


@blueprint.get("/oversight/sittings/<uuid:sitting_id>")
@roles(Role.REGULATOR)
def sitting(sitting_id: UUID) -> str:
    found = access_sitting_to_read(db(), actor(), sitting_id)
    facts = enrolment_facts(db(), found.enrolment_id)
    if facts is None:
        raise NotFound
    return render_template(
        "oversight/sitting.html",
        sitting=queries.sitting_line(db(), sitting_id),
        film=_film_of(facts, found.lesson_id),
        hour_ms=facts.cohort.class_hour_ms,
        line=queries.trainee_line(db(), found.enrolment_id),
        checks=proctoring.checks_of_sitting(db(), sitting_id),
        deadline=_default_deadline(),
        photos=access_reference(db(), actor(), found.enrolment_id)[1],
        standings=PHOTO_STANDING,
        **_words(),
    )


def _film_of(facts: EnrolmentFacts, lesson_id: UUID) -> FilmStatus | None:
    """The film that a lesson is taught by, as it looks."""
    film_ids = [lesson.film_id for lesson in facts.lessons if lesson.lesson_id == lesson_id]
    return next((of_film(film) for film in films_by_id(db(), film_ids).values()), None)


@blueprint.get("/oversight/sittings/<uuid:sitting_id>/timeline")
@roles(Role.REGULATOR)
def sitting_timeline(sitting_id: UUID) -> Response:
    """What the replay draws, from the leaves of the trace alone. No picture is looked at by asking for it."""
    found = access_sitting_to_read(db(), actor(), sitting_id)
    leaves = list(trace.chain(db(), str(found.enrolment_id)))
    checks = proctoring.checks_of_sitting(db(), sitting_id)
    pictures = {
        str(check.check_id): [url_for("proctoring_api.picture", picture_id=each) for each in check.last.pictures]
        for check in checks
        if check.last is not None
    }
    drawn = timeline(leaves, str(sitting_id), evidence(leaves), checks, device=found.device, pictures=pictures)
    return jsonify(drawn)


@blueprint.get("/oversight/flags")
@roles(Role.REGULATOR)
def flags() -> str:
    """Accounts with sums that cannot be; found by the accounts kept for lists, so the work is a page's."""
    page = page_asked()
    found, total = queries.flagged_trainees(db(), actor(), page)
    return render_template(
        "oversight/flags.html",
        people=rooms.flagged_people(db(), actor()),
        trainees=found,
        statements=_statements(found),
        **_paging(page, total),
        **_words(),
    )


@blueprint.get("/oversight/rooms")
@roles(Role.REGULATOR)
def in_rooms() -> str:
    """What staff say of rooms and cannot be, or waits for a decision."""
    return render_template(
        "oversight/rooms.html",
        waiting=rooms.to_settle(db(), actor()),
        bookings=rooms.double_bookings(db(), actor()),
        staff=rooms.staff_in_two_places(db(), actor()),
        me=actor().person_id,
        entry_words=attendance_wording,
        **_words(),
    )


@blueprint.get("/oversight/staff")
@roles(Role.REGULATOR)
def staff() -> str:
    """What each member of staff stood for, and what the two routes ask of people."""
    face, supervised = rooms.work_of_routes(db(), seen_cohorts(actor()))
    return render_template(
        "oversight/staff.html", lines=rooms.staff_figures(db(), actor()), face=face, supervised=supervised
    )


@blueprint.get("/oversight/exceptions")
@roles(Role.REGULATOR)
def exceptions() -> str:
    """Who was let into a cohort although something does not fit, each with the institution's reason."""
    page = page_asked()
    found, total = queries.exceptions(db(), actor(), page)
    return render_template(
        "oversight/exceptions.html", lines=found, cohort_words=cohort_wording, **_paging(page, total)
    )


@blueprint.route("/oversight/draws", methods=["GET", "POST"])
@roles(Role.REGULATOR)
def draws() -> Any:
    if request.method == "POST":
        size = request.form.get("size", 0, type=int)
        if size not in DRAW_SIZES:
            raise Invalid(_("请选择抽取人数。"))
        draw = services.draw_trainees(
            db(),
            context().keyring,
            actor=actor(),
            size=size,
            cohort_id=_id("cohort", request.form),
            organisation_id=_id("organisation", request.form),
        )
        return redirect(url_for("oversight.draw", draw_id=draw.id))
    page = page_asked()
    found, total = queries.draws(db(), actor(), page)
    return render_template(
        "oversight/draws.html",
        draws=found,
        sizes=DRAW_SIZES,
        cohorts=queries.cohort_choices(db(), actor()),
        institutions=queries.institution_choices(db(), actor()),
        **_paging(page, total),
    )


@blueprint.get("/oversight/draws/<uuid:draw_id>")
@roles(Role.REGULATOR)
def draw(draw_id: UUID) -> str:
    line = queries.draw_line(db(), access_draw(db(), actor(), draw_id).id)
    chosen = line.chosen
    lines = queries.trainee_lines(db(), chosen)
    return render_template(
        "oversight/draw.html",
        line=line,
        chosen=[lines[each] for each in chosen if each in lines],
        digest=population_digest(line.population),
        **_words(),
    )


@blueprint.get("/oversight/draws/<uuid:draw_id>/population.txt")
@roles(Role.REGULATOR)
def draw_population(draw_id: UUID) -> Response:
    """Everybody who could be drawn, an enrolment a line: with the seed, all it takes to draw again."""
    line = queries.draw_line(db(), access_draw(db(), actor(), draw_id).id)
    return Response("".join(f"{each}\n" for each in line.population), mimetype="text/plain")


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
        **_paging(page, total),
        **_words(),
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
        deadline=max(_default_deadline(), found.deadline + timedelta(days=1)),
        today=clock.shanghai_day(clock.now()),
        **_words(),
    )


@blueprint.post("/oversight/trainees/<uuid:enrolment_id>/findings")
@roles(Role.REGULATOR)
def raise_finding(enrolment_id: UUID) -> AnyResponse:
    raised = services.raise_finding(
        db(),
        context().keyring,
        actor=actor(),
        enrolment_id=enrolment_id,
        sitting_id=_id("sitting", request.form),
        moment_ms=request.form.get("moment", type=int),
        kind=_one_of(FindingKind, "kind"),
        words=_said("words"),
        deadline=_day("deadline"),
    )
    flash(_("问题已发给培训机构，并记入学习轨迹。"), "success")
    return redirect(url_for("oversight.finding", finding_id=raised.id))


@blueprint.post("/findings/<uuid:finding_id>/answer")
@roles(Role.INSTITUTION)
def answer_finding(finding_id: UUID) -> AnyResponse:
    services.answer_finding(db(), context().keyring, actor=actor(), finding_id=finding_id, answer=_said("answer"))
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
        db(), context().keyring, actor=actor(), finding_id=finding_id, words=_said("words"), deadline=_day("deadline")
    )
    flash(_("已退回培训机构重新答复。"), "success")
    return redirect(url_for("oversight.finding", finding_id=finding_id))


@blueprint.post("/findings/<uuid:finding_id>/extend")
@roles(Role.REGULATOR)
def extend_finding(finding_id: UUID) -> AnyResponse:
    services.extend(
        db(), context().keyring, actor=actor(), finding_id=finding_id, words=_said("words"), deadline=_day("deadline")
    )
    flash(_("整改期限已延长。"), "success")
    return redirect(url_for("oversight.finding", finding_id=finding_id))


@blueprint.get("/people")
@roles(Role.ENTERPRISE)
def own_people() -> str:
    page = page_asked()
    found, total = queries.own_people(db(), actor(), page)
    names = identity.display_names(db(), context().keyring, {line.person_id for line in found})
    return render_template(
        "oversight/own_people.html",
        trainees=found,
        names=names,
        statements=_statements(found),
        **_paging(page, total),
        **_words(),
    )


@blueprint.get("/people.csv")
@roles(Role.ENTERPRISE)
def own_people_csv() -> Response:
    found, _total = queries.own_people(db(), actor(), page_asked())
    return _csv(found, "people.csv")


@blueprint.get("/installation")
@roles(Role.ADMINISTRATOR)
def installation() -> str:
    """Whether everything that is needed is there, and how the log is doing."""
    ready: dict[str, bool] = {}
    for name, probe in current_app.extensions.get("xueji_probes", {}).items():
        try:
            probe()
        except Exception:
            # A probe says by any exception that something is missing; what exactly stands in the log of /readyz.
            ready[name] = False
        else:
            ready[name] = True
    return render_template(
        "oversight/installation.html",
        ready=ready,
        log=trace.state(db()),
        faces=identity.stored_faces(db()),
        tries=proctoring.first_tries(db(), clock.to_ms(clock.now() - FIRST_TRIES)),
        calibration=proctoring.last_calibration(db()),
        words=wording,
    )


def _statements(lines: list[TraineeLine]) -> dict[UUID, Statement | None]:
    return statements_of(db(), [line.enrolment_id for line in lines])


def _sought() -> Sought:
    """What is looked for; words come with a form only."""
    return Sought(request.form.get("q", "")[:100], _id("cohort"), _id("organisation"))


def _csv(lines: list[TraineeLine], name: str) -> Response:
    columns = [
        _("姓名"),
        _("身份证号码"),
        _("培训机构"),
        _("培训班"),
        _("线上已确认（秒）"),
        _("等核验（秒）"),
        _("先不算（秒）"),
        _("线下（秒）"),
        _("合计（秒）"),
        _("总学时（秒）"),
        _("学时已满"),
        _("规则版本"),
    ]
    statements = _statements(lines)
    rows = [_row(line, statements[line.enrolment_id]) for line in lines]
    return csv_export.download(name, columns, rows)


def _row(line: TraineeLine, statement: Statement | None) -> list[object]:
    who: list[object] = [line.name_masked, line.id_number_masked, line.institution, line.cohort]
    if statement is None:
        return [*who, *[""] * 8]
    in_person = statement.in_person.theory_ms + statement.in_person.practical_ms
    online = statement.online
    amounts = (
        online.counted_ms,
        online.provisional_ms,
        online.held_ms,
        in_person,
        statement.totals.delivered_ms,
        statement.syllabus.total_ms,
    )
    return [*who, *map(csv_export.seconds, amounts), _("是") if statement.complete else _("否"), statement.rulebook]


def _words() -> dict[str, Any]:
    return {
        "words": hours_wording,
        "check_words": check_wording,
        "own_words": wording,
        "routes": ROUTE,
        "states": ENROLMENT_STATE,
    }


def _paging(page: int, total: int) -> dict[str, int]:
    return {"page": page, "pages": -(-total // PER_PAGE), "total": total}


def _id(field: str, given: Any = None) -> UUID | None:
    """An id that narrows something; nothing given narrows nothing. Raises Invalid."""
    text = (request.values if given is None else given).get(field, "")
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid from error


def _said(field: str) -> str:
    """Raises Invalid."""
    text = request.form.get(field, "").strip()
    if not FEWEST_LETTERS <= len(text) <= MOST_LETTERS:
        raise Invalid(_("请写明情况，%(least)s 至 %(most)s 个字。", least=FEWEST_LETTERS, most=MOST_LETTERS))
    return text


def _one_of(words: type[T], field: str) -> T:
    """Raises Invalid."""
    try:
        return words(request.form.get(field, ""))  # type: ignore[call-arg]
    except ValueError as error:
        raise Invalid from error


def _day(field: str) -> date:
    """Raises Invalid."""
    try:
        return date.fromisoformat(request.form.get(field, ""))
    except ValueError as error:
        raise Invalid(_("请填写日期。")) from error


def _default_deadline() -> date:
    return clock.shanghai_day(clock.now()) + timedelta(days=DAYS_TO_ANSWER)
