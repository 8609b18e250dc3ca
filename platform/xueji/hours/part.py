"""What the account of class hours brings to the application."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Blueprint
from flask_babel import lazy_gettext as _

from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.web.manifest import Listener, Manifest, MenuEntry, Tab


def _blueprints() -> Iterable[Blueprint]:
    from xueji.hours import api, views

    return views.blueprint, api.blueprint


def _listeners(context: Context) -> Iterable[Listener[Any]]:
    from xueji.attendance.events import StudyAsked
    from xueji.enrolment.events import EarlierTraining
    from xueji.hours import services
    from xueji.proctoring.events import CheckDecided
    from xueji.progress.events import LedgerShown, LineWanted, OpeningsCome, SittingOpens, StudyCredited

    return (
        Listener(EarlierTraining, services.earlier_training),
        Listener(StudyAsked, services.study_asked),
        Listener(OpeningsCome, services.openings_come),
        Listener(SittingOpens, services.sitting_opens_make_up),
        Listener(LineWanted, services.line_wanted),
        Listener(CheckDecided, partial(services.check_decided, context.database)),
        Listener(StudyCredited, services.study_credited),
        Listener(LedgerShown, services.ledger_shown),
    )


MANIFEST = Manifest(
    "xueji.hours",
    blueprints=_blueprints,
    listeners=_listeners,
    menu=(MenuEntry(20, "hours.my_hours", _("我的学时"), "clock-history", (Role.TRAINEE,), ("hours.",)),),
    tabs=(Tab("cohort", 30, "hours", "hours.cohort_hours", _("学时明细")),),
    schedule={"hours.keep_accounts": timedelta(seconds=30)},
)
