"""What the people in cohorts bring to the application."""

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
    from xueji.enrolment import views

    return (views.blueprint,)


def _listeners(context: Context) -> Iterable[Listener[Any]]:
    from courses.events import FilmAsked
    from xueji.cohorts.events import CohortAmended, CohortCloses, LastDayChanges, StudyingAsked, TraineesAsked
    from xueji.enrolment.access import allow_film, allow_leaves
    from xueji.enrolment.services import cohort_changes
    from xueji.enrolment.services.corrected import person_corrected
    from xueji.enrolment.services.joined import files_joined
    from xueji.enrolment.services.references import reference_changed
    from xueji.identity.events import FilesJoined, PersonCorrected, ReferenceChanged
    from xueji.trace.events import LeavesAsked

    return (
        Listener(FilmAsked, allow_film),
        Listener(LeavesAsked, allow_leaves),
        Listener(CohortCloses, partial(cohort_changes.cohort_closes, context.events)),
        Listener(LastDayChanges, partial(cohort_changes.last_day_changes, context.events)),
        Listener(StudyingAsked, partial(cohort_changes.count_studying, context.events)),
        Listener(TraineesAsked, cohort_changes.count_trainees),
        Listener(CohortAmended, partial(cohort_changes.cohort_amended, context)),
        Listener(ReferenceChanged, partial(reference_changed, context.keyring)),
        Listener(FilesJoined, partial(files_joined, context.keyring)),
        Listener(PersonCorrected, partial(person_corrected, context.keyring)),
    )


MANIFEST = Manifest(
    "xueji.enrolment",
    blueprints=_blueprints,
    listeners=_listeners,
    menu=(
        MenuEntry(
            50,
            "enrolment.references",
            _("登记照片核对"),
            "person-bounding-box",
            (Role.INSTITUTION,),
            ("enrolment.reference", "enrolment.decide_ref"),
        ),
    ),
    tabs=(Tab("cohort", 20, "trainees", "enrolment.trainees", _("学员名单")),),
    schedule={"enrolment.end_photos": timedelta(hours=1)},
)
