"""What online study brings to the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Flask

from xueji.kernel.context import Context
from xueji.web.manifest import Listener, Manifest


def _blueprints() -> Iterable[Blueprint]:
    from xueji.progress import api, views

    return views.blueprint, api.blueprint


def _steps() -> Iterable[Callable[[Flask], None]]:
    from xueji.progress.beat_intake import init_beats
    from xueji.progress.media_recording import init_media_recording
    from xueji.progress.opening_groups import init_openings

    return init_beats, init_openings, init_media_recording


def _outer_steps() -> Iterable[Callable[[Flask], None]]:
    from xueji.progress.beat_middleware import init_beat_middleware

    return (init_beat_middleware,)


def _listeners(_context: Context) -> Iterable[Listener[Any]]:
    from xueji.enrolment.events import StudyDaysChange, StudyEnds, WhoStudies
    from xueji.progress.services import change_study_days, end_study, who_studies

    return (
        Listener(StudyEnds, end_study),
        Listener(StudyDaysChange, change_study_days),
        Listener(WhoStudies, who_studies),
    )


def _connected(context: Context) -> None:
    """Checks may be asked in sittings, and beats are among the reports that are written in groups."""
    from functools import partial

    from xueji.occasions.hosts import register
    from xueji.progress.beat_recording import BeatReport, record_reports
    from xueji.progress.hosting import SITTINGS

    register(SITTINGS)
    context.reports[BeatReport] = partial(record_reports, events=context.events)


MANIFEST = Manifest(
    "xueji.progress",
    blueprints=_blueprints,
    steps=_steps,
    outer_steps=_outer_steps,
    listeners=_listeners,
    connected=_connected,
)
