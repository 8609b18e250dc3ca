"""Random draws: who was drawn, out of whom, and how anybody draws them again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from xueji.hours import wording as hours_wording
from xueji.kernel.actor import Role
from xueji.kernel.errors import Invalid
from xueji.oversight import queries, services, wording
from xueji.oversight.access import access_draw
from xueji.oversight.trainee_lines import PER_PAGE, cohort_choices, institution_choices, trainee_lines
from xueji.oversight.views import blueprint
from xueji.rulebook.draws import population_digest
from xueji.web.access import roles
from xueji.web.form_values import given_id
from xueji.web.paging import page_asked, paging
from xueji.web.session import actor, context, db

DRAW_SIZES = (5, 10, 20, 50, 100)


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
            cohort_id=given_id("cohort", request.form),
            organisation_id=given_id("organisation", request.form),
        )
        return redirect(url_for("oversight.draw", draw_id=draw.id))
    page = page_asked()
    found, total = queries.draws(db(), actor(), page)
    return render_template(
        "oversight/draws.html",
        draws=found,
        sizes=DRAW_SIZES,
        cohorts=cohort_choices(db(), actor()),
        institutions=institution_choices(db(), actor()),
        **paging(page, total, PER_PAGE),
    )


@blueprint.get("/oversight/draws/<uuid:draw_id>")
@roles(Role.REGULATOR)
def draw(draw_id: UUID) -> str:
    line = queries.draw_line(db(), access_draw(db(), actor(), draw_id).id)
    chosen = line.chosen
    lines = trainee_lines(db(), chosen)
    return render_template(
        "oversight/draw.html",
        line=line,
        chosen=[lines[each] for each in chosen if each in lines],
        digest=population_digest(line.population),
        words=hours_wording,
        own_words=wording,
    )


@blueprint.get("/oversight/draws/<uuid:draw_id>/population.txt")
@roles(Role.REGULATOR)
def draw_population(draw_id: UUID) -> Response:
    """Everybody who could be drawn, an enrolment a line: with the seed, all it takes to draw again."""
    line = queries.draw_line(db(), access_draw(db(), actor(), draw_id).id)
    return Response("".join(f"{each}\n" for each in line.population), mimetype="text/plain")
