"""What becomes of the enrolments of a cohort when the cohort changes; `cohorts` tells and asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from xueji.cohorts.events import CohortAmended, CohortCloses, LastDayChanges, StudyingAsked, TraineesAsked
from xueji.cohorts.models import CohortAmendment
from xueji.enrolment.events import StudyDaysChange, StudyEnds, WhoStudies
from xueji.enrolment.leaves import AmendedTerms, EnrolmentAmended, SubjectIdentified
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.queries import enrolment_facts, enrolment_ids
from xueji.enrolment.services.subject import subject_commitments
from xueji.identity.errors import Erased
from xueji.identity.services.acting import Acting
from xueji.kernel.context import Context
from xueji.kernel.events import Events
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms
from xueji.trace import queries as trace_queries
from xueji.trace import services as trace
from xueji.trace.leaf import Entry
from xueji.trace.rules import SYSTEM


def cohort_closes(events: Events, closes: CohortCloses) -> None:
    """Study ends in every enrolment of the cohort."""
    events.publish(StudyEnds(closes.session, tuple(enrolment_ids(closes.session, closes.cohort_id))))


def last_day_changes(events: Events, change: LastDayChanges) -> None:
    """What is under way in any enrolment of the cohort may earn until then."""
    enrolled = tuple(enrolment_ids(change.session, change.cohort_id))
    events.publish(StudyDaysChange(change.session, enrolled, change.closes_ms))


def count_studying(events: Events, asked: StudyingAsked) -> None:
    """How many of the cohort study now."""
    studies = WhoStudies(asked.session, tuple(enrolment_ids(asked.session, asked.cohort_id)))
    events.publish(studies)
    asked.studying += len(studies.studying)


def count_trainees(asked: TraineesAsked) -> None:
    """How many are active in each cohort, in one query."""
    counted = asked.session.execute(
        select(Enrolment.cohort_id, func.count())
        .where(Enrolment.cohort_id.in_(asked.cohort_ids), Enrolment.state == EnrolmentState.ACTIVE)
        .group_by(Enrolment.cohort_id)
    )
    for cohort_id, count in counted:
        asked.trainees[cohort_id] = count


def cohort_amended(context: Context, amended: CohortAmended) -> None:
    """A leaf in the chain of everybody enrolled, withdrawn or not, under the terms as they are now."""
    session, cohort, asked = amended.session, amended.cohort, amended.amendment
    locked = select(Enrolment).where(Enrolment.cohort_id == cohort.id).order_by(Enrolment.id).with_for_update()
    enrolled = session.scalars(locked).all()
    if "ends" in amended.terms:
        closes_ms = date_begins_ms(cohort.last_day) + DAY_MS
        context.events.publish(StudyDaysChange(session, tuple(each.id for each in enrolled), closes_ms))
    acting = Acting.of(session, context.keyring, amended.actor)
    entries: list[Entry] = []
    for enrolment in enrolled:
        if amended.terms:
            entries.append(_leaf(session, context, acting, enrolment, asked, amended.terms))
        if "title" in asked.after:
            entries += _identified(session, context, enrolment)
    # In the order of the chains' names, as everywhere.
    trace.record_many(session, sorted(entries, key=lambda entry: entry.chain))
    amended.trainees += len(enrolled)


def _leaf(
    session: Session,
    context: Context,
    acting: Acting,
    enrolment: Enrolment,
    asked: CohortAmendment,
    terms: Mapping[str, Any],
) -> Entry:
    person = str(enrolment.person_id)
    leaf = EnrolmentAmended(
        amendment=str(asked.id),
        terms=cast(AmendedTerms, dict(terms)),
        asked_by=context.keyring.pseudonym(asked.asked_by, enrolment.id),
        reason=trace.commit(session, asked.reason, chain=enrolment.chain, field="reason", person=person),
    )
    return acting.in_enrolment(session, leaf, enrolment_id=enrolment.id, person_id=enrolment.person_id)


def _identified(session: Session, context: Context, enrolment: Enrolment) -> list[Entry]:
    """What the chain is about, said anew with the cohort's right title."""
    whose = trace_queries.began_by(session, [enrolment.chain]).get(enrolment.chain)
    facts = enrolment_facts(session, enrolment.id)
    if whose is None or facts is None:
        return []
    try:
        about = subject_commitments(session, context.keyring, facts)
    except Erased:
        return []
    return [Entry(SubjectIdentified(about=about, of=whose), enrolment.chain, SYSTEM)]
