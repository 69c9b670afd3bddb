"""The set `cn`: check digits against slips of typing, amounts there and back, and the published rules of capitals."""
from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hooks import Plugins
from engine.testing import FunctionContract
from plugins import cn

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class TestCn(FunctionContract):
    functions = Plugins(installed=False).functions("cn")


@pytest.mark.parametrize("code", ["91350100M000100Y43", "914403001922038216", "91110000802100433B"])
def test_codes_that_were_given_out(code: str) -> None:
    assert cn.valid_credit_code(code)


def _completed(first: str) -> str:
    return next(first + sign for sign in ALPHABET if cn.valid_credit_code(first + sign))


codes = st.builds(
    lambda a, b, c: _completed(a + b + c), st.text(ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6), st.text(ALPHABET, min_size=9, max_size=9),
)


@settings(deadline=None)
@given(codes, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_found(code: str, place: int, sign: str) -> None:
    assert cn.valid_credit_code(code[:place] + sign + code[place + 1:]) == (code[place] == sign)


@settings(deadline=None)
@given(codes, st.integers(0, 16))
def test_two_signs_swapped_are_found(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2:]
    assert cn.valid_credit_code(swapped) == (swapped == code)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_text_is_too_strange(text: str) -> None:
    for valid in (cn.valid_credit_code, cn.valid_organisation_code, cn.valid_resident_number):
        assert valid(text) in (True, False)
    try:
        assert math.isfinite(cn.amount_of_text(text))
    except ValueError:
        pass


def test_numbers_of_residents() -> None:
    assert cn.valid_resident_number("11010519491231002X")
    assert cn.valid_resident_number("440524188001010014")
    for wrong in ("11010519491231002x", "110105194902310021", "11010519491231002", "01010519491231002X", "1" * 18):
        assert not cn.valid_resident_number(wrong)


@pytest.mark.parametrize(("amount", "words"), [
    (1409.50, "壹仟肆佰零玖元伍角"), (6007.14, "陆仟零柒元壹角肆分"), (1680.32, "壹仟陆佰捌拾元零叁角贰分"),
    (107000.53, "壹拾万柒仟元零伍角叁分"), (16409.02, "壹万陆仟肆佰零玖元零贰分"), (325.04, "叁佰贰拾伍元零肆分"),
    (0, "零元整"), (0.05, "伍分"), (0.5, "伍角"), (20, "贰拾元整"), (100010000, "壹亿零壹万元整"), (-3, "负叁元整"),
    (10101010, "壹仟零壹拾万壹仟零壹拾元整"), (1000000000000, "壹万亿元整"), (500000.3, "伍拾万元叁角"),
])
def test_capital_amounts(amount: float, words: str) -> None:
    """The first six are the examples of the rules on payment and settlement, annex 1, 5."""
    assert cn.capital_amount(amount) == words


@settings(deadline=None)
@given(st.integers(0, 10**15))
def test_capital_amounts_are_told_apart(cents: int) -> None:
    words = cn.capital_amount(cents / 100)
    assert _read(words) == cents


def _read(words: str) -> int:
    """A capital amount in cents, by reading it from the left."""
    digits = {d: n for n, d in enumerate("零壹贰叁肆伍陆柒捌玖")}
    whole = group = digit = cents = 0
    for sign in words:
        if sign in digits:
            digit = digits[sign]
        elif sign in "拾佰仟":
            group, digit = group + digit * 10 ** ("拾佰仟".index(sign) + 1), 0
        elif sign == "万":
            whole, group, digit = whole + (group + digit) * 10**4, 0, 0
        elif sign == "亿":
            whole, group, digit = (whole + group + digit) * 10**8, 0, 0
        elif sign == "元":
            cents, group, digit = (whole + group + digit) * 100, 0, 0
        elif sign in "角分":
            cents, digit = cents + digit * (10 if sign == "角" else 1), 0
    return cents


@pytest.mark.parametrize(("text", "amount"), [
    ("3,500万元", 3.5e7), ("1亿2000万", 1.2e8), ("1.2亿", 1.2e8), ("人民币80万元整", 8e5), ("-500", -500.0),
    ("5千万", 5e7), ("１２３．５", 123.5), ("¥100", 100.0), ("2万亿", 2e12), ("0", 0.0),
])
def test_amounts_as_people_write_them(text: str, amount: float) -> None:
    assert cn.amount_of_text(text) == amount


@pytest.mark.parametrize("text", ["", "万", "abc", "1,23", "2000万1亿", "1万2万", "1..2", "12x", "99999万亿"])
def test_texts_that_are_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        cn.amount_of_text(text)


@settings(deadline=None)
@given(st.integers(-(10**14), 10**14))
def test_amounts_there_and_back(cents: int) -> None:
    amount = cents / 100
    back = cn.amount_of_text(cn.amount_in_wan(amount))
    assert abs(back - amount) <= 0.005 * max(1, 10 ** (max(0, (len(str(abs(cents) // 100)) - 1) // 4 * 4))) + 1e-6
