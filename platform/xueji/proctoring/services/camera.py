"""The browser's question whether the page may use the camera: until it is answered no window to answer a check runs."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.occasions.hosts import occasion
from xueji.proctoring import rules
from xueji.proctoring.access import access_own_check
from xueji.proctoring.models import Check
from xueji.proctoring.services import check_entries
from xueji.proctoring.services.answering import may_answer
from xueji.trace import services as trace


class CameraQuestion(StrEnum):
    """Where that question stands, as the page reports it."""

    ASKED = "asked"
    ANSWERED = "answered"


def report_camera(session: Session, *, actor: Actor, check_id: UUID, nonce: str, question: CameraQuestion) -> Check:
    """The page says that the browser asks, or that it was answered; it lengthens the window within a bound, once.

    Nobody can tell whether the browser really asks: whoever lies gains the bound, and it is recorded. Raises NotFound,
    CheckOver, NonceUsed.
    """
    now_ms = clock.to_ms(clock.now())
    check = access_own_check(session, actor, check_id, lock=True)
    may_answer(check, nonce, now_ms)
    asked_in = occasion(session, *check.asked_in)
    before = asked_in.open_check
    if before is None or not asked_in.keeps(check.id):
        return check
    change = rules.ask_camera if question is CameraQuestion.ASKED else rules.camera_answered
    changed = change(before, asked_in.plan, now_ms)
    asked_in.open_check = changed
    asked_in.last_contact_ms = max(asked_in.last_contact_ms, now_ms)
    if changed.camera != before.camera:
        check.camera, check.answer_by_ms = changed.camera, changed.answer_by_ms
        trace.record_many(session, [check_entries.extended(check, question.value, asked_in.who)])
    return check
