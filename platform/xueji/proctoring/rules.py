"""When a check is asked, how it moves from one state to the next, and what each outcome leads to."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from enum import StrEnum
from itertools import pairwise
from random import Random
from typing import Final

from xueji.occasions.open_check import OpenCheck
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.reviewing import Case, Decision
from xueji.rulebook.vocabulary import OFFERS_NOT_TAKEN, CheckKind, Outcome, ReviewOutcome

__all__ = [
    "BLAMES_NOBODY",
    "MOVES",
    "PROMPTS",
    "CheckKind",
    "CheckState",
    "Contact",
    "Delivery",
    "IllegalMove",
    "NextStep",
    "OpenCheck",
    "Outcome",
    "after_loss",
    "after_verdict",
    "ask_camera",
    "camera_answered",
    "deliver",
    "draw_prompts",
    "draw_pulses",
    "draw_schedule",
    "gap_range",
    "holds",
    "is_there",
    "may_be_asked",
    "missed_counts",
    "move",
    "prompts_of",
    "unanswered",
]

PROMPTS: Final = ("turn_left", "turn_right", "blink", "open_mouth", "tilt_left", "tilt_right")
"""movements that may be asked for; opposite turns are different prompts, so that a still picture answers neither"""

TILTS: Final = frozenset({"tilt_left", "tilt_right"})
"""A telephone that shows a film can be tilted too: no check is answered by these alone."""

OF_THE_HEAD: Final = TILTS | {"turn_left", "turn_right"}
"""After these a head comes back to another place; whoever sits still and only shuts her eyes may look like a print."""

MOST_REDELIVERIES: Final = 10
"""how often a check's window may begin again for a lost delivery; how long altogether is the plan's offline limit"""

STORING_MS: Final = 20_000
"""how long after the end of a window pictures that arrived within it may still be on their way into the store"""

CAMERA_QUESTION_MS: Final = 60_000
"""how long the browser's question whether the page may use the camera keeps a window from beginning, once a check"""

ONE_MORE: Final = 1
"""movements that are asked for beyond the plan's number, and as many again once an answer did not do"""

MOST_PROMPTS: Final = 4
"""more are asked for by no check: its window is short"""

PULSE_MOMENTS: Final = (10, 12)
"""the fewest and the most pictures of one movement"""

PULSE_FIRST_MS: Final = 80
PULSE_LAST_MS: Final = 3_300
"""the first and about the last of them after it began: a slow mover needs three seconds"""

MOST_ASKED_AFTER_LOSS: Final = 2
"""how often a check is asked again because its pictures were lost on our side"""

BLAMES_NOBODY: Final = frozenset({Outcome.MATCH, Outcome.SERVICE_DOWN})
"""outcomes that hold no time, so that there is nothing to contest and nothing to review"""


DECIDE_DAYS: Final = 5
"""within how many days an appeal is to be decided: shown to her and to the institution"""


class CheckState(StrEnum):
    """Where a check stands. Its status is one thing, what a person later thinks of it another: hence the last two."""

    SCHEDULED = "scheduled"
    """drawn before the sitting started; nobody outside the server knows when"""
    UNREACHED = "unreached"
    """the sitting ended before its study time came"""
    DUE = "due"
    """delivered to the page, or about to be, and waiting for pictures"""
    ANSWERED = "answered"
    """pictures stored, verdict awaited"""
    DECIDED = "decided"
    """has its outcome"""
    CONTESTED = "contested"
    """the trainee has appealed; a person must look"""
    REVIEWED = "reviewed"
    """people have decided; she may contest what was decided without hearing her, and others may put it right"""


