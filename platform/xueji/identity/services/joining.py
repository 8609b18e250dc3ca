"""Joining two files of one person, and putting them apart again: asked for by one, decided by another.

The account of the file that is joined is suspended. What is in either file stays where it was written, under the key it
was sealed with; whoever looks by person sees both, and the person goes on with all of it in the account that stands.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from xueji.identity import rules, vault
from xueji.identity.errors import JoiningOver, NotJoinable
from xueji.identity.events import FilesJoined
from xueji.identity.leaves import (
    AccountSuspended,
    DuplicateDecided,
    FileJoined,
    FileParted,
    JoiningAsked,
    JoiningRefused,
)
from xueji.identity.models import DuplicateFlag, FileJoining, Person
from xueji.identity.queries.joinings import file_of, may_decide, reason_of, regions_of
from xueji.identity.rules import JOINING_LASTS, SessionEnd
from xueji.identity.services.acting import record_in_office
from xueji.identity.services.passwords import account_of
from xueji.identity.services.recording import record_power
from xueji.identity.services.second_person import decide, reason_in_words
from xueji.identity.services.sessions import end_sessions
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.crypto import Keyring
from xueji.kernel.errors import Forbidden, NotFound
from xueji.kernel.events import Events
from xueji.trace.rules import PLATFORM
from xueji.trace.services import commit

SAME_NUMBER = "同一身份证号码由另一单位登记。"
"""The reason of what nobody asked for in words; kept in the language of the file."""


def ask_joining(
    session: Session,
    keyring: Keyring,
    *,
    one: UUID,
    other: UUID,
    reason: str,
    actor: Actor,
    stands: UUID | None = None,
    flag_id: UUID | None = None,
) -> FileJoining:
    """Ask that two files be joined. ``stands`` is the one that goes on; without it `rules.stands` chooses.

    Raises NotFound, Forbidden, Invalid without a reason, NotJoinable with the way out.
    """
    files = {each.person_id: each for each in (file_of(session, one), file_of(session, other))}
    if not rules.may_ask_joining(files, regions_of(session, files), actor):
        raise Forbidden
    chosen = stands if stands in files else rules.stands(files[one], files[other]).person_id
    joined = other if chosen == one else one
    _refuse(session, chosen, joined)
    return _ask(session, keyring, chosen, joined, reason, actor, parts=False, flag_id=flag_id)


def ask_for_number(session: Session, keyring: Keyring, *, stands: UUID, joined: UUID, actor: Actor) -> FileJoining:
    """An organisation has registered a number that was held elsewhere: whoever holds it is asked, and does not lapse.

    She confirms it in the account she had, or a second person does (`rules.may_decide_joining`). The organisation is
    told nothing of it.
    """
    return _ask(session, keyring, stands, joined, SAME_NUMBER, actor, parts=False, same_number=True)


def ask_parting(session: Session, keyring: Keyring, *, joined: UUID, reason: str, actor: Actor) -> FileJoining:
    """Ask that a file that was joined be put apart again. Raises NotFound, Forbidden, Invalid, NotJoinable."""
    person = session.get(Person, joined)
    if person is None:
        raise NotFound
    if person.joined_to is None:
        raise NotJoinable(_("这份档案没有与其他档案合并。"))
    files = (person.joined_to, joined)
    if not rules.may_ask_joining(files, regions_of(session, files), actor):
        raise Forbidden
    return _ask(session, keyring, person.joined_to, joined, reason, actor, parts=True)


def _refuse(session: Session, stands: UUID, joined: UUID) -> None:
    """One file is joined to another, never to itself, to a third, or with others behind it. Raises NotJoinable."""
    if stands == joined:
        raise NotJoinable(_("请选择两份不同的档案。"))
    if session.scalar(select(Person.id).where(Person.id.in_((stands, joined)), Person.joined_to.is_not(None))):
        raise NotJoinable(_("其中一份已并入别的档案。请改为与那份档案合并，或先申请分开。"))
    if session.scalar(select(Person.id).where(Person.joined_to == joined).limit(1)):
        raise NotJoinable(_("已有档案并入将被合并的一份。请保留那一份，或先申请分开。"))


def _ask(
    session: Session,
    keyring: Keyring,
    stands: UUID,
    joined: UUID,
    reason: str,
    actor: Actor,
    *,
    parts: bool,
    flag_id: UUID | None = None,
    same_number: bool = False,
) -> FileJoining:
    words = reason_in_words(reason)
    pair = (stands, joined)
    earlier = select(FileJoining).where(
        FileJoining.person_id.in_(pair), FileJoining.joined_id.in_(pair), FileJoining.decided_at.is_(None)
    )
    for each in session.scalars(earlier.with_for_update()):
        decide(each, actor, confirmed=False)
    joining_id = uuid4()
    key = vault.person_key(session, keyring, stands)
    made = FileJoining(
        id=joining_id,
        person_id=stands,
        joined_id=joined,
        parts=parts,
        same_number=same_number,
        flag_id=flag_id,
        asked_by=actor.person_id,
        asked_at=clock.now(),
        reason_cipher=vault.seal(key, stands, vault.joining_field(joining_id), words.encode()),
    )
    session.add(made)
    session.flush()
    commitment = commit(session, words, chain=PLATFORM, field="reason", person=str(stands))
    asked = JoiningAsked(joining=str(made.id), parts=parts, reason=commitment, other=_with(session, stands))
    # What is listed with an account is read by its organisation, which learns nothing of a number held elsewhere.
    subject = None if same_number else joined
    record_power(session, keyring, asked, actor=actor.person_id, subject=subject)
    return made


def confirm_joining(
    session: Session, keyring: Keyring, events: Events, *, joining_id: UUID, actor: Actor
) -> FileJoining:
    """The second person agrees: the files are joined, or put apart.

    Raises NotFound (not hers to decide), JoiningOver, NotJoinable.
    """
    joining = _waiting(session, joining_id, actor)
    pair = (joining.person_id, joining.joined_id)
    # Both, in one order for everybody: study locks the person too.
    locked = select(Person).where(Person.id.in_(pair)).order_by(Person.id).with_for_update()
    people = {each.id: each for each in session.scalars(locked.execution_options(populate_existing=True))}
    joined = people[joining.joined_id]
    if joining.parts and joined.joined_to != joining.person_id:
        raise JoiningOver
    if not joining.parts:
        _refuse(session, *pair)
    decide(joining, actor, confirmed=True)
    if not joining.parts:
        # Whatever ends sessions or grows a chain comes after the rows that study locks first.
        joined.joined_to = joining.person_id
        joined.proof_route = people[joining.person_id].proof_route
        session.flush()
    account = account_of(session, joining.joined_id)
    account.suspended_at = None if joining.parts else account.suspended_at or clock.now()
    end_sessions(session, events, person_id=joining.joined_id, reason=SessionEnd.SUSPENDED)
    reason = reason_of(session, keyring, joining)
    events.publish(FilesJoined(session, joining.id, *pair, joining.parts, joining.asked_by, actor.person_id, reason))
    if joining.parts:
        joined.joined_to = None
        session.flush()
    leaf = FileParted if joining.parts else FileJoined
    for subject, other in (pair, pair[::-1]):
        decided = leaf(joining=str(joining.id), other=_with(session, other))
        record_power(session, keyring, decided, actor=actor.person_id, subject=subject)
    if not joining.parts:
        _settle_flags(session, keyring, pair, reason, actor)
    return joining


def refuse_joining(
    session: Session, keyring: Keyring, events: Events, *, joining_id: UUID, actor: Actor
) -> FileJoining:
    """Whoever might confirm it, and who asked for it, may say no. Raises NotFound, JoiningOver.

    An account that was opened under her number without her is suspended when she says that it is not hers; an
    administrator may restore it.
    """
    joining = session.get(FileJoining, joining_id, with_for_update=True)
    if joining is None or not (joining.asked_by == actor.person_id or may_decide(session, joining, actor)):
        raise NotFound
    _refuse_over(joining)
    decide(joining, actor, confirmed=False)
    refused = JoiningRefused(joining=str(joining.id), parts=joining.parts)
    record_power(session, keyring, refused, actor=actor.person_id, subject=joining.joined_id)
    if joining.same_number and actor.person_id == joining.person_id:
        account = account_of(session, joining.joined_id)
        account.suspended_at = account.suspended_at or clock.now()
        end_sessions(session, events, person_id=joining.joined_id, reason=SessionEnd.SUSPENDED)
        suspended = AccountSuspended(joining=str(joining.id), parts=joining.parts)
        record_power(session, keyring, suspended, actor=actor.person_id, subject=joining.joined_id)
    return joining


def _with(session: Session, person_id: UUID) -> str:
    """A commitment to the other file, under its own key."""
    return commit(session, str(person_id), chain=PLATFORM, field="other", person=str(person_id))


def _waiting(session: Session, joining_id: UUID, actor: Actor) -> FileJoining:
    joining = session.get(FileJoining, joining_id, with_for_update=True)
    if joining is None or not may_decide(session, joining, actor):
        raise NotFound
    _refuse_over(joining)
    return joining


def _refuse_over(joining: FileJoining) -> None:
    lapsed = not joining.same_number and clock.now() >= joining.asked_at + JOINING_LASTS
    if joining.decided_at is not None or lapsed:
        raise JoiningOver


def _settle_flags(session: Session, keyring: Keyring, pair: tuple[UUID, UUID], reason: str, actor: Actor) -> None:
    """What pointed at these two is decided with it."""
    one, other = pair
    open_ = select(DuplicateFlag).where(
        DuplicateFlag.decided_at.is_(None),
        or_(
            (DuplicateFlag.person_id == one) & (DuplicateFlag.other_person_id == other),
            (DuplicateFlag.person_id == other) & (DuplicateFlag.other_person_id == one),
        ),
    )
    for flag in session.scalars(open_):
        flag.decided_at, flag.decided_by = clock.now(), actor.person_id
        flag.same_person, flag.reason = True, reason
        record_in_office(session, keyring, DuplicateDecided(duplicate=str(flag.id), same=True), actor=actor)
