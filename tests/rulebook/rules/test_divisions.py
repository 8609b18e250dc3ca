"""Division codes: which there are, which lies in which, and whose law applies where two meet."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.rulebook.divisions import choices, divisions, is_division, jurisdiction_of, lies_in, name_of
from xueji.rulebook.figures import reaches
from xueji.rulebook.rules import load

CODES = st.sampled_from(sorted(divisions()))


def test_the_list_holds_every_level() -> None:
    codes = divisions()
    assert len([code for code in codes if code.endswith("0000")]) == 34
    assert 330 <= len([code for code in codes if code.endswith("00") and not code.endswith("0000")]) <= 350
    assert len(codes) > 3000
    assert all(len(code) == 6 and code.isdigit() and name for code, name in codes.items())


@pytest.mark.parametrize("code", ["999999", "620199", "000000", "62010", "", "620101", "110200"])
def test_a_code_that_is_no_place_is_not_known(code: str) -> None:
    assert not is_division(code)


def test_a_place_is_named_as_an_address_begins() -> None:
    assert name_of("620102") == "甘肃省兰州市城关区"
    assert name_of("110101") == "北京市东城区"
    assert name_of("620000") == "甘肃省"
    assert name_of("999999") == "999999"


@pytest.mark.parametrize(
    ("code", "other", "lies"),
    [
        ("620102", "620000", True),
        ("630102", "620000", False),
        ("610102", "620000", False),
        ("620102", "620100", True),
        ("620202", "620100", False),
        ("621102", "620100", False),
        ("620100", "620100", True),
        ("620000", "620100", False),
        ("620102", "620102", True),
        ("620103", "620102", False),
        ("620110", "620111", False),
        ("620100", "620110", False),
        ("62010", "620000", False),
        ("620102", "62000", False),
        ("6201020", "620000", False),
        ("620102", "62", False),
        ("", "", False),
        ("62", "62", False),
    ],
)
def test_which_division_lies_in_which(code: str, other: str, *, lies: bool) -> None:
    assert lies_in(code, other) is lies


def test_without_a_seat_the_law_of_the_place_applies() -> None:
    assert jurisdiction_of("620102", "") == "620102"
    assert jurisdiction_of("620102", "620000") == "620102"
    assert jurisdiction_of("620000", "620102") == "620102"
    assert jurisdiction_of("620102", "220104") == "620102+220104"


@given(CODES, CODES)
def test_the_law_of_both_places_applies(place: str, home: str) -> None:
    both = jurisdiction_of(place, home)
    for prefix in ("", place[:2], place[:4], place, home[:2], home[:4], home):
        assert (
            reaches(prefix, both)
            or not (place.startswith(prefix) or home.startswith(prefix))
            or (
                # A larger place's own code, where the smaller of the two decides.
                lies_in(place, home) or lies_in(home, place)
            )
        )
    assert reaches(place.rstrip("0"), both)
    assert reaches(home.rstrip("0"), both)


def test_of_two_regions_the_stricter_figure_decides() -> None:
    book, on = load(), date(2026, 12, 1)
    both = book.in_force("620102+220104", on)
    for key in {figure.key for figure in book.figures}:
        alone = [book.in_force(code, on).find(key) for code in ("620102", "220104")]
        found = both.find(key)
        values = [each.figure for each in alone if each is not None]
        if found is None or not values or any(type(figure.value) is not int for figure in values):
            continue
        bounds = {figure.bound.value for figure in values}
        numbers = [figure.value for figure in values if isinstance(figure.value, int)]
        if bounds == {"at_least"}:
            assert found.figure.value == max(numbers), key
        elif bounds == {"at_most"}:
            assert found.figure.value == min(numbers), key


def test_places_to_choose_from_begin_at_home_and_are_named_within_their_province() -> None:
    found = choices("220100")
    assert list(found)[:3] == ["吉林省", "北京市", "天津市"]
    assert found["吉林省"][:4] == [
        ("220000", "吉林省"),
        ("220100", "长春市"),
        ("220102", "长春市南关区"),
        ("220103", "长春市宽城区"),
    ]
    # A city that is a province: its name stands for itself alone, and the rows of its "districts" are no place.
    assert found["北京市"][:2] == [("110000", "北京市"), ("110101", "东城区")]
    assert list(choices("990000"))[:2] == ["北京市", "天津市"]


def test_every_place_may_be_chosen_once_in_its_own_province() -> None:
    found = choices("110000")
    codes = [code for within in found.values() for code, _ in within]
    assert sorted(codes) == [code for code, name in sorted(divisions().items()) if name != "市辖区"]
    assert all(name_of(f"{code[:2]}0000") == province for province, within in found.items() for code, _ in within)
    with pytest.raises(TypeError):
        found["无"] = []  # type: ignore[index]
