"""docs/log-events.md names every event and every field of the log: their names stand in bundles for ever."""

from __future__ import annotations

import ast
import json
import zipfile
from collections.abc import Iterator

import pytest
from architecture.house import HOUSE, PACKAGES
from sqlalchemy import select
from support.log_page import Row, described_fields, faults, rows
from support.scenario import Scenario

from xueji.evidence.claims.committed import FIELDS
from xueji.hours.rules import bears_on_hours
from xueji.identity.rules import ProofRoute
from xueji.proctoring.models import Check
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.models import LeafRow, Pending
from xueji.trace.rules import BY, NAMED_BY, By, Event

XUEJI = PACKAGES[0]
ACTS_OF = {By.TRAINEE: "trainee", By.STAFF: "staff", By.PLATFORM: "platform", By.POWER: "power", By.ANYBODY: "anybody"}
CHAINS = {"enrolment", "cohort", "platform", "log", "holders", "any"}
MAKERS = {"_leaf", "_planned", "_values", "opening_values", "beat_values", "_statement_values"}
"""Functions that give back values of leaves."""
BESIDE = {"progress/rules", "enrolment/services/declaring"}
"""Modules that put values together and leave the recording to another."""
KEPT = sorted((HOUSE / "tests" / "kept").glob("*/*.zip"))


def test_every_event_has_one_row() -> None:
    assert sorted(row.event for row in rows()) == sorted(Event)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.event)
def test_a_row_says_whose_act_it_is_where_it_is_made_and_whether_hours_follow(row: Row) -> None:
    event = Event(row.event)
    assert row.act_of == ACTS_OF[BY[event]]
    assert set(row.chains) <= CHAINS
    for module in row.modules:
        assert f"Event.{event.name}" in (XUEJI / f"{module}.py").read_text("utf-8"), module
    assert ("hours" in row.readers) == bears_on_hours(event)
    assert NAMED_BY.get(BY[event], frozenset()) <= row.commitments
    assert {place for name, place in FIELDS if name == event} <= row.commitments
    assert not row.fields & row.commitments


def test_every_field_is_described_once() -> None:
    named = {field for row in rows() for field in row.fields | row.commitments}
    assert sorted(described_fields()) == sorted(named)


@pytest.mark.parametrize("bundle", KEPT, ids=lambda path: path.stem)
def test_the_leaves_of_earlier_releases_are_described(bundle: object) -> None:
    with zipfile.ZipFile(str(bundle)) as archive:
        leaves = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    assert set().union(*(faults(leaf["event"], leaf["values"]) for leaf in leaves)) == set()


def test_the_leaves_of_a_class_are_described(scenario: Scenario) -> None:
    """One who is checked, fails, contests and attends; one who is confirmed by staff and leaves."""
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
    with scenario.context.database.reading() as session:
        written = [json.loads(leaf) for table in (LeafRow, Pending) for leaf in session.scalars(select(table.leaf))]
    assert {leaf["event"] for leaf in written} >= {Event.BEAT, Event.CHECK_APPEAL, Event.CHECKIN_CONFIRM}
    assert set().union(*(faults(leaf["event"], leaf["values"]) for leaf in written)) == set()


def test_no_module_that_makes_leaves_uses_a_name_the_page_does_not_have() -> None:
    """Tests record many leaves and not all: names are also looked for where the values of leaves are put together."""
    known = {part for field in described_fields() for part in field.split(".")}
    modules = sorted({module for row in rows() for module in row.modules} | BESIDE)
    unknown = {f"{module}: {name}" for module in modules for name in _names(module)} - {""}
    assert {each for each in unknown if each.rpartition(": ")[2] not in known} == set()


def _names(module: str) -> Iterator[str]:
    """The keys of what is put into `values`, by a variable or an argument of that name, or given back by a function
    that makes values."""
    for node in ast.walk(ast.parse((XUEJI / f"{module}.py").read_text("utf-8"))):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and target.id == "values" and node.value is not None:
                    yield from _keys(node.value)
                inner = target.value if isinstance(target, ast.Subscript) else None
                if isinstance(inner, ast.Name) and inner.id == "values" and isinstance(target, ast.Subscript):
                    yield str(target.slice.value) if isinstance(target.slice, ast.Constant) else ""
        elif isinstance(node, ast.keyword) and node.arg == "values":
            yield from _keys(node.value)
        elif isinstance(node, ast.FunctionDef) and node.name in MAKERS:
            for inner_node in ast.walk(node):
                if isinstance(inner_node, ast.Return) and inner_node.value is not None:
                    yield from _keys(inner_node.value)


def _keys(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Dict):
            yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))
