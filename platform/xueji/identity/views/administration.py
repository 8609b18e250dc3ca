"""The administrator's pages: organisations, people, locks, and faces that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from xueji.identity import queries, services
from xueji.identity.access import access_duplicate_photo, access_organisation, access_person
from xueji.identity.forms import (
    DecisionForm,
    FindForm,
    IndustryForm,
    JoiningForm,
    MembershipForm,
    OrganisationForm,
    PersonForm,
)
from xueji.identity.services import hash_code
from xueji.identity.views import blueprint
from xueji.identity.views.pictures import shown_photo
from xueji.identity.views.resets import resets_of
from xueji.identity.wording import ACT, END, INDUSTRY, ORGANISATION_KIND, ROLE, ROUTE, SESSION_KIND
from xueji.kernel.actor import Role
from xueji.kernel.errors import Malformed, Problem
from xueji.rulebook.divisions import name_of
from xueji.web.access import roles
from xueji.web.session import actor, context, db, writes

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

WORDS = {
    "act": ACT,
    "industry": INDUSTRY,
    "role": ROLE,
    "organisation": ORGANISATION_KIND,
    "route": ROUTE,
    "kind": SESSION_KIND,
    "end": END,
}


@blueprint.route("/administration", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def administration() -> str:
    """The people an administrator looks for."""
    form = FindForm()
    sought = form.q.data or "" if form.validate_on_submit() else ""
    # Looking for somebody is sent as a form and changes nothing, so no write transaction is opened for it.
    with context().database.reading() as session:
        return render_template(
            "identity/administration/people.html",
            sought=sought,
            found=queries.find_people(session, context().keyring, sought),
            counts=queries.counts(session),
            faces=queries.stored_faces(session),
            words=WORDS,
        )


@blueprint.route("/administration/organisations", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def organisations() -> Any:
    """All organisations, and the form for another."""
    form, problem = OrganisationForm(), None
    if form.validate_on_submit():
        try:
            made = services.create_organisation(
                db(),
                context().keyring,
                name=form.name.data,
                kind=form.organisation_kind(),
                region=form.region.data,
                uscc=form.uscc.data or None,
                industry=form.industry.data or "",
                actor=actor(),
            )
        except Problem as refused:
            problem = refused
        else:
            flash(_("已登记单位“%(name)s”。", name=made.name), "success")
            return redirect(url_for("identity.organisations"))
    sought = request.args.get("q", "")
    page = render_template(
        "identity/administration/organisations.html",
        form=form,
        problem=problem,
        sought=sought,
        found=queries.organisations(db(), sought),
        industry_form=IndustryForm(formdata=None),
        place=name_of,
        words=WORDS,
    )
    return page, _status(form.errors, problem)


@blueprint.post("/administration/organisations/<uuid:organisation_id>/industry")
@roles(Role.ADMINISTRATOR)
def name_industry(organisation_id: UUID) -> Response:
    """Say which industry an enterprise belongs to."""
    form = IndustryForm()
    if not form.validate_on_submit():
        raise Malformed
    named = services.name_industry(
        db(), context().keyring, organisation_id=organisation_id, industry=form.industry.data or "", actor=actor()
    )
    flash(_("已更正“%(name)s”的行业。", name=named.name), "success")
    return redirect(url_for("identity.organisations"))


@blueprint.route("/administration/people/new", methods=["GET", "POST"])
@roles(Role.ADMINISTRATOR)
def new_person() -> Any:
    """Register somebody; the password is made here, shown once, and replaced by her at the first sign-in."""
    form, problem = PersonForm(), None
    with context().database.reading() as session:
        form.organisation_id.choices = _choices(session)
    if form.validate_on_submit():
        password = services.first_code()
        hashed = hash_code(context().keyring, password)
        try:
            person = services.register_person(
                db(),
                context().keyring,
                name=form.name.data,
                id_number=form.id_number.data,
                account=form.account.data,
                password=hashed,
                role=form.chosen_role(),
                organisation_id=access_organisation(db(), actor(), form.organisation()).id,
                actor=actor(),
                temporary=True,
            )
        except Problem as refused:
            problem = refused
        else:
            known = queries.profile(db(), context().keyring, person.id)
            new = queries.account_of(db(), person.id).password_hash == hashed
            return render_template(
                "identity/administration/temporary_password.html",
                me=known,
                password=password if new else None,
                whose=url_for("identity.person", person_id=person.id),
            )
    page = render_template("identity/administration/new_person.html", form=form, problem=problem)
    return page, _status(form.errors, problem)


@blueprint.get("/administration/people/<uuid:person_id>")
@roles(Role.ADMINISTRATOR)
def person(person_id: UUID) -> str:
    """One person with her roles and what may be done to her account."""
    access_person(db(), actor(), person_id)
    form = MembershipForm()
    form.organisation_id.choices = _choices(db())
    return render_template(
        "identity/administration/person.html",
        me=queries.profile(db(), context().keyring, person_id),
        name=services.display_name(db(), context().keyring, person_id),
        sign_ins=queries.sign_ins(db(), person_id, most=5),
        acts=queries.acts(db(), person_id),
        form=form,
        own=person_id == actor().person_id,
        joining_form=JoiningForm(),
        words=WORDS,
        **resets_of(person_id),
    )


@blueprint.post("/administration/people/<uuid:person_id>/suspend")
@roles(Role.ADMINISTRATOR)
def suspend(person_id: UUID) -> Response:
    """Lock an account."""
    services.suspend(db(), context().keyring, context().events, person_id=person_id, actor=actor())
    flash(_("账号已停用，所有登录已结束。"), "success")
    return _back(person_id)


@blueprint.post("/administration/people/<uuid:person_id>/restore")
@roles(Role.ADMINISTRATOR)
def restore(person_id: UUID) -> Response:
    """Unlock it again."""
    services.restore(db(), context().keyring, person_id=person_id, actor=actor())
    flash(_("账号已恢复。"), "success")
    return _back(person_id)


@blueprint.post("/administration/people/<uuid:person_id>/unlock")
@roles(Role.ADMINISTRATOR)
def unlock(person_id: UUID) -> Response:
    """Forget failed sign-ins."""
    services.forget_failures(db(), context().keyring, person_id=person_id, actor=actor())
    flash(_("已解除登录锁定。"), "success")
    return _back(person_id)


@blueprint.post("/administration/people/<uuid:person_id>/memberships")
@roles(Role.ADMINISTRATOR)
def add_membership(person_id: UUID) -> Response:
    """Give a role."""
    form = MembershipForm()
    if form.validate_on_submit():
        services.add_membership(
            db(),
            context().keyring,
            context().events,
            person_id=person_id,
            organisation_id=access_organisation(db(), actor(), form.organisation()).id,
            role=form.chosen_role(),
            actor=actor(),
        )
        flash(_("已添加角色。"), "success")
    else:
        flash(_("请选择单位和角色。"), "error")
    return _back(person_id)


@blueprint.post("/administration/memberships/<uuid:membership_id>/remove")
@roles(Role.ADMINISTRATOR)
def remove_membership(membership_id: UUID) -> Response:
    """Take a role away."""
    person_id = services.remove_membership(
        db(), context().keyring, context().events, membership_id=membership_id, actor=actor()
    )
    flash(_("已取消角色。"), "success")
    return _back(person_id)


@blueprint.get("/administration/duplicates")
@roles(Role.ADMINISTRATOR)
def duplicates() -> str:
    """Two accounts with one face? Staff look, and decide in writing; that they are one person is decided by two."""
    return render_template(
        "identity/administration/duplicates.html", found=queries.open_duplicates(db()), form=DecisionForm()
    )


@blueprint.get("/administration/duplicates/<uuid:flag_id>/pictures/<uuid:photo_id>")
@roles(Role.ADMINISTRATOR)
@writes
def duplicate_picture(flag_id: UUID, photo_id: UUID) -> Response:
    """One of two faces that look alike; the look is recorded."""
    return shown_photo(access_duplicate_photo(db(), actor(), flag_id, photo_id), purpose="duplicate")


@blueprint.post("/administration/duplicates/<uuid:flag_id>")
@roles(Role.ADMINISTRATOR)
def decide_duplicate(flag_id: UUID) -> Response:
    """Say whether two faces are one person's."""
    form = DecisionForm()
    if form.validate_on_submit():
        asked = {"flag_id": flag_id, "reason": form.reason.data, "actor": actor()}
        if form.finding.data == "one":
            services.ask_joining_of_duplicate(db(), context().keyring, **asked, stands=form.stands_id())
            flash(_("已提交申请，等待另一人确认。"), "success")
            return redirect(url_for("identity.joinings"))
        services.decide_duplicate(db(), context().keyring, **asked)
        flash(_("已记录结论。"), "success")
    else:
        flash(_("请写明理由。"), "error")
    return redirect(url_for("identity.duplicates"))


def _choices(session: Session) -> list[SelectChoice]:
    return [
        SelectChoice(str(each.id), f"{each.name}（{name_of(each.region)}）") for each in queries.organisations(session)
    ]


def _back(person_id: UUID) -> Response:
    return redirect(url_for("identity.person", person_id=person_id))


def _status(errors: Any, problem: Problem | None) -> int:
    return problem.status if problem is not None else 422 if errors else 200
