"""Faces are measured only with people who agreed to just that, every look recorded, and nothing kept but shares."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select
from support.people import PASSWORD, Browser, Someone, face, someone
from support.scenario import LESSON_MS, Scenario, Student

from media_pipeline.models import model_name
from media_pipeline.site import FrameFace, Reader
from xueji import cli, doctor
from xueji.doctor import LineStatus
from xueji.hours.queries import statement_of
from xueji.identity import consent_text, queries
from xueji.identity.errors import ConsentNeeded, WrongPassword
from xueji.identity.models import FaceView, Person
from xueji.identity.rules import ConsentKind
from xueji.identity.services import administrator_at_the_machine, give_consent, suspend, withdraw_consent
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Forbidden
from xueji.proctoring import queries as proctoring
from xueji.proctoring import services
from xueji.proctoring.errors import TooFewToMeasure
from xueji.proctoring.models import Calibration
from xueji.rulebook.vocabulary import Outcome as Checked
from xueji.trace import queries as trace
from xueji.trace.rules import PLATFORM

KIND = ConsentKind.CALIBRATION


class ReaderByTurns:
    """Sees in the frames of each person whose face it is told; ``opened`` are the pictures it was given."""

    name, model = "harmless/1", "none"

    def __init__(self) -> None:
        self.opened: list[bytes] = []
        self.faces: list[np.ndarray] = []

    def read(self, picture: bytes) -> FrameFace | None:
        self.opened.append(picture)
        return FrameFace(self.faces[(len(self.opened) - 1) % len(self.faces)], "medium")


@pytest.fixture
def reader(context: Context) -> ReaderByTurns:
    twin = ReaderByTurns()
    context.outside[Reader] = twin
    return twin


@pytest.fixture
def admin(context: Context) -> Someone:
    return someone(context, Role.ADMINISTRATOR, name="周玲")


def agree(context: Context, student: Student) -> None:
    with context.database.writing() as session:
        person = session.get_one(Person, student.who.id)
        give_consent(session, context.keyring, person=person, kind=KIND, text_version=consent_text.CURRENT[KIND])


def class_of(scenario: Scenario, count: int, agreed: int) -> list[Student]:
    """People who have studied with checks that matched; the first ``agreed`` of them agreed to calibration."""
    students = [scenario.student(name) for name in ("王小明", "李小红", "张小强", "刘小丽", "陈小华", "赵小军")[:count]]
    for student in students:
        student.study(scenario.lessons[0], LESSON_MS, together=30)
        assert student.checks
    for student in students[:agreed]:
        scenario.time.advance(timedelta(seconds=1))
        agree(scenario.context, student)
    return students


def own_face(context: Context, student: Student) -> np.ndarray:
    with context.database.reading() as session:
        (found,) = queries.references(session, context.keyring, student.who.id, "none").values()
    return found


def test_only_those_who_agreed_are_looked_at_and_each_look_is_recorded(
    scenario: Scenario, reader: ReaderByTurns, admin: Someone
) -> None:
    context = scenario.context
    students = class_of(scenario, 6, agreed=5)
    # Whoever agreed last is measured first.
    reader.faces = [own_face(context, each) for each in reversed(students[:5])]
    with context.database.reading() as session:
        before = [statement_of(session, each.enrolment.id).online.counted_ms for each in students]
    found = services.calibrate(context, actor=admin.actor(Role.ADMINISTRATOR)).report
    assert (found["people"], found["frames"], found["tar"], found["far"]) == (5, 5, 1.0, 0.0)
    assert found["stranger_pairs"] == 10 and found["stranger_pairs_accepted"] == found["refused_people"] == 0
    assert found["by"]["light"].keys() == {"medium"} and found["by"]["device"].keys() == {"Integrated Camera"}
    assert len(reader.opened) == 5
    with context.database.reading() as session:
        looks = {each.person_id: each for each in session.scalars(select(FaceView).where(FaceView.purpose == KIND))}
        assert set(looks) == {each.who.id for each in students[:5]}
        assert {each.viewer_id for each in looks.values()} == {admin.id}
        for student in students[:5]:
            leaves = [leaf["values"] for leaf in trace.chain(session, student.enrolment.chain)]
            assert [each["picture"] for each in leaves if each.get("purpose") == KIND] == [
                looks[student.who.id].picture
            ]
        (act,) = [leaf for leaf in trace.chain(session, PLATFORM) if leaf["event"] == "face.calibrate"]
        assert act["values"]["people"] == 5 and act["values"]["tar"] == 1_000_000 and "staff_name" in act["values"]
        # No human eye saw a picture, so nobody has looked.
        assert queries.first_look(session, admin.id, [each.picture for each in looks.values()]) is None
        after = [statement_of(session, each.enrolment.id).online.counted_ms for each in students]
        kept = session.scalars(select(Calibration)).one()
    assert before == after
    words = json.dumps(kept.report)
    assert not any(str(each.who.id) in words or each.who.name in words for each in students)


def test_pictures_stay_in_the_store(
    scenario: Scenario, reader: ReaderByTurns, admin: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is written and nobody outside is asked while pictures are measured."""
    class_of(scenario, 5, agreed=5)
    reader.faces = [face(900)]
    before = {path: path.stat().st_mtime_ns for path in scenario.context.settings.data.rglob("faces/**/*")}
    monkeypatch.setattr("socket.socket.connect", _refuse)
    monkeypatch.setattr("tempfile.mkstemp", _refuse)
    if scenario.context.database.is_sqlite:
        services.calibrate(scenario.context, actor=admin.actor(Role.ADMINISTRATOR))
        after = {path: path.stat().st_mtime_ns for path in scenario.context.settings.data.rglob("faces/**/*")}
        assert before == after and before


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("a picture may leave memory here")


