"""What the parts of the platform commit to, and the names under which the verifier lets it be opened, are one list."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import select
from support.scenario import playing

from xueji.attendance.models import Attendance
from xueji.attendance.services.entering import revoke_attendance
from xueji.enrolment.services.trainees import withdraw
from xueji.evidence.claims.committed import commitments
from xueji.evidence.rules import OPENED, PICTURE, REFERENCE, Asker
from xueji.identity.rules import ProofRoute
from xueji.kernel.database import Database
from xueji.proctoring.services import review
from xueji.rulebook.vocabulary import Outcome, ReviewOutcome
from xueji.trace import queries


def _kept(database: Database, chain: str) -> dict[str, str]:
    with database.reading() as session:
        return {commitment: opening.field for commitment, opening in queries.openings(session, chain).items()}


def _in_leaves(database: Database, chain: str) -> dict[str, str]:
    with database.reading() as session:
        return {
            commitment: field
            for leaf in queries.chain(session, chain)
            for commitment, field in commitments(leaf["event"], leaf["values"]).items()
        }


def test_every_commitment_is_kept_under_the_name_that_its_place_gives_it(app: Flask) -> None:
    """A whole training goes by: study, checks, an appeal and its answer, a check-in, attendance taken back, a leave."""
    with playing(app) as scenario:
        context, staff, student = scenario.context, scenario.school.staff, scenario.student()
        student.study(scenario.lessons[0], answers=[Outcome.MISMATCH])
        student.contest(student.checks[0])
        with context.database.writing() as session:
            review(
                session, context.keyring,
                actor=staff, check_id=student.checks[0], outcome=ReviewOutcome.ACCEPT, reason="画面清楚，是本人。",
            )  # fmt: skip
        beside = scenario.student("李小红", ProofRoute.SUPERVISED)
        scenario.check_in(beside)
        scenario.attend(student)
        with context.database.writing() as session:
            attended = session.scalars(select(Attendance)).one()
            revoke_attendance(
                session, context.keyring, actor=staff, attendance_id=attended.id, reason="登记到了别人名下。"
            )
        with context.database.writing() as session:
            withdraw(
                session, context.keyring, context.events,
                enrolment_id=student.enrolment.id, reason="调离岗位。", actor=staff,
            )  # fmt: skip
    names: set[str] = set()
    for chain in (student.enrolment.chain, beside.enrolment.chain):
        kept = _kept(context.database, chain)
        assert kept == _in_leaves(context.database, chain)
        names |= set(kept.values())
    assert names == OPENED[Asker.REGULATOR] | {PICTURE, REFERENCE}
