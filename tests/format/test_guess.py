"""Which questions `--fix` answers by itself."""
from __future__ import annotations

import pytest

from engine.diagnostics import Diagnostic, Edit, Span
from engine.format.fixing import mended
from engine.format.guess import is_slip


def asked(code: str = "E0203") -> Diagnostic:
    return Diagnostic(code, "unknown", None, "did you mean that?")


@pytest.mark.parametrize(("typed", "meant"), [
    ("anual revenue", "annual revenue"), ("annual reveneu", "annual revenue"), ("Annual_Revenue", "annual revenue"),
    ("yeers", "years"), ("dcsr", "dscr"), ("day", "days"), ("drs", "dsr"), ("bse rate", "base rate"),
    ("employeees", "employees"), ("totalassets", "total assets"), ("total_assets_wna", "total_assets_wan"),
    ("ｄｓｃｒ", "dscr"), ('"apprve"', '"approve"'), ("net_turnvoer", "net_turnover"), ("nett_urnover", "net_turnover"),
])
def test_a_slip(typed: str, meant: str) -> None:
    assert is_slip(asked(), typed, meant)


@pytest.mark.parametrize(("typed", "meant"), [
    ("minus_1", "minus_2"), ("R12", "R13"), ("R2", "R02"), ("in default", "no default"), ("cap", "gap"),
    ("AAA", "AA"), ("BJJ", "BJ"), ("days_since_receipt", "business_days_since_receipt"), ("limit up", "limit us"),
    ("月营业收入", "年营业收入"), ("净资产", "总资产"), ("gross sales", "net sales"), ("profit", "project"),
    ("total debts", "total debts old"),
])
def test_another_word(typed: str, meant: str) -> None:
    assert not is_slip(asked(), typed, meant)


def test_few_words_can_stand_for_a_key() -> None:
    assert is_slip(asked("E0030"), "wen", "when") and is_slip(asked("E0033"), "upp", "up")
    assert not is_slip(asked(), "upp", "up")


def test_a_question_that_is_no_slip_is_left_to_a_person() -> None:
    span = Span("p.yaml", 1, 1, 1, 8)
    told = Diagnostic("E0203", "unknown name", span, "did you mean `minus_2`?", (), (Edit(span, "minus_2"),))
    assert mended("minus_1: 3\n", "p.yaml", [told]).mends == ()
    assert mended("minus_1: 3\n", "p.yaml", [told.replace(help="write `minus_2`")]).text == "minus_2: 3\n"
