"""Whether the sequencer keeps up with the log, for ``/readyz`` and `xueji doctor`."""

from __future__ import annotations

from datetime import timedelta

from xueji.kernel import clock
from xueji.kernel.context import Context
from xueji.trace import queries
from xueji.web.health import Failing

SEQUENCER_LATE = timedelta(seconds=30)
"""A checkpoint is signed every second; one this old while leaves wait means the sequencer stands still."""


def sequencer_lag(context: Context) -> timedelta:
    """How long the log has been waiting to be signed; zero when nothing waits. Raises Failing when it never was."""
    with context.database.reading() as session:
        state = queries.state(session)
    if state.pending == 0 and state.signed_size == state.size:
        return timedelta(0)
    if state.signed_time is None:
        raise Failing("the sequencer has never signed a checkpoint")
    return max(timedelta(0), clock.now() - clock.from_ms(state.signed_time * 1000))


def sequencer(context: Context) -> None:
    """Raises Failing."""
    lag = sequencer_lag(context)
    if lag > SEQUENCER_LATE:
        raise Failing(f"leaves have been waiting for the sequencer for {lag.total_seconds():.0f} s")
