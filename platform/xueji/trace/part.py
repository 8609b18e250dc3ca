"""What the log brings to the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from flask import Blueprint

from xueji.kernel.context import Context
from xueji.web.manifest import Manifest, Measures


def _blueprints() -> Iterable[Blueprint]:
    from xueji.trace import api

    return (api.blueprint,)


def _probes() -> Mapping[str, Callable[[Context], object]]:
    from xueji.trace.probes import sequencer

    return {"sequencer": sequencer}


def _measures() -> Iterable[Measures]:
    from xueji.trace.metrics import log_figures

    return (Measures(log_figures),)


MANIFEST = Manifest(
    "xueji.trace",
    blueprints=_blueprints,
    probes=_probes,
    measures=_measures,
    settings=frozenset({"log_origin", "timestamp_urls", "witness_urls", "witness_logs", "sequencer"}),
)
