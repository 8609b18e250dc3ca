"""Logs: one JSON object a line in the data folder, plain lines on the terminal, no personal data in either.

Names, addresses and answers are never handed to the log; should an identity or telephone number slip into a message or
a traceback all the same, it is masked here, behind everything that writes.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from logging.handlers import WatchedFileHandler
from typing import Any

import structlog
from flask import g, has_request_context

from xueji.kernel.log_collector import Collector, ToCollector
from xueji.kernel.settings import Settings

_IDENTITY_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[\dXx](?![0-9A-Za-z])")
_TELEPHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[ -]?)?1[3-9]\d{9}(?![0-9A-Za-z])")
# What these say at "info" is noise: a line for each task received, each statement of a migration.
_QUIET = ("celery.worker.strategy", "celery.app.trace", "celery.beat", "alembic", "engineio", "socketio", "kombu")


def mask(text: str) -> str:
    """The text without numbers that name a person."""
    return _TELEPHONE.sub("[telephone]", _IDENTITY_NUMBER.sub("[identity number]", text))


def mask_everything(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value


def add_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The number an error page shows, on every line written while that request was answered."""
    if has_request_context() and "request_id" in g:
        event.setdefault("request", g.request_id)
    return event


def configure(settings: Settings, process: str) -> None:
    """Send everything this process logs to ``data/log/<process>.jsonl``, to the terminal, and to the collector."""
    folder = settings.data / "log"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    before: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_request_id,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    after: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        mask_everything,
    ]
    file = WatchedFileHandler(folder / f"{process}.jsonl", encoding="utf-8")
    file.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before, processors=[*after, structlog.processors.JSONRenderer(ensure_ascii=False)]
        )
    )
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[*after, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)],
        )
    )
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    root.addHandler(file)
    root.addHandler(terminal)
    if settings.log_collector:
        away = ToCollector(Collector.parse(settings.log_collector), process)
        away.setFormatter(file.formatter)
        root.addHandler(away)
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
