"""Identity numbers and credit codes: what is taken, and what is said of each slip of the pen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from xueji.identity.numbers import credit_code, identity_number
from xueji.kernel.errors import Invalid

TODAY = date(2026, 11, 21)
NUMBER = "620102199003072830"


@pytest.fixture(autouse=True, scope="module")
def _words() -> Iterator[None]:
    """The sentences as they stand in the code."""
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def with_check_digit(body: str) -> str:
    """The 17 digits and the one that GB 11643 asks for."""
    weights = [2**place % 11 for place in range(17, 0, -1)]
    rest = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return body + "10X98765432"[rest]


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        f" '{NUMBER} ",
        "220102 19700615 1231",
        with_check_digit("81000019850615123"),
        with_check_digit("91234519850615123"),
        with_check_digit("62010219161231100"),
        next(number for n in range(10) if (number := with_check_digit(f"620102198506{n:02d}100")).endswith("0")),
    ],
)
def test_a_number_of_somebody_is_taken_in_its_one_spelling(written: str) -> None:
    plain = written.strip(" '").replace(" ", "")
    assert identity_number(written, TODAY) == plain


def test_the_check_character_may_be_an_x_in_either_case() -> None:
    body = next(
        f"6201021990030728{digit}" for digit in "0123456789" if with_check_digit(f"6201021990030728{digit}")[-1] == "X"
    )
    assert identity_number(f"{body}x", TODAY) == f"{body}X"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("6.20102E+17", "近似值"),
        ("620102900307283", "15位的身份证号码已停用"),
        ("6201029003072831", "18位，这里有16位"),
        ("62010290030728X", "18位，这里有15位"),
        ("62010219900307283", "18位，这里有17位"),
        (NUMBER + "0", "18位，这里有19位"),
        ("G12345678", "18位，这里有9位"),
        ("62010219900307283A", "只含数字"),
        ("6201021990030728X9", "只含数字"),
        ("６２０１０２１９９００３０７２８٣٣", "只含数字"),
        ("620102199002302839", "不是一个日期"),
        (with_check_digit("62010219151121283"), "不合理"),
        (with_check_digit("62010220130307283"), "不合理"),
        ("620102199003072831", "校验位"),
        ("620102199003072000", "表格软件"),
        ("620102199003072100", "校验位"),
    ],
)
def test_each_slip_of_the_pen_is_named(written: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        identity_number(written, TODAY)
    assert says in str(refused.value.detail)


@pytest.mark.parametrize(("born", "taken"), [("1916", True), ("1915", False), ("2012", True), ("2013", False)])
def test_only_who_can_be_working_has_a_number_here(born: str, *, taken: bool) -> None:
    number = with_check_digit(f"620102{born}0307283")
    if taken:
        assert identity_number(number, TODAY) == number
        return
    with pytest.raises(Invalid):
        identity_number(number, TODAY)


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(place: int, by: int) -> None:
    wrong = NUMBER[:place] + str((int(NUMBER[place]) + by) % 10) + NUMBER[place + 1 :]
    with pytest.raises(Invalid):
        identity_number(wrong, TODAY)


def test_any_place_of_birth_is_taken() -> None:
    """Counties were renamed and renumbered: nobody is refused for where she was born."""
    for province, county in product(("11", "46", "62", "83"), ("0102", "9999")):
        number = with_check_digit(f"{province}{county}19900307283")
        assert identity_number(number, TODAY) == number


def test_a_credit_code_has_one_spelling_and_a_check_character() -> None:
    assert credit_code(" 91110000-600037341L ") == "91110000600037341L"
    with pytest.raises(Invalid) as refused:
        credit_code("911100006000373410")
    assert "统一社会信用代码" in str(refused.value.detail)
