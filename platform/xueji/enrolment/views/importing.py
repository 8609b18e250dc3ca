"""A list of people brought to a cohort: looked at, taken, and the slips with which they sign in for the first time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from xueji.cohorts.access import access_own_cohort
from xueji.enrolment import carried_table, queries, wording
from xueji.enrolment.column_headings import NEEDED, Column
from xueji.enrolment.errors import SheetRefused
from xueji.enrolment.forms import CarriedForm, ImportForm
from xueji.enrolment.people_table import SheetReading, about_people, people, read, slim
from xueji.enrolment.roster_queries import PER_PAGE, found_in_roster
from xueji.enrolment.services.importing import MOST_LINES, Imported, look, take
from xueji.enrolment.views import blueprint
from xueji.enrolment.views.trainees import roster_page
from xueji.identity import services as identity
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid, Malformed, Problem
from xueji.spreadsheets import reading, writing
from xueji.spreadsheets.rules import Sheet, SheetError
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.qr_codes import qr_code
from xueji.web.session import actor, context, reads

SHOWN = 200
"""Lines of a kind that a page names; of the others it says how many there are."""
TEMPLATE = (Column.NAME, Column.NUMBER, Column.TELEPHONE, Column.EMPLOYER, Column.EARLIER)


@blueprint.get("/cohorts/<uuid:cohort_id>/trainees/template")
@roles(Role.INSTITUTION)
def roster_template(cohort_id: UUID) -> Response:
    """An empty list to fill in, whose columns keep numbers as they are typed."""
    with context().database.reading() as session:
        access_own_cohort(session, actor(), cohort_id)
    headings = [str(wording.TEMPLATE[column]) for column in TEMPLATE]
    return writing.download(writing.workbook(_("学员名单"), headings, []), _("学员名单模板") + ".xlsx")


@blueprint.post("/cohorts/<uuid:cohort_id>/trainees")
@roles(Role.INSTITUTION)
@reads
def add_trainees(cohort_id: UUID) -> Any:
    """Look at a list that was brought; nothing is written."""
    form = ImportForm()
    if not form.validate_on_submit():
        return roster_page(cohort_id, form), 422
    try:
        sheets = _sheets(form)
        readings = [read(sheet) for sheet in about_people(sheets)]
        return _looked(cohort_id, form, readings)
    except Problem as refused:
        return roster_page(cohort_id, form, refused), refused.status


@blueprint.post("/cohorts/<uuid:cohort_id>/trainees/import")
@roles(Role.INSTITUTION)
@reads
def take_trainees(cohort_id: UUID) -> Any:
    """Take the good lines of a list that was looked at, or look at it again with other columns.

    Services open sessions of their own, in portions, so this view must not hold one.
    """
    text = request.form.get("carried", "")
    what = carried_table.unsealed(context().keyring, text, place=_place(cohort_id), by=actor().person_id)
    sheets = carried_table.to_sheets(what)
    form = CarriedForm.for_sheets([read(sheet) for sheet in sheets])
    if not form.validate_on_submit():
        raise Malformed
    readings = [_read(form, number, sheet) for number, sheet in enumerate(sheets)]
    if form.act.data != "import":
        return _looked(cohort_id, form, readings)
    listed = people(readings)
    imported = take(context(), actor=actor(), cohort_id=cohort_id, people=listed, declared=form.declared())
    return _taken(cohort_id, form, readings, imported)


def _sheets(form: ImportForm) -> list[Sheet]:
    sent = form.file.data
    try:
        if sent:
            return reading.sheets(context(), sent.read())
        return [reading.text_sheet(form.people.data or "")]
    except SheetError as error:
        raise SheetRefused(error.fault) from error


def _read(form: CarriedForm, number: int, sheet: Sheet) -> SheetReading:
    found = read(sheet)
    return found if found.headings else read(sheet, form.columns(number))


def _place(cohort_id: UUID) -> str:
    return f"import/{cohort_id}"


def _looked(cohort_id: UUID, form: ImportForm | CarriedForm, readings: list[SheetReading]) -> str:
    listed = people(readings)
    looked = look(context(), actor=actor(), cohort_id=cohort_id, people=listed, declared=form.declared())
    with context().database.reading() as session:
        cohort = access_own_cohort(session, actor(), cohort_id)
    sheets = [slim(each) for each in readings]
    text = carried_table.sealed(
        context().keyring, carried_table.of_sheets(sheets), place=_place(cohort_id), by=actor().person_id
    )
    again = CarriedForm.for_sheets(readings)
    for name in ("post", "employer", "industry", "earlier", "reason"):
        again[name].data = form[name].data
    again.carried.data = text
    return render_template(
        "enrolment/import_look.html",
        cohort=cohort,
        form=again,
        readings=readings,
        lacking=[each for each in readings if any(column not in each.columns for column in NEEDED)],
        looked=looked,
        passed=listed.passed,
        columns=list(Column),
        shown=SHOWN,
        most=MOST_LINES,
        wording=wording,
    )


def _taken(cohort_id: UUID, form: CarriedForm, readings: list[SheetReading], imported: Imported) -> Any:
    if imported.left:
        with context().database.reading() as session:
            cohort = access_own_cohort(session, actor(), cohort_id)
        return render_template(
            "enrolment/import_goes_on.html",
            cohort=cohort,
            form=form,
            readings=readings,
            imported=imported,
            columns=list(Column),
            wording=wording,
        )
    flash(ngettext("已导入 %(n)s 名学员。", "已导入 %(n)s 名学员。", imported.enrolled, n=imported.enrolled), "success")
    if imported.bad:
        n = len(imported.bad)
        flash(ngettext("%(n)s 行有误，没有导入。", "%(n)s 行有误，没有导入。", n, n=n), "warning")
    page = "enrolment.slips" if imported.new else "enrolment.trainees"
    return redirect(url_for(page, cohort_id=cohort_id))


@blueprint.get("/cohorts/<uuid:cohort_id>/slips")
@roles(Role.INSTITUTION)
def slips(cohort_id: UUID) -> str:
    """Who has not signed in yet, and who of them has a code."""
    return _slips(cohort_id)


@blueprint.post("/cohorts/<uuid:cohort_id>/slips/find")
@roles(Role.INSTITUTION)
@reads
def find_slips(cohort_id: UUID) -> str:
    """Somebody looked for by a form: addresses are kept in histories and logs."""
    return _slips(cohort_id, request.form.get("q", "").strip())


def _slips(cohort_id: UUID, text: str = "") -> str:
    page, keyring = page_asked(), context().keyring
    with context().database.reading() as session:
        cohort = access_own_cohort(session, actor(), cohort_id)
        among = found_in_roster(session, keyring, cohort_id, text) if text else None
        waiting, total = queries.without_password(session, cohort_id, page, among)
        _ids, without_code = queries.to_be_given_codes(session, cohort_id, 0)
        names = queries.names(session, keyring, [each.person_id for each in waiting])
    return render_template(
        "enrolment/slips.html",
        cohort=cohort,
        waiting=waiting,
        total=total,
        without_code=without_code,
        text=text,
        page=page,
        pages=pages_of(total, PER_PAGE),
        names=names,
        most=identity.MOST_CODES,
        wording=wording,
    )


@blueprint.post("/cohorts/<uuid:cohort_id>/slips")
@roles(Role.INSTITUTION)
@reads
def issue_slips(cohort_id: UUID) -> Any:
    """New codes for those without one, or for those ticked, on slips to print."""
    try:
        chosen = [UUID(each) for each in request.form.getlist("person")]
    except ValueError as error:
        raise Invalid from error
    with context().database.reading() as session:
        cohort = access_own_cohort(session, actor(), cohort_id)
        ids, wanted = queries.to_be_given_codes(session, cohort_id, identity.MOST_CODES, chosen)
    if not ids:
        flash(_("没有需要激活码的学员。要为已有激活码的学员重发，请先勾选。"), "warning")
        return redirect(url_for("enrolment.slips", cohort_id=cohort_id))
    issued = identity.issue_codes(context(), person_ids=ids, actor=actor())
    address = f"{context().settings.public_url}{url_for('identity.sign_in')}"
    rows = [[each.name, each.account, each.code, f"{each.lapses_at:%Y-%m-%d}"] for each in issued]
    return render_template(
        "enrolment/slips_print.html",
        cohort=cohort,
        issued=issued,
        left=wanted - len(ids),
        address=address,
        codes={each.person_id: qr_code(f"{address}#{each.account}") for each in issued},
        carried=carried_table.sealed(context().keyring, rows, place=f"slips/{cohort_id}", by=actor().person_id),
    )


@blueprint.post("/cohorts/<uuid:cohort_id>/slips/table")
@roles(Role.INSTITUTION)
@reads
def slips_table(cohort_id: UUID) -> Response:
    """The codes on the slips that are on the screen, as a workbook."""
    with context().database.reading() as session:
        access_own_cohort(session, actor(), cohort_id)
    text = request.form.get("carried", "")
    rows = carried_table.unsealed(context().keyring, text, place=f"slips/{cohort_id}", by=actor().person_id)
    headings = [_("姓名"), _("账号"), _("激活码"), _("有效期至")]
    return writing.download(writing.workbook(_("账号条"), headings, rows), _("账号条") + ".xlsx")
