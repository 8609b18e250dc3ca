"""Every code that a page may show has its words."""

from __future__ import annotations

import pytest

from media_pipeline.verdict import Prompt, SignalCode
from xueji.desks import wording as desks
from xueji.hours import wording as hours
from xueji.hours.rules import FlagCode, MissingCode
from xueji.identity.events import WhyFaceRouteEnds
from xueji.oversight import wording as oversight
from xueji.oversight.rules import MOVES, FindingKind, FindingState
from xueji.proctoring import services
from xueji.proctoring import wording as checks
from xueji.proctoring.rules import CheckState
from xueji.progress.rules import LeaseAnswer
from xueji.progress.services import ENROLMENT_OVER
from xueji.rulebook import rules as rulebook
from xueji.rulebook.reviewing import Decision, Office
from xueji.rulebook.rules import CapNote
from xueji.rulebook.vocabulary import BeatState, CheckKind, Method, Outcome, Reason, ReviewOutcome
from xueji.trace import alarms


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (hours.REASON, Reason),
        (hours.REASON_SENTENCE, Reason),
        (hours.FLAG, FlagCode),
        (hours.MISSING, MissingCode),
        (hours.CAP, CapNote),
        (hours.QUESTION, [question.key for question in rulebook.load().open_questions]),
        (checks.KIND, CheckKind),
        (checks.STATE, CheckState),
        (checks.OUTCOME, Outcome),
        (checks.OUTCOME_SENTENCE, Outcome),
        (checks.TONE, Outcome),
        (checks.REVIEW, ReviewOutcome),
        (checks.DECISION, Decision),
        (checks.DECISION_TONE, Decision),
        (checks.DECISION_SENTENCE, Decision),
        (checks.OFFICE, Office),
        (checks.PROMPT, Prompt),
        (oversight.FINDING_KIND, FindingKind),
        (oversight.FINDING_STATE, FindingState),
        (oversight.FINDING_TONE, FindingState),
        (desks.METHOD, Method),
        (desks.BEAT_STATE, BeatState),
        (desks.ALARM, [alarms.GAP, alarms.FORK, alarms.CLOCK, alarms.TIMESTAMP, alarms.WITNESS]),
        (MOVES, FindingState),
    ],
)
def test_every_code_has_its_words_and_no_word_is_left_over(words: dict[str, object], codes: list[str]) -> None:
    assert set(words) == set(codes)


def test_every_signal_a_check_may_carry_has_its_words() -> None:
    named = {*SignalCode, "service_down", "shown_by_another", "no_reference", "judge_tripped", "pictures_lost"}
    named |= set(WhyFaceRouteEnds)
    assert set(checks.SIGNAL) == named | {f"camera_{cause}" for cause in services.CameraFailure}


def test_every_way_a_sitting_ends_has_its_words() -> None:
    ending = {LeaseAnswer.TAKEN, LeaseAnswer.EXPIRED, LeaseAnswer.FREE, ENROLMENT_OVER}
    assert {None, *ending} == set(desks.ENDED)
