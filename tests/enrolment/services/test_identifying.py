"""Chains of an early release say afterwards whom they are about, once, and of nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from support.bundles import edited, fallen, judged, unpacked
from support.evidence import Case, new_case
from support.growing_log import growing_log

from bench.loose_leaves import loose
from xueji.enrolment.models import Enrolment
from xueji.enrolment.services.identifying import identify_enrolments
from xueji.evidence import bundle as parts
from xueji.kernel.context import Context
from xueji.trace import queries as trace
from xueji.trace import services as writing
from xueji.trace.models import SealedOpening
from xueji.trace.rules import ABOUT, STAFF_NAME, STAFF_ORGANISATION


class _Early(dict):  # type: ignore[type-arg]
    """The opening leaf's values as the first release wrote them."""


@pytest.fixture
def early(context: Context, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    with growing_log(context) as log:
        log.settle()
        record = writing.record

        def as_before(session, leaf, **where):  # type: ignore[no-untyped-def]
            told = (ABOUT, STAFF_NAME, STAFF_ORGANISATION)
            values = {name: value for name, value in leaf.values().items() if name not in told}
            return record(session, loose(leaf.EVENT, values, named=False), **where)

        with monkeypatch.context() as patch:
            patch.setattr(writing, "record", as_before)
            case = new_case(context, log)
        with context.database.writing() as session:
            session.execute(delete(SealedOpening).where(SealedOpening.chain == case.chain))
        log.settle()
        yield case


def _leaves(case: Case) -> list[dict]:  # type: ignore[type-arg]
    with case.context.database.reading() as session:
        return list(trace.chain(session, case.chain))


def test_an_early_chain_is_identified_once_and_then_proves_whose_it_is(early: Case, tmp_path: Path) -> None:
    assert ABOUT not in _leaves(early)[0]["values"]
    before = judged(tmp_path / "bundle", unpacked(early.bundle()))
    assert before["subject"][0].strip() == "--", "no leaf says whom it is about, and neither does the bundle"
    assert identify_enrolments(early.context) == 1
    assert identify_enrolments(early.context) == 0
    (leaf,) = [leaf for leaf in _leaves(early) if leaf["event"] == "enrolment.identify"]
    assert leaf["values"]["of"] == _leaves(early)[0]["who"]
    content = unpacked(early.bundle())
    assert fallen(judged(tmp_path / "bundle", content)) == {}
    edited(content, parts.SUBJECT, lambda said: said.__setitem__("person_name", "李小红"))
    assert list(fallen(judged(tmp_path / "bundle", content))) == ["subject"]


def test_an_enrolment_that_was_put_to_another_is_not_identified(early: Case) -> None:
    from support.school import new_member

    from xueji.kernel.actor import Role

    other = new_member(early.context, early.school.organisation, Role.TRAINEE)
    with early.context.database.writing() as session:
        session.execute(update(Enrolment).where(Enrolment.id == early.enrolment.id).values(person_id=other.person.id))
    assert identify_enrolments(early.context) == 0


def test_the_audit_knows_people_by_their_type_also_where_nothing_else_is_loaded(early: Case) -> None:
    """As `xueji log audit` runs: a process of its own, which has imported the tables of nobody."""
    settings = early.context.settings
    program = (
        "from xueji.kernel.settings import Settings\n"
        "from xueji.kernel.context import Context\n"
        "from xueji.enrolment.chain_binding import audit_binding\n"
        "context = Context.open(Settings.load())\n"
        "with context.database.reading() as session:\n"
        "    print(audit_binding(session))\n"
    )
    environment = {**os.environ, "XUEJI_DATA": str(settings.data), "XUEJI_DATABASE_URL": settings.database_url}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert run.stdout.splitlines()[-1:] == ["[]"], run.stderr
