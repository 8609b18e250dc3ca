"""When a check is asked, how it moves from one state to the next, and what each outcome leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final

from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.vocabulary import CheckKind, Outcome

__all__ = [
    "BLAMES_NOBODY",
    "MOVES",
    "PROMPTS",
    "CheckKind",
    "CheckState",
    "Contact",
    "IllegalMove",
    "NextStep",
    "Outcome",
    "Telling",
    "Told",
    "after_loss",
    "after_verdict",
    "draw_prompts",
    "draw_schedule",
    "missed_counts",
    "move",
    "tell",
]

PROMPTS: Final = ("turn_left", "turn_right", "blink", "open_mouth")
"""movements that may be asked for; opposite turns are different prompts, so that a still picture answers neither"""

MOST_TELLINGS_AGAIN: Final = 3
"""how often an unanswered check's window may start again because the telling cannot have arrived"""

MOST_ASKED_AFTER_LOSS: Final = 2
"""how often a check is asked again because its pictures were lost on our side"""

BLAMES_NOBODY: Final = frozenset({Outcome.MATCH, Outcome.SERVICE_DOWN})
"""outcomes that hold no time, so that there is nothing to contest and nothing to review"""


class CheckState(StrEnum):
    """Where a check stands. Its status is one thing, what a person later thinks of it another: hence the last two."""

    SCHEDULED = "scheduled"
    """drawn before the sitting started; nobody outside the server knows when"""
    UNREACHED = "unreached"
    """the sitting ended before its study time came"""
    DUE = "due"
    """told, or about to be told, and waiting for pictures"""
    ANSWERED = "answered"
    """pictures stored, verdict awaited"""
    DECIDED = "decided"
    """has its outcome"""
    CONTESTED = "contested"
    """the trainee has appealed; a person must look"""
    REVIEWED = "reviewed"
    """a person has decided"""


MOVES: Final[Mapping[CheckState, frozenset[CheckState]]] = {
    CheckState.SCHEDULED: frozenset({CheckState.DUE, CheckState.UNREACHED}),
    CheckState.UNREACHED: frozenset(),
    CheckState.DUE: frozenset({CheckState.ANSWERED, CheckState.DECIDED}),
    CheckState.ANSWERED: frozenset({CheckState.DUE, CheckState.DECIDED}),
    CheckState.DECIDED: frozenset({CheckState.CONTESTED, CheckState.REVIEWED}),
    CheckState.CONTESTED: frozenset({CheckState.REVIEWED}),
    CheckState.REVIEWED: frozenset(),
}
"""From each state, the states that may follow. ANSWERED goes back to DUE for another attempt; an engine that was down
leaves the check ANSWERED until it is judged again."""


class IllegalMove(Exception):
    """A check was to go from one state to another that cannot follow it."""

    def __init__(self, state: CheckState, to: CheckState) -> None:
        super().__init__(f"{state} → {to}")
        self.state = state
        self.to = to


def move(state: CheckState, to: CheckState) -> CheckState:
    """The new state. Raises IllegalMove when it may not follow."""
    if to not in MOVES[state]:
        raise IllegalMove(state, to)
    return to


def draw_schedule(
    random: Random, remaining_study_ms: int, plan: ProctoringPlan, carried_ms: int, *, at_least_one: bool = True
) -> tuple[int, ...]:
    """The study times (ms credited in the sitting, ascending) at which checks fall due.

    `remaining_study_ms` is the media of the lesson that can still earn, `carried_ms` the study since the enrolment's
    last check, in whatever sitting: closing the page and coming back never buys a longer gap. Gaps are drawn evenly
    between the plan's least and most; none is ever longer than the most. With `at_least_one` (the lesson has had no
    check yet) a lesson too short for a gap gets one at a time of its own. `random` should be `SystemRandom`.
    """
    if remaining_study_ms <= 0:
        return ()
    least, most = plan.checks_min_gap_ms, plan.checks_max_gap_ms
    at = -carried_ms
    schedule: list[int] = []
    while True:
        # The run so far already rules out shorter gaps; a run of the longest gap makes the check due at once.
        since_last = carried_ms if not schedule else 0
        gap = random.randint(min(max(least, since_last), most), most)
        at = max(at + gap, 0)
        if at > remaining_study_ms:
            break
        schedule.append(at)
    if not schedule and at_least_one:
        schedule.append(random.randint(1, remaining_study_ms))
    return tuple(schedule)


def draw_prompts(random: Random, plan: ProctoringPlan) -> tuple[str, ...]:
    """The movements one check asks for, each once, in a random order."""
    return tuple(random.sample(PROMPTS, plan.prompts))


