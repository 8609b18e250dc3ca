"""The log is a written language: each event has one class (`xueji.trace.leaf`), and what else speaks of it agrees.

docs/log-events.md, the list of commitments that travels with a bundle, and who may open what are held against the
classes; and the classes against leaves that tests and earlier releases recorded.
"""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path

import pytest
from architecture.house import HOUSE, PACKAGES
from support.leaf_classes import classes, declared, rebuilt
from support.leaf_stories import play, shapes, written
from support.log_page import Row, described_fields, described_units, faults, rows
from support.scenario import Scenario

from xueji.evidence import rules as opening
from xueji.evidence.claims.committed import COMMITTED, FIELDS
from xueji.hours.rules import bears_on_hours
from xueji.trace import canonical
from xueji.trace.leaf import Chain, Commitment, Hidden, Leaf, Unit
from xueji.trace.rules import BY, FORMER, STAFF_ORGANISATION, By, Event

XUEJI = PACKAGES[0]
ACTS_OF = {By.TRAINEE: "trainee", By.STAFF: "staff", By.PLATFORM: "platform", By.POWER: "power", By.ANYBODY: "anybody"}
KEPT = HOUSE / "tests" / "kept"
BUNDLES = sorted(KEPT.glob("*/*.zip"))


def test_every_event_has_one_row_and_one_class() -> None:
    assert sorted(row.event for row in rows()) == sorted(Event)
    assert classes().keys() == set(Event) - FORMER.keys()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.event)
def test_a_row_says_what_the_class_says(row: Row) -> None:
    event = Event(row.event)
    assert row.act_of == ACTS_OF[BY[event]]
    assert ("hours" in row.readers) == bears_on_hours(event)
    assert not row.fields & row.commitments
    if event in FORMER:
        return
    cls = classes()[event]
    fields = declared(cls)
    assert row.fields == {path for path, what in fields.items() if isinstance(what, Unit)} | cls.FORMER
    assert row.commitments == {path for path, what in fields.items() if isinstance(what, Commitment)}
    assert set(row.chains) == ({"any"} if frozenset(Chain) == cls.CHAINS else {chain.value for chain in cls.CHAINS})
    assert row.modules
    for module in row.modules:
        assert cls.__name__ in (XUEJI / f"{module}.py").read_text("utf-8"), module


@pytest.mark.parametrize("event", sorted(FORMER))
def test_an_event_that_is_written_no_more_has_heirs_that_are_read_alike(event: Event) -> None:
    (row,) = (row for row in rows() if row.event == event)
    assert not row.modules
    for heir in FORMER[event]:
        assert BY[heir] is BY[event]
        assert bears_on_hours(heir) == bears_on_hours(event)


def test_every_field_is_described_once_in_the_unit_of_the_classes() -> None:
    named = {field for row in rows() for field in row.fields | row.commitments}
    assert sorted(described_fields()) == sorted(named)
    units = described_units()
    for event, cls in classes().items():
        for path, what in declared(cls).items():
            unit = what.name if isinstance(what, Unit) else "commitment"
            assert unit in units[path], f"{event}: {path}"


def test_the_verifier_knows_every_commitment_of_a_trainees_chain() -> None:
    ours = [(event, path, what) for event, path, what in _commitments() if _is_of_a_trainee(event)]
    assert {path.rpartition(".")[2] for _event, path, _what in ours} <= COMMITTED
    assert {path.rpartition(".")[2] for _event, path, _what in _commitments()} >= COMMITTED
    renamed = {(event, path): what.opened_as for event, path, what in ours if what.opened_as is not None}
    assert renamed == FIELDS


