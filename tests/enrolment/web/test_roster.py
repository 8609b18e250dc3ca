"""A cohort's lists: a page at a time, quick with five thousand names, and every link of theirs leads somewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import event, insert, select
from support.people import Browser, organisation, someone
from support.scenario import Scenario
from support.school import declared

from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.roster_queries import PER_PAGE, found_in_roster, roster_page
from xueji.enrolment.services import trainees
from xueji.hours.models import HoursAccount
from xueji.hours.queries import rules_digest
from xueji.hours.roster import RosterOrder, accounts_page, figures_of, sought
from xueji.identity import vault
from xueji.identity.models import Account, Person
from xueji.identity.rules import OrganisationKind, ProofRoute, masked_name, masked_number
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.crypto import new_key
from xueji.proctoring.models import CheckIn
from xueji.rulebook.vocabulary import Outcome
from xueji.trace.models import ChainHead

MANY = 5000
SURNAMES, GIVEN = "王李张刘陈杨黄赵周吴", "建国志强秀英丽华明霞军勇"


@pytest.fixture
def staff(app: Flask, scenario: Scenario) -> Browser:
    browser = Browser(app)
    browser.sign_in(scenario.school.head.who)
    return browser


def _name(number: int) -> str:
    return SURNAMES[number % 10] + GIVEN[number % 12] + GIVEN[number // 12 % 12]


def _document(number: int) -> str:
    """Nobody's: of this length, with no regard to the check digit."""
    return f"6201021985{number:08d}"


def _fill(scenario: Scenario, count: int = MANY) -> list[UUID]:
    """So many invented people in the cohort, each third of whom has something to make up."""
    keyring, now = scenario.context.keyring, clock.now()
    ids: list[UUID] = []
    people, accounts, enrolled, kept, heads = [], [], [], [], []
    for number in range(count):
        person_id, key, name, document = uuid4(), new_key(), _name(number), _document(number)
        people.append(
            {
                "id": person_id,
                "name_cipher": vault.seal(key, person_id, vault.NAME, name.encode()),
                "name_masked": masked_name(name),
                "name_hash": keyring.keyed_hash("name", name),
                "id_number_cipher": vault.seal(key, person_id, vault.ID_NUMBER, document.encode()),
                "id_number_masked": masked_number(document),
                "id_number_hash": keyring.keyed_hash("id_number", document),
                "wrapped_key": keyring.wrap(key, str(person_id)),
                "proof_route": ProofRoute.SUPERVISED,
                "registered_at": now,
            }
        )
        accounts.append(
            {
                "id": uuid4(),
                "person_id": person_id,
                "account": f"many{number:05d}",
                "password_hash": "",
                "password_changed_at": now,
            }
        )
        enrolment_id = uuid4()
        ids.append(enrolment_id)
        enrolled.append(
            {
                "id": enrolment_id,
                "cohort_id": scenario.cohort.id,
                "person_id": person_id,
                "enrolled_at": now + timedelta(seconds=number),
                "state": EnrolmentState.ACTIVE,
            }
        )
        kept.append(
            {
                "enrolment_id": enrolment_id,
                "leaves": 3,
                "rules": rules_digest(),
                "complete": False,
                "begun": number % 2 == 0,
                "held_ms": 60_000 * number if number % 3 == 0 else 0,
                "unseen_ms": 1_000,
                "done_ms": 1_000 * (count - number),
            }
        )
        heads.append({"chain": str(enrolment_id), "length": 3, "head": os.urandom(32), "at_ms": 0})
    with scenario.context.database.writing() as session:
        for model, rows in (
            (Person, people), (Account, accounts), (Enrolment, enrolled), (HoursAccount, kept), (ChainHead, heads)
        ):  # fmt: skip
            session.execute(insert(model), rows)
    return ids