class NextStep(StrEnum):
    """What follows a verdict."""

    RETRY = "retry"
    """the same check falls due again, with new prompts and a new nonce"""
    FINAL = "final"
    JUDGE_AGAIN = "judge_again"
    """the pictures wait for the engine; until then the check bounds nothing and blames nobody"""


_RETRIED: Final = frozenset({Outcome.UNCLEAR, Outcome.NO_FACE, Outcome.SEVERAL_FACES, Outcome.MISMATCH})


def after_verdict(plan: ProctoringPlan, attempt: int, outcome: Outcome) -> NextStep:
    """What follows the verdict on an attempt (the first is 1; those whose pictures were lost are not counted).

    A picture that did not show the trainee alone and clearly may be taken again, as often as the plan allows; a hand
    on the chin is not another person. Pictures that could not be judged are judged again later.
    """
    if outcome is Outcome.SERVICE_DOWN:
        return NextStep.JUDGE_AGAIN
    if outcome in _RETRIED and attempt <= plan.retries:
        return NextStep.RETRY
    return NextStep.FINAL


def after_loss(losses: int) -> NextStep:
    """What follows when an answer's pictures were gone before they were judged, for the `losses`-th time.

    There will never be a verdict on them. While she is there she is asked again; else, or when this goes on, the check
    ends as `SERVICE_DOWN`: it bounds nothing, and the next one confirms the time.
    """
    return NextStep.RETRY if losses <= MOST_ASKED_AFTER_LOSS else NextStep.FINAL


def missed_counts(kind: CheckKind) -> bool:
    """Whether not answering holds time back: only for scheduled checks. The others are offers (see `hours`)."""
    return kind is CheckKind.SCHEDULED


class Contact(StrEnum):
    """What the server has just heard, seen from a check that waits for an answer."""

    NOTHING = "nothing"
    """only time has passed"""
    SAME_BEAT = "same_beat"
    """the beat whose answer told of the check came again: that answer was lost"""
    SAME_SITTING = "same_sitting"
    """anything else from the sitting"""
    NEW_SITTING = "new_sitting"
    """the person opened another sitting"""


class Told(StrEnum):
    """What the contact does to the check."""

    WAITING = "waiting"
    TOLD = "told"
    """the window starts: first telling"""
    TOLD_AGAIN = "told_again"
    """the window starts again; recorded"""
    MISSED = "missed"
    """over, at `answer_by_ms` exactly, however late that is noticed"""


@dataclass(frozen=True, slots=True)
class Telling:
    """How a due check has been told: the answer window starts when the trainee can first know of it."""

    told_ms: int | None = None
    """server time of the telling that counts (epoch ms); None: not told yet"""
    answer_by_ms: int | None = None
    again: int = 0
    """how often the window has started again"""
    heard: bool = False
    """whether the sitting was heard of after the telling: then it arrived"""


def tell(telling: Telling, plan: ProctoringPlan, now_ms: int, contact: Contact) -> tuple[Told, Telling]:
    """What a contact at `now_ms` does to a check that waits for its answer.

    Nobody misses a check that she cannot have known of: when the connection was lost before the telling was heard of,
    and the same sitting comes back within the plan's offline limit, the window starts again, three times at most.
    Nobody dodges one either: silence is no excuse once there was contact, and another sitting ends the matter.
    """
    told_ms, answer_by_ms = telling.told_ms, telling.answer_by_ms
    if told_ms is None or answer_by_ms is None:
        if contact is Contact.NOTHING:
            return Told.WAITING, telling
        if contact is Contact.NEW_SITTING:
            return Told.MISSED, replace(telling, told_ms=now_ms, answer_by_ms=now_ms)
        return Told.TOLD, Telling(told_ms=now_ms, answer_by_ms=now_ms + plan.answer_ms)
    over = now_ms > answer_by_ms
    if contact is Contact.NEW_SITTING:
        return Told.MISSED, telling if over else replace(telling, answer_by_ms=now_ms)
    unheard = not telling.heard and now_ms - told_ms <= plan.offline_ms
    if contact is Contact.NOTHING:
        return (Told.MISSED if over and not unheard else Told.WAITING), telling
    lost = contact is Contact.SAME_BEAT or over
    if unheard and lost and telling.again < MOST_TELLINGS_AGAIN:
        return Told.TOLD_AGAIN, Telling(now_ms, now_ms + plan.answer_ms, telling.again + 1)
    if over:
        return Told.MISSED, telling
    return Told.WAITING, replace(telling, heard=telling.heard or contact is Contact.SAME_SITTING)
