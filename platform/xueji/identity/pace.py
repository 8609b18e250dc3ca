"""How often a trainee may act: far more often than anybody studies, and an end to what a script can have logged.

What she does is recorded for ever. Beats have a bound of their own (`progress.rules`); everything else of hers that
changes something is counted here, by person, in this process: it must hold when the broker is away.
"""

from __future__ import annotations

import time

from flask import Flask, request
from flask_babel import gettext as _
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from xueji.kernel.actor import Role
from xueji.kernel.errors import TooMany
from xueji.web.session import actor_or_none, changes_something

BEATS = "progress_api.beats"
OPENING = "progress_api.open_"


def init_pace(app: Flask) -> None:
    settings = app.extensions["xueji"].settings
    counter = FixedWindowRateLimiter(MemoryStorage())
    acts, openings = parse_many(settings.trainee_acts), parse_many(settings.openings)

    @app.before_request
    def _not_too_often() -> None:
        endpoint = request.endpoint
        if endpoint is None or endpoint == BEATS or not changes_something():
            return
        someone = actor_or_none()
        if someone is None or not someone.is_(Role.TRAINEE):
            return
        person = str(someone.person_id)
        _count(counter, acts, "acts", person)
        if endpoint == OPENING:
            _count(counter, openings, "openings", person)


def _count(counter: FixedWindowRateLimiter, limits: list[RateLimitItem], scope: str, person: str) -> None:
    """Raises TooMany with the seconds until it is allowed again."""
    for limit in limits:
        if not counter.hit(limit, scope, person):
            left = max(1, round(counter.get_window_stats(limit, scope, person).reset_time - time.time()))
            seconds = min(left, limit.get_expiry())
            detail = _(
                "您在短时间内操作的次数过多。请约%(minutes)s分钟后再试；已保存的学习记录不受影响。",
                minutes=-(-seconds // 60),
            )
            raise TooMany(detail, retry_after=seconds)
