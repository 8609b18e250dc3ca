"""What the log refused or could not do, said three ways: a row for the operator, a log line, a figure in metrics."""

from __future__ import annotations

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from xueji.kernel import clock
from xueji.trace.models import Alarm

log = structlog.get_logger(__name__)

GAP = "gap"
FORK = "fork"
CLOCK = "clock"
TIMESTAMP = "timestamp"
WITNESS = "witness"


def stands(session: Session, kind: str, *, chain: str | None = None) -> bool:
    """Whether it was raised and nobody has cleared it since."""
    standing = select(Alarm.id).where(Alarm.kind == kind, Alarm.chain == chain, Alarm.cleared_at.is_(None))
    return session.scalar(standing) is not None


def sound(session: Session, kind: str, detail: str, *, chain: str | None = None) -> None:
    """Raise an alarm, once for each kind and chain until it is cleared."""
    if stands(session, kind, chain=chain):
        return
    log.error("trace.alarm", kind=kind, chain=chain, detail=detail)
    session.add(Alarm(kind=kind, chain=chain, detail=detail, raised_at=clock.now(), cleared_at=None))
    session.flush()


def clear(session: Session, kind: str, *, chain: str | None = None) -> None:
    """Somebody has dealt with it, or it went away by itself."""
    session.execute(
        update(Alarm)
        .where(Alarm.kind == kind, Alarm.chain == chain, Alarm.cleared_at.is_(None))
        .values(cleared_at=clock.now())
    )


def standing(session: Session) -> list[Alarm]:
    """Those nobody has cleared, oldest first."""
    return list(session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)).order_by(Alarm.id)))


def clear_one(session: Session, number: int) -> bool:
    """An operator has dealt with this one; False when it does not stand. A gap's chain is then tried again."""
    alarm = session.get(Alarm, number)
    if alarm is None or alarm.cleared_at is not None:
        return False
    alarm.cleared_at = clock.now()
    return True