MOVES: Final[Mapping[CheckState, frozenset[CheckState]]] = {
    CheckState.SCHEDULED: frozenset({CheckState.DUE, CheckState.UNREACHED}),
    CheckState.UNREACHED: frozenset(),
    CheckState.DUE: frozenset({CheckState.ANSWERED, CheckState.DECIDED}),
    CheckState.ANSWERED: frozenset({CheckState.DUE, CheckState.DECIDED}),
    CheckState.DECIDED: frozenset({CheckState.CONTESTED, CheckState.REVIEWED}),
    CheckState.CONTESTED: frozenset({CheckState.REVIEWED}),
    CheckState.REVIEWED: frozenset({CheckState.CONTESTED, CheckState.DECIDED}),
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


def gap_range(plan: ProctoringPlan) -> tuple[int, int]:
    """Between which gaps (ms of study) the next check is drawn: the plan's least and most.

    A check whose moment is known in advance checks nothing. Where a plan leaves less than a third of its longest gap to
    chance, checks come earlier than its least, never later than its most.
    """
    most = plan.checks_max_gap_ms
    return min(plan.checks_min_gap_ms, most - most // 3), most


def draw_schedule(
    random: Random, remaining_study_ms: int, plan: ProctoringPlan, carried_ms: int, *, at_least_one: bool = True
) -> tuple[int, ...]:
    """The study times (ms credited in the sitting, ascending) at which checks fall due.

    `remaining_study_ms` is the media of the lesson that can still earn, `carried_ms` the study since the enrolment's
    last check, in whatever sitting: closing the page and coming back never buys a longer gap. Gaps are drawn evenly
    from `gap_range`; none is ever longer than the plan's most. With `at_least_one` (the lesson has had no check yet) a
    lesson too short for a gap gets one at a time of its own. `random` should be `SystemRandom`.
    """
    if remaining_study_ms <= 0:
        return ()
    least, most = gap_range(plan)
    at = -carried_ms
    schedule: list[int] = []
    while True:
        # The run so far already rules out shorter gaps; a run of the longest gap makes the check due at once.
        since_last = carried_ms if not schedule else 0
        shortest = min(max(least, since_last), most)
        gap = shortest + int(random.random() * (most - shortest + 1))
        at = max(at + gap, 0)
        if at > remaining_study_ms:
            break
        schedule.append(at)
    if not schedule and at_least_one:
        schedule.append(random.randint(1, remaining_study_ms))
    return tuple(schedule)


def draw_prompts(random: Random, plan: ProctoringPlan, *, failed: bool = False) -> tuple[str, ...]:
    """The movements that one answer shall show, in their order; none if the plan asks for none.

    One more than the plan's number, and another one where an earlier answer to the check `failed`: whoever tries films
    until one of them does has the less chance, whoever follows is hardly kept longer. Every row that may be asked for
    (see `may_be_asked`) is as likely as any other.
    """
    count = prompts_of(plan.prompts, failed=failed)
    if count == 0:
        return ()
    while True:
        drawn = tuple(random.choice(PROMPTS) for _ in range(count))
        if may_be_asked(drawn):
            return drawn


def prompts_of(planned: int, *, failed: bool) -> int:
    """How many movements one answer shows where the plan says `planned`; `failed`: an earlier one did not do."""
    return min(planned + (2 * ONE_MORE if failed else ONE_MORE), MOST_PROMPTS) if planned else 0


def may_be_asked(prompts: Sequence[str]) -> bool:
    """Whether these movements, in this order, may be asked for in one check.

    A movement that goes on is no second one; her head moves once at least before the last; not all of them are tilts.
    """
    return (
        all(one != other for one, other in pairwise(prompts))
        and not OF_THE_HEAD.isdisjoint(prompts[:-1])
        and not TILTS.issuperset(prompts)
    )


def draw_pulses(random: Random, prompts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """For each prompt the moments (ms since the movement began) at which its pictures are taken, ascending.

    Two lie before the movement; the others are close together while it grows and reach as far as the slowest need.
    How many there are and where each lies is drawn anew every time, so that no two checks look at the same moments.
    """
    return tuple(_draw_pulse(random) for _ in prompts)


def _draw_pulse(random: Random) -> tuple[int, ...]:
    count = random.randint(*PULSE_MOMENTS)
    before = (-random.randint(380, 520), -random.randint(140, 260))
    # Gaps grow evenly from the first to the last; each is shifted by up to a quarter of itself.
    steps = [(place / (count - 3)) ** 1.9 for place in range(count - 2)]
    at = [PULSE_FIRST_MS + step * (PULSE_LAST_MS - PULSE_FIRST_MS) for step in steps]
    shifted = []
    for place, moment in enumerate(at):
        room = (moment - at[place - 1] if place else PULSE_FIRST_MS) / 4
        shifted.append(round(moment - random.uniform(0, room)))
    return (*before, *shifted)


class NotContested(StrEnum):
    """Why a check cannot be contested."""

    NOTHING = "nothing"
    """nothing stands against her"""
    ALREADY = "already"
    """she is waiting for an answer, or has had it"""


def contest_refusal(state: str, outcome: str | None, case: Case) -> NotContested | None:
    """Why she cannot contest a check now, or None: an appeal is used up by an appeal of hers, by nothing else."""
    if case.appealed or (case.heard and case.decision is Decision.REJECTED):
        return NotContested.ALREADY
    against_her = case.decision in (Decision.REJECTED, Decision.STRUCK) or (
        case.decision is None and outcome not in BLAMES_NOBODY
    )
    if state not in (CheckState.DECIDED, CheckState.REVIEWED) or not against_her:
        return NotContested.NOTHING
    return None


def holds_time(kind: str, outcome: str | None) -> bool:
    """Whether an outcome holds the time around the check (see `hours`): an offer not taken and a lost engine do not."""
    return outcome is not None and holds(CheckKind(kind), Outcome(outcome))


def may_be_reviewed(state: str, kind: str, outcome: str | None, case: Case, wanted: str) -> bool:
    """Whether somebody may say this about a check: of any that bounds time, a match included, or was decided before.

    What stands as good already needs no acceptance.
    """
    if state not in (CheckState.DECIDED, CheckState.CONTESTED, CheckState.REVIEWED):
        return False
    if case.decision is not None or case.appealed:
        return True
    if outcome == Outcome.MATCH:
        return wanted == ReviewOutcome.REJECT or bool(case.pending)
    return holds_time(kind, outcome)


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
    """Whether not answering holds time back: only for scheduled checks. The others are offers."""
    return (kind, Outcome.MISSED) not in OFFERS_NOT_TAKEN


def holds(kind: CheckKind, outcome: Outcome) -> bool:
    """Whether a check that ended so holds the time around it, until a good one or a person says otherwise."""
    return outcome not in BLAMES_NOBODY and (kind, outcome) not in OFFERS_NOT_TAKEN


class Contact(StrEnum):
    """What the server has just heard, seen from a check that waits for an answer."""

    NOTHING = "nothing"
    """only time has passed"""
    BEATS = "beats"
    """the sitting reported beats"""
    OPENING = "opening"
    """she opened another sitting of the enrolment, or this one anew: the check goes on where she is now"""


class Delivery(StrEnum):
    """What the contact does to the check."""

    WAITING = "waiting"
    REDELIVERED = "redelivered"
    """the window begins again; recorded"""
    MISSED = "missed"
    """over, at `answer_by_ms` exactly, however late that is noticed"""


def deliver(
    check: OpenCheck, plan: ProctoringPlan, now_ms: int, contact: Contact, numbers: Set[int] = frozenset()
) -> tuple[Delivery, OpenCheck]:
    """What a contact at `now_ms` does to a check that waits for its answer; `numbers` are those of reported beats.

    A page reports a beat until it has the answer. So the beat whose answer delivered the check, reported again, alone
    or among others, proves that the answer was lost, and any other report that it arrived. For a lost answer the window
    begins again; all that is excused so, over all attempts at the check, is never more than what a lost connection may
    keep (`offline_ms`). Where no answer delivered it yet, whoever comes back after the window cannot have known.
    """
    over = now_ms > check.answer_by_ms
    left_ms = plan.offline_ms - check.excused_ms if check.redelivered < MOST_REDELIVERIES else 0
    if contact is Contact.NOTHING:
        grace_ms = STORING_MS if check.acknowledged else max(STORING_MS, left_ms)
        return (Delivery.MISSED if now_ms > check.answer_by_ms + grace_ms else Delivery.WAITING), check
    delivered_seq = max(numbers) if contact is Contact.BEATS else None
    if not check.acknowledged and (
        over if delivered_seq is None or check.delivered_seq is None else check.delivered_seq in numbers
    ):
        longer_ms = min(now_ms + plan.answer_ms - check.answer_by_ms, left_ms)
        if longer_ms > 0 and check.answer_by_ms + longer_ms > now_ms:
            return Delivery.REDELIVERED, replace(
                check,
                delivered_ms=now_ms,
                answer_by_ms=check.answer_by_ms + longer_ms,
                delivered_seq=delivered_seq,
                excused_ms=check.excused_ms + longer_ms,
                redelivered=check.redelivered + 1,
            )
    if over:
        return (Delivery.MISSED if now_ms > check.answer_by_ms + STORING_MS else Delivery.WAITING), check
    if contact is Contact.OPENING:
        return Delivery.WAITING, replace(check, delivered_seq=None)
    if check.delivered_seq is None:
        return Delivery.WAITING, replace(check, delivered_seq=delivered_seq)
    return Delivery.WAITING, replace(check, acknowledged=check.acknowledged or check.delivered_seq not in numbers)


def ask_camera(check: OpenCheck, plan: ProctoringPlan, now_ms: int) -> OpenCheck:
    """The page has shown the check, and now the browser asks whether the page may use the camera.

    Until that is answered the window has not begun, for at most `CAMERA_QUESTION_MS` and once a check.
    """
    if check.camera is not None or now_ms > check.answer_by_ms:
        return replace(check, acknowledged=True)
    latest_ms = check.delivered_ms + CAMERA_QUESTION_MS + plan.answer_ms
    return replace(check, acknowledged=True, camera="asked", answer_by_ms=max(check.answer_by_ms, latest_ms))


def camera_answered(check: OpenCheck, plan: ProctoringPlan, now_ms: int) -> OpenCheck:
    """The question about the camera is answered: the window begins now, and ends no later than it would have anyway."""
    if check.camera != "asked":
        return replace(check, acknowledged=True)
    whole_ms = max(now_ms, check.delivered_ms) + plan.answer_ms
    return replace(check, acknowledged=True, camera="answered", answer_by_ms=min(check.answer_by_ms, whole_ms))


def unanswered(attempts: Iterable[str | None]) -> Outcome:
    """How a check ends that nobody answered in time, after these outcomes of earlier attempts, oldest first.

    Whoever answered and was asked again only because we lost it has missed nothing. Whoever showed something else than
    herself has not left the check alone, even if it was an offer: what was seen then stands.
    """
    seen = [Outcome(outcome) for outcome in attempts if outcome is not None]
    if seen and seen[-1] is Outcome.SERVICE_DOWN:
        return Outcome.SERVICE_DOWN
    failed = [outcome for outcome in seen if outcome not in BLAMES_NOBODY]
    return failed[-1] if failed else Outcome.MISSED


def is_there(plan: ProctoringPlan, last_contact_ms: int, now_ms: int) -> bool:
    """Whether a page is open that can be asked something: it was heard of within the plan's lease time."""
    return now_ms - last_contact_ms <= plan.lease_ms