def test_of_fewer_than_five_nobody_is_looked_at(scenario: Scenario, reader: ReaderByTurns, admin: Someone) -> None:
    students = class_of(scenario, 5, agreed=5)
    with scenario.context.database.writing() as session:
        person = session.get_one(Person, students[0].who.id)
        store, events = scenario.context.store, scenario.context.events
        withdraw_consent(session, scenario.context.keyring, store, events, person=person, kind=KIND)
    with pytest.raises(TooFewToMeasure) as refused:
        services.calibrate(scenario.context, actor=admin.actor(Role.ADMINISTRATOR))
    assert refused.value.extra == {"people": 4, "least": 5}
    with scenario.context.database.reading() as session:
        assert not session.scalars(select(FaceView).where(FaceView.purpose == KIND)).all()
        # FrameFace checks go on: she took back only the one.
        assert queries.standing_consent(session, students[0].who.id) is not None
    assert not reader.opened


def test_checks_that_do_not_stand_as_hers_are_not_used(
    scenario: Scenario, reader: ReaderByTurns, admin: Someone
) -> None:
    students = class_of(scenario, 5, agreed=5)
    other = scenario.student("孙小梅")
    other.study(scenario.lessons[0], LESSON_MS, answers=[Checked.UNCLEAR, Checked.UNCLEAR, Checked.UNCLEAR] * 9)
    agree(scenario.context, other)
    reader.faces = [own_face(scenario.context, students[0])]
    assert services.calibrate(scenario.context, actor=admin.actor(Role.ADMINISTRATOR)).report["people"] == 5


def test_it_asks_for_face_checks_first_and_ends_with_them(scenario: Scenario) -> None:
    context, student = scenario.context, scenario.student()
    agree(context, student)
    with context.database.writing() as session:
        person = session.get_one(Person, student.who.id)
        face_kind = ConsentKind.FACE
        withdraw_consent(session, context.keyring, context.store, context.events, person=person, kind=face_kind)
        assert queries.standing_consent(session, student.who.id, KIND) is None
        with pytest.raises(ConsentNeeded):
            give_consent(session, context.keyring, person=person, kind=KIND, text_version=consent_text.CURRENT[KIND])


def test_agreeing_and_taking_back_are_one_click_each(app: Flask, scenario: Scenario) -> None:
    student = scenario.student()
    browser = Browser(app)
    browser.sign_in(student.who)
    assert "阅读校准告知书" in browser.get("/account").text
    page = browser.get("/account/consents/calibration")
    assert "完全自愿" in page.text and "我已阅读并单独同意校准" in page.text
    agreed = browser.post("/account/consents/calibration", {"text_version": consent_text.CURRENT[KIND]})
    assert agreed.status_code == 302
    assert "您已同意用您的画面" in browser.get("/account").text
    assert browser.post("/account/consents/calibration/withdraw", look="/account").status_code == 302
    page = browser.get("/account")
    assert "阅读校准告知书" in page.text and "已同意人脸核验" in page.text


