"""Her page hears at once how a check stands, and what a verdict did to her hours; without a socket it asks."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.orm import Session

from xueji.kernel.database import after_commit
from xueji.kernel.events import Announcement, Events
from xueji.proctoring.events import CheckDecided
from xueji.proctoring.models import Check
from xueji.proctoring.rules import CheckState

log = structlog.get_logger(__name__)


def tell_page(session: Session, events: Events, check: Check, again: dict[str, Any] | None = None) -> None:
    """After the commit. ``again``: another attempt that is asked for, as the page is told of a check."""
    kind = check.occasion_kind
    room = f"{kind}:{check.occasion_id}"
    payload = {"check_id": str(check.id), "state": check.state, "outcome": check.outcome, "check": again}
    decided = CheckDecided(check.id, check.enrolment_id) if check.state == CheckState.DECIDED else None

    def tell() -> None:
        if decided is not None:
            try:
                events.publish(decided)
            except Exception:
                log.exception("check.effect_unknown", check=payload["check_id"])
        events.publish(Announcement(room, f"{kind}.state", {**payload, "did": decided and decided.did}))

    after_commit(session, tell)
