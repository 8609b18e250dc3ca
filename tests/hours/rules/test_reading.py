"""Reading an enrolment's leaves: what is passed over, what is refused, and by which name."""

from datetime import date
from typing import Any

import pytest
from support.trace_stories import BOOK, HOUR, LAST_DAY, MINUTE, NINE, SETTLED, Story

from xueji.hours.rules import (
    CreditedSegment,
    MalformedLeaf,
    MalformedTrace,
    Refusal,
    Statement,
    assess,
    bears_on_hours,
    evidence,
)
from xueji.hours.rules.records import LegalBasis


def test_unknown_events_are_passed_over() -> None:
    story = Story()
    story.leaf("weather", wind="strong")
    assert evidence(story.leaves).leaves == 2
    assert not bears_on_hours("weather")
    assert bears_on_hours("beat")


@pytest.mark.parametrize(
    ("event", "values", "field"),
    [
        ("beat", {"credited": [[5, 5]]}, "credited"),
        ("beat", {"credited": [[-1, 5]]}, "credited"),
        ("beat", {"credited": [[0, 5.0]]}, "credited"),
        ("beat", {"credited": None}, "credited"),
        ("beat", {"server": [7]}, "server"),
        ("beat", {"lesson": 7}, "lesson"),
        ("beat", {"furthest_ms": "7"}, "furthest_ms"),
        ("beat", {"refused": [{"from_ms": 9, "to_ms": 8, "reason": "ahead"}]}, "refused"),
        ("beat", {"refused": [{"from_ms": 1, "to_ms": 8, "reason": "bad mood"}]}, "reason"),
        ("sitting.open", {"sitting": "s", "method": "astrology"}, "method"),
        ("check.due", {"check": "c", "kind": "odd", "answer_by_ms": 1}, "kind"),
        ("check.due", {"check": "c", "kind": "scheduled", "answer_by_ms": "soon"}, "answer_by_ms"),
        ("check.verdict", {"check": "c", "outcome": "match", "final": True}, "check"),
        ("attendance", {"session": "s", "part": "theory", "began": 5, "ended": 4, "ms": 0}, "ended"),
        ("attendance", {"session": "s", "part": "theory", "began": "2026-11-02T09:00:00", "ended": 4, "ms": 0},
         "began"),
        ("enrolment.open", {}, "event"),
    ],
)  # fmt: skip
def test_a_malformed_leaf_is_refused_by_name(event: str, values: dict[str, Any], field: str) -> None:
    story = Story()
    story.watched(0, 10_000)
    whole = {**story.leaves[-1]["values"], **values} if event == "beat" else values
    leaf = story.leaf(event, **whole)
    with pytest.raises(MalformedLeaf) as caught:
        evidence(story.leaves)
    assert (caught.value.n, caught.value.event, caught.value.field) == (leaf["n"], event, field)


@pytest.mark.parametrize("field", ["total_ms", "plan", "lessons", "category", "starts", "rulebook"])
def test_an_opening_without_a_term_is_refused_by_name(field: str) -> None:
    story = Story()
    del story.leaves[0]["values"][field]
    with pytest.raises(MalformedLeaf) as caught:
        evidence(story.leaves)
    assert caught.value.field == field


def test_a_plan_that_cannot_be_is_refused_by_its_field() -> None:
    story = Story()
    story.leaves[0]["values"]["plan"]["retries"] = -1
    with pytest.raises(MalformedLeaf) as caught:
        evidence(story.leaves)
    assert (caught.value.field, caught.value.problem) == ("plan.retries", "too_small")


def test_a_chain_without_an_opening_or_with_a_number_twice_or_of_two_is_refused() -> None:
    story = Story()
    story.watched(0, 10_000)
    with pytest.raises(MalformedTrace, match="no enrolment"):
        evidence(story.leaves[1:])
    with pytest.raises(MalformedTrace, match="number 1"):
        evidence([*story.leaves, story.leaves[1]])
    story.leaves[1]["chain"] = "other"
    with pytest.raises(MalformedLeaf) as caught:
        evidence(story.leaves)
    assert caught.value.field == "chain"


