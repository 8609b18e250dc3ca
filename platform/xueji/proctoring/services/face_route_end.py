"""Face checks end: she took back her consent or chose the other route. From that moment nobody looks at her face."""

from __future__ import annotations

from sqlalchemy import select

from xueji.identity.events import FaceRouteEnds, WhyFaceRouteEnds
from xueji.identity.models import Person
from xueji.identity.queries import same_person
from xueji.kernel import clock
from xueji.occasions.hosts import end_face_route, lock_asked
from xueji.proctoring import rules
from xueji.proctoring.models import Attempt, Check
from xueji.proctoring.rules import CheckState
from xueji.proctoring.services import check_entries, picture_memory
from xueji.proctoring.services.asking import decide
from xueji.proctoring.services.notifying import tell_page
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import services as trace
from xueji.trace.leaf import Entry


def face_route_ends(ends: FaceRouteEnds) -> None:
    """In the same transaction: no check is asked, taken or judged any more, and no sitting goes on by them.

    What she studied until now stays, also what is still on its way here: it waits for the next confirmation, which
    staff give. What she studies from now on counts in a sitting that staff vouch for.
    """
    session, now_ms = ends.session, clock.to_ms(clock.now())
    waiting = (same_person(Check.person_id, ends.person_id), Check.state.in_([CheckState.DUE, CheckState.ANSWERED]))
    # The person first, as when a sitting opens; occasions before checks, as on the beat path.
    session.execute(select(Person.id).where(Person.id == ends.person_id).with_for_update())
    asked = session.execute(select(Check.occasion_kind, Check.occasion_id).where(*waiting)).all()
    occasions = lock_asked(session, ends.person_id, [(kind, asked_in) for kind, asked_in in asked])
    for check in session.scalars(
        select(Check).where(*waiting).order_by(Check.due_ms).with_for_update().execution_options(populate_existing=True)
    ):
        occasion = occasions[check.occasion_kind, check.occasion_id]
        trace.record_many(session, [_end(check, ends.why, now_ms)])
        if occasion.keeps(check.id):
            occasion.open_check = None
        tell_page(session, ends.events, check)
    picture_memory.forget(session, ends.person_id)
    end_face_route(session, ends.person_id, now_ms)


def _end(check: Check, why: WhyFaceRouteEnds, now_ms: int) -> Entry:
    """Nobody's fault; but what an earlier attempt showed stands."""
    seen = rules.unanswered(attempt.outcome for attempt in check.attempts)
    outcome = Outcome.SERVICE_DOWN if seen is Outcome.MISSED else seen
    last = check.attempts[-1] if check.attempts else None
    if last is None or last.outcome is not None:
        last = Attempt(
            check_id=check.id,
            number=check.attempt,
            nonce=check.nonce,
            prompts=check.prompts,
            device="",
            answered_ms=now_ms,
        )
        check.attempts.append(last)
    last.outcome, last.judged_ms, last.signals = Outcome.SERVICE_DOWN, now_ms, [{"code": why.value}]
    decide(check, outcome, now_ms)
    return check_entries.verdict(check, outcome, final=True, attempt=last)
