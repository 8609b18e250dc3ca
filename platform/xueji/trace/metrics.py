"""The log's figures for `/metrics`, read from the database when asked, so that every web process can tell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from xueji.kernel import clock
from xueji.kernel.database import Database
from xueji.trace import queries


def log_figures(database: Database) -> Iterator[Metric]:
    """Size, what is signed for, what waits, and the alarms that stand."""
    with database.reading() as session:
        state = queries.state(session)
    yield GaugeMetricFamily("xueji_log_leaves", "Leaves in the tree.", value=state.size)
    yield GaugeMetricFamily("xueji_log_signed_leaves", "Leaves the newest checkpoint covers.", value=state.signed_size)
    yield GaugeMetricFamily("xueji_log_pending_leaves", "Leaves not yet in the tree.", value=state.pending)
    if state.signed_time is not None:
        age = clock.to_ms(clock.now()) / 1000 - state.signed_time
        yield GaugeMetricFamily("xueji_log_checkpoint_age_seconds", "Age of the newest checkpoint.", value=age)
    alarms = GaugeMetricFamily("xueji_log_alarms", "Alarms nobody has cleared.", labels=["kind"])
    for kind, count in Counter(alarm.kind for alarm in state.alarms).items():
        alarms.add_metric([kind], count)
    yield alarms
