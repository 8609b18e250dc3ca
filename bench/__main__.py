"""``make bench``: measures everything, prints a table, and writes it as JSON; ``python -m bench faces`` one subject.

Each figure with a target is a ratio within this run or a bound with room to spare. The exit status is 1 when one is
missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import attacks, beats, faces, films, hours, trace

OUTPUT = Path("build") / "bench.json"


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``limit`` None: for comparison."""

    subject: str
    name: str
    value: float
    unit: str
    limit: str | None = None
    reached: bool | None = None


def at_most(subject: str, name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(subject, name, value, unit, f"<= {limit:g}", value <= limit)


def at_least(subject: str, name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(subject, name, value, unit, f">= {limit:g}", value >= limit)


def of_beats() -> Iterator[Figure]:
    rows = beats.run()["rows"]
    beat_cpu = {row["name"]: row["cpu_ms"] for row in rows}
    for row in rows:
        name, subject = row["name"], "beats"
        yield Figure(subject, f"{name}, {row['connections']} connections", row["per_second"], "a second")
        yield Figure(subject, f"{name}, processor time", row["cpu_ms"], "ms each")
        if name == "beats, SQLite":
            yield at_least(subject, f"{name}, throughput of the floor's", row["throughput_of_floor"], "times", 0.8)
            yield at_most(subject, f"{name}, processor time of the floor's", row["cpu_of_floor"], "times", 1.5)
        if name.startswith("openings, "):
            a_beat = beat_cpu[name.replace("openings", "beats")]
            yield at_most(subject, f"{name}, processor time of a beat's", row["cpu_ms"] / a_beat, "times", 6)
        if name.startswith("openings: "):
            yield at_most(subject, f"{name}, p99", row["p99_ms"], "ms", 1000)
        elif name.startswith("starting bell"):
            yield at_most(subject, f"{name}, p99", row["p99_ms"], "ms", 100)
        else:
            yield Figure(subject, f"{name}, p99", row["p99_ms"], "ms")


def of_hours() -> Iterator[Figure]:
    found = hours.run()
    yield at_most("hours", "assess, ten times the segments", found["assess_ratio"], "times", hours.MOST_RATIO)
    yield Figure("hours", f"assess, {hours.LARGE} segments", found["assess_large_s"] * 1000, "ms")
    yield Figure("hours", "crediting an ordinary beat", found["beat_us"], "µs")


def of_rows(subject: str, rows: list[Any]) -> Iterator[Figure]:
    for row in rows:
        yield Figure(subject, row.name, row.value, row.unit, row.limit, row.reached)


SUBJECTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "attacks": lambda: of_rows("attacks", attacks.run()),
    "beats": of_beats,
    "faces": lambda: of_rows("faces", faces.run()),
    "films": lambda: of_rows("films", films.run()),
    "hours": of_hours,
    "trace": lambda: of_rows("trace", trace.run()),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("only", nargs="*", choices=[*SUBJECTS, []], help="subjects; none: all")
    chosen = parser.parse_args().only or list(SUBJECTS)
    figures: list[Figure] = []
    for subject in chosen:
        for figure in SUBJECTS[subject]():
            figures.append(figure)
            verdict = {True: "ok", False: "MISSED", None: ""}[figure.reached]
            line = f"{subject:6} {figure.name:64} {figure.value:12.4g} {figure.unit:9} {figure.limit or '':9} {verdict}"
            print(line.rstrip(), flush=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(figure) for figure in figures], ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"\nas JSON: {OUTPUT}")
    return 1 if any(figure.reached is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
