"""Putting right what openings of the first edition left out: nothing is changed, a later leaf of the chain says it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.leaves import OpeningCorrected
from xueji.enrolment.models import Enrolment
from xueji.kernel.context import Context
from xueji.trace import queries as trace_queries
from xueji.trace import services as trace
from xueji.trace.rules import SYSTEM, Event

AT_ONCE = 50
"""Chains put right in one transaction."""


def correct_openings(context: Context) -> int:
    """Say the subject in every chain whose opening left it out; how many were put right. Doing it again does nothing.

    Without it an account of the first edition shows the least hours of nobody in particular.
    """
    with context.database.reading() as session:
        known = list(
            session.scalars(
                select(Enrolment.id)
                .join(Cohort, Cohort.id == Enrolment.cohort_id)
                .where(Cohort.subject.is_not(None))
                .order_by(Enrolment.id)
            )
        )
    corrected = 0
    for start in range(0, len(known), AT_ONCE):
        with context.database.writing() as session:
            corrected += sum(_correct(session, enrolment_id) for enrolment_id in known[start : start + AT_ONCE])
    return corrected


def _correct(session: Session, enrolment_id: UUID) -> bool:
    # Locked, so that a second run beside this one reads the chain after what this one writes.
    enrolment = session.get_one(Enrolment, enrolment_id, with_for_update=True)
    lacking = False
    for leaf in trace_queries.chain(session, enrolment.chain):
        if leaf["event"] == Event.ENROLMENT_CORRECT:
            return False
        if leaf["event"] == Event.ENROLMENT_OPEN:
            values = leaf["values"]
            lacking = values.get("rules", 1) == 1 and values.get("subject") is None
            if not lacking:
                return False
    if lacking:
        subject = session.get_one(Cohort, enrolment.cohort_id).subject
        trace.record(session, OpeningCorrected(subject=subject), chain=enrolment.chain, who=SYSTEM)
    return lacking