def test_instants_may_be_epoch_milliseconds_or_rfc_3339() -> None:
    whole, text = Story(), Story()
    whole.leaf("attendance", session="a", part="theory", began=NINE, ended=NINE + 10, ms=10, method="list")
    text.leaf(
        "attendance", session="a", part="theory", began="2026-11-02T01:00:00.000Z",
        ended="2026-11-02T09:00:00.010+08:00", ms=10, method="list",
    )  # fmt: skip
    assert evidence(whole.leaves).attendance == evidence(text.leaves).attendance


def _amended(**terms: Any) -> Story:
    story = Story(rules=2, industry="construction", subject=None, high_risk=False)
    story.leaf("enrolment.amend", story.now + MINUTE, terms=terms, asked_by="somebody else")
    return story


def test_amended_terms_hold_and_the_reading_before_is_remembered() -> None:
    found = evidence(_amended(industry=HIGH_RISK, high_risk=True, ends="2026-12-10").leaves).enrolment
    assert (found.industry, found.high_risk, found.ends) == (HIGH_RISK, True, date(2026, 12, 10))
    assert [(each.industry, each.high_risk) for each in found.earlier] == [("construction", False)]


HIGH_RISK, OTHER = "hazardous_chemical_production", "crowded_places"


@pytest.mark.parametrize("online_ms", [4 * HOUR, 5 * HOUR], ids=["as much as the share allows", "more"])
@pytest.mark.parametrize(("first", "amended"), [(HIGH_RISK, OTHER), (OTHER, HIGH_RISK)])
def test_the_stricter_of_both_readings_decides(first: str, amended: str, online_ms: int) -> None:
    """A high-risk industry that is said to be another one later does not lose its limit on online hours."""

    def trained(industry: str) -> Story:
        return Story(rules=2, industry=industry, category="safety_manager", high_risk=False, online_ms=online_ms)

    def account(story: Story) -> Statement:
        return assess(BOOK, evidence(story.leaves), story.now + HOUR)

    both = trained(first)
    both.leaf("enrolment.amend", both.now, terms={"industry": amended}, asked_by="x")
    lax, strict, now = account(trained(OTHER)), account(trained(HIGH_RISK)), account(both)
    assert (lax.cap.applies, strict.cap.applies, strict.cap.limit_ms) == (False, True, 4 * HOUR)
    assert now.cap == strict.cap
    assert now.statutory == strict.statutory != lax.statutory


@pytest.mark.parametrize(
    "values",
    [
        {"terms": {"total_ms": 1}, "asked_by": "x"},
        {"terms": {"ends": "2026-11-29"}, "asked_by": "x"},
        {"terms": {"ends": "2026-12-10"}},
        {"terms": {"ends": "2026-12-10"}, "asked_by": "somebody"},
    ],
)
def test_an_amendment_that_nobody_may_make_is_malformed(values: dict[str, Any]) -> None:
    story = Story(rules=2)
    story.leaf("enrolment.amend", story.now, **values)
    story.leaves[-1]["who"] = "somebody"
    with pytest.raises(MalformedLeaf):
        evidence(story.leaves)


def test_an_amendment_after_the_settlement_changes_nothing_and_is_marked() -> None:
    story = Story(rules=2)
    story.leaf("enrolment.amend", SETTLED, terms={"ends": "2027-01-10"}, asked_by="x")
    found = evidence(story.leaves)
    assert found.enrolment.ends == LAST_DAY and found.marks["late_amendment"] == 1


def refused(leaves: list[dict[str, Any]]) -> tuple[Any, str, str]:
    with pytest.raises(MalformedLeaf) as caught:
        evidence(leaves)
    return caught.value.n, caught.value.field, caught.value.problem


@pytest.mark.parametrize("n", [-1, 1.0, "1", None, True])
def test_a_leaf_without_a_number_is_refused(n: object) -> None:
    story = Story()
    story.watched(0, 10_000)
    story.leaves[1]["n"] = n
    assert refused(story.leaves) == (n, "n", "must be a whole number")


