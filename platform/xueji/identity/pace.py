"""How often a trainee may act: far more often than anybody studies, and an end to what a script can have logged.

What she does is recorded for ever. Beats have a bound of their own (`progress.rules`); everything else of hers that
changes something is counted here, by person, in this process: it must hold when the broker is away.
"""

from __future__ import annotations

import threading
import time

from flask import Flask, request
from flask_babel import gettext as _
from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from xueji.kernel.actor import Role
from xueji.kernel.errors import TooMany
from xueji.web.session import actor_or_none, changes_something

BEATS = "progress_api.beats"
OPENING = "progress_api.open_"
FORGET_SECONDS = 60.0


class ActCounts(Storage):
    """Counters in this process. Whoever counts forgets what is over, once a minute.

    The library's own store of this kind starts a thread for that up to a hundred times a second, which cost an opening
    a third of its time in the web process.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, tuple[int, float]] = {}
        """How often, and until when it counts (epoch seconds)."""
        self._lock = threading.Lock()
        self._forget_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        with self._lock:
            if now >= self._forget_at:
                self._counts = {name: pair for name, pair in self._counts.items() if pair[1] > now}
                self._forget_at = now + FORGET_SECONDS
            count, until = self._counts.get(key, (0, 0.0))
            if until <= now:
                count, until = 0, now + expiry
            self._counts[key] = count + amount, until
            return count + amount

    def get(self, key: str) -> int:
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, 0.0))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            were, self._counts = len(self._counts), {}
        return were

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)


def init_pace(app: Flask) -> None:
    settings = app.extensions["xueji"].settings
    counter = FixedWindowRateLimiter(ActCounts())
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
