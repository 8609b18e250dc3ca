"""Oversight: draws that can be drawn again, findings to their end, replays from the trace, cells that do not run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.people import Someone, someone
from support.scenario import LESSON_MS, Scenario, Student

from xueji.desks.queries import Sought, search_trainees
from xueji.desks.replay import timeline
from xueji.hours.rules import evidence
from xueji.identity.rules import ProofRoute
from xueji.kernel import clock
from xueji.kernel.actor import Actor, Role
from xueji.kernel.errors import Forbidden, NotFound
from xueji.oversight import queries, rules, services
from xueji.oversight.access import access_draw, access_finding
from xueji.oversight.errors import DeadlineNotLater, DeadlinePast, FindingOver, NobodyToDraw
from xueji.oversight.models import Draw, Finding
from xueji.oversight.rules import FindingKind, FindingState, FindingStep
from xueji.proctoring.queries import checks_of_occasion
from xueji.rulebook.draws import drawn, population_digest
from xueji.rulebook.vocabulary import Outcome
from xueji.trace import queries as trace
from xueji.trace import sealing
from xueji.trace.rules import PLATFORM, STAFF_NAME, STAFF_ORGANISATION
from xueji.web import csv_export


def _regulator(scenario: Scenario, region: str = "620100") -> Actor:
    who: Someone = scenario.regulator
    return who.actor(Role.REGULATOR, region=region)


def _draw(scenario: Scenario, actor: Actor, size: int, **among: UUID) -> Draw:
    with scenario.context.database.writing() as session:
        return services.draw_trainees(session, scenario.context.keyring, actor=actor, size=size, **among)


def _finding(scenario: Scenario, student: Student, actor: Actor, days: int = 10) -> Finding:
    with scenario.context.database.writing() as session:
        return services.raise_finding(
            session,
            scenario.context.keyring,
            actor=actor,
            enrolment_id=student.enrolment.id,
            kind=FindingKind.IDENTITY,
            words="照片不像本人",
            deadline=clock.shanghai_day(clock.now()) + timedelta(days=days),
        )


@given(st.binary(min_size=32, max_size=32), st.sets(st.uuids(), min_size=1, max_size=40), st.integers(1, 50))
def test_seed_and_population_alone_decide_who_is_drawn(seed: bytes, people: set[UUID], size: int) -> None:
    chosen = drawn(seed, people, size)
    assert len(chosen) == len(set(chosen)) == min(size, len(people))
    assert set(chosen) <= people
    assert chosen == drawn(seed, sorted(people, key=str, reverse=True), size)
    assert chosen == drawn(seed, people, size + 5)[:size], "drawing more keeps those already drawn"


def test_a_draw_can_be_drawn_again_and_the_trace_commits_to_it(scenario: Scenario) -> None:
    students = [scenario.student(route=ProofRoute.SUPERVISED) for _ in range(6)]
    made = _draw(scenario, _regulator(scenario), 3)
    with scenario.context.database.reading() as session:
        line = queries.draw_line(session, access_draw(session, _regulator(scenario), made.id).id)
        assert set(line.population) == {student.enrolment.id for student in students}
        assert line.chosen == drawn(made.seed, line.population, 3)
        (leaf,) = [leaf for leaf in trace.chain(session, PLATFORM) if leaf["event"] == "draw"]
        opened = sealing.unseal(session, trace.openings(session, PLATFORM)[made.commitment])
    named = {name: leaf["values"].pop(name) for name in (STAFF_NAME, STAFF_ORGANISATION)}
    assert all(len(commitment) == 64 for commitment in named.values())
    assert leaf["values"] == {
        "draw": str(made.id),
        "population": 6,
        "among": population_digest(line.population),
        "size": 3,
        "seed": made.commitment,
    }
    assert opened.value == made.seed.hex().encode()


def test_a_draw_stays_inside_the_jurisdiction(scenario: Scenario) -> None:
    scenario.student(route=ProofRoute.SUPERVISED)
    elsewhere = _regulator(scenario, "650000")
    with pytest.raises(NobodyToDraw):
        _draw(scenario, elsewhere, 5)
    with pytest.raises(NobodyToDraw):
        _draw(scenario, _regulator(scenario), 5, cohort_id=uuid4())
    with pytest.raises(Forbidden):
        _draw(scenario, scenario.school.staff, 5)
    made = _draw(scenario, _regulator(scenario), 5)
    with scenario.context.database.reading() as session, pytest.raises(NotFound):
        access_draw(session, elsewhere, made.id)


def test_a_trainee_is_found_by_whole_name_or_number_and_only_inside_the_jurisdiction(scenario: Scenario) -> None:
    student = scenario.student("欧阳娜仁", ProofRoute.SUPERVISED)
    scenario.student("王小明", ProofRoute.SUPERVISED)
    keyring = scenario.context.keyring

    def found(text: str, region: str = "620100") -> list[UUID]:
        with scenario.context.database.reading() as session:
            lines, total = search_trainees(session, keyring, _regulator(scenario, region), Sought(text))
        assert total == len(lines)
        return [line.enrolment_id for line in lines]

    assert found("欧阳娜仁") == found(student.who.id_number.lower()) == [student.enrolment.id]
    assert found("欧阳") == found("%") == []
    assert len(found("")) == 2
    assert found("欧阳娜仁", "650000") == []
    assert found("欧阳娜仁", "620000") == found("欧阳娜仁", "620102") == [student.enrolment.id]


def test_a_finding_goes_from_open_to_answered_to_closed_and_each_step_is_in_the_trace(scenario: Scenario) -> None:
    student, regulator, keyring = scenario.student(), _regulator(scenario), scenario.context.keyring
    finding = _finding(scenario, student, regulator)
    with scenario.context.database.writing() as session:
        with pytest.raises(Forbidden):
            services.answer_finding(session, keyring, actor=regulator, finding_id=finding.id, answer="已核实")
        services.answer_finding(session, keyring, actor=scenario.school.staff, finding_id=finding.id, answer="已核实")
    with scenario.context.database.writing() as session, pytest.raises(FindingOver):
        services.answer_finding(session, keyring, actor=scenario.school.staff, finding_id=finding.id, answer="又一次")
    with scenario.context.database.writing() as session:
        closed = services.close_finding(session, keyring, actor=regulator, finding_id=finding.id)
        assert closed.state is FindingState.CLOSED and closed.answer == "已核实"
    with scenario.context.database.reading() as session:
        leaves = [leaf["values"] for leaf in trace.chain(session, student.enrolment.chain)]
    steps = [values["state"] for values in leaves if values.get("finding") == str(finding.id)]
    assert steps == ["open", "answered", "closed"]


def test_findings_are_between_the_regulator_and_the_institution_that_answers(scenario: Scenario) -> None:
    student = scenario.student()
    finding = _finding(scenario, student, _regulator(scenario))
    stranger = someone(scenario.context, Role.INSTITUTION).actor(Role.INSTITUTION)
    with scenario.context.database.reading() as session:
        assert access_finding(session, scenario.school.staff, finding.id).id == finding.id
        for other in (stranger, student.actor, _regulator(scenario, "650000")):
            with pytest.raises(NotFound):
                access_finding(session, other, finding.id)
    with pytest.raises(NotFound):
        _finding(scenario, student, _regulator(scenario, "650000"))
    with pytest.raises(DeadlinePast):
        _finding(scenario, student, _regulator(scenario), days=0)


def test_a_finding_takes_the_moment_of_its_sitting_along_and_no_other(scenario: Scenario) -> None:
    student, regulator, keyring = scenario.student(), _regulator(scenario), scenario.context.keyring
    began_ms = clock.to_ms(clock.now())
    sitting_id = student.study(scenario.lessons[0])
    about: dict[str, Any] = {
        "actor": regulator,
        "enrolment_id": student.enrolment.id,
        "kind": FindingKind.IDENTITY,
        "words": "照片不像本人",
        "deadline": clock.shanghai_day(clock.now()) + timedelta(days=3),
    }
    with scenario.context.database.writing() as session:
        for sitting, moment, kept in (
            (sitting_id, began_ms + 60_000, began_ms + 60_000),
            (sitting_id, began_ms - 60_000, None),
            (None, began_ms + 60_000, None),
        ):
            found = services.raise_finding(session, keyring, sitting_id=sitting, moment_ms=moment, **about)
            assert found.moment_ms == kept


def test_a_finding_moves_on_or_back_to_open() -> None:
    moves = {(state, to) for state in FindingState for to in FindingState if rules.may_move(state, to)}
    assert moves == {
        (FindingState.OPEN, FindingState.ANSWERED),
        (FindingState.OPEN, FindingState.CLOSED),
        (FindingState.ANSWERED, FindingState.OPEN),
        (FindingState.ANSWERED, FindingState.CLOSED),
    }


def test_an_answer_is_sent_back_a_deadline_put_off_and_nothing_that_was_said_is_lost(scenario: Scenario) -> None:
    student, regulator, keyring = scenario.student(), _regulator(scenario), scenario.context.keyring
    staff, finding = scenario.school.staff, _finding(scenario, student, regulator)
    today = clock.shanghai_day(clock.now())
    later, last = today + timedelta(days=20), today + timedelta(days=30)
    with scenario.context.database.writing() as session:
        act: dict[str, Any] = {"session": session, "keyring": keyring, "finding_id": finding.id}
        with pytest.raises(FindingOver):
            services.send_back(**act, actor=regulator, words="没有答复", deadline=later)
        with pytest.raises(Forbidden):
            services.extend(**act, actor=staff, words="来不及", deadline=later)
        with pytest.raises(DeadlineNotLater):
            services.extend(**act, actor=regulator, words="不延", deadline=finding.deadline)
        services.extend(**act, actor=regulator, words="材料较多", deadline=later)
        services.answer_finding(**act, actor=staff, answer="已电话核实")
        with pytest.raises(FindingOver):
            services.extend(**act, actor=regulator, words="再延", deadline=last)
        with pytest.raises(DeadlinePast):
            services.send_back(**act, actor=regulator, words="请附照片", deadline=today)
        services.send_back(**act, actor=regulator, words="请附现场照片", deadline=last)
        services.answer_finding(**act, actor=staff, answer="照片已附")
    with scenario.context.database.reading() as session:
        kept = session.get_one(Finding, finding.id)
        assert (kept.state, kept.answer, kept.deadline) == (FindingState.ANSWERED, "照片已附", last)
        assert [(each.turn, each.words) for each in queries.turns(session, finding.id)] == [
            (FindingStep.EXTEND, "材料较多"),
            (FindingStep.ANSWER, "已电话核实"),
            (FindingStep.SEND_BACK, "请附现场照片"),
            (FindingStep.ANSWER, "照片已附"),
        ]
        leaves = [leaf["values"] for leaf in trace.chain(session, student.enrolment.chain)]
    steps = [(values["state"], values["deadline"]) for values in leaves if values.get("finding") == str(finding.id)]
    assert [state for state, _day in steps] == ["open", "open", "answered", "open", "answered"]
    assert [day for _state, day in steps][1:] == [later.isoformat()] * 2 + [last.isoformat()] * 2


def test_a_replay_shows_what_was_studied_checked_and_lost(scenario: Scenario) -> None:
    student = scenario.student()
    sitting = student.study(scenario.lessons[0], answers=[Outcome.NO_FACE])
    with scenario.context.database.reading() as session:
        leaves = list(trace.chain(session, student.enrolment.chain))
        checks = checks_of_occasion(session, sitting)
    addresses = {str(check.check_id): ["/one", "/two"] for check in checks}
    drawn = timeline(leaves, str(sitting), evidence(leaves), checks, device="Chrome", pictures=addresses)
    tracks = {track["name"]: track["items"] for track in drawn["tracks"]}
    studied = tracks["学习"]
    assert sum(item["to_ms"] - item["from_ms"] for item in studied) == LESSON_MS
    assert {item["kind"] for item in studied} <= {"held", "confirmed", "provisional"} and studied[0]["kind"] == "held"
    failed = tracks["身份核验"][0]
    assert (failed["kind"], failed["label"], failed["picture"]) == ("held", "没有人脸", ["/one", "/two"])
    assert "Chrome" in tracks["设备"][0]["detail"]
    for item in (item for track in drawn["tracks"] for item in track["items"]):
        assert drawn["began_ms"] <= item["from_ms"] <= item.get("to_ms", item["from_ms"]) <= drawn["ended_ms"]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "＝HYPERLINK(1)", "＋1", "－1", "＠A", "　＝1", " =1"]
)
def test_no_cell_of_an_export_runs_as_a_formula(cell: str) -> None:
    assert csv_export.neutral(cell) == f"'{cell}"


def test_an_export_says_which_code_it_is_written_in() -> None:
    table = csv_export.table(["姓名"], [["王**"], [None], [3]])
    assert table.decode("utf-8-sig").splitlines() == ["姓名", "王**", '""', "3"]
    assert table.startswith(b"\xef\xbb\xbf")