def test_it_is_decided_of_every_commitment_who_may_open_it() -> None:
    kinds: dict[str, set[Hidden]] = {}
    for event, path, what in _commitments():
        if _is_of_a_trainee(event):
            kinds.setdefault(what.opened_as or path.rpartition(".")[2], set()).add(what.kind)
    groups = [
        *(opening.SITTING, opening.WORDS, opening.ABOUT, opening.IN_FULL, opening.IN_OFFICE, opening.DECLARED),
        *({opening.PICTURE}, {opening.REFERENCE}, {opening.SCHEDULE}, {STAFF_ORGANISATION}),
    ]
    assert sorted(name for group in groups for name in group) == sorted(kinds)
    of_staff = opening.IN_OFFICE | {STAFF_ORGANISATION}
    for name, (kind,) in kinds.items():
        assert (kind is Hidden.STAFF) == (name in of_staff), name
        assert (kind is Hidden.DRAW) == (name == opening.SCHEDULE), name
    for asker, fields in opening.OPENED.items():
        assert (opening.SCHEDULE in fields) == (asker is opening.Asker.REGULATOR)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.stem)
def test_the_leaves_of_earlier_releases_are_described(bundle: Path) -> None:
    with zipfile.ZipFile(str(bundle)) as archive:
        leaves = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    assert set().union(*(faults(leaf["event"], leaf["values"]) for leaf in leaves)) == set()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.stem)
def test_a_class_writes_the_values_of_earlier_releases_byte_for_byte(bundle: Path) -> None:
    with zipfile.ZipFile(str(bundle)) as archive:
        leaves = [json.loads(line) for line in archive.read("events.jsonl").splitlines()]
    again = [(leaf, made) for leaf in leaves if (made := rebuilt(leaf["event"], leaf["values"])) is not None]
    for leaf, made in again:
        assert canonical.encode(made.values()) == canonical.encode(leaf["values"]), leaf["event"]
    assert len(again) > len(leaves) / 3


def test_the_leaves_of_a_class_are_described_and_written_as_before_there_were_classes(scenario: Scenario) -> None:
    play(scenario)
    leaves = written(scenario)
    assert {leaf["event"] for leaf in leaves} >= {Event.BEAT, Event.CHECK_APPEAL, Event.CHECKIN_CONFIRM}
    assert set().union(*(faults(leaf["event"], leaf["values"]) for leaf in leaves)) == set()
    assert shapes(leaves) <= set((KEPT / "leaves.txt").read_text("utf-8").splitlines())
    for leaf in leaves:
        cls = classes().get(Event(leaf["event"]))
        if cls is not None:
            assert ("occurred" in leaf) == cls.OCCURRED, leaf["event"]
            made = rebuilt(leaf["event"], leaf["values"])
            assert made is not None, leaf["event"]
            assert canonical.encode(made.values()) == canonical.encode(leaf["values"])


def test_only_declared_classes_are_recorded() -> None:
    """Mypy sees that nothing but a `Leaf` is recorded; here, that a part makes none beside its `leaves.py`."""
    ours = {cls.__name__ for cls in classes().values()} | {cls.__name__ for cls in _bases()}
    for path in sorted(XUEJI.rglob("*.py")):
        if path.name in ("leaves.py", "leaf.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                assert not {ast.unparse(base) for base in node.bases} & ours, path
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _RECORDS:
                assert not any(isinstance(given, ast.Dict) for given in node.args), f"{path}:{node.lineno}"
                assert not {keyword.arg for keyword in node.keywords} & {"values", "event"}, f"{path}:{node.lineno}"


_RECORDS = {"record", "record_many", "record_in_enrolment", "record_in_office", "record_power", "record_of_person"}
"""Functions that write into the log."""


def _bases() -> set[type]:
    return {base for cls in classes().values() for base in cls.__mro__ if issubclass(base, Leaf)}


def _commitments() -> list[tuple[Event, str, Commitment]]:
    return [
        (event, path, what)
        for event, cls in classes().items()
        for path, what in declared(cls).items()
        if isinstance(what, Commitment)
    ]


def _is_of_a_trainee(event: Event) -> bool:
    return Chain.ENROLMENT in classes()[event].CHAINS
