"""Reference photos and face templates end by themselves when what they were taken for is over.

The consent text says: until the training and the term for contesting it have ended. Then nobody has to ask: the photos
and templates go, and in every chain an `erase` leaf says that what opened the commitments to them is gone. A file
that somebody still has to decide about is held until then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import Enrolment
from xueji.enrolment.rules import photos_end_at
from xueji.identity import queries as identity
from xueji.identity.models import Person
from xueji.identity.services import delete_photo
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.rulebook.plan import ProctoringPlan
from xueji.trace import services as trace
from xueji.trace.rules import SYSTEM

MOST_AT_ONCE = 100
"""People in one turn of the task."""
REFERENCE = "reference"
"""What a chain calls its commitments to reference photos."""


def end_photos(context: Context) -> int:
    """Delete the photos and templates of those whose clock has run; of how many people."""
    with context.database.reading() as session:
        due = [each for each in identity.people_with_photos(session) if _is_over(session, context, each)]
    for person_id in due[:MOST_AT_ONCE]:
        with context.database.writing() as session:
            _end(session, context, person_id)
    return len(due[:MOST_AT_ONCE])


def _is_over(session: Session, context: Context, person_id: UUID) -> bool:
    files = identity.files_of(session, person_id)
    rows = session.execute(
        select(Enrolment.id, Cohort.ends_on, Cohort.plan)
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(Enrolment.person_id.in_(files))
    ).all()
    ends = [photos_end_at(row.ends_on, ProctoringPlan.from_dict(row.plan)) for row in rows]
    newest: datetime = max(photo.enrolled_at for photo in identity.reference_photos(session, person_id))
    # Without any training yet she may still be let into one.
    until = max(ends, default=newest + timedelta(days=365))
    if clock.now() < until or identity.duplicate_waits(session, files):
        return False
    asked = HeldAsked(session, tuple(row.id for row in rows))
    context.events.publish(asked)
    return not asked.held


def _end(session: Session, context: Context, person_id: UUID) -> None:
    session.get_one(Person, person_id, with_for_update=True)
    photos = identity.reference_photos(session, person_id)
    if not photos or not _is_over(session, context, person_id):
        return
    for photo in photos:
        delete_photo(session, context.keyring, context.store, context.events, photo)
    # Of this file alone, whose photos they are.
    of_this_file = select(Enrolment).where(Enrolment.person_id.in_([person_id]))
    for enrolment in sorted(session.scalars(of_this_file), key=lambda each: each.chain):
        trace.erase(session, chain=enrolment.chain, who=SYSTEM, what=REFERENCE, field=REFERENCE, person=str(person_id))
