"""That two files of one person were joined, or put apart again, in the chain of each of their enrolments."""

from __future__ import annotations

from sqlalchemy import select

from xueji.enrolment.leaves import EnrolmentJoined, EnrolmentParted
from xueji.enrolment.models import Enrolment
from xueji.identity.events import FilesJoined
from xueji.identity.services.acting import Acting
from xueji.kernel.crypto import Keyring
from xueji.trace import services as trace


def files_joined(keyring: Keyring, joined: FilesJoined) -> None:
    """A leaf in every enrolment of either file, by whoever decided; chains stay apart and as they are.

    Also where nothing can be earned any more: what is looked up by person changes with it, and whoever holds two
    bundles sees by the joining's name that they are one person's.
    """
    session = joined.session
    acting = Acting.by_id(session, keyring, joined.decided_by)
    leaf = EnrolmentParted if joined.parts else EnrolmentJoined
    files = (joined.person_id, joined.joined_id)
    entries = []
    for enrolment in session.scalars(select(Enrolment).where(Enrolment.person_id.in_(files)).order_by(Enrolment.id)):
        chain, person = enrolment.chain, str(enrolment.person_id)
        decided = leaf(
            joining=str(joined.joining_id),
            stands=enrolment.person_id == joined.person_id,
            asked_by=keyring.pseudonym(joined.asked_by, enrolment.id),
            reason=trace.commit(session, joined.reason, chain=chain, field="reason", person=person),
        )
        entries.append(acting.in_enrolment(session, decided, enrolment_id=enrolment.id, person_id=enrolment.person_id))
    # In the order of the chains' names, as everywhere.
    trace.record_many(session, sorted(entries, key=lambda entry: entry.chain))
