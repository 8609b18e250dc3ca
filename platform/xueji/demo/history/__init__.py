"""Six weeks of the demonstration's institutions, played by the services before the installation is first started.

Three institutions, eight cohorts in every state, some hundred and twenty invented people with drawn faces, all nine
ways a check can end, appeals, findings, time that waits and time that was made up. The clock is told the time, which
the log's name says (`trace.rules.DEMONSTRATION`): signatures of those weeks prove the order of things, and no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from xueji.demo.accounts import Placed
from xueji.demo.history.plot import arrange
from xueji.demo.history.stage import staged
from xueji.identity.models import Person
from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.trace.models import Log
from xueji.trace.rules import DEMONSTRATION, PLAYED

__all__ = ["is_wanted", "play"]


def is_wanted(context: Context) -> bool:
    """Whether this is a demonstration whose weeks have not been played, and nobody is registered yet."""
    if not has_played_time(context.settings):
        return False
    with context.database.reading() as session:
        opened = session.scalar(select(Log.opened_at).order_by(Log.id).limit(1))
        people = session.scalar(select(func.count()).select_from(Person))
    return people == 0 and opened is not None and opened < clock.now() - PLAYED / 2


def has_played_time(settings: Settings) -> bool:
    """Whether the log's name says that its first weeks are played."""
    return settings.log_origin.startswith(DEMONSTRATION)


def play(context: Context, people: Mapping[str, Placed], now: datetime) -> None:
    """From the log's opening until ``now``. Raises AnotherSequencer, Problem, FilmNotMade."""
    with context.database.reading() as session:
        opened = session.scalar(select(Log.opened_at).order_by(Log.id).limit(1))
    assert opened is not None
    with staged(context, clock.now(), now) as stage:
        arrange(stage, people, clock.shanghai_day(opened))
        stage.play()
