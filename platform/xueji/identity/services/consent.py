"""The two ways to prove who studies, the separate consent that one of them needs, and the one to be measured with."""

from __future__ import annotations

from sqlalchemy.orm import Session

from xueji.identity import consent_text, queries
from xueji.identity.errors import ConsentNeeded, ConsentOutdated
from xueji.identity.events import FaceRouteEnds, WhyFaceRouteEnds
from xueji.identity.leaves import ConsentGiven, ConsentWithdrawn
from xueji.identity.models import Consent, Person
from xueji.identity.rules import ConsentKind, ProofRoute
from xueji.identity.services.photos import delete_photo
from xueji.identity.services.recording import record_of_person
from xueji.kernel import clock
from xueji.kernel.crypto import Keyring
from xueji.kernel.events import Events
from xueji.kernel.storage import Store


def give_consent(
    session: Session, keyring: Keyring, *, person: Person, kind: ConsentKind, text_version: str
) -> Consent:
    """Agree to the words of ``text_version``; whoever agrees to face checks takes that route.

    Agreeing twice to the same words changes nothing; agreeing to newer words replaces the older consent. Raises
    ConsentOutdated for any but the current words, ConsentNeeded for calibration without face checks.
    """
    if kind is not ConsentKind.FACE and queries.standing_consent(session, person.id) is None:
        raise ConsentNeeded
    if text_version != consent_text.CURRENT[kind]:
        raise ConsentOutdated(current=consent_text.CURRENT[kind])
    now = clock.now()
    standing = queries.standing_consent(session, person.id, kind)
    if standing is None or standing.text_version != text_version:
        if standing is not None:
            standing.withdrawn_at = now
        standing = Consent(person_id=person.id, kind=kind, text_version=text_version, given_at=now)
        session.add(standing)
        record_of_person(session, keyring, ConsentGiven(kind=kind, text_version=text_version), person.id)
    if kind is ConsentKind.FACE:
        _take(session, person, ProofRoute.FACE)
    session.flush()
    return standing


def withdraw_consent(
    session: Session, keyring: Keyring, store: Store, events: Events, *, person: Person, kind: ConsentKind
) -> Consent | None:
    """Take the consent back. To face checks: templates and photos go, checks end at once, the other route holds, and
    nothing is measured with her any more. What was recorded of study stays.
    """
    if kind is not ConsentKind.FACE:
        return _take_back(session, keyring, person, kind)
    # First, for it locks what study locks first; each leaf below locks its chain, which study does last.
    events.publish(FaceRouteEnds(session, events, person.id, WhyFaceRouteEnds.CONSENT_WITHDRAWN))
    standing = _take_back(session, keyring, person, kind)
    for other in set(ConsentKind) - {kind}:
        _take_back(session, keyring, person, other)
    for photo in (
        photo for each in queries.files_of(session, person.id) for photo in queries.reference_photos(session, each)
    ):
        delete_photo(session, keyring, store, events, photo)
    _take(session, person, ProofRoute.SUPERVISED)
    session.flush()
    return standing


def _take_back(session: Session, keyring: Keyring, person: Person, kind: ConsentKind) -> Consent | None:
    """In all her files: nobody signs in any more with one that was joined. What stood in the one she signs in with."""
    standing = queries.standing_consent(session, person.id, kind)
    for given in (queries.standing_consent(session, each, kind) for each in queries.files_of(session, person.id)):
        if given is not None:
            given.withdrawn_at = clock.now()
            withdrawn = ConsentWithdrawn(kind=kind, text_version=given.text_version)
            record_of_person(session, keyring, withdrawn, given.person_id)
    session.flush()
    return standing


def choose_route(session: Session, events: Events, *, person: Person, route: ProofRoute) -> None:
    """Either way, at any time; her photos stay for a later return unless she withdraws. Raises ConsentNeeded."""
    if route is ProofRoute.FACE and queries.standing_consent(session, person.id) is None:
        raise ConsentNeeded
    _take(session, person, route)
    if route is ProofRoute.SUPERVISED:
        events.publish(FaceRouteEnds(session, events, person.id, WhyFaceRouteEnds.OTHER_ROUTE))


def _take(session: Session, person: Person, route: ProofRoute) -> None:
    person.route_chosen_at = clock.now()
    for each in queries.files_of(session, person.id):
        session.get_one(Person, each).proof_route = route
