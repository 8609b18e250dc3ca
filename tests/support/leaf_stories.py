"""A class as it happens, for what stands in the log: nearly every act of trainees and their institution once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from support.scenario import Scenario

from xueji.identity.rules import ProofRoute
from xueji.proctoring.models import Check
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.models import LeafRow, Pending

_NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32,64}\b")


def play(scenario: Scenario) -> None:
    """One is checked, fails, contests and attends; another is confirmed by staff and leaves."""
    lesson = scenario.lessons[0]
    one = scenario.student()
    one.study(lesson, answers=[Outcome.MATCH, Outcome.MISMATCH])
    with scenario.context.database.reading() as session:
        failed = session.scalars(select(Check.id).where(Check.outcome == Outcome.MISMATCH)).one()
    one.contest(failed)
    other = scenario.student("李小红", ProofRoute.SUPERVISED)
    check_in = scenario.check_in(other)
    other.study(lesson)
    scenario.check_out(check_in)
    scenario.attend(one, other)


def written(scenario: Scenario) -> list[dict[str, Any]]:
    """Every leaf that stands in the log, in the order of chains and numbers."""
    with scenario.context.database.reading() as session:
        leaves = [json.loads(leaf) for table in (LeafRow, Pending) for leaf in session.scalars(select(table.leaf))]
    return sorted(leaves, key=lambda leaf: (leaf["chain"], leaf["n"]))


def shapes(leaves: list[dict[str, Any]]) -> set[str]:
    """Event and values of each leaf without what dice and clocks decide: ids, hashes and numbers are replaced by their
    kind, and a list says each of its elements once and no words."""
    return {
        f"{leaf['event']} {json.dumps(_shape(leaf['values']), sort_keys=True, ensure_ascii=False)}" for leaf in leaves
    }


def _shape(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        inner = ["…" if isinstance(each, str) and not _NAMES.match(each) else _shape(each) for each in value]
        return [each for place, each in enumerate(inner) if each not in inner[:place]]
    if isinstance(value, str):
        return _NAMES.sub(lambda found: f"<{len(found[0])}>", value)
    return 0 if type(value) is int else value
