"""Organisations: who trains, employs, supervises and operates."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from xueji.identity import spelling
from xueji.identity.errors import AlreadyTaken
from xueji.identity.leaves import OrganisationChanged, OrganisationOpened
from xueji.identity.models import Organisation
from xueji.identity.numbers import credit_code
from xueji.identity.rules import OrganisationKind
from xueji.identity.services.recording import record_power
from xueji.identity.wording import INDUSTRY
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, Invalid, NotFound
from xueji.rulebook.divisions import is_division


def create_organisation(
    session: Session,
    keyring: Keyring,
    *,
    name: str,
    kind: OrganisationKind,
    region: str,
    uscc: str | None,
    actor: Actor | None,
    industry: str = "",
) -> Organisation:
    """``actor`` None is the installation itself, at set-up. Raises Invalid, AlreadyTaken, Forbidden."""
    if actor is not None and not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden
    spelled = spelling.person_name(name)
    if not 2 <= len(spelled) <= 120:
        raise Invalid(_("单位名称须为2至120个字。"))
    if not is_division(region):
        raise Invalid(_("没有这个行政区划代码。新设的区县请先填写所属市（地、州）的代码。"))
    code = credit_code(uscc) if uscc else None
    taken = or_(Organisation.name == spelled, Organisation.uscc == code) if code else Organisation.name == spelled
    if session.scalar(select(Organisation.id).where(taken)) is not None:
        raise AlreadyTaken(_("该单位名称或统一社会信用代码已登记。"))
    made = Organisation(name=spelled, kind=kind, region=region, uscc=code, industry=industry, created_at=clock.now())
    session.add(made)
    session.flush()
    opened = OrganisationOpened(organisation=str(made.id), kind=kind.value, region=region, industry=industry)
    by = actor.person_id if actor is not None else None
    record_power(session, keyring, opened, actor=by, subject=None)
    return made


def name_industry(
    session: Session, keyring: Keyring, *, organisation_id: UUID, industry: str, actor: Actor
) -> Organisation:
    """Put right which industry an enterprise is in; declarations that were made before keep what they said.

    Raises Forbidden, NotFound, Invalid for an organisation that is in none, or a code that is no industry's.
    """
    if not actor.is_(Role.ADMINISTRATOR):
        raise Forbidden
    found = session.get(Organisation, organisation_id, with_for_update=True)
    if found is None:
        raise NotFound
    if found.kind is not OrganisationKind.ENTERPRISE or (industry and industry not in INDUSTRY):
        raise Invalid(_("只有生产经营单位登记行业，请从列表中选择。"))
    before, found.industry = found.industry, industry
    changed = OrganisationChanged(organisation=str(found.id), industry=industry, before=before)
    record_power(session, keyring, changed, actor=actor.person_id, subject=None)
    return found
