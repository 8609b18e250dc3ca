"""The regulator's lists of cohorts and institutions, to be sorted and taken along whole."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, render_template, request
from flask_babel import gettext as _

from xueji.cohorts import wording as cohort_wording
from xueji.desks import comparing
from xueji.desks.comparing import PER_PAGE, ComparedLine, ComparisonOrder
from xueji.desks.views import blueprint
from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound
from xueji.web import csv_export
from xueji.web.access import roles
from xueji.web.paging import page_asked, pages_of
from xueji.web.session import actor, db

Find = Callable[..., list[ComparedLine]]


@blueprint.get("/oversight/cohorts")
@roles(Role.REGULATOR)
def compare_cohorts() -> str:
    return _page("cohorts", comparing.cohorts)


@blueprint.get("/oversight/institutions")
@roles(Role.REGULATOR)
def compare_institutions() -> str:
    return _page("institutions", comparing.institutions)


@blueprint.get("/oversight/cohorts.csv")
@roles(Role.REGULATOR)
def compare_cohorts_csv() -> Response:
    return _csv("cohorts.csv", comparing.cohorts)


@blueprint.get("/oversight/institutions.csv")
@roles(Role.REGULATOR)
def compare_institutions_csv() -> Response:
    return _csv("institutions.csv", comparing.institutions)


def _page(of: str, find: Find) -> str:
    order, page = _order(), page_asked()
    lines = find(db(), actor(), order)
    return render_template(
        "desks/comparing.html",
        of=of,
        lines=lines[(page - 1) * PER_PAGE : page * PER_PAGE],
        order=order,
        page=page,
        pages=pages_of(len(lines), PER_PAGE),
        total=len(lines),
        wording=cohort_wording,
    )


def _order() -> ComparisonOrder:
    """Raises NotFound."""
    try:
        return ComparisonOrder(request.args.get("order", ComparisonOrder.FAILED))
    except ValueError as error:
        raise NotFound from error


def _csv(name: str, find: Find) -> Response:
    """All of them; rates are left to whoever reads the counts."""
    columns = [
        _("名称"),
        _("培训机构"),
        _("状态"),
        _("培训班数"),
        _("学员人数"),
        _("已结束的核验"),
        _("未通过"),
        _("无人应答"),
        _("人工认可"),
    ]
    rows = [
        [
            line.name,
            line.institution,
            cohort_wording.COHORT_STATE[line.state] if line.state else "",
            line.cohorts,
            line.trainees,
            line.checks,
            line.failed,
            line.silent,
            line.accepted,
        ]
        for line in find(db(), actor(), _order())
    ]
    return csv_export.download(name, columns, rows)
