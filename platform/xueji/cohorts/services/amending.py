"""A mistake found after a cohort was opened: put right by two people, in the chain of everybody enrolled.

Words may be put right, the last day may come later, and industry and subject may be named rightly. Nothing earned is
lost, and no law becomes laxer: the account holds the stricter of both readings. Everything else is what hours were
earned under; there the way out is to close the cohort and open another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.access import access_own_cohort, access_whole_cohort
from xueji.cohorts.errors import AmendmentOver, AmendmentRefused, CohortNotOpen, NothingAmended, ReasonNeeded
from xueji.cohorts.events import CohortAmended
from xueji.cohorts.leaves import TermsAmended
from xueji.cohorts.models import Cohort, CohortAmendment, CohortState
from xueji.cohorts.services import planning as cohorts
from xueji.identity.queries.resets import since
from xueji.identity.rules import CONFIRMS_AFTER
from xueji.identity.services.acting import record_in_office
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.context import Context
from xueji.kernel.errors import NotFound
from xueji.rulebook.industries import UNKNOWN
from xueji.trace.rules import COHORT

WORDS = ("title", "syllabus", "venue")
TERMS = ("ends_on", "industry", "subject")
AMENDABLE = (*WORDS, *TERMS)
"""Fields of a cohort that may be put right after the opening."""
LONGEST_EXTENSION = timedelta(days=183)
"""By how much the last day may come later, in all requests together with the planned one as it stands."""
MOST_LETTERS = 300


def ask_amendment(
    session: Session, *, actor: Actor, cohort_id: UUID, changes: Mapping[str, Any], reason: str
) -> CohortAmendment:
    """Ask a second person. ``changes`` names fields of `AMENDABLE`; those that say the same as now are left out.

    Raises NotFound, CohortNotOpen (only what is open is amended), ReasonNeeded, NothingAmended, AmendmentRefused.
    """
    cohort = access_own_cohort(session, actor, cohort_id, lock=True)
    if not reason.strip():
        raise ReasonNeeded
    changed = {name: value for name, value in changes.items() if name in AMENDABLE and value != getattr(cohort, name)}
    if not cohort.industry and changed.get("industry") == UNKNOWN:
        # Of a cohort that opened before industries were asked for nothing is known, and nothing was said.
        del changed["industry"]
    if not changed:
        raise NothingAmended
    _refuse(session, cohort, changed)
    waiting = select(CohortAmendment).where(
        CohortAmendment.cohort_id == cohort_id, CohortAmendment.decided_at.is_(None)
    )
    for each in session.scalars(waiting):
        each.decided_by, each.decided_at, each.confirmed = actor.person_id, clock.now(), False
    asked = CohortAmendment(
        id=uuid4(),
        cohort_id=cohort.id,
        before={name: _plain(getattr(cohort, name)) for name in changed},
        after={name: _plain(value) for name, value in changed.items()},
        reason=reason.strip()[:MOST_LETTERS],
        asked_by=actor.person_id,
        asked_at=clock.now(),
    )
    session.add(asked)
    session.flush()
    return asked


def may_decide(session: Session, actor: Actor, amendment: CohortAmendment) -> bool:
    """A colleague of whoever asked, or a regulator who sees the cohort; in her role for long enough to be seen."""
    if actor.person_id == amendment.asked_by or not actor.is_(Role.INSTITUTION, Role.REGULATOR):
        return False
    appointed = since(session, actor)
    if appointed is None or clock.now() < appointed + CONFIRMS_AFTER:
        return False
    try:
        cohort = access_whole_cohort(session, actor, amendment.cohort_id)
    except NotFound:
        return False
    return actor.is_(Role.REGULATOR) or cohort.organisation_id == actor.organisation_id


def decide_amendment(
    session: Session, context: Context, *, actor: Actor, amendment_id: UUID, confirmed: bool
) -> CohortAmendment:
    """The second person puts it right, or not; who asked may take it back.

    Raises NotFound (not hers to decide), AmendmentOver, CohortNotOpen, AmendmentRefused.
    """
    found = session.get(CohortAmendment, amendment_id)
    if found is None:
        raise NotFound
    cohort = session.get_one(Cohort, found.cohort_id, with_for_update=True, populate_existing=True)
    session.refresh(found)
    own = not confirmed and found.asked_by == actor.person_id
    if not (own or may_decide(session, actor, found)):
        raise NotFound
    if found.decided_at is not None:
        raise AmendmentOver
    found.decided_by, found.decided_at, found.confirmed = actor.person_id, clock.now(), confirmed
    if confirmed:
        changed = {name: _read(name, value) for name, value in found.after.items()}
        if any(_plain(getattr(cohort, name)) != value for name, value in found.before.items()):
            raise AmendmentOver
        _amend(session, context, actor, cohort, found, changed)
    return found


def _amend(
    session: Session, context: Context, actor: Actor, cohort: Cohort, asked: CohortAmendment, changed: dict[str, Any]
) -> None:
    risky = _refuse(session, cohort, changed)
    for name, value in changed.items():
        setattr(cohort, name, value)
    terms: dict[str, Any] = {name: changed[name] for name in ("industry", "subject") if name in changed}
    if "ends_on" in changed:
        terms["ends"] = cohort.ends_on.isoformat()
    if risky and not cohort.high_risk:
        cohort.high_risk = terms["high_risk"] = True
    session.flush()
    amended = CohortAmended(session, actor, cohort, asked, terms)
    context.events.publish(amended)
    leaf = TermsAmended(amendment=str(asked.id), fields=sorted(changed), trainees=amended.trainees)
    record_in_office(session, context.keyring, leaf, actor=actor, chain=f"{COHORT}{cohort.id}")


def _refuse(session: Session, cohort: Cohort, changed: Mapping[str, Any]) -> bool:
    """Whether the industry is high-risk by the amended reading. Raises CohortNotOpen, AmendmentRefused."""
    if cohort.state is not CohortState.OPEN or clock.now() >= cohort.settles_at:
        raise CohortNotOpen
    for name in ("title", "syllabus"):
        if name in changed and not str(changed[name]).strip():
            raise AmendmentRefused(_("名称和大纲不能空着。"))
    ends: date = changed.get("ends_on", cohort.ends_on)
    if ends < cohort.ends_on:
        raise AmendmentRefused(_("结束日期只能推后：提前会使已有的学时落在期外。要提前结束，请结班。"))
    if ends > cohort.ends_on + LONGEST_EXTENSION:
        raise AmendmentRefused(_("结束日期最多推后183天。更晚的培训请另开一个培训班。"))
    if cohort.closes_on is not None and ends != cohort.ends_on:
        raise AmendmentRefused(_("已定下结班日期。要推后，请先把结班日期改回计划的最后一天。"))
    before = cohorts.judge_cohort(session, cohort)
    after = cohorts.judge_amended(session, cohort, changed)
    known = {(each.why, each.subject) for each in before.refusals}
    new = [each for each in after.refusals if (each.why, each.subject) not in known]
    if new:
        detail = _("更正以后不符合规定。请核对；如果计划本身有误，请结班后另开一个培训班。")
        raise AmendmentRefused(detail, new, after.class_hour_ms)
    return after.risk.high


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _read(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name == "ends_on" else value
