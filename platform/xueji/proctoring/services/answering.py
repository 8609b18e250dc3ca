"""Answering a check: pictures, encrypted before anything is written; or saying why there are none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from xueji.identity import queries as identity
from xueji.identity import vault
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.context import Context
from xueji.kernel.database import after_commit
from xueji.occasions.hosts import occasion
from xueji.proctoring import rules
from xueji.proctoring.access import access_own_check
from xueji.proctoring.errors import CheckOver, FramesUnusable, FrameTooLarge, NonceUsed
from xueji.proctoring.events import AnswerStored
from xueji.proctoring.leaves import AnswerPicture, Cause, CheckAnswered
from xueji.proctoring.models import Attempt, Check, Picture
from xueji.proctoring.rules import CheckState
from xueji.proctoring.services import check_entries, picture_memory
from xueji.proctoring.services.asking import decide, owe_next
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import services as trace

MOST_FRAMES = 12
LARGEST_FRAME = 2 * 1024 * 1024
"""Bytes; a 640×480 JPEG has about 60,000, a movement of twelve moments about 200,000."""


class CameraFailure(StrEnum):
    """Why there is no picture, as the page told the causes apart; they are kept, not believed."""

    NOT_FOUND = "not_found"
    DENIED = "denied"
    BLOCKED = "blocked"
    IN_USE = "in_use"
    TOO_LOW = "too_low"
    LOST = "lost"


@dataclass(frozen=True)
class StoredFrame:
    """One picture, encrypted and in the store, not yet part of an answer."""

    path: str
    sha256: str
    plain_sha256: str
    movement: int | None = None
    """The place of the prompt whose moments it shows; None: a single frame."""


def store_frames(
    context: Context,
    *,
    actor: Actor,
    check_id: UUID,
    nonce: str,
    frames: Sequence[bytes],
    movements: Sequence[bytes] = (),
    arrived_ms: int,
) -> list[StoredFrame]:
    """Encrypt the pictures under the person's key and store them; no write transaction is held meanwhile.

    ``movements``: for each prompt, in their order, the picture of its moments.

    ``arrived_ms``: when they were here (epoch ms); that decides whether they came in time, however slow the store is.
    Raises NotFound, CheckOver, NonceUsed, FramesUnusable, FrameTooLarge.
    """
    if not 1 <= len(frames) <= MOST_FRAMES:
        raise FramesUnusable(_("请提交 1 到 %(most)s 张照片。", most=MOST_FRAMES))
    if len(movements) > rules.MOST_PROMPTS:
        raise FramesUnusable(_("动作照片的张数与要求的动作不符。"))
    pictures: list[tuple[int | None, bytes]] = [(None, frame) for frame in frames]
    pictures += enumerate(movements)
    if any(len(picture) > LARGEST_FRAME for _place, picture in pictures):
        raise FrameTooLarge(_("每张照片不得超过 2 MB。"))
    if not all(picture for _place, picture in pictures):
        raise FramesUnusable(_("有一张照片是空的，请重新拍照。"))
    with context.database.reading() as session:
        check = access_own_check(session, actor, check_id)
        may_answer(check, nonce, arrived_ms)
        _still_agreed(session, actor)
        key = vault.person_key(session, context.keyring, check.person_id)
    folder = f"faces/checks/{check_id}/{uuid4().hex}"
    stored = []
    for number, (place, picture) in enumerate(pictures):
        path = f"{folder}/{number}"
        sealed = vault.seal(key, check.person_id, path, picture)
        context.store.put(path, sealed)
        digests = (hashlib.sha256(sealed).hexdigest(), hashlib.sha256(picture).hexdigest())
        stored.append(StoredFrame(path, *digests, movement=place))
    return stored


def answer_check(
    session: Session,
    context: Context,
    *,
    actor: Actor,
    check_id: UUID,
    nonce: str,
    stored: Sequence[StoredFrame],
    device: str,
    arrived_ms: int,
) -> Attempt:
    """Make stored pictures the answer to the attempt the nonce was given for; judging follows the commit.

    ``arrived_ms``: as for `store_frames`. Raises NotFound, CheckOver, NonceUsed; what was stored is then the caller's
    to delete.
    """
    check = access_own_check(session, actor, check_id, lock=True)
    may_answer(check, nonce, arrived_ms)
    _still_agreed(session, actor)
    asked_in = occasion(session, *check.asked_in)
    check.state = rules.move(CheckState(check.state), CheckState.ANSWERED)
    attempt = Attempt(
        check_id=check.id,
        number=check.attempt,
        nonce=check.nonce,
        prompts=check.prompts,
        pulses=check.pulses,
        device=device[:200],
        answered_ms=arrived_ms,
        signals=[],
    )
    session.add(attempt)
    session.flush()
    chain, person = str(check.enrolment_id), str(check.person_id)
    frames = _add_pictures(session, context, check, attempt, stored)
    asked_in.keep(None, seen_ms=arrived_ms)
    answer = CheckAnswered(
        check=str(check.id),
        attempt=attempt.number,
        arrived_ms=arrived_ms,
        method="face",
        frames=frames,
        prompts=check.prompts,
        pulses=check.pulses,
        device=trace.commit(session, attempt.device, chain=chain, field="camera", person=person),
        signals=[],
    )
    trace.record(session, answer, chain=chain, who=asked_in.who)
    stored_answer = AnswerStored(attempt.id)
    after_commit(session, lambda: context.events.publish(stored_answer))
    return attempt


def _add_pictures(
    session: Session, context: Context, check: Check, attempt: Attempt, stored: Sequence[StoredFrame]
) -> list[AnswerPicture]:
    """A row for each stored picture; what the leaf of the answer says of them, in their order."""
    chain, person = str(check.enrolment_id), str(check.person_id)
    frames: list[AnswerPicture] = []
    for position, frame in enumerate(stored):
        commitment = trace.commit(
            session, frame.plain_sha256, chain=chain, field="picture", person=person, reference=frame.path
        )
        session.add(
            Picture(
                attempt_id=attempt.id,
                person_id=check.person_id,
                position=position,
                movement=frame.movement,
                path=frame.path,
                sha256=frame.sha256,
                mark=picture_memory.mark(context.keyring, frame.plain_sha256),
                commitment=commitment,
            )
        )
        frames.append(AnswerPicture(sha256=frame.sha256, commitment=commitment))
        if frame.movement is not None:
            frames[-1]["movement"] = frame.movement
    return frames


def give_up(
    session: Session, *, actor: Actor, check_id: UUID, nonce: str, outcome: Outcome, cause: CameraFailure | None = None
) -> Check:
    """No picture: the camera does not work (and why), or she refuses. Her time is held; the ways out remain.

    Raises NotFound, CheckOver, NonceUsed.
    """
    if outcome not in (Outcome.NO_CAMERA, Outcome.REFUSED):
        raise ValueError(f"{outcome} needs pictures")
    now_ms = clock.to_ms(clock.now())
    check = access_own_check(session, actor, check_id, lock=True)
    may_answer(check, nonce, now_ms)
    asked_in = occasion(session, *check.asked_in)
    signals = [{"code": f"camera_{cause}"}] if cause is not None else []
    answer = CheckAnswered(
        check=str(check.id), attempt=check.attempt, method="none", frames=[], signals=cast(list[Cause], signals)
    )
    trace.record(session, answer, chain=str(check.enrolment_id), who=asked_in.who)
    session.add(
        Attempt(
            check_id=check.id,
            number=check.attempt,
            nonce=check.nonce,
            prompts=check.prompts,
            device="",
            answered_ms=now_ms,
            judged_ms=now_ms,
            outcome=outcome,
            signals=signals,
        )
    )
    decide(check, outcome, now_ms)
    trace.record_many(session, [check_entries.verdict(check, outcome, final=True)])
    asked_in.keep(None, seen_ms=now_ms)
    owe_next(session, check)
    return check


def _still_agreed(session: Session, actor: Actor) -> None:
    """No picture is stored of somebody who does not agree to it now; taking consent back ended her checks already."""
    if identity.standing_consent(session, actor.person_id) is None:
        raise CheckOver(_("您已不再同意人脸核验，照片没有保存。请到培训机构由工作人员现场确认后继续学习。"))


def may_answer(check: Check, nonce: str, now_ms: int) -> None:
    """Raises CheckOver, NonceUsed."""
    if check.state != CheckState.DUE:
        raise CheckOver
    if nonce != check.nonce:
        raise NonceUsed
    if now_ms > check.answer_by_ms:
        raise CheckOver(_("作答时间已过。这段学习时间先保留，可以通过补学或申诉确认。"))
