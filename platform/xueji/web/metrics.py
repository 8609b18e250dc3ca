"""What Prometheus reads at ``/metrics``: counted while requests are answered, asked of the other parts when scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from flask import Flask
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from xueji.kernel.groupcommit import BATCH_SIZES, committed_batches

Source = Callable[[], Iterable[Metric]]
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class MetricsRegistry:
    """One application's measures in a registry of its own, so that two applications in a test do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter("xueji_requests", "Requests answered.", ("endpoint", "status"), registry=self.registry)
        self._seconds = Histogram(
            "xueji_request_seconds", "Time to answer.", ("endpoint",), buckets=_SECONDS, registry=self.registry
        )
        self.registry.register(_Asked(group_commits))
        # `labels()` costs more than the counting: each pair is looked up once.
        self._known: dict[tuple[str, int], Callable[[float], None]] = {}

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        known = self._known.get((endpoint, status))
        if known is None:
            known = self._known[endpoint, status] = self._counting(endpoint, status)
        known(seconds)

    def _counting(self, endpoint: str, status: int) -> Callable[[float], None]:
        count = self._requests.labels(endpoint, str(status)).inc
        observe = self._seconds.labels(endpoint).observe

        def both(seconds: float) -> None:
            count()
            observe(seconds)

        return both

    def add_source(self, source: Source) -> None:
        """Have ``source`` asked at each scrape; what it raises fails the scrape, visibly."""
        self.registry.register(_Asked(source))


class _Asked:
    def __init__(self, source: Source) -> None:
        self._source = source

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering must not already ask the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._source()


def measures(app: Flask) -> MetricsRegistry:
    """The application's own, for parts that have something to tell."""
    return cast(MetricsRegistry, app.extensions["xueji_measures"])


def group_commits() -> Iterable[Metric]:
    """How many items went to disk together: near 1 means calm, large means many waited."""
    batches, items = committed_batches()
    buckets, total = [], 0
    for size in BATCH_SIZES:
        total += batches[size]
        buckets.append((str(size), float(total)))
    buckets.append(("+Inf", float(sum(batches.values()))))
    yield HistogramMetricFamily(
        "xueji_group_commit_batch_size", "Items written in one transaction.", buckets=buckets, sum_value=items
    )