def test_an_administrator_answers_for_it_with_her_password(context: Context, admin: Someone) -> None:
    found = administrator_at_the_machine(context, account=admin.account, password=PASSWORD)
    assert found.person_id == admin.id and found.organisation_id == admin.organisation_id
    trainee = someone(context)
    for account, password in ((admin.account, "another-horse-8"), (trainee.account, PASSWORD), ("nobody", PASSWORD)):
        with pytest.raises(WrongPassword):
            administrator_at_the_machine(context, account=account, password=password)
    with pytest.raises(Forbidden):
        services.calibrate(context, actor=trainee.actor(Role.TRAINEE))
    with context.database.writing() as session:
        other = someone(context, Role.ADMINISTRATOR)
        suspend(session, context.keyring, context.events, person_id=admin.id, actor=other.actor(Role.ADMINISTRATOR))
    with pytest.raises(WrongPassword):
        administrator_at_the_machine(context, account=admin.account, password=PASSWORD)


def test_the_command_draws_curves_and_says_what_is_missing(
    scenario: Scenario, reader: ReaderByTurns, admin: Someone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    students = class_of(scenario, 5, agreed=5)
    reader.faces = [own_face(scenario.context, each) for each in reversed(students)]
    monkeypatch.setattr("xueji.kernel.context.Context.open", lambda _settings: scenario.context)
    monkeypatch.setattr("xueji.kernel.context.Context.close", lambda _self: None)
    monkeypatch.setenv("XUEJI_DATA", str(scenario.context.settings.data))
    words = ["faces", "evaluate", "--site", "--account", admin.account, "--curve", str(tmp_path / "curve.png")]
    done = CliRunner().invoke(cli.main, words, input=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert '"people": 5' in done.output and (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    wrong = CliRunner().invoke(cli.main, words, input="another-horse-8\n")
    assert wrong.exit_code == 1
    assert CliRunner().invoke(cli.main, ["faces", "evaluate"]).exit_code == 1


def figures(**changes: object) -> dict[str, object]:
    told = {"people": 40, "frames": 160, "tar": 1.0, "far": 0.0}
    told |= {"stranger_pairs": 780, "stranger_pairs_accepted": 0, "refused_people": 0}
    return {**told, **changes}


@pytest.mark.parametrize(
    ("report", "outcome", "said"),
    [
        (figures(by={}), LineStatus.OK, "40 people"),
        # One pair of brothers says nothing of a site.
        (figures(far=0.0005, stranger_pairs_accepted=1, by={}), LineStatus.OK, "no worse"),
        (figures(far=0.0005, stranger_pairs_accepted=2, by={}), LineStatus.WARN, "0.05 % of strangers accepted"),
        (figures(tar=0.95, refused_people=3, by={}), LineStatus.WARN, "95 % of own frames"),
        (
            figures(by={"sex": {"male": figures(far=0.002, stranger_pairs_accepted=4)}}),
            LineStatus.WARN,
            "sex male: 0.2 % of strangers",
        ),
        (figures(by={"sex": {"male": figures(far=0.0005, stranger_pairs_accepted=4)}}), LineStatus.OK, "no worse"),
    ],
)
def test_the_doctor_warns_when_faces_are_told_apart_worse_here(
    context: Context, admin: Someone, report: dict[str, object], outcome: LineStatus, said: str
) -> None:
    assert "never measured" in doctor.calibration(context).words
    with context.database.writing() as session:
        made = {"by": admin.id, "engine": "e", "threshold": 500_000}
        session.add(Calibration(measured_ms=1000, model="older", report=figures(by={}), **made))
    assert doctor.calibration(context).outcome is LineStatus.WARN
    with context.database.writing() as session:
        session.add(Calibration(measured_ms=2000, model=model_name(), report=report, **made))
    found = doctor.calibration(context)
    assert found.outcome is outcome and said in found.words
    with context.database.reading() as session:
        assert proctoring.last_calibration(session).measured_ms == 2000  # type: ignore[union-attr]
