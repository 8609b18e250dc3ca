"""What checks of who studies bring to the application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Problem
from xueji.web.access import Rule
from xueji.web.manifest import Listener, Manifest, Measures, MenuEntry


def _blueprints() -> Iterable[Blueprint]:
    from xueji.proctoring import api, views

    return views.blueprint, api.blueprint


def _listeners(_context: Context) -> Iterable[Listener[Any]]:
    from xueji.enrolment.events import HeldAsked, StudyEnds
    from xueji.identity.events import FaceRouteEnds
    from xueji.occasions.events import (
        CheckFallsDue,
        CheckLeft,
        CheckMoves,
        CheckWanted,
        ConditionsWanted,
        ContactDuringCheck,
        OccasionsCome,
        ScheduleGrows,
    )
    from xueji.proctoring import services
    from xueji.proctoring.events import AnswerStored
    from xueji.proctoring.queries import hold_contested
    from xueji.proctoring.tasks import judge

    def judge_soon(stored: AnswerStored) -> None:
        judge.delay(str(stored.attempt_id))

    return (
        Listener(StudyEnds, services.study_ends),
        Listener(OccasionsCome, services.occasions_come),
        Listener(CheckLeft, services.check_left),
        Listener(ConditionsWanted, services.conditions_wanted),
        Listener(CheckMoves, services.check_moves),
        Listener(ScheduleGrows, services.schedule_grows),
        Listener(CheckWanted, services.check_wanted),
        Listener(CheckFallsDue, services.check_falls_due),
        Listener(ContactDuringCheck, services.contact_during_check),
        Listener(FaceRouteEnds, services.face_route_ends),
        Listener(HeldAsked, hold_contested),
        Listener(AnswerStored, judge_soon),
    )


def _measures() -> Iterable[Measures]:
    from xueji.proctoring.metrics import check_figures

    return (Measures(check_figures),)


def _refusals(endpoint: str, _access: Rule | None, _method: str) -> Iterable[type[Problem]]:
    from xueji.proctoring.errors import CheckInNeeded, RoomCodeNeeded, RouteNotReady

    return (CheckInNeeded, RoomCodeNeeded, RouteNotReady) if endpoint == "progress_api.open_" else ()


MANIFEST = Manifest(
    "xueji.proctoring",
    blueprints=_blueprints,
    listeners=_listeners,
    measures=_measures,
    refusals=_refusals,
    menu=(
        MenuEntry(
            40,
            "proctoring.check_in_cohorts",
            _("签到"),
            "person-check",
            (Role.INSTITUTION,),
            ("proctoring.check_in",),
        ),
        MenuEntry(
            60, "proctoring.review_queue", _("核验复核"), "clipboard-check", (Role.INSTITUTION,), ("proctoring.review",)
        ),
    ),
    schedule={
        "proctoring.sweep_missed": timedelta(seconds=5),
        "proctoring.judge_waiting": timedelta(seconds=20),
        "proctoring.end_pictures": timedelta(hours=1),
    },
    settings=frozenset({"keep_check_pictures"}),
)
