"""Pictures of checks end when the years are over for which the law has a training file kept (003 art. 23).

Until then they are evidence of hours; afterwards nothing asks for a face to be kept, and it goes (PIPL art. 19, 47).
The file itself stays: leaves, verdicts, hours, and the hash of each picture. Whatever somebody still has to decide
about keeps the pictures until it is decided.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from xueji.cohorts.models import Cohort
from xueji.enrolment.events import HeldAsked
from xueji.enrolment.models import Enrolment, EnrolmentDeclaration
from xueji.identity import queries as identity
from xueji.identity.models import Person
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.proctoring.models import Appeal, Attempt, Check, Picture, PicturesEnd
from xueji.rulebook import rules as rulebook
from xueji.rulebook.figures import Situation
from xueji.rulebook.retention import SHORTEST_YEARS, years_after, years_kept
from xueji.rulebook.rules import Ruling
from xueji.rulebook.shanghai import date_of, day_of
from xueji.trace import services as trace
from xueji.trace.leaves import Law
from xueji.trace.rules import SYSTEM

PICTURE = "picture"
"""What a chain calls its commitments to pictures of checks."""
MOST_AT_ONCE = 200
"""Rows read at a time; a turn goes on until its time is over."""


def end_pictures(context: Context, seconds: float) -> int:
    """One turn, of about so many seconds: delete the pictures whose years are over; of how many enrolments.

    A turn that dies is gone on with by the next: each enrolment is a transaction of its own, and a file whose row says
    that it is deleted is removed from the store in the end.
    """
    ends = time.monotonic() + seconds
    remove_files(context)
    ended = 0
    if context.settings.keep_check_pictures:
        return ended
    today = clock.shanghai_day(clock.now())
    while _note_new(context, today) and time.monotonic() < ends:
        pass
    while due := _due(context, today):
        for enrolment_id in due:
            if time.monotonic() > ends:
                return ended
            with context.database.writing() as session:
                ended += _end(session, context, enrolment_id, today)
            remove_files(context)
    return ended


def _due(context: Context, today: date) -> Sequence[UUID]:
    """Whom to ask about today; whoever was asked about is asked about again on another day, or never."""
    with context.database.reading() as session:
        return session.scalars(
            select(PicturesEnd.enrolment_id)
            .where(PicturesEnd.look_on <= today)
            .order_by(PicturesEnd.look_on, PicturesEnd.enrolment_id)
            .limit(MOST_AT_ONCE)
        ).all()


def remove_files(context: Context) -> int:
    """Remove from the store what is deleted, also what a turn that died has left; how many."""
    with context.database.reading() as session:
        left = session.execute(
            select(Picture.id, Picture.path)
            .where(Picture.deleted_ms.is_not(None), Picture.path != "")
            .limit(MOST_AT_ONCE * 10)
        ).all()
    for _picture_id, path in left:
        context.store.delete(path)
    if left:
        with context.database.writing() as session:
            gone = [picture_id for picture_id, _path in left]
            session.execute(update(Picture).where(Picture.id.in_(gone)).values(path=""))
    return len(left)


def _note_new(context: Context, today: date) -> int:
    """Begin to look at enrolments whose training ended long enough ago; how many."""
    with context.database.writing() as session:
        new = session.scalars(
            select(Enrolment.id)
            .join(Cohort, Cohort.id == Enrolment.cohort_id)
            .where(Cohort.ends_on <= today - timedelta(days=365 * SHORTEST_YEARS))
            .where(~exists().where(PicturesEnd.enrolment_id == Enrolment.id))
            .order_by(Enrolment.id)
            .limit(MOST_AT_ONCE)
        ).all()
        session.add_all(PicturesEnd(enrolment_id=each, look_on=today) for each in new)
        return len(new)


def _end(session: Session, context: Context, enrolment_id: UUID, today: date) -> bool:
    """Whether they end today; if not, when to ask again."""
    enrolment = session.get_one(Enrolment, enrolment_id)
    # The person first, as when her face checks end, and then the chain, under which whatever holds a file is recorded.
    session.get_one(Person, enrolment.person_id, with_for_update=True)
    row = session.get_one(PicturesEnd, enrolment_id, with_for_update=True, populate_existing=True)
    if row.look_on is None:
        return False
    trace.hold(session, enrolment.chain)
    cohort = session.get_one(Cohort, enrolment.cohort_id)
    since, ruling = _last_day(session, enrolment, cohort), _years(session, cohort, enrolment_id, today)
    over_on = years_after(since, ruling.whole)
    if today <= over_on:
        row.look_on = over_on + timedelta(days=1)
        return False
    if _held(session, context, enrolment):
        row.look_on = today + timedelta(days=1)
        return False
    now_ms = clock.to_ms(clock.now())
    hers = select(Picture.id).join(Attempt).join(Check).where(Check.enrolment_id == enrolment_id)
    kept = session.scalars(hers.where(Picture.deleted_ms.is_(None))).all()
    nothing = {"deleted_ms": now_ms, "mark": None, "likeness_mark": None, "likeness": None}
    session.execute(update(Picture).where(Picture.id.in_(hers)).values(nothing))
    law = Law(years=ruling.whole, since=since.isoformat(), figure=ruling.figure.id)
    trace.erase(session, chain=enrolment.chain, who=SYSTEM, what=PICTURE, field=PICTURE, law=law)
    row.look_on, row.ended_ms, row.pictures = None, now_ms, len(kept)
    row.years, row.figure = ruling.whole, ruling.figure.id
    return True


def _last_day(session: Session, enrolment: Enrolment, cohort: Cohort) -> date:
    """The training's last day, or that of her last check where it was later."""
    last_ms = session.scalar(
        select(Check.due_ms).where(Check.enrolment_id == enrolment.id).order_by(Check.due_ms.desc()).limit(1)
    )
    return cohort.ends_on if last_ms is None else max(cohort.ends_on, date_of(day_of(last_ms)))


def _years(session: Session, cohort: Cohort, enrolment_id: UUID, today: date) -> Ruling:
    """By the law in force today, of the posts she was trained for and was declared in, the longer."""
    in_force = rulebook.load().in_force(cohort.jurisdiction, today)
    declared = session.get(EnrolmentDeclaration, enrolment_id)
    posts = {str(cohort.category), *([] if declared is None else [str(declared.post)])}
    rulings = [
        years_kept(in_force, Situation(post, cohort.high_risk, str(cohort.training), cohort.subject))
        for post in sorted(posts)
    ]
    return max(rulings, key=lambda ruling: ruling.whole)


def _held(session: Session, context: Context, enrolment: Enrolment) -> bool:
    """Whether somebody still has to decide about her file, however long that has taken."""
    checks = Check.enrolment_id == enrolment.id
    appeal = select(Appeal.id).join(Check, Check.id == Appeal.check_id).where(checks, Appeal.decided_ms.is_(None))
    second = select(Check.id).where(checks, Check.second_awaited.is_(True))
    if session.scalar(appeal.limit(1)) is not None or session.scalar(second.limit(1)) is not None:
        return True
    if identity.duplicate_waits(session, identity.files_of(session, enrolment.person_id)):
        return True
    asked = HeldAsked(session, (enrolment.id,))
    context.events.publish(asked)
    return asked.held
