"""Write an enrolment's chain by hand, or by letting a trainee study under the real rules."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from xueji.hours.rules import Statement, assess, evidence
from xueji.progress.leaves import beat_leaf
from xueji.progress.rules import BeatResult, PlayedSpan, SittingState, SittingTerms, credit
from xueji.rulebook.plan import ProctoringPlan
from xueji.rulebook.rules import load
from xueji.rulebook.shanghai import DAY_MS, date_begins_ms

MINUTE = 60_000
HOUR = 60 * MINUTE
CLASS_HOUR = 45 * MINUTE
BOOK = load()
FIRST_DAY, LAST_DAY = date(2026, 11, 2), date(2026, 11, 30)
OPENS = date_begins_ms(FIRST_DAY)
CLOSES = date_begins_ms(LAST_DAY) + DAY_MS
NINE = OPENS + 9 * HOUR
"""nine in the morning of the first day, Asia/Shanghai"""
PLAN = BOOK.proctoring_plan("620102", FIRST_DAY, film_handed_out=0)
SETTLED = CLOSES + PLAN.settle_days * DAY_MS


def rfc3339(at_ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


class Story:
    """One enrolment's chain, written leaf by leaf."""

    def __init__(self, **terms: Any) -> None:
        self.leaves: list[dict[str, Any]] = []
        self.now = NINE
        self._ids = 0
        plan: ProctoringPlan = terms.pop("plan", PLAN)
        if terms.get("rules", 1) > 1:
            terms = {"industry": None, "subject": None, **terms}
        self.terms = {
            "cohort": "cohort",
            "rulebook": BOOK.reference,
            "jurisdiction": "620102",
            "category": "special_operator",
            "high_risk": True,
            "training": "initial",
            "total_ms": 10 * HOUR,
            "theory_ms": 6 * HOUR,
            "practical_ms": 4 * HOUR,
            "online_ms": 4 * HOUR,
            "in_person_ms": 6 * HOUR,
            "starts": FIRST_DAY.isoformat(),
            "ends": LAST_DAY.isoformat(),
            "plan": plan.to_dict(),
            "lessons": [{"lesson": "lesson", "part": "theory", "duration_ms": 3 * HOUR}],
            **terms,
        }
        self.leaf("enrolment.open", OPENS, **self.terms)

    def new_id(self, what: str) -> str:
        self._ids += 1
        return f"{what}-{self._ids}"

    def leaf(self, event: str, at_ms: int | None = None, /, **values: Any) -> dict[str, Any]:
        at = self.now if at_ms is None else at_ms
        leaf = {
            "v": 1,
            "event": event,
            "at": rfc3339(at),
            "chain": "enrolment",
            "n": len(self.leaves),
            "prev": "0" * 64,
            "who": "trainee",
            "values": values,
        }
        self.leaves.append(leaf)
        return leaf

    def sitting(self, lesson: str = "lesson", method: str = "face") -> str:
        sitting = self.new_id("sitting")
        self.leaf("sitting.open", sitting=sitting, lesson=lesson, method=method)
        return sitting

    def watched(
        self,
        from_ms: int,
        to_ms: int,
        server_ms: int | None = None,
        *,
        lesson: str = "lesson",
        sitting: str = "sitting",
        refused: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """One credited beat; without a server time it follows on, and the story's clock goes to its end."""
        begins = self.now if server_ms is None else server_ms
        if server_ms is None:
            self.now += to_ms - from_ms
        return self.leaf(
            "beat",
            max(self.now, begins + to_ms - from_ms),
            sitting=sitting,
            lesson=lesson,
            seq=len(self.leaves),
            beat=self.new_id("beat"),
            from_ms=from_ms,
            to_ms=to_ms,
            state="playing",
            rate=1000,
            credited=[[from_ms, to_ms]],
            server=[begins, begins + to_ms - from_ms],
            refused=list(refused),
            furthest_ms=to_ms,
        )

    def check(self, outcome: str | None = "match", *, kind: str = "scheduled", check: str | None = None) -> str:
        """A check due now and decided at once; outcome None leaves it open."""
        name = check or self.new_id("check")
        self.due(name, kind)
        if outcome not in (None, "missed"):
            self.leaf("check.answer", check=name, attempt=1, method="face", frames=[], signals=[])
        if outcome is not None:
            self.verdict(name, outcome)
        return name

    def due(self, check: str, kind: str = "scheduled", *, attempt: int = 1, answer_ms: int = PLAN.answer_ms) -> None:
        """A check asked for now in the latest sitting; in one that is opened for it, if none was."""
        sittings = [leaf["values"]["sitting"] for leaf in self.leaves if leaf["event"] == "sitting.open"]
        sitting = sittings[-1] if sittings else self.sitting()
        answer_by_ms = self.now + answer_ms
        self.leaf(
            "check.due",
            check=check,
            sitting=sitting,
            kind=kind,
            at_ms=self.now,
            answer_by_ms=answer_by_ms,
            attempt=attempt,
        )

    def verdict(self, check: str, outcome: str, *, final: bool = True) -> None:
        self.leaf("check.verdict", check=check, attempt=1, outcome=outcome, final=final, signals=[])

    def review(self, check: str, outcome: str, *by: str) -> None:
        """Said by these members of staff, one after the other."""
        for who in by or ("staff",):
            self.leaf("check.review", check=check, outcome=outcome, reason="00", by=who)

    def attended(self, ms: int, *, part: str = "practical", began_ms: int | None = None, session: str = "") -> str:
        name = session or self.new_id("session")
        began = self.now if began_ms is None else began_ms
        times = {"began": began, "ended": began + ms, "planned": began - 1}
        self.leaf("attendance", session=name, part=part, ms=ms, method="list", **times)
        return name

    def statement(self, as_of_ms: int | None = None) -> Statement:
        return assess(BOOK, evidence(self.leaves), self.now if as_of_ms is None else as_of_ms)


class Study:
    """A sitting under the real rules: reports go through `credit`, what comes of them into the story's chain."""

    def __init__(self, story: Story, *, duration_ms: int = 3 * HOUR, lesson: str = "lesson", **state: Any) -> None:
        self.story = story
        self.lesson = lesson
        self.sitting = story.sitting(lesson)
        terms = SittingTerms(duration_ms, PLAN, (), OPENS, CLOSES)
        start = {"furthest_ms": 0, "used_until_ms": story.now, "last_interaction_ms": story.now, **state}
        self.state = SittingState(terms, **start)
        self.results: list[BeatResult] = []
        self._seq = 0

    def beat(self, from_ms: int, to_ms: int, state: str = "playing", rate: int = 1000) -> PlayedSpan:
        self._seq += 1
        return PlayedSpan(self._seq, f"{self.sitting}-{self._seq}", from_ms, to_ms, state, rate)

    def report(self, *beats: PlayedSpan) -> list[BeatResult]:
        """One request now."""
        results, self.state = credit(self.state, beats, self.story.now)
        for beat, result in zip(beats, results, strict=True):
            self.story.leaf("beat", **beat_leaf(self.sitting, self.lesson, beat, result).values())
        self.results += results
        return results

    def watch(self, ms: int, *, step_ms: int = 10_000) -> None:
        """Study on from the frontier in real time, reporting each step."""
        until = self.state.furthest_ms + ms
        while self.state.furthest_ms < until:
            first = self.state.furthest_ms
            last = min(first + step_ms, until)
            self.story.now += last - first
            self.report(self.beat(first, last))

    @property
    def credited_ms(self) -> int:
        return sum(result.credited_ms for result in self.results)


def refused_for(results: Sequence[BeatResult]) -> dict[str, int]:
    """How much was refused for each reason."""
    sums: dict[str, int] = {}
    for result in results:
        for piece in result.refused:
            sums[piece.reason.value] = sums.get(piece.reason.value, 0) + piece.to_ms - piece.from_ms
    return sums