def test_what_contradicts_the_opening_is_refused_with_what_is_wrong() -> None:
    story = Story()
    story.leaf("enrolment.open", **story.terms)
    assert refused(story.leaves) == (1, "event", "comes a second time")
    lesson = {"lesson": "lesson", "part": "theory", "duration_ms": 5}
    assert refused(Story(lessons=[lesson, lesson]).leaves) == (0, "lessons", "names a lesson twice")
    other = Story()
    other.watched(0, 10_000)
    other.leaves[1]["chain"] = "other"
    assert refused(other.leaves) == (1, "chain", "is another one")


@pytest.mark.parametrize("event", ["retold", "redeliver", "extend", "answer", "verdict", "appeal", "review"])
def test_a_check_that_was_never_due_is_named(event: str) -> None:
    story = Story()
    story.leaf(f"check.{event}", check="check", answer_by_ms=NINE)
    assert refused(story.leaves) == (1, "check", "was never due")


EXAMINATION = {"check": "exam-check", "kind": "scheduled", "at_ms": NINE, "answer_by_ms": NINE + MINUTE, "attempt": 1}


@pytest.mark.parametrize("named", [{"exam": "paper"}, {"sitting": "of-another-enrolment"}, {"occasion": "paper"}])
@pytest.mark.parametrize("outcome", ["match", "mismatch", "missed"])
def test_a_check_of_another_occasion_bounds_no_study(named: dict[str, str], outcome: str) -> None:
    """Neither confirms what is provisional nor holds what is confirmed, whatever people say of it afterwards."""

    def study(*, examined: bool) -> dict[str, Any]:
        story = Story(rules=2)
        story.sitting()
        story.watched(0, 10 * MINUTE)
        story.check("match")
        story.watched(10 * MINUTE, 12 * MINUTE)
        if examined:
            story.leaf("check.due", **EXAMINATION, **named)
            story.leaf("check.retold", check="exam-check", answer_by_ms=NINE + 2 * MINUTE)
            story.leaf("check.extend", check="exam-check", question="asked", answer_by_ms=NINE + 3 * MINUTE)
            if outcome != "missed":
                story.leaf("check.answer", check="exam-check", attempt=1, method="face", frames=[], signals=[])
            story.verdict("exam-check", outcome)
            story.leaf("check.appeal", check="exam-check", reason="00")
            story.review("exam-check", "reject", "one", "two")
        return assess(BOOK, evidence(story.leaves), story.now).to_dict()

    alone, beside = study(examined=False), study(examined=True)
    assert beside.pop("leaves") > alone.pop("leaves")
    assert beside == alone


def test_an_examination_s_own_events_are_passed_over() -> None:
    for event in ("exam.check.due", "exam.check.answer", "exam.check.verdict", "exam.check.review", "exam.present"):
        assert not bears_on_hours(event)


def test_who_was_let_out_and_taken_back_is_in_the_cohort() -> None:
    story = Story(rules=2)
    found = []
    for event in ("withdraw", "readmit", "withdraw"):
        story.leaf(f"enrolment.{event}", reason="00")
        found.append(evidence(story.leaves).withdrawn)
    assert found == [True, False, True]


def test_a_correction_comes_after_an_opening_that_left_the_subject_out() -> None:
    early = Story()
    early.leaves.clear()
    early.leaf("enrolment.correct", subject="welding")
    assert refused(early.leaves) == (0, "event", "comes before the opening")
    late = Story(rules=2)
    late.leaf("enrolment.correct", subject="welding")
    assert refused(late.leaves) == (1, "subject", "stands in the opening already")


def amended(*all_terms: dict[str, Any], at: int | None = None, **terms: Any) -> Story:
    """Amended once with each of these terms; opened with those by name."""
    story = Story(rules=2, **{"industry": OTHER, "subject": "welding", "high_risk": False, **terms})
    for each in all_terms:
        story.leaf("enrolment.amend", story.now if at is None else at, terms=each, asked_by="somebody else")
    return story


