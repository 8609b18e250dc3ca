"""Judging an answer: the pictures are opened, compared and judged outside any transaction, then the verdict is written.

An engine or a store that is down blames nobody: the attempt stays unjudged and is judged again when it is back.
Pictures that are gone, or cannot be opened any more, never will be: she is asked again while she is there, and else
the check ends as nobody's fault. Whatever else keeps an answer from being judged lies in the answer itself, and is
unclear: a check left undecided bounds nothing, so pictures made to trip the judge, or references taken away while it
works, must never leave one behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from media_pipeline.judge import FaceJudge, Judge
from media_pipeline.verdict import EngineDown, JudgeSettings, PictureHash, Prompt, Signal, SignalCode, Strip, Verdict
from media_pipeline.verdict import FaceOutcome as Judged
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services.references import stand
from xueji.identity import queries as identity
from xueji.identity import vault
from xueji.identity.errors import Erased
from xueji.identity.faces import networks
from xueji.identity.services import describe_anew
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring, Unreadable
from xueji.kernel.errors import Unavailable
from xueji.kernel.storage import StoreDown
from xueji.occasions.answers import check_message
from xueji.occasions.hosts import locked_occasion, occasion
from xueji.occasions.models import Occasion
from xueji.proctoring import rules
from xueji.proctoring.models import Attempt, Check, Picture
from xueji.proctoring.rules import CheckState, NextStep
from xueji.proctoring.services import check_entries, picture_memory
from xueji.proctoring.services.asking import ask_again, decide, owe_next, settle_owed
from xueji.proctoring.services.notifying import tell_page
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import services as trace

log = structlog.get_logger(__name__)

JUDGE_AGAIN_AFTER_MS = 20_000
MOST_IN_A_SWEEP = 100
SHOWN_BY_ANOTHER = "shown_by_another"
NO_REFERENCE = "no_reference"
"""Her reference photos were deleted before the answer was judged: there is nothing to compare it with."""
JUDGE_TRIPPED = "judge_tripped"
"""The judge could not work on these very pictures."""
PICTURES_LOST = "pictures_lost"
"""Her pictures are gone from the store, or cannot be opened any more."""


@dataclass(frozen=True)
class _Case:
    """Everything the judge needs, read in one go."""

    frames: tuple[bytes, ...]
    references: Mapping[UUID, identity.Descriptor]
    """Her templates that the judge's model made, by photo."""
    awaited: tuple[UUID, ...]
    """Photos that are to be described by that model first."""
    prompts: tuple[Prompt, ...]
    movements: tuple[Strip, ...]
    device: str
    earlier: tuple[PictureHash, ...]
    settings: JudgeSettings


def judge_of(context: Context) -> Judge:
    """The installation's judge; a test puts its twin into ``context.outside[Judge]``."""
    found = context.outside.get(Judge)
    if found is None:
        from media_pipeline.opening import Child

        found = context.outside[Judge] = FaceJudge(networks(context), Child())
    return found  # type: ignore[return-value]


def judge_attempt(context: Context, attempt_id: UUID) -> Outcome | None:
    """Judge one attempt and write what follows from it; None when there was nothing left to judge.

    May be called any number of times, by any number of workers: one verdict is written.
    """
    lost, case = False, None
    try:
        model = judge_of(context).model
        with context.database.reading() as session:
            attempt = session.get(Attempt, attempt_id)
            if attempt is None or attempt.outcome is not None:
                return None
            case = _case(session, context, attempt, model)
    except (Erased, Unreadable, FileNotFoundError):
        log.exception("check.pictures_lost", attempt=str(attempt_id))
        lost = True
    except (EngineDown, StoreDown):
        log.exception("check.service_down", attempt=str(attempt_id))
    if case is not None and case.awaited:
        case = _described_anew(context, attempt_id, case)
    if lost:
        with context.database.writing() as session:
            return _write_loss(session, context, attempt_id)
    verdict, why = None, None
    if case is not None and not case.references:
        # While photos stand that this engine cannot use yet, nothing is known; with none at all, nothing can be.
        if not case.awaited:
            verdict, why = _unclear(case.settings), NO_REFERENCE
    elif case is not None:
        try:
            verdict = judge_of(context).judge(
                case.frames,
                references=list(case.references.values()),
                prompts=case.prompts,
                movements=case.movements,
                device_label=case.device,
                earlier=case.earlier,
                settings=case.settings,
            )
        except EngineDown:
            log.error("check.engine_down", attempt=str(attempt_id))
        except Exception:
            log.exception("check.judge_tripped", attempt=str(attempt_id))
            verdict, why = _unclear(case.settings), JUDGE_TRIPPED
    compared = tuple(case.references) if case is not None and verdict is not None else ()
    with context.database.writing() as session:
        return _write(session, context, attempt_id, verdict, compared, why)


