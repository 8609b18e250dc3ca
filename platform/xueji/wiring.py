"""How the parts of one process hear each other: lower parts tell, and here it stands who listens."""

from __future__ import annotations

from functools import partial

from courses.events import FilmAsked, LessonChanging
from xueji.attendance.events import StudyAsked
from xueji.cohorts.events import CohortAmended, CohortCloses, LastDayChanges, StudyingAsked, TraineesAsked
from xueji.cohorts.services.planning import guard_lesson
from xueji.enrolment.access import allow_film, allow_leaves
from xueji.enrolment.events import EarlierTraining, HeldAsked, StudyDaysChange, StudyEnds, WhoStudies
from xueji.enrolment.services.cohort_changes import (
    cohort_amended,
    cohort_closes,
    count_studying,
    count_trainees,
    last_day_changes,
)
from xueji.enrolment.services.corrected import person_corrected
from xueji.enrolment.services.joined import files_joined
from xueji.enrolment.services.references import reference_changed
from xueji.hours.services import (
    check_decided,
    earlier_training,
    ledger_shown,
    openings_come,
    sitting_opens_line,
    sitting_opens_make_up,
    study_asked,
    study_credited,
)
from xueji.identity.events import FaceRouteEnds, FilesJoined, PersonCorrected, ReferenceChanged, ReferenceStored
from xueji.identity.tasks import compare_soon
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.oversight.queries import hold_objected
from xueji.proctoring import services as proctoring
from xueji.proctoring.events import AnswerStored, CheckDecided
from xueji.proctoring.queries import hold_contested
from xueji.proctoring.tasks import judge
from xueji.progress.events import (
    CheckFallsDue,
    CheckMoves,
    ContactDuringCheck,
    LedgerShown,
    MakeUpGrows,
    OpeningsCome,
    SittingOpens,
    StudyCredited,
)
from xueji.progress.services import change_study_days, end_study, who_studies
from xueji.trace.events import LeavesAsked
from xueji.web.sockets import announce_from_worker


def connect(context: Context) -> None:
    """Every subscription there is; the order of handlers of one event is the order here."""
    events = context.events
    events.subscribe(FilmAsked, allow_film)
    events.subscribe(LeavesAsked, allow_leaves)
    events.subscribe(LessonChanging, guard_lesson)
    events.subscribe(CohortCloses, partial(cohort_closes, events))
    events.subscribe(LastDayChanges, partial(last_day_changes, events))
    events.subscribe(StudyingAsked, partial(count_studying, events))
    events.subscribe(TraineesAsked, count_trainees)
    events.subscribe(CohortAmended, partial(cohort_amended, context))
    events.subscribe(StudyEnds, end_study)
    events.subscribe(EarlierTraining, earlier_training)
    events.subscribe(StudyEnds, proctoring.study_ends)
    events.subscribe(StudyDaysChange, change_study_days)
    events.subscribe(WhoStudies, who_studies)
    events.subscribe(StudyAsked, study_asked)
    events.subscribe(OpeningsCome, proctoring.openings_come)
    events.subscribe(OpeningsCome, openings_come)
    # A check that is over decides what may be made up, and the schedule of checks counts that.
    events.subscribe(SittingOpens, proctoring.waiting_check_goes_on)
    events.subscribe(SittingOpens, sitting_opens_make_up)
    events.subscribe(SittingOpens, proctoring.sitting_opens)
    events.subscribe(SittingOpens, sitting_opens_line)
    events.subscribe(CheckMoves, proctoring.check_moves)
    events.subscribe(MakeUpGrows, proctoring.make_up_grows)
    events.subscribe(CheckDecided, partial(check_decided, context.database))
    events.subscribe(StudyCredited, study_credited)
    events.subscribe(LedgerShown, ledger_shown)
    events.subscribe(CheckFallsDue, proctoring.check_falls_due)
    events.subscribe(ContactDuringCheck, proctoring.contact_during_check)
    events.subscribe(FaceRouteEnds, proctoring.face_route_ends)
    events.subscribe(ReferenceStored, compare_soon)
    events.subscribe(ReferenceChanged, partial(reference_changed, context.keyring))
    events.subscribe(FilesJoined, partial(files_joined, context.keyring))
    events.subscribe(PersonCorrected, partial(person_corrected, context.keyring))
    events.subscribe(HeldAsked, hold_contested)
    events.subscribe(HeldAsked, hold_objected)
    events.subscribe(AnswerStored, lambda stored: judge.delay(str(stored.attempt_id)))


def open_for_worker(settings: Settings) -> Context:
    """The context of a worker process: what its tasks announce reaches the pages the web processes hold open."""
    context = Context.open(settings)
    connect(context)
    announce_from_worker(context)
    return context