@pytest.mark.parametrize(
    ("terms", "reading"),
    [
        ({"industry": HIGH_RISK}, (HIGH_RISK, "welding", False)),
        ({"subject": "electrician"}, (OTHER, "electrician", False)),
        ({"high_risk": True}, (OTHER, "welding", True)),
    ],
)
def test_what_an_amendment_does_not_name_stays_as_it_was(terms: dict[str, Any], reading: tuple[str, str, bool]) -> None:
    found = evidence(amended(terms).leaves).enrolment
    assert (found.industry, found.subject, found.high_risk) == reading
    assert found.ends == LAST_DAY
    assert found.readings == (LegalBasis(*reading), LegalBasis(OTHER, "welding", False))


def test_every_reading_is_remembered_the_latest_first_and_one_that_is_none_is_not() -> None:
    found = evidence(amended({"industry": HIGH_RISK}, {"subject": "electrician"}, {"ends": "2026-12-01"}).leaves)
    assert found.enrolment.earlier == (LegalBasis(HIGH_RISK, "welding", False), LegalBasis(OTHER, "welding", False))
    assert found.enrolment.ends == date(2026, 12, 1)
    same = evidence(amended({"ends": LAST_DAY.isoformat(), "industry": OTHER}).leaves).enrolment
    assert (same.earlier, same.ends) == ((), LAST_DAY)


def test_an_amendment_that_nobody_may_make_is_refused_with_what_is_wrong() -> None:
    early = Story()
    early.leaves.clear()
    early.leaf("enrolment.amend", terms={}, asked_by="somebody else")
    assert refused(early.leaves) == (0, "event", "comes before the opening")
    alone = amended({"industry": HIGH_RISK})
    alone.leaves[-1]["who"] = "somebody else"
    assert refused(alone.leaves) == (1, "asked_by", "is who decided, and two people are needed")
    assert refused(amended({"ends": "2026-11-29"}).leaves) == (1, "ends", "comes before the last day of the opening")
    assert refused(amended({"total_ms": 1}).leaves) == (1, "total_ms", "is not to be said here")


def test_each_amendment_after_the_settlement_is_marked() -> None:
    found = evidence(amended({"industry": HIGH_RISK}, {"high_risk": True}, at=SETTLED).leaves)
    assert found.marks == {"late_amendment": 2}
    assert found.enrolment.readings == (LegalBasis(OTHER, "welding", False),)
    assert evidence(amended({"industry": HIGH_RISK}, at=SETTLED - 1).leaves).enrolment.industry == HIGH_RISK


def test_a_chain_without_an_opening_says_so() -> None:
    story = Story()
    story.watched(0, 10_000)
    with pytest.raises(MalformedTrace, match=r"^no enrolment\.open$"):
        evidence(story.leaves[1:])


def test_an_event_that_is_no_text_is_passed_over() -> None:
    story = Story()
    story.leaf("weather")["event"] = ["beat"]
    assert evidence(story.leaves).leaves == 2


def test_the_evidence_names_enrolment_cohort_and_each_check() -> None:
    story = Story()
    check = story.check(kind="voluntary")
    accepted = story.check(None)
    story.leaf("check.review", check=accepted, outcome="accept", reason="c" * 64)
    found = evidence(story.leaves)
    assert (found.enrolment.enrolment, found.enrolment.cohort) == ("enrolment", "cohort")
    first, second = found.checks
    assert (first.check, first.kind, first.outcome, first.n) == (check, "voluntary", "match", 4)
    assert (second.check, second.outcome) == (accepted, "")


def test_a_millisecond_more_than_the_server_time_holds_is_named() -> None:
    story = Story()
    story.watched(0, 10)["values"] |= {"credited": [[0, 10], [20, 21]], "server": [NINE, NINE + 10]}
    found = evidence(story.leaves)
    assert [(each.code, each.ms) for each in found.irregular] == [("longer_than_server_time", 1)]
    assert found.refusals == (Refusal(1, "sitting", "lesson", 20, 21, "impossible"),)


