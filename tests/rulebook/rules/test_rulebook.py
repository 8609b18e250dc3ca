"""The rules as data: complete, sourced, dated; the strictest that applies wins and says why."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.rulebook.intervals import Interval, intersect, length, subtract, union
from xueji.rulebook.plan import BEFORE_IT_WAS, InvalidPlan, ProctoringPlan
from xueji.rulebook.rules import (
    Bound,
    CapNote,
    Conditions,
    Confidence,
    Figure,
    FigureOrigin,
    InvalidRulebook,
    NoSuchRule,
    NoSuchRulebook,
    Rulebook,
    RulebookError,
    Situation,
    all_online_forbidden,
    load,
    online_cap,
    published,
    required_hours,
)
from xueji.rulebook.vocabulary import Category, Training

BOOK = load()
TODAY = date(2026, 11, 21)
GANSU, JINCHENG, CHANGCHUN, ELSEWHERE = "620102", "140502", "220102", "320400"
CLASS_HOUR = 45 * 60_000
OPERATOR = Situation("special_operator", True, "initial")

PUBLISHED = {
    "cn-safety-training@2026.11": "8915bd990767a348533d81e0b53cb1e84294471217756680303fd56ee852de40",
    "cn-safety-training@2026.12": "13827261e75744cd971c1ace274700e567bd0f4f6a9c2c4789a4d453653aa200",
}
"""Each published version and the digest of its text. A published version never changes: publish another one."""


def test_a_published_version_never_changes() -> None:
    assert {reference: load(reference).digest for reference in published()} == PUBLISHED


def test_the_newest_version_is_the_one_loaded() -> None:
    assert load().reference == published()[-1]
    with pytest.raises(NoSuchRulebook):
        load("cn-safety-training@1999.01")


# ---- the data


def test_every_figure_names_its_source_region_dates_and_confidence() -> None:
    for figure in BOOK.figures:
        assert figure.id and figure.key and figure.unit and figure.document, figure
        assert figure.jurisdiction == "" or figure.jurisdiction.isdigit(), figure
        assert figure.valid_to is None or figure.valid_from <= figure.valid_to, figure


def test_figures_read_in_the_documents_at_hand_name_their_article() -> None:
    local = [figure for figure in BOOK.figures if figure.document.startswith(("甘应急", "城安办"))]
    assert len(local) >= 20
    for figure in local:
        assert figure.article and figure.confidence is Confidence.HIGH, figure


def test_figures_that_are_custom_can_be_changed_and_figures_of_law_cannot() -> None:
    for figure in BOOK.figures:
        assert not (figure.note == "setting" and figure.confidence is Confidence.HIGH), figure


def test_local_figures_hold_only_where_their_document_does() -> None:
    regions = {figure.document[:3]: figure.jurisdiction for figure in BOOK.figures}
    assert (regions["甘应急"], regions["城安办"], regions["长春市"]) == ("62", "140502", "2201")


HOURS = [
    ("", "principal", True, "initial", None, 48),
    ("", "safety_manager", True, "initial", None, 48),
    ("", "safety_manager", True, "refresher", None, 16),
    ("", "principal", False, "initial", None, 32),
    ("", "principal", False, "refresher", None, 12),
    ("", "other", False, "initial", None, 24),
    ("", "other", True, "initial", None, 72),
    ("", "other", True, "refresher", None, 20),
    ("", "other", False, "refresher", None, None),
    ("", "special_operator", True, "initial", None, None),
    ("", "special_operator", True, "renewal", None, None),
    (GANSU, "principal", True, "initial", None, 48),
    (CHANGCHUN, "principal", True, "initial", None, 48),
    (CHANGCHUN, "principal", True, "initial", "underground_metal_mines", 54),
    (CHANGCHUN, "safety_manager", True, "initial", "underground_metal_mines", 54),
    (CHANGCHUN, "safety_manager", True, "initial", "hazardous_chemical_production", 56),
    (CHANGCHUN, "safety_manager", True, "initial", "metal_smelting", 52),
    (CHANGCHUN, "special_operator", False, "initial", "height_installation", 104),
    (ELSEWHERE, "safety_manager", True, "initial", "metal_smelting", 48),
]


@pytest.mark.parametrize(("region", "category", "high_risk", "training", "subject", "hours"), HOURS)
def test_the_least_hours(
    region: str, category: str, high_risk: bool, training: str, subject: str | None, hours: int | None
) -> None:
    required = required_hours(BOOK.in_force(region, TODAY), Situation(category, high_risk, training, subject))
    assert required.total_ms == (None if hours is None else hours * CLASS_HOUR)


SUBJECTS = [
    ("low_voltage_electrician", 148, 88, 60),
    ("high_voltage_electrician", 154, 82, 72),
    ("power_cable", 104, 64, 40),
    ("relay_protection", 124, 74, 50),
    ("electrical_test", 126, 56, 70),
    ("explosion_proof_electrical", 82, 60, 22),
    ("welding", 108, 68, 40),
    ("scaffolding", 100, 40, 60),
]


@pytest.mark.parametrize(("subject", "total", "theory", "practical"), SUBJECTS)
def test_changchuns_subjects_have_theory_and_practice_that_add_up(
    subject: str, total: int, theory: int, practical: int
) -> None:
    required = required_hours(BOOK.in_force(CHANGCHUN, TODAY), Situation("special_operator", True, "initial", subject))
    found = (required.total_ms, required.theory_ms, required.practical_ms)
    assert found == (total * CLASS_HOUR, theory * CLASS_HOUR, practical * CLASS_HOUR)
    assert total == theory + practical


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 5, 31), 8), (date(2026, 6, 1), None)])
def test_the_review_of_licences_ended_with_may_2026(day: date, hours: int | None) -> None:
    required = required_hours(BOOK.in_force("", day), Situation("special_operator", True, "review"))
    assert required.total_ms == (None if hours is None else hours * CLASS_HOUR)


def test_the_hours_before_renewal_are_an_open_question_without_a_default() -> None:
    required = required_hours(BOOK.in_force("", TODAY), Situation("special_operator", True, "renewal"))
    assert "hours_before_licence_renewal" in required.questions
    question = next(q for q in BOOK.open_questions if q.key == "hours_before_licence_renewal")
    assert question.default is None


@pytest.mark.parametrize(
    ("region", "day", "category", "months", "why"),
    [
        (ELSEWHERE, date(2020, 1, 1), "other", 12, FigureOrigin.ONLY_ONE),
        (ELSEWHERE, date(2020, 1, 1), "special_operator", 6, FigureOrigin.STRICTEST),
        (JINCHENG, date(2024, 10, 1), "other", 3, FigureOrigin.STRICTEST),
        (ELSEWHERE, TODAY, "special_operator", 3, FigureOrigin.STRICTEST),
    ],
)
def test_the_absence_before_a_return_to_post(
    region: str, day: date, category: str, months: int, why: FigureOrigin
) -> None:
    ruling = BOOK.in_force(region, day).ruling("absence_before_return", Situation(category, False, "initial"))
    assert (ruling.value, ruling.why) == (months, why)


def test_jinchengs_action_ended_with_2024() -> None:
    assert BOOK.in_force(JINCHENG, date(2024, 12, 31)).find(
        "principal_training_days", Situation("principal", True, "initial")
    )
    assert not BOOK.in_force(JINCHENG, date(2025, 1, 1)).find(
        "principal_training_days", Situation("principal", True, "initial")
    )


def test_all_open_questions_are_about_figures_that_exist() -> None:
    keys = {figure.key for figure in BOOK.figures}
    assert len(BOOK.open_questions) >= 4
    assert {question.about for question in BOOK.open_questions} <= keys


# ---- which figure wins


def figure(name: str, bound: Bound, value: int, region: str = "", confidence: str = "H") -> Figure:
    return Figure(
        name, "key", bound, value, "unit", Conditions(), region, date(2020, 1, 1), None, "document", "1",
        Confidence(confidence),
    )  # fmt: skip


def ruling_among(*figures: Figure) -> tuple[str, FigureOrigin]:
    ruling = replace(BOOK, figures=figures).in_force(GANSU, TODAY).ruling("key")
    assert {ruling.figure, *ruling.set_aside} == set(figures)
    return ruling.figure.id, ruling.why


def test_the_strictest_wins_in_either_direction() -> None:
    least, most = Bound.AT_LEAST, Bound.AT_MOST
    assert ruling_among(figure("a", least, 48)) == ("a", FigureOrigin.ONLY_ONE)
    assert ruling_among(figure("a", least, 48), figure("b", least, 54, "62")) == ("b", FigureOrigin.STRICTEST)
    assert ruling_among(figure("a", least, 54), figure("b", least, 48, "62")) == ("a", FigureOrigin.STRICTEST)
    assert ruling_among(figure("a", most, 40), figure("b", most, 50, "62")) == ("a", FigureOrigin.STRICTEST)


def test_among_equals_the_nearest_regions_figure_is_named() -> None:
    most, exactly = Bound.AT_MOST, Bound.EXACTLY
    assert ruling_among(figure("a", most, 40), figure("b", most, 40, "62")) == ("b", FigureOrigin.MOST_SPECIFIC)
    assert ruling_among(figure("a", exactly, 45), figure("b", exactly, 40, "6201")) == ("b", FigureOrigin.MOST_SPECIFIC)
    assert ruling_among(figure("a", most, 40, confidence="L"), figure("b", most, 40))[0] == "b"


def test_figures_of_other_regions_days_and_situations_are_not_asked() -> None:
    book = replace(BOOK, figures=(figure("a", Bound.AT_MOST, 40, "61"),))
    with pytest.raises(NoSuchRule, match=r"^key$"):
        book.in_force(GANSU, TODAY).ruling("key")
    with pytest.raises(NoSuchRule):
        BOOK.in_force(GANSU, TODAY).ruling("online_share")
    with pytest.raises(NoSuchRule):
        BOOK.in_force(GANSU, date(1999, 1, 1)).ruling("online_share", OPERATOR)


@pytest.mark.parametrize("condition", ["category", "training", "subject"])
def test_a_figure_for_some_is_not_asked_where_nothing_is_known(condition: str) -> None:
    asked: dict[str, Any] = {condition: ("initial",)}
    some = replace(figure("a", Bound.AT_MOST, 40), conditions=Conditions(**asked))
    assert replace(BOOK, figures=(some,)).in_force(GANSU, TODAY).find("key") is None


def test_figures_of_one_key_bind_alike() -> None:
    """Else the stricter of two could not be named."""
    bounds: dict[str, set[Bound]] = {}
    for each in BOOK.figures:
        bounds.setdefault(each.key, set()).add(each.bound)
    assert {key: len(found) for key, found in bounds.items() if len(found) > 1} == {}


def test_a_figure_travels_as_plain_json() -> None:
    for each in BOOK.figures:
        told = each.to_dict()
        assert json.loads(json.dumps(told)) == told
        assert Figure.from_dict(told) == each


def test_a_ruling_tells_its_source_and_what_it_set_aside() -> None:
    told = BOOK.in_force(GANSU, TODAY).ruling("online_share", OPERATOR).to_dict()
    assert told["figure"]["source"]["article"] == "第八条"
    assert told["why"] == "most_specific"
    assert told["set_aside"] == ["presets.online_share.regulated.high_risk.initial"]


def test_a_text_is_no_number() -> None:
    with pytest.raises(RulebookError):
        _ = BOOK.in_force(GANSU, TODAY).ruling("share_denominator").whole


# ---- the cap


@pytest.mark.parametrize("category", ["principal", "safety_manager", "special_operator"])
@pytest.mark.parametrize("region", [GANSU, ELSEWHERE])
def test_the_cap_is_forty_percent_of_the_total_or_all_theory(category: str, region: str) -> None:
    in_force, situation = BOOK.in_force(region, TODAY), Situation(category, True, "initial")
    cap = online_cap(in_force, situation, total_ms=48 * CLASS_HOUR, theory_ms=40 * CLASS_HOUR)
    assert (cap.applies, cap.limit_ms, cap.percent) == (True, 48 * 18 * 60_000, 40)
    assert online_cap(in_force, situation, total_ms=100, theory_ms=39).limit_ms == 39
    assert online_cap(in_force, situation, total_ms=101, theory_ms=101).limit_ms == 40


@pytest.mark.parametrize(
    ("situation", "note"),
    [
        (Situation("other", True, "initial"), CapNote.NOT_REGULATED_POST),
        (Situation("principal", False, "initial"), CapNote.NOT_HIGH_RISK),
        (Situation("principal", True, "refresher"), CapNote.NOT_INITIAL),
        (Situation("principal", True, "renewal"), CapNote.NOT_INITIAL),
    ],
)
def test_where_the_share_is_not_limited_it_says_why(situation: Situation, note: CapNote) -> None:
    cap = online_cap(BOOK.in_force(GANSU, TODAY), situation, total_ms=100, theory_ms=70)
    assert (cap.applies, cap.limit_ms, cap.note, cap.ruling) == (False, 70, note, None)


@pytest.mark.parametrize(
    ("training", "total_ms", "theory_ms", "filed_ms", "limit_ms"),
    [
        ("initial", 100, 70, 39, 39),
        ("initial", 100, 70, 41, 40),
        ("initial", 100, 30, 41, 30),
        ("initial", 100, 70, None, 40),
        ("refresher", 100, 70, 69, 69),
        ("refresher", 100, 70, 71, 70),
        ("refresher", 100, 70, None, 70),
    ],
)
def test_more_than_was_filed_never_counts(
    training: str, total_ms: int, theory_ms: int, filed_ms: int | None, limit_ms: int
) -> None:
    situation = Situation("principal", True, training)
    cap = online_cap(BOOK.in_force(GANSU, TODAY), situation, total_ms=total_ms, theory_ms=theory_ms, filed_ms=filed_ms)
    assert cap.limit_ms == limit_ms
    assert (cap.note is CapNote.APPLIES) is cap.applies
    assert (cap.ruling.figure.key if cap.ruling else None) == ("online_share" if cap.applies else None)


def test_no_training_is_wholly_online_where_and_for_whom_a_rule_says_so() -> None:
    ruling = all_online_forbidden(BOOK.in_force(GANSU, TODAY), OPERATOR)
    assert ruling is not None and ruling.figure.key == "all_online_cohort"
    rule = replace(ruling.figure, id="for.initial", conditions=Conditions(training=("initial",)))
    in_force = replace(BOOK, figures=(rule,)).in_force(GANSU, TODAY)
    assert all_online_forbidden(in_force, OPERATOR) is not None
    assert all_online_forbidden(in_force, replace(OPERATOR, training="refresher")) is None
    allowed = replace(BOOK, figures=(replace(rule, value=True),)).in_force(GANSU, TODAY)
    assert all_online_forbidden(allowed, OPERATOR) is None
    assert all_online_forbidden(replace(BOOK, figures=()).in_force(GANSU, TODAY), OPERATOR) is None


def test_a_region_without_the_rule_says_that() -> None:
    book = replace(BOOK, figures=tuple(figure for figure in BOOK.figures if figure.key != "online_share"))
    cap = online_cap(book.in_force(GANSU, TODAY), OPERATOR, total_ms=100, theory_ms=70)
    assert (cap.limit_ms, cap.note) == (70, CapNote.NO_RULE)


@given(
    st.sampled_from(list(Category)), st.booleans(), st.sampled_from(list(Training)), st.integers(0, 10**10),
    st.integers(0, 10**10),
)  # fmt: skip
def test_no_cap_is_above_theory_or_its_share(
    category: Category, high_risk: bool, training: Training, total_ms: int, theory_ms: int
) -> None:
    situation = Situation(category, high_risk, training)
    cap = online_cap(BOOK.in_force(GANSU, TODAY), situation, total_ms=total_ms, theory_ms=theory_ms)
    assert 0 <= cap.limit_ms <= theory_ms
    assert cap.applies == (category is not Category.OTHER and high_risk and training is Training.INITIAL)
    if cap.applies:
        assert cap.limit_ms * 100 <= total_ms * 40 < (cap.limit_ms + 1) * 100 or cap.limit_ms == theory_ms


# ---- as one JSON object


def test_a_rulebook_travels_as_one_json_object() -> None:
    text = BOOK.to_json()
    again = Rulebook.from_json(text)
    assert again == BOOK
    assert again.digest == BOOK.digest == hashlib.sha256(text.encode()).hexdigest()
    assert text == Rulebook.from_json(json.dumps(json.loads(text), indent=3)).to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values.pop("id"), "^rulebook: 'id'$"),
        (lambda values: values["figures"][0].pop("source"), f"^figure {BOOK.figures[0].id}: 'source'$"),
        (lambda values: values["figures"][0].pop("id"), r"^figure \?: 'id'$"),
        (lambda values: values["figures"][0].update(when={"training": ["feast"]}), "feast"),
        (lambda values: values["open_questions"][0].pop("key"), r"^open question \?: 'key'$"),
        (lambda values: values["figures"][0].update(bound="perhaps"), "perhaps"),
        (lambda values: values["figures"][0].update(valid_from="soon"), "soon"),
        (lambda values: values["figures"][0].update(when={"weather": "fine"}), "weather"),
        (lambda values: values["figures"][0].update(when={"category": ["king"]}), "king"),
        (lambda values: values["figures"].append(values["figures"][0]), "^rulebook: two figures share an id$"),
        (
            lambda values: values["open_questions"][0].pop("default"),
            f"^open question {BOOK.open_questions[0].key}: 'default'$",
        ),
    ],
)
def test_a_rulebook_that_cannot_be_read_says_where(change: Callable[[Any], object], message: str) -> None:
    values = json.loads(BOOK.to_json())
    change(values)
    with pytest.raises(InvalidRulebook, match=message):
        Rulebook.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("text", "message"),
    [("[]", "^rulebook: not an object$"), ("7", "^rulebook: not an object$"), ("{", "^rulebook: Expecting")],
)
def test_a_text_that_is_no_rulebook_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRulebook, match=message):
        Rulebook.from_json(text)


def test_rules_come_from_data_and_not_from_code() -> None:
    """Changing the data changes the ruling: nothing of it is written in the program."""
    values = json.loads(BOOK.to_json())
    for item in values["figures"]:
        if item["key"] == "online_share":
            item["value"] = 25
        if item["key"] == "class_hour":
            item["value"] = 40
    in_force = Rulebook.from_json(json.dumps(values)).in_force(GANSU, TODAY)
    assert online_cap(in_force, OPERATOR, total_ms=100, theory_ms=100).limit_ms == 25
    assert in_force.class_hour_ms == 40 * 60_000


# ---- the proctoring plan

PRESET = {
    "checks_min_gap_ms": 300_000, "checks_max_gap_ms": 900_000, "answer_ms": 60_000, "retries": 2,
    "idle_ms": 300_000, "idle_answer_ms": 60_000, "max_rate": 1_000, "offline_ms": 300_000, "slack_ms": 5_000,
    "lease_ms": 60_000, "beat_ms": 10_000, "daily_max_ms": 8 * CLASS_HOUR, "frames": 5, "prompts": 2,
    "min_pixels": 300_000, "match_threshold": 500_000, "settle_days": 7, "appeal_days": 15,
    "confirm_reference": 0, "attendance_days": 3, "deny_days": 7, "round_ms": 2_700_000, "room_code": 1,
    "film_handed_out": 1,
}  # fmt: skip


def test_the_preset_plan_is_the_rulebooks() -> None:
    plan = BOOK.proctoring_plan(GANSU, TODAY)
    assert plan.to_dict() == PRESET
    assert ProctoringPlan.from_dict(plan.to_dict()) == plan
    assert BOOK.proctoring_plan(GANSU, TODAY, retries=0).retries == 0


@pytest.mark.parametrize("category", Category)
def test_a_first_photo_is_held_against_the_identity_document_for_the_regulated_posts(category: Category) -> None:
    plan = BOOK.in_force(GANSU, TODAY).proctoring_plan(Situation(category, True, "initial"))
    assert plan.confirm_reference == (category is not Category.OTHER)
    assert plan.to_dict() == {**PRESET, "confirm_reference": plan.confirm_reference}


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"retries": -1}, "retries", "too_small"),
        ({"frames": 0}, "frames", "too_small"),
        ({"frames": 13}, "frames", "too_large"),
        ({"daily_max_ms": 86_400_001}, "daily_max_ms", "too_large"),
        ({"answer_ms": 60_000.0}, "answer_ms", "not_a_whole_number"),
        ({"answer_ms": "60000"}, "answer_ms", "not_a_whole_number"),
        ({"retries": True}, "retries", "not_a_whole_number"),
        ({"checks_min_gap_ms": 900_001}, "checks_min_gap_ms", "above_checks_max_gap_ms"),
        ({"beat_ms": 60_001, "lease_ms": 60_000}, "beat_ms", "above_lease_ms"),
    ],
)
def test_a_plan_that_cannot_be_names_the_field(change: dict[str, object], field: str, problem: str) -> None:
    with pytest.raises(InvalidPlan) as caught:
        ProctoringPlan.from_dict({**PRESET, **change})
    assert (caught.value.field, caught.value.problem) == (field, problem)
    assert str(caught.value) == f"{field}: {problem}"


def test_a_device_may_give_way_after_a_single_report() -> None:
    assert ProctoringPlan.from_dict({**PRESET, "beat_ms": 60_000, "lease_ms": 60_000}).beat_ms == 60_000


@pytest.mark.parametrize("field", sorted(PRESET.keys() - BEFORE_IT_WAS.keys()))
def test_a_plan_without_a_field_names_it(field: str) -> None:
    with pytest.raises(InvalidPlan) as caught:
        ProctoringPlan.from_dict({name: value for name, value in PRESET.items() if name != field})
    assert (caught.value.field, caught.value.problem) == (field, "missing")


def test_a_plan_of_a_later_release_is_read_without_what_it_added() -> None:
    assert ProctoringPlan.from_dict({**PRESET, "colour": 7}).to_dict() == PRESET


def test_a_plan_of_an_earlier_release_means_what_it_meant_then() -> None:
    then = {name: value for name, value in PRESET.items() if name not in BEFORE_IT_WAS}
    assert ProctoringPlan.from_dict(then).to_dict() == {**PRESET, **BEFORE_IT_WAS}


def test_a_field_that_no_plan_has_cannot_be_chosen() -> None:
    with pytest.raises(InvalidPlan) as caught:
        BOOK.proctoring_plan(GANSU, TODAY, colour=7)
    assert (caught.value.field, caught.value.problem) == ("colour", "unknown")


# ---- intervals

INTERVALS = st.lists(
    st.one_of(
        st.builds(lambda start, ms: (start, start + ms), st.integers(0, 60), st.integers(0, 5)),
        st.tuples(st.integers(0, 60), st.integers(0, 60)),
    ),
    max_size=12,
)
"""Mostly short ones, so that many lie apart."""


def points(intervals: list[Interval]) -> set[int]:
    return {point for start, end in intervals for point in range(start, end)}


@given(INTERVALS, INTERVALS)
def test_interval_arithmetic_agrees_with_sets_of_points(first: list[Interval], second: list[Interval]) -> None:
    a, b = union(first), union(second)
    assert points(a) == points(first)
    assert points(subtract(a, b)) == points(a) - points(b)
    assert points(intersect(a, b)) == points(a) & points(b)
    for result in (a, subtract(a, b), intersect(a, b)):
        assert all(start < end for start, end in result)
        assert all(left[1] < right[0] for left, right in pairwise(result))
        assert length(result) == len(points(result))


def test_an_open_question_is_asked_where_it_arises() -> None:
    def asked(region: str) -> set[str]:
        return {question.key for question in BOOK.open_about(frozenset({"training_hours"}), OPERATOR, region)}

    assert "jincheng_action_outlives_2024" in asked(JINCHENG)
    assert "jincheng_action_outlives_2024" not in asked(CHANGCHUN)