@contextmanager
def _queries(scenario: Scenario) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    engine = scenario.context.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_five_thousand_names_are_a_page_at_a_time(scenario: Scenario) -> None:
    ids = _fill(scenario)
    context, cohort_id = scenario.context, scenario.cohort.id
    with context.database.reading() as session, _queries(scenario) as said:
        lines, total = roster_page(session, context.keyring, cohort_id, "", 1)
        assert (len(lines), total) == (PER_PAGE, MANY) and len(said) <= 3
        assert [line.enrolment_id for line in lines] == ids[:PER_PAGE] and lines[7].name == _name(7)
        last, _total = roster_page(session, context.keyring, cohort_id, "", MANY // PER_PAGE)
        assert [line.enrolment_id for line in last] == ids[-PER_PAGE:]
        beyond, total = roster_page(session, context.keyring, cohort_id, "", MANY)
        assert (beyond, total) == ([], MANY)
    with context.database.reading() as session, _queries(scenario) as said:
        found = figures_of(session, cohort_id)
        shown = accounts_page(session, context.keyring, context.events, sought(found, "", RosterOrder.LEAST, None), 1)
        assert len(said) <= 12, "however many they are"
    assert [line.person.enrolment_id for line in shown] == ids[::-1][:PER_PAGE]


def test_it_is_narrowed_sorted_and_counted_by_what_is_kept(scenario: Scenario) -> None:
    ids = _fill(scenario, 120)
    with scenario.context.database.reading() as session:
        found = figures_of(session, scenario.cohort.id)
    held = [line.enrolment_id for line in sought(found, "held", RosterOrder.HELD, None)]
    assert held == [each for place, each in reversed(list(enumerate(ids))) if place % 3 == 0 and place]
    unbegun = [line.enrolment_id for line in sought(found, "unbegun", RosterOrder.ENROLLED, None)]
    assert unbegun == ids[1::2]
    assert [line.enrolment_id for line in sought(found, "", RosterOrder.LEAST, {ids[3], ids[5]})] == [ids[5], ids[3]]


def test_somebody_is_found_by_name_number_or_account_and_never_in_another_cohort(scenario: Scenario) -> None:
    ids = _fill(scenario, 240)
    context = scenario.context
    with context.database.reading() as session:

        def found(text: str) -> set[UUID]:
            return set(found_in_roster(session, context.keyring, scenario.cohort.id, text))

        for text in ("王", "王建", _name(30), f"  {_name(30)[0]} {_name(30)[1:]} "):
            wanted = "".join(text.split())
            assert found(text) == {each for n, each in enumerate(ids) if _name(n).startswith(wanted)}, text
        number = _document(17)
        assert found(number) == {ids[17]} == found(f"'{number}")
        assert ids[17] in found(number[-4:])
        assert found("MANY00033") == {ids[33]}
        for nothing in ("建国", "many", number[:8], "%", "_", "王%", "没有这个人"):
            assert found(nothing) == set(), nothing


def test_a_figure_that_has_grown_since_it_was_kept_is_worked_out_anew(scenario: Scenario) -> None:
    student = scenario.student("沈若男")
    with scenario.context.database.writing() as session:
        session.add(HoursAccount(enrolment_id=student.enrolment.id, leaves=1, rules=rules_digest(), complete=True))
    student.study(scenario.lessons[0], answers=[Outcome.MATCH, Outcome.MISMATCH])
    with scenario.context.database.reading() as session:
        (line,) = figures_of(session, scenario.cohort.id)
    assert not line.complete and line.begun and line.held_ms > 0 and line.done_ms > 0


def test_the_pages_find_turn_and_keep_the_name_out_of_addresses(app: Flask, scenario: Scenario, staff: Browser) -> None:
    _fill(scenario, 130)
    roster, hours = f"/cohorts/{scenario.cohort.id}/trainees", f"/cohorts/{scenario.cohort.id}/hours"
    for path, find in ((roster, f"{roster}/find"), (hours, hours)):
        page = staff.get(path).text
        assert "130 名学员" in page and 'rel="next"' in page and "第 1 页，共 3 页" in page
        last = staff.get(f"{path}?page=3").text
        assert last.count("<tr>") == 1 + 30 and 'rel="prev"' in last and 'rel="next"' not in last
        looked = staff.post(find, {"q": "王"}, look=path)
        assert looked.location is None
        assert (
            looked.status_code == 200
            and "13 名学员" in looked.text
            and "李" not in looked.text.split("<tbody>")[1].split("</tbody>")[0]
        )
        assert "没有找到" in staff.post(find, {"q": "没有这个人"}, look=path).text
    assert staff.get(f"{hours}?order=else").status_code == 404
    assert staff.get(f"{hours}?show=held&order=held&page=1").status_code == 200


def _in_the_list(page: str) -> int:
    return page.count('class="panel roster-line')


def test_a_sessions_list_is_taken_a_page_at_a_time(scenario: Scenario, staff: Browser) -> None:
    ids = _fill(scenario, 130)
    scenario.time.advance(timedelta(minutes=5))
    session_id = scenario.attend()
    staff.sign_in(scenario.school.head.who)
    path = f"/sessions/{session_id}"
    page = staff.get(path).text
    assert _in_the_list(page) == PER_PAGE and "第 1 页，共 3 页" in page and "0 / 130 人到课" in page
    last = staff.get(f"{path}?page=3").text
    assert _in_the_list(last) == 30 and f'name="state-{ids[129]}"' in last
    first, end = re.findall(rf'name="(?:from|to)-{ids[129]}" value="([0-9:]+)"', last)
    times = {f"from-{ids[129]}": first, f"to-{ids[129]}": end}
    sent = {f"state-{ids[129]}": "here", f"state-{ids[128]}": "absent", "page": "3", **times}
    assert staff.post(path, sent, look=path).location == f"{path}?page=3", "she goes on where she was"
    page = staff.get(path).text
    assert "1 / 130 人到课" in page and _in_the_list(page) == PER_PAGE
    assert _in_the_list(staff.get(f"{path}?show=missing&page=3").text) == 28
    found = staff.post(f"{path}/find", {"q": _document(17)}, look=path)
    assert found.status_code == 200 and found.location is None
    assert _in_the_list(found.text) == 1 and f'name="state-{ids[17]}"' in found.text
    assert staff.get(f"{path}?show=else").status_code == 404
    assert staff.post(path, {"state-1": "here"}, look=path).status_code == 422


def test_a_mistake_on_a_page_shows_that_page_again(scenario: Scenario, staff: Browser) -> None:
    ids = _fill(scenario, 60)
    path = f"/sessions/{scenario.attend()}"
    staff.sign_in(scenario.school.head.who)
    sent = {f"state-{ids[55]}": "here", f"from-{ids[55]}": "two", "page": "2"}
    again = staff.post(path, sent, look=path)
    assert again.status_code == 422 and "请填写时间" in again.text and f'name="state-{ids[55]}"' in again.text


def test_the_sheet_to_sign_names_the_whole_room(scenario: Scenario, staff: Browser) -> None:
    _fill(scenario, 130)
    path = f"/sessions/{scenario.attend()}/sheet"
    staff.sign_in(scenario.school.head.who)
    sheet = staff.get(path).text
    assert sheet.count('<th scope="row">') == 130 and "<td>130</td>" in sheet and "本人签名" in sheet


def test_a_room_is_gone_round_a_page_at_a_time_and_nobody_unseen_is_confirmed(
    scenario: Scenario, staff: Browser
) -> None:
    ids = _fill(scenario, 120)
    path = f"/check-ins/{scenario.cohort.id}"
    page = staff.get(path).text
    assert page.count('name="enrolment_id"') == PER_PAGE and "第 1 页，共 3 页" in page
    for start in range(0, 60, 30):
        chosen = [str(each) for each in ids[start : start + 30]]
        staff.post(path, {"enrolment_id": chosen, "place": "一号教室", "minutes": "180"}, look=path)
        scenario.time.advance(timedelta(minutes=1))
    page = staff.get(path).text
    seen = re.findall(r'name="seen" value="([^"]+)"', page)
    assert len(seen) == PER_PAGE and page.count('name="enrolment_id"') == PER_PAGE and "本页巡查完毕" in page
    scenario.time.advance(timedelta(minutes=20))
    staff.post(f"{path}/round", {"seen": seen}, look=path)
    with scenario.context.database.reading() as session:
        moments = dict(session.execute(select(CheckIn.id, CheckIn.confirmed_ms - CheckIn.opened_ms)).all())
    assert {str(each) for each, ms in moments.items() if ms} == set(seen)
    # Who waits for longest stands first: the ten of the other page.
    rest = re.findall(r'name="seen" value="([^"]+)"', staff.get(path).text)
    assert set(rest[:10]) == {str(each) for each in moments} - set(seen)
    found = staff.post(f"{path}/find", {"q": _document(3)}, look=path).text
    assert found.count('name="seen"') == 1 and 'name="enrolment_id"' not in found
    assert "没有找到" in staff.post(f"{path}/find", {"q": "没有这个人"}, look=path).text


def test_slips_are_listed_a_page_at_a_time_and_made_for_all_who_have_no_code(
    scenario: Scenario, staff: Browser
) -> None:
    _fill(scenario, 60)
    path = f"/cohorts/{scenario.cohort.id}/slips"
    page = staff.get(path).text
    assert page.count('name="person"') == PER_PAGE and "为没有有效激活码的 60 人生成" in page
    assert staff.get(f"{path}?page=2").text.count('name="person"') == 10
    found = staff.post(f"{path}/find", {"q": _document(55)}, look=path).text
    (person,) = re.findall(r'name="person" value="([^"]+)"', found)
    assert person
    assert staff.post(path, {"person": "everybody"}, look=path).status_code == 422


def test_every_link_of_a_roster_leads_somewhere(app: Flask, scenario: Scenario, staff: Browser) -> None:
    """Also of somebody who belongs to her works alone, whose account this institution may not open."""
    works = organisation(scenario.context, OrganisationKind.ENTERPRISE, "620102")
    worker = someone(scenario.context, Role.TRAINEE, at=works, name="厂内工人")
    with scenario.context.database.writing() as session:
        person = session.get_one(Person, worker.id)
        trainees.enrol(
            session,
            scenario.context.keyring,
            cohort=scenario.cohort,
            person=person,
            actor=scenario.school.staff,
            declared=declared(scenario.cohort),
        )
    scenario.student("本校学员")
    page = staff.get(f"/cohorts/{scenario.cohort.id}/trainees").text
    main = page.split("<main")[1].split("</main>")[0]
    links = set(re.findall(r'href="(/[^"#]+)"', main))
    assert sum("/account" in link for link in links) == 1 and sum("/hours" in link for link in links) >= 2
    assert {link: staff.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_after_a_code_is_issued_again_the_institution_goes_back_to_the_account(
    app: Flask, scenario: Scenario, staff: Browser
) -> None:
    who = someone(scenario.context, Role.TRAINEE, at=scenario.school.organisation, name="新学员")
    with scenario.context.database.writing() as session:
        session.query(Account).filter(Account.person_id == who.id).update({"activated_at": None})
    issued = staff.post(f"/people/{who.id}/first-code", look=f"/people/{who.id}/account")
    assert issued.status_code == 200 and f'href="/people/{who.id}/account"' in issued.text
    assert "/administration/" not in issued.text.split("<main")[1].split("</main>")[0]
