"""That a name or number was put right, in the chain of each of her enrolments."""

from __future__ import annotations

from sqlalchemy import select

from xueji.enrolment import queries
from xueji.enrolment.leaves import SubjectIdentified
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services.subject import subject_commitments
from xueji.identity.events import PersonCorrected
from xueji.kernel.crypto import Keyring
from xueji.trace import queries as trace_queries
from xueji.trace import services as trace
from xueji.trace.leaf import Entry
from xueji.trace.rules import SYSTEM


def person_corrected(keyring: Keyring, corrected: PersonCorrected) -> None:
    """Each chain says anew whom it is about, under the pseudonym it began with, and by whose decision.

    Also where nothing can be earned any more: a paper may be asked for years later.
    """
    session, entries = corrected.session, []
    # Of this file alone: another file of hers has a name and a number of its own.
    of_this_file = select(Enrolment).where(Enrolment.person_id.in_([corrected.person_id])).order_by(Enrolment.id)
    for enrolment in session.scalars(of_this_file):
        whose = trace_queries.began_by(session, [enrolment.chain]).get(enrolment.chain)
        facts = queries.enrolment_facts(session, enrolment.id)
        if whose is None or facts is None:
            continue
        leaf = SubjectIdentified(
            about=subject_commitments(session, keyring, facts),
            of=whose,
            correction=str(corrected.correction_id),
            asked_by=keyring.pseudonym(corrected.asked_by, enrolment.id),
            decided_by=keyring.pseudonym(corrected.decided_by, enrolment.id),
        )
        entries.append(Entry(leaf, enrolment.chain, SYSTEM))
    # In the order of the chains' names, as everywhere.
    trace.record_many(session, sorted(entries, key=lambda entry: entry.chain))
