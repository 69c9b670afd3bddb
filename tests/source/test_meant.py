"""What texts that are no values are taken for, and what is left to a person."""
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.check.plain import NotReadable, read
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.meant import meant

NUMBER, DATE, BOOLEAN = Type(dt.NUMBER), Type(dt.DATE), Type(dt.BOOLEAN)


@pytest.mark.parametrize(("text", "kind", "wanted"), [
    ("1,000", NUMBER, "1000"), ("5,000,000", NUMBER, "5000000"), ("-1,234,567.5", NUMBER, "-1234567.5"),
    ("1 000 000", NUMBER, "1000000"), ("1'000'000", NUMBER, "1000000"), ("３０％", NUMBER, "30%"),
    ("−5%", NUMBER, "-5%"),
    ("3,35%", NUMBER, "3.35%"), ("1,5", NUMBER, "1.5"), ("5\xa0000", NUMBER, "5000"), ("１，０００", NUMBER, "1000"),
    ("TRUE", BOOLEAN, "true"), ("False", BOOLEAN, "false"), ("2026/7/1", DATE, "2026-07-01"),
    ("2026年7月1日", DATE, "2026-07-01"), ("2026-07-01 00:00:00", DATE, "2026-07-01"), ("46204", DATE, "2026-07-01"),
])
def test_certain(text: str, kind: Type, wanted: str) -> None:
    with pytest.raises(NotReadable) as why:
        read(text, kind)
    assert why.value.meant == wanted and wanted in (why.value.help or "")
    assert read(wanted, kind) is not None


@pytest.mark.parametrize(("text", "kind"), [
    ("1,500", NUMBER), ("12,34,567", NUMBER), ("about 5", NUMBER), ("#N/A", NUMBER), ("¥1000", NUMBER),
    ("3/4/2026", DATE),
    ("1-Jan", DATE), ("2026-13-01", DATE), ("2026/2/30", DATE), ("2026-07-01 10:00", DATE), ("yes", BOOLEAN),
    ("1,5,2", NUMBER), ("99999", DATE), ("1.000.000", NUMBER),
])
def test_not_certain(text: str, kind: Type) -> None:
    with pytest.raises(NotReadable) as why:
        read(text, kind)
    assert why.value.meant is None and why.value.help


@given(st.integers(-10**9, 10**9).filter(lambda n: abs(n) >= 1_000_000 or abs(n) % 1000 < 100 and abs(n) >= 1000))
def test_any_number_with_separators(number: int) -> None:
    with pytest.raises(NotReadable) as why:
        read(f"{number:,}", NUMBER)
    assert why.value.meant == str(number)


@given(st.dates())
def test_any_day_with_slashes(day: object) -> None:
    assert meant(str(day).replace("-", "/"), DATE) == str(day)
