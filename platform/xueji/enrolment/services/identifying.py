"""Saying whom a chain is about where its first leaf, of an early release, did not commit to it.

Nothing is changed: a later leaf of the chain says it, and repeats the pseudonym that the first one gave her. An
enrolment whose row names somebody else by now is left alone; `xueji log audit` tells of it.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.enrolment import queries
from xueji.enrolment.chain_binding import misplaced
from xueji.enrolment.leaves import SubjectIdentified
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services.subject import subject_commitments
from xueji.identity.errors import Erased
from xueji.kernel.context import Context
from xueji.trace import queries as trace_queries
from xueji.trace import services as trace
from xueji.trace.models import SealedOpening
from xueji.trace.rules import ABOUT, SYSTEM

AT_ONCE = 50
"""Chains identified in one transaction."""


def identify_enrolments(context: Context) -> int:
    """Identify every chain that does not say whom it is about; how many. Doing it again does nothing."""
    with context.database.reading() as session:
        done = set(session.scalars(select(SealedOpening.chain).where(SealedOpening.field == "person_name")))
        lacking = [
            each for each in session.scalars(select(Enrolment.id).order_by(Enrolment.id)) if str(each) not in done
        ]
    identified = 0
    for start in range(0, len(lacking), AT_ONCE):
        with context.database.writing() as session:
            identified += sum(_identify(session, context, each) for each in lacking[start : start + AT_ONCE])
    return identified


def _identify(session: Session, context: Context, enrolment_id: UUID) -> bool:
    # Locked, so that a second run beside this one reads the chain after what this one writes.
    enrolment = session.get_one(Enrolment, enrolment_id, with_for_update=True)
    whose: str | None = None
    for leaf in trace_queries.chain(session, enrolment.chain):
        whose = leaf["who"] if whose is None else whose
        # Erased since, perhaps: what was said once is not said again.
        if ABOUT in leaf["values"]:
            return False
    if whose is None or misplaced(session, [enrolment_id]):
        return False
    facts = queries.enrolment_facts(session, enrolment_id)
    assert facts is not None
    try:
        about = subject_commitments(session, context.keyring, facts)
    except Erased:
        return False
    trace.record(session, SubjectIdentified(about=about, of=whose), chain=enrolment.chain, who=SYSTEM)
    return True