def _described_anew(context: Context, attempt_id: UUID, case: _Case) -> _Case:
    """The case after her photos were described by the model that judges: it changed since she enrolled them."""
    model = judge_of(context).model
    try:
        described = [describe_anew(context, photo_id, model) for photo_id in case.awaited]
    except Unavailable:
        log.exception("check.references_not_described", attempt=str(attempt_id))
        return case
    if not any(described):
        return case
    with context.database.reading() as session:
        attempt = session.get_one(Attempt, attempt_id)
        check = session.get_one(Check, attempt.check_id)
        references = identity.references(session, context.keyring, check.person_id, model)
    return replace(case, references=references)


def _unclear(settings: JudgeSettings) -> Verdict:
    """The verdict on what no engine has looked at."""
    return Verdict(Judged.UNCLEAR, None, settings.threshold_micro, engine="none", model="none", faces=0)


def waiting_attempts(session: Session) -> Sequence[UUID]:
    """Attempts that nobody has judged though they were answered a while ago: the task was lost, or the engine down."""
    before = clock.to_ms(clock.now()) - JUDGE_AGAIN_AFTER_MS
    return session.scalars(
        select(Attempt.id)
        .join(Check, Check.id == Attempt.check_id)
        .where(Check.state == CheckState.ANSWERED, Attempt.outcome.is_(None), Attempt.answered_ms < before)
        .order_by(Attempt.answered_ms)
        .limit(MOST_IN_A_SWEEP)
    ).all()


def _case(session: Session, context: Context, attempt: Attempt, model: str) -> _Case:
    check = session.get_one(Check, attempt.check_id)
    person_id = check.person_id
    plan = occasion(session, *check.asked_in).plan
    key = vault.person_key(session, context.keyring, person_id)
    opened = {
        each.id: vault.unseal(key, person_id, each.path, context.store.get(each.path)) for each in attempt.pictures
    }
    shown = [hashlib.sha256(picture).hexdigest() for picture in opened.values()]
    moved = {each.movement: opened[each.id] for each in attempt.pictures if each.movement is not None}
    references = identity.references(session, context.keyring, person_id, model)
    return _Case(
        tuple(opened[each.id] for each in attempt.pictures if each.movement is None),
        references,
        tuple(photo.id for photo in identity.used_photos(session, person_id) if photo.id not in references),
        tuple(Prompt(prompt) for prompt in attempt.prompts),
        # A movement that was asked for and not sent is an empty picture.
        tuple(Strip(moved.get(place, b""), tuple(pulse)) for place, pulse in enumerate(attempt.pulses)),
        attempt.device,
        picture_memory.earlier(session, context.keyring, key, attempt, shown),
        JudgeSettings(threshold_micro=plan.match_threshold, min_pixels=plan.min_pixels),
    )


def _write(
    session: Session,
    context: Context,
    attempt_id: UUID,
    verdict: Verdict | None,
    compared: Sequence[UUID],
    why: str | None,
) -> Outcome | None:
    waiting = _locked(session, attempt_id)
    if waiting is None:
        return None
    asked_in, check, attempt = waiting
    now_ms = clock.to_ms(clock.now())
    if verdict is None:
        if not attempt.signals:
            # Said once in the trace, however often the engine is tried.
            attempt.signals = [{"code": "service_down"}]
            trace.record_many(
                session, [check_entries.verdict(check, Outcome.SERVICE_DOWN, final=False, attempt=attempt)]
            )
            tell_page(session, context.events, check)
        return Outcome.SERVICE_DOWN
    outcome = _outcome(session, context.keyring, attempt, verdict)
    if why is not None:
        attempt.signals = [*attempt.signals, {"code": why}]
    attempt.outcome = outcome
    attempt.judged_ms = now_ms
    attempt.score = verdict.score_micro
    attempt.threshold, attempt.mismatch = verdict.threshold_micro, verdict.mismatch_micro
    attempt.engine, attempt.model = verdict.engine, verdict.model
    attempt.references = [str(photo_id) for photo_id in compared]
    step = rules.after_verdict(asked_in.plan, attempt.number - _losses(check), outcome)
    _follow(session, context, asked_in, check, attempt, step, now_ms)
    return outcome


