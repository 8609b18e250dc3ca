"""The checks' figures for `/metrics`, read from the database when asked, so that every web process can tell them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select

from xueji.kernel import clock
from xueji.kernel.database import Database
from xueji.proctoring.models import Check
from xueji.proctoring.rules import CheckState

LATELY = timedelta(minutes=15)


def check_figures(database: Database) -> Iterator[Metric]:
    """How the checks of the last quarter of an hour ended; asking costs as much as there were, not as there are."""
    since = clock.to_ms(clock.now() - LATELY)
    statement = (
        select(Check.outcome, func.count())
        .where(Check.state == CheckState.DECIDED, Check.answer_by_ms >= since)
        .group_by(Check.outcome)
    )
    lately = GaugeMetricFamily("xueji_checks_lately", "Checks of the last 15 minutes, by outcome.", labels=["outcome"])
    with database.reading() as session:
        for outcome, count in session.execute(statement):
            lately.add_metric([str(outcome)], count)
    yield lately
