"""Signs of the person while she studies: when a check is due or owed, and the question whether she is there."""

from __future__ import annotations

from dataclasses import replace

from xueji.progress.rules.state import SittingState


def check_due(state: SittingState) -> int | None:
    """The index of the scheduled check that the study time has reached, or None.

    When a batch passes several at once, one check answers for all of them: the last.
    """
    schedule, study = state.terms.schedule, state.study_ms
    index = state.next_check
    if index >= len(schedule) or study < schedule[index]:
        return None
    while index + 1 < len(schedule) and study >= schedule[index + 1]:
        index += 1
    return index


def check_asked(state: SittingState, index: int) -> SittingState:
    """The state after the scheduled check of this index fell due."""
    return replace(state, next_check=index + 1, since_check_ms=state.study_ms - state.terms.schedule[index])


def check_overdue(state: SittingState) -> bool:
    """Whether a check is due whatever the schedule says: the run since the last one has reached the longest gap."""
    return state.since_check_ms >= state.terms.plan.checks_max_gap_ms


def owe_check(state: SittingState) -> SittingState:
    """The state in which the next study that earns makes a check due: after one that failed no time is good."""
    return replace(state, since_check_ms=max(state.since_check_ms, state.terms.plan.checks_max_gap_ms))


def overdue_check_asked(state: SittingState) -> SittingState:
    """The state after a check outside the schedule fell due; what was drawn too soon after it is passed over."""
    schedule, next_check = state.terms.schedule, state.next_check
    not_before = state.study_ms + state.terms.plan.checks_min_gap_ms
    while next_check < len(schedule) and schedule[next_check] < not_before:
        next_check += 1
    return replace(state, next_check=next_check, since_check_ms=0)


def asks_presence(state: SittingState, now_ms: int) -> bool:
    """Whether the person is to be asked whether she is there: no sign of her for the plan's idle time."""
    return state.question_by_ms is None and now_ms - state.last_interaction_ms >= state.terms.plan.idle_ms


def presence_asked(state: SittingState, now_ms: int) -> SittingState:
    """The state with the question pending; beats earn until its time is over, and again from the answer on."""
    return replace(state, question_by_ms=now_ms + state.terms.plan.idle_answer_ms)


def person_seen(state: SittingState, now_ms: int) -> SittingState:
    """The state after a sign of the person. An overdue question's time is lost: it counts as spent."""
    used_until = state.used_until_ms
    if state.question_by_ms is not None and state.question_by_ms < now_ms:
        used_until = max(used_until, now_ms)
    return replace(
        state, question_by_ms=None, last_interaction_ms=max(now_ms, state.last_interaction_ms), used_until_ms=used_until
    )