def _write_loss(session: Session, context: Context, attempt_id: UUID) -> Outcome | None:
    """There is nothing left to judge: she is asked again, or the check ends as nobody's fault."""
    waiting = _locked(session, attempt_id)
    if waiting is None:
        return None
    asked_in, check, attempt = waiting
    now_ms = clock.to_ms(clock.now())
    attempt.outcome, attempt.judged_ms = Outcome.SERVICE_DOWN, now_ms
    attempt.signals = [{"code": PICTURES_LOST}]
    step = rules.after_loss(_losses(check))
    _follow(session, context, asked_in, check, attempt, step, now_ms)
    return Outcome.SERVICE_DOWN


def _locked(session: Session, attempt_id: UUID) -> tuple[Occasion, Check, Attempt] | None:
    """What a verdict changes, locked in the order of the beat path; None when the attempt has one already."""
    found = session.get_one(Attempt, attempt_id)
    check = session.get_one(Check, found.check_id)
    asked_in = locked_occasion(session, *check.asked_in)
    check = session.get_one(Check, found.check_id, with_for_update=True, populate_existing=True)
    attempt = session.get_one(Attempt, attempt_id, populate_existing=True)
    if attempt.outcome is not None or check.state != CheckState.ANSWERED:
        return None
    return asked_in, check, attempt


def _losses(check: Check) -> int:
    """How many of its answers were lost before they were judged."""
    return sum(attempt.outcome == Outcome.SERVICE_DOWN for attempt in check.attempts)


def _follow(
    session: Session,
    context: Context,
    asked_in: Occasion,
    check: Check,
    attempt: Attempt,
    step: NextStep,
    now_ms: int,
) -> None:
    """What an attempt's outcome leads to: another attempt while her page is open, or the check's end.

    A verdict may come late, and an empty chair can answer nothing: then what was seen stands, at the instant it was
    seen, and her next sitting begins with a check.
    """
    outcome = Outcome(attempt.outcome or "")
    against = _references(session, check, attempt)
    plan = asked_in.plan
    can_be_asked = asked_in.ended_ms is None and asked_in.open_check is None
    if step is NextStep.RETRY and can_be_asked and rules.is_there(plan, asked_in.last_contact_ms, now_ms):
        trace.record_many(
            session, [check_entries.verdict(check, outcome, final=False, attempt=attempt, references=against)]
        )
        again = ask_again(check, plan, now_ms)
        asked_in.keep(again)
        trace.record_many(session, [check_entries.due(check, asked_in.who, now_ms)])
        tell_page(session, context.events, check, check_message(again))
        return
    decide(check, outcome, now_ms)
    trace.record_many(session, [check_entries.verdict(check, outcome, final=True, attempt=attempt, references=against)])
    if outcome is Outcome.MATCH:
        settle_owed(session, check)
    else:
        owe_next(session, check)
    tell_page(session, context.events, check)


def _references(session: Session, check: Check, attempt: Attempt) -> list[str]:
    """The commitments under which the chain knows the photos an attempt was compared with."""
    if not attempt.references:
        return []
    known = stand(session, session.get_one(Enrolment, check.enrolment_id))
    return sorted(known[photo_id] for photo_id in map(UUID, attempt.references) if photo_id in known)


def _outcome(session: Session, keyring: Keyring, attempt: Attempt, verdict: Verdict) -> Outcome:
    """The judge's outcome, unless one of the pictures was shown before under somebody else's name."""
    signals = list(verdict.signals)
    person_id = attempt.pictures[0].person_id
    key = vault.person_key(session, keyring, person_id)
    known = {picture_memory.mark(keyring, picture.sha256): picture for picture in verdict.pictures}
    for picture in attempt.pictures:
        if picture.mark in known:
            picture_memory.keep(keyring, key, picture, known[picture.mark])
    # A picture without a face has no likeness: two dark rooms are not the same picture.
    faces = [picture for picture in attempt.pictures if picture.likeness is not None]
    alike = [picture.likeness_mark for picture in faces if picture.likeness_mark is not None]
    same = or_(Picture.likeness_mark.in_(alike), Picture.mark.in_([picture.mark for picture in faces]))
    hers = identity.files_of(session, person_id)
    others = exists().where(same, Picture.person_id.not_in(hers))
    shown_by_another = bool(faces) and bool(session.scalar(select(others)))
    attempt.signals = [signal.as_values() for signal in signals]
    outcome = Outcome(verdict.outcome.value)
    if shown_by_another:
        attempt.signals = [*attempt.signals, Signal(SignalCode.REPLAY, 0).as_values(), {"code": SHOWN_BY_ANOTHER}]
        return Outcome.UNCLEAR if outcome is Outcome.MATCH else outcome
    return outcome