def test_credit_that_its_server_time_cannot_hold_is_cut_where_it_ends() -> None:
    story = Story()
    leaf = story.watched(0, 10_000, sitting="s")
    leaf["values"] |= {
        "credited": [[100, 200], [300, 450], [500, 510]],
        "server": [NINE, NINE + 200],
        "refused": [{"from_ms": 7, "to_ms": 7, "reason": "ahead"}],
    }
    found = evidence(story.leaves)
    assert found.segments == (
        CreditedSegment(1, "s", "lesson", 100, 200, NINE), CreditedSegment(1, "s", "lesson", 300, 400, NINE + 100),
    )  # fmt: skip
    assert found.refusals == (
        Refusal(1, "s", "lesson", 400, 450, "impossible"), Refusal(1, "s", "lesson", 500, 510, "impossible"),
        Refusal(1, "s", "lesson", 7, 7, "ahead"),
    )  # fmt: skip
    assert [(each.code, each.ids, each.ms) for each in found.irregular] == [
        ("longer_than_server_time", ("n:1", "s"), 50), ("longer_than_server_time", ("n:1", "s"), 10),
    ]  # fmt: skip
    leaf["values"]["refused"] = [{"from_ms": 8, "to_ms": 7, "reason": "ahead"}]
    assert refused(story.leaves) == (1, "refused", "must be intervals")


def test_the_frontier_of_each_lesson_is_the_furthest_that_any_report_named() -> None:
    story = Story()
    for lesson, furthest_ms in (("a", 5), ("b", 2), ("a", 3), ("b", 4), ("c", 0)):
        leaf = story.watched(0, 1, lesson=lesson)
        leaf["values"] |= {"credited": [], "furthest_ms": furthest_ms}
    assert evidence(story.leaves).furthest_ms == {"a": 5, "b": 4, "c": 0}


@pytest.mark.parametrize("events", [["check.retold"] * 2, ["check.redeliver"] * 2, ["check.retold", "check.redeliver"]])
def test_a_window_begins_again_under_the_old_name_and_the_new(events: list[str]) -> None:
    """A chain that began in an earlier release goes on in this one: both names are read alike, also in one chain."""
    story = Story(rules=2)
    check = story.check(None)
    for n, event in enumerate(events, 1):
        story.leaf(event, check=check, answer_by_ms=NINE + n * MINUTE)
    story.verdict(check, "missed")
    found = evidence(story.leaves)
    assert [(each.outcome, each.at_ms) for each in found.checks] == [("missed", NINE + 2 * MINUTE)]
    assert found.marks == {"retold": 2}


@pytest.mark.parametrize(("rules", "retold"), [(1, {}), (2, {"retold": 2})])
def test_what_was_remarked_of_reports_and_tellings_is_counted(rules: int, retold: dict[str, int]) -> None:
    """How often a check was told again counts since the second edition."""
    story = Story(rules=rules)
    check = story.check(None)
    for n, event in enumerate(("check.retold", "check.redeliver")):
        story.leaf("beat.conflict")
        story.leaf("beat.refused", reason="too_often")
        story.leaf(event, check=check, answer_by_ms=NINE + n * MINUTE)
    assert evidence(story.leaves).marks == {"conflict": 2, "too_often": 2, **retold}


@pytest.mark.parametrize(
    ("answers", "one_may_accept"),
    [([["a picture"]], True), ([[]], False), ([None], False), ([["a picture"], None], True), ([None, ["a"]], True)],
)
def test_upon_her_appeal_one_person_accepts_what_any_attempt_has_a_picture_of(
    answers: list[list[str] | None], one_may_accept: bool
) -> None:
    story = Story(rules=2)
    check = "check"
    for attempt, frames in enumerate(answers, 1):
        story.check(None, check=check)
        pictures = {} if frames is None else {"frames": [{"sha256": each} for each in frames]}
        story.leaf("check.answer", check=check, attempt=attempt, **pictures)
    story.verdict(check, "mismatch")
    story.leaf("check.appeal", check=check)
    story.review(check, "accept", "a")
    (found,) = evidence(story.leaves).checks
    assert (found.standing == "good") is one_may_accept
    story.review(check, "accept", "b")
    (found,) = evidence(story.leaves).checks
    assert found.standing == "good"
