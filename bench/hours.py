"""Whether working out hours stays linear (`assess` over 10,000 and 100,000 segments), and what crediting a beat costs.

The ratio of the two times is the figure; both are taken in one run, each the best of several. Run as
``python bench/hours.py``; `run()` gives the same as a dictionary.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from xueji.hours.rules import Evidence, Statement, assess, evidence
from xueji.progress.rules import PlayedSpan, SittingState, SittingTerms, credit
from xueji.rulebook.rules import load
from xueji.rulebook.shanghai import date_begins_ms

SMALL, LARGE = 10_000, 100_000
MOST_RATIO = 12
BEAT_MS = 10_000
LESSON_MS = 3_600_000
DAY_BEATS = 2_000
"""beats in one day: under the daily maximum, so that the chain is one that could be"""
CHECK_EVERY = 60
DAY_MS = 86_400_000
BOOK = load()
FIRST_DAY = date(2026, 1, 5)
PLAN = BOOK.proctoring_plan("620102", FIRST_DAY, film_handed_out=0)


def chain(segments: int) -> list[dict[str, Any]]:
    """The leaves of an enrolment with this many credited beats and a check each ten minutes; one in nine fails."""
    lessons = [
        {"lesson": f"lesson-{i}", "part": "theory", "duration_ms": LESSON_MS}
        for i in range(segments * BEAT_MS // LESSON_MS + 1)
    ]
    total_ms = len(lessons) * LESSON_MS
    leaves: list[dict[str, Any]] = []
    opened_ms = date_begins_ms(FIRST_DAY)

    def leaf(event: str, at_ms: int, /, **values: Any) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at_ms // 1000))
        leaves.append({"event": event, "at": at, "chain": "bench", "n": len(leaves), "values": values})

    leaf(
        "enrolment.open",
        opened_ms,
        cohort="cohort",
        rulebook=BOOK.reference,
        jurisdiction="620102",
        category="other",
        high_risk=True,
        training="refresher",
        total_ms=total_ms,
        theory_ms=total_ms,
        practical_ms=0,
        online_ms=total_ms,
        in_person_ms=0,
        starts=FIRST_DAY.isoformat(),
        ends="2026-12-31",
        plan=PLAN.to_dict(),
        lessons=lessons,
    )
    leaf("sitting.open", opened_ms, sitting="sitting", lesson="lesson-0", method="face")
    for i in range(segments):
        day, place = divmod(i, DAY_BEATS)
        server_ms = opened_ms + day * DAY_MS + place * BEAT_MS
        position = i * BEAT_MS
        first = position % LESSON_MS
        leaf(
            "beat",
            server_ms + BEAT_MS,
            sitting="sitting",
            lesson=f"lesson-{position // LESSON_MS}",
            seq=i,
            beat=str(i),
            from_ms=first,
            to_ms=first + BEAT_MS,
            state="playing",
            rate=1000,
            credited=[[first, first + BEAT_MS]],
            server=[server_ms, server_ms + BEAT_MS],
            refused=[],
            furthest_ms=first + BEAT_MS,
        )
        if i % CHECK_EVERY == CHECK_EVERY - 1:
            at_ms = server_ms + BEAT_MS
            outcome = "mismatch" if i // CHECK_EVERY % 9 == 8 else "match"
            leaf(
                "check.due",
                at_ms,
                check=str(i),
                sitting="sitting",
                kind="scheduled",
                at_ms=at_ms,
                answer_by_ms=at_ms + 60_000,
            )
            leaf("check.answer", at_ms, check=str(i), attempt=1)
            leaf("check.verdict", at_ms, check=str(i), attempt=1, outcome=outcome, final=True)
    return leaves


def best(call: Callable[[], object], rounds: int, times: int = 1) -> float:
    """The shortest of several rounds, in seconds of this process's CPU a call; as `timeit`, without garbage collection.

    A round is ``times`` calls: what is compared is to take equally long, or the shorter finds the quieter moments.
    """
    taken = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            start = time.process_time()
            for _ in range(times):
                call()
            taken.append((time.process_time() - start) / times)
    finally:
        gc.enable()
    return min(taken)


def _assess(found: Evidence) -> Statement:
    return assess(BOOK, found, date_begins_ms(date(2026, 12, 1)))


def _beat_us(beats: int = 20_000) -> float:
    """Microseconds for one ordinary beat in a request of its own."""
    opened_ms = date_begins_ms(FIRST_DAY)
    terms = SittingTerms(beats * BEAT_MS, PLAN, (), opened_ms, opened_ms + 300 * DAY_MS)
    reports = [[PlayedSpan(i, str(i), i * BEAT_MS, (i + 1) * BEAT_MS)] for i in range(beats)]

    def study() -> None:
        state = SittingState(terms, 0, opened_ms, opened_ms)
        now_ms = opened_ms
        for report in reports:
            now_ms += BEAT_MS
            _, state = credit(state, report, now_ms)

    return best(study, 3) / beats * 1e6


def run() -> dict[str, Any]:
    """Measure, print a line for each figure, and give them as a dictionary."""
    figures: dict[str, Any] = {}
    for name, segments in (("small", SMALL), ("large", LARGE)):
        leaves = chain(segments)
        found = evidence(leaves)
        if len(found.segments) != segments or _assess(found).flags:
            raise AssertionError("the chain measured is not the one meant")
        times = LARGE // segments
        figures[f"assess_{name}_s"] = best(partial(_assess, found), 7, times)
        figures[f"evidence_{name}_s"] = best(partial(evidence, leaves), 3, times)
    figures["assess_ratio"] = figures["assess_large_s"] / figures["assess_small_s"]
    figures["evidence_ratio"] = figures["evidence_large_s"] / figures["evidence_small_s"]
    figures["assess_ratio_at_most"] = MOST_RATIO
    figures["linear"] = figures["assess_ratio"] <= MOST_RATIO
    figures["beat_us"] = _beat_us()
    print(
        f"hours: assess {SMALL:,} segments {figures['assess_small_s'] * 1e3:.1f} ms, "
        f"{LARGE:,} segments {figures['assess_large_s'] * 1e3:.1f} ms, "
        f"ratio {figures['assess_ratio']:.1f} (at most {MOST_RATIO})"
    )
    print(
        f"hours: evidence {figures['evidence_small_s'] * 1e3:.1f} ms and {figures['evidence_large_s'] * 1e3:.1f} ms, "
        f"ratio {figures['evidence_ratio']:.1f}"
    )
    print(f"hours: one ordinary beat {figures['beat_us']:.1f} µs")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
