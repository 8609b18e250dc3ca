"""A sitting's columns are named once: what is read, judged, written back and written anew goes by their names."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from support.trace_stories import PLAN

from xueji.progress.beat_recording import _Open, _Row
from xueji.progress.models import Sitting
from xueji.progress.opening_facts import EarlierSitting, NewSitting
from xueji.progress.rules import SittingState, SittingTerms
from xueji.progress.terms import state_columns, state_of, write_terms

TERMS = SittingTerms(duration_ms=60_000, plan=PLAN, schedule=(5, 9), opens_ms=1, closes_ms=2)
COLUMNS = {column.key for column in Sitting.__table__.columns}
KEYS = {"id", "enrolment_id", "person_id", "lesson_id", "question_id", "lease_of"}


class Keys:
    """Of the driver's way with keys, the one question that is asked."""

    def key(self, key: UUID) -> str:
        return f"key {key.int}"


def row() -> _Row:
    """Every column holds something else."""
    texts: dict[str, Any] = {"terms": write_terms(TERMS), "make_up": "[[1,2]]", "open_check": None, "handed_out": None}
    plain: dict[str, Any] = {name: 1000 + place for place, name in enumerate(_Row._fields)}
    keys = {name: UUID(int=place + 1) for place, name in enumerate(_Row._fields) if name in KEYS}
    return _Row(**{**plain, **keys, **texts})


def test_what_is_read_and_written_are_columns_of_the_table() -> None:
    assert set(_Row._fields) - {"lease_of"} <= COLUMNS
    assert set(EarlierSitting._fields) <= COLUMNS
    assert {field.name for field in fields(SittingState)} <= COLUMNS
    assert {field.name for field in fields(NewSitting)} == COLUMNS
    moved = _Open.of(row()).moved(Keys(), 7)  # type: ignore[arg-type]
    assert set(moved) <= COLUMNS and list(moved)[-1] == "id"


def test_what_nobody_changed_is_written_back_to_its_own_column() -> None:
    before = row()
    moved = _Open.of(before).moved(Keys(), 7)  # type: ignore[arg-type]
    assert moved.pop("last_contact_ms") == 7
    as_read = {name: Keys().key(value) if name in KEYS else value for name, value in before._asdict().items()}
    assert moved == {name: as_read[name] for name in moved}


def test_a_state_reads_back_from_its_columns() -> None:
    state = state_of(row())
    assert (state.terms, state.make_up) == (TERMS, ((1, 2),))
    again = SimpleNamespace(**state_columns(state), terms=write_terms(TERMS))
    assert state_of(again) == state
