"""What people type, paste and export has one spelling before anything is compared with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xueji.identity import spelling

DOTS = "·•・‧．･.∙⋅"


@pytest.mark.parametrize("dot", DOTS)
def test_every_keyboard_s_middle_dot_is_the_same(dot: str) -> None:
    assert spelling.person_name(f"买买提{dot}吐尔逊") == "买买提·吐尔逊"
    assert spelling.person_name(f"买买提 {dot} 吐尔逊") == "买买提·吐尔逊"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("李　丽", "李丽"),
        ("李 丽", "李丽"),
        ("王\ue863", "王䶮"),
        ("王\ue81e", "王龴"),
        ("王\u200b小明\ufeff", "王小明"),
        ("“王小明”", "王小明"),
        ("'王小明", "王小明"),
        ("  Anna   Maria   O'Neil ", "Anna Maria O'Neil"),
        ("J. Smith", "J. Smith"),
        ("欧阳·娜", "欧阳·娜"),
        ("·王小明·", "王小明"),
        ("王\x07小明", "王小明"),
        ("Xaver Xie", "Xaver Xie"),
    ],
)
def test_a_name_has_one_spelling(written: str, name: str) -> None:
    assert spelling.person_name(written) == name


def test_characters_that_no_older_system_gave_a_private_code_stay() -> None:
    assert spelling.plain("\ue814王\ue865") == "\ue814王\ue865"


@pytest.mark.parametrize(
    "written",
    [
        "22010219700615123X",
        "２２０１０２１９７００６１５１２３Ｘ",
        "22010219700615123x",
        "'22010219700615123X",
        '="22010219700615123X"',
        '"22010219700615123X"',
        "\ufeff220102\u00a019700615\u200b123X",
        "220102-19700615-123X",
    ],
)
def test_a_number_has_one_spelling(written: str) -> None:
    assert spelling.number(written) == "22010219700615123X"


@pytest.mark.parametrize("written", ["6.2E+17", "6.20102E+17", "6.20102e17", "６.2E+17", "620102199003072839.0"])
def test_a_number_that_a_spreadsheet_has_rounded_is_known(written: str) -> None:
    assert spelling.is_approximate(written)


def test_a_whole_number_is_not_taken_for_a_rounded_one() -> None:
    assert not spelling.is_approximate("620102199003072839")
    assert not spelling.is_approximate("62010219900307283X")


@pytest.mark.parametrize(
    "written",
    ["13800138000", "+86 138-0013-8000", "'13800138000", "（86）13800138000", "13800138000.0", "1３800138000"],
)
def test_a_telephone_number_has_one_spelling(written: str) -> None:
    assert spelling.telephone(written) == "13800138000"


@pytest.mark.parametrize("written", ["0431-88880000", "101", "1.38E+10", "", "12800138000", "138001380001"])
def test_what_is_no_mobile_number_is_none(written: str) -> None:
    assert spelling.telephone(written) == ""


@given(st.text(max_size=40))
def test_spelling_twice_changes_nothing(written: str) -> None:
    for spell in (spelling.plain, spelling.person_name, spelling.number):
        assert spell(spell(written)) == spell(written)
