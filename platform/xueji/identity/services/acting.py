"""How an act of somebody in office is recorded: under her pseudonym, with commitments to her name and organisation.

Every leaf that `trace.rules.BY` gives to staff is signed here; `trace.services.record_many` refuses one that was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from xueji.identity.models import Membership, Organisation
from xueji.identity.queries import display_names, is_herself
from xueji.kernel.actor import STAFF, Actor
from xueji.kernel.crypto import Keyring
from xueji.trace import services as trace
from xueji.trace.leaf import Entry, InOffice
from xueji.trace.rules import PLATFORM, STAFF_NAME, STAFF_ORGANISATION, Recorded

_Leaf = TypeVar("_Leaf", bound=InOffice)


@dataclass(frozen=True)
class Acting:
    """Who acts, read once for however many leaves the act makes."""

    keyring: Keyring
    person_id: UUID
    name: str
    organisation: str
    """The name of the one she acts for."""

    @classmethod
    def of(cls, session: Session, keyring: Keyring, actor: Actor) -> Acting:
        name = display_names(session, keyring, [actor.person_id]).get(actor.person_id, "")
        found = session.scalar(select(Organisation.name).where(Organisation.id == actor.organisation_id))
        return cls(keyring, actor.person_id, name, found or "")

    @classmethod
    def by_id(cls, session: Session, keyring: Keyring, person_id: UUID) -> Acting:
        """Of somebody whose sign-in is not at hand: for the organisation she works for since last."""
        name = display_names(session, keyring, [person_id]).get(person_id, "")
        found = session.scalar(
            select(Organisation.name)
            .join(Membership, Membership.organisation_id == Organisation.id)
            .where(Membership.person_id == person_id, Membership.role.in_(STAFF))
            .order_by(Membership.since.desc(), Membership.id)
            .limit(1)
        )
        return cls(keyring, person_id, name, found or "")

    def in_enrolment(self, session: Session, leaf: InOffice, *, enrolment_id: UUID, person_id: UUID) -> Entry:
        """A leaf of a trainee's chain; ``person_id`` is whose file it is. In her own chain she is not named."""
        chain = str(enrolment_id)
        if is_herself(session, person_id, self.person_id):
            # Under the pseudonym her chain began with, be it a file that was joined to the one she signs in with.
            return Entry(leaf, chain, self.keyring.pseudonym(person_id, enrolment_id))
        named = self.named(session, leaf, chain=chain, person_id=person_id)
        return Entry(named, chain, self.keyring.pseudonym(self.person_id, enrolment_id))

    def in_office(self, session: Session, leaf: InOffice, *, chain: str = PLATFORM) -> Entry:
        """A leaf of a chain that is no trainee's; what opens it is sealed under her own key."""
        named = self.named(session, leaf, chain=chain, person_id=self.person_id)
        return Entry(named, chain, self.keyring.pseudonym(self.person_id, chain))

    def named(self, session: Session, leaf: _Leaf, *, chain: str, person_id: UUID) -> _Leaf:
        """The leaf with commitments to who acts, sealed under the key of the person whose file the chain is."""
        name, organisation = trace.commit_many(
            session,
            [
                trace.Wish(value, chain, field, str(person_id))
                for field, value in ((STAFF_NAME, self.name), (STAFF_ORGANISATION, self.organisation))
            ],
        )
        return leaf.named(name, organisation)


def record_in_enrolment(
    session: Session,
    keyring: Keyring,
    leaf: InOffice,
    *,
    actor: Actor,
    enrolment_id: UUID,
    person_id: UUID,
) -> Recorded:
    """One act of somebody in one trainee's chain, in the caller's transaction."""
    acting = Acting.of(session, keyring, actor)
    entry = acting.in_enrolment(session, leaf, enrolment_id=enrolment_id, person_id=person_id)
    return trace.record_many(session, [entry])[0]


def record_in_office(
    session: Session,
    keyring: Keyring,
    leaf: InOffice,
    *,
    actor: Actor,
    chain: str = PLATFORM,
) -> Recorded:
    """One act of somebody that belongs to no enrolment, in the caller's transaction."""
    entry = Acting.of(session, keyring, actor).in_office(session, leaf, chain=chain)
    return trace.record_many(session, [entry])[0]
