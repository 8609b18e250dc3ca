"""The enterprise's own people, wherever they are trained."""

from __future__ import annotations

from flask import Response, render_template

from xueji.desks import queries
from xueji.desks.views import blueprint
from xueji.desks.views.lists import statements, trainee_table, words
from xueji.identity import queries as identity
from xueji.kernel.actor import Role
from xueji.oversight.trainee_lines import PER_PAGE
from xueji.web.access import roles
from xueji.web.paging import page_asked, paging
from xueji.web.session import actor, context, db


@blueprint.get("/people")
@roles(Role.ENTERPRISE)
def own_people() -> str:
    page = page_asked()
    found, total = queries.own_people(db(), actor(), page)
    names = identity.display_names(db(), context().keyring, {line.person_id for line in found})
    return render_template(
        "desks/own_people.html",
        trainees=found,
        names=names,
        statements=statements(found),
        **paging(page, total, PER_PAGE),
        **words(),
    )


@blueprint.get("/people.csv")
@roles(Role.ENTERPRISE)
def own_people_csv() -> Response:
    found, _total = queries.own_people(db(), actor(), page_asked())
    return trainee_table(found, "people.csv")
