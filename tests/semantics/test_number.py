"""Tolerant comparison, its nudged constants, and rounding built on both."""

from __future__ import annotations

import math
import random
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.semantics import number
from engine.semantics.number import FLOOR_MONEY, FLOOR_NUMBER, compare, nudge, round_to, tolerance
from engine.semantics.values import Undefined

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
MODERATE = st.floats(-1e15, 1e15)
FLOORS = st.sampled_from([FLOOR_NUMBER, FLOOR_MONEY])
OPERATORS = ("<", "<=", ">", ">=")


def plain(op: str, a: float, b: float) -> bool:
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


@given(MODERATE, MODERATE, FLOORS)
def test_the_operators_agree_with_one_another(a: float, b: float, floor: float) -> None:
    assert compare("<", a, b, floor) is not compare(">=", a, b, floor)
    assert compare(">", a, b, floor) is not compare("<=", a, b, floor)
    assert compare("=", a, b, floor) is (compare("<=", a, b, floor) and compare(">=", a, b, floor))
    assert compare("!=", a, b, floor) is not compare("=", a, b, floor)
    assert compare("<=", a, b, floor) is compare(">=", b, a, floor)


@given(FINITE)
def test_a_number_equals_itself(a: float) -> None:
    assert compare("=", a, a)


def test_a_ratio_exactly_at_its_limit_passes() -> None:
    missed = 0
    for denominator in range(1, 400):
        for tenths in (1, 3, 7, 12, 15, 33):
            ratio = (denominator * tenths / 10) / denominator
            missed += not (compare(">=", ratio, tenths / 10) and compare("<=", ratio, tenths / 10))
    assert missed == 0


def edges(constant: float, floor: float, rng: random.Random) -> list[float]:
    """Values near where the answer changes."""
    tol = tolerance(constant, constant, floor)
    found = [constant, constant + tol, constant - tol, rng.uniform(-2, 2) * constant, rng.gauss(constant, tol)]
    for op in (">=", "<="):
        edge = nudge(op, constant, floor)
        found += [edge, math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf)]
    return found


def test_a_nudged_constant_compares_plainly_as_the_tolerant_one() -> None:
    rng = random.Random(20260701)
    pairs = 0
    for _ in range(8_000):
        constant = rng.choice(
            [
                rng.uniform(-1e6, 1e6),
                rng.uniform(-1, 1) * 10.0 ** rng.randint(-20, 20),
                float(rng.randint(-1000, 1000)),
                rng.randint(-500, 500) / 100,
                0.0,
            ]
        )
        floor = rng.choice([FLOOR_NUMBER, FLOOR_MONEY])
        bounds = {op: nudge(op, constant, floor) for op in OPERATORS}
        for value in edges(constant, floor, rng):
            for op in OPERATORS:
                assert plain(op, value, bounds[op]) is compare(op, value, constant, floor), (op, value, constant, floor)
                pairs += 1
    assert pairs > 300_000


@given(FINITE.filter(lambda c: abs(c) < 1e290), FINITE.filter(lambda c: abs(c) < 1e290), FLOORS)
def test_nudging_holds_for_any_pair(value: float, constant: float, floor: float) -> None:
    for op in OPERATORS:
        assert plain(op, value, nudge(op, constant, floor)) is compare(op, value, constant, floor)


MODES = {
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
    "half up": ROUND_HALF_UP,
    "half down": ROUND_HALF_DOWN,
    "half even": ROUND_HALF_EVEN,
}


@pytest.mark.parametrize("mode", MODES)
@given(st.integers(-(10**9), 10**9), st.integers(0, 5), st.integers(0, 5))
def test_rounding_is_that_of_the_decimal_written(mode: str, units: int, digits: int, scale: int) -> None:
    """Ties and whole values as written in decimal round as decimals do."""
    written = Decimal(units).scaleb(-digits)
    expected = written.quantize(Decimal(1).scaleb(-scale), rounding=MODES[mode])
    assert number.equal(round_to(mode, float(written), scale), float(expected))


@pytest.mark.parametrize(
    ("mode", "value", "scale", "result"),
    [
        ("floor", 2.9999999999999996, 0, 3),
        ("ceiling", 3.0000000000000004, 0, 3),
        ("floor", -1.5, 0, -2),
        ("half up", 0.285, 2, 0.29),
        ("half even", 2.5, 0, 2),
        ("half even", 2.675, 2, 2.68),
        ("half up", -2.5, 0, -3),
        ("half down", -5.5, 0, -5),
        ("up", 1.121, 2, 1.13),
        ("down", -1.126, 2, -1.12),
        ("half up", 1234.5, -2, 1200),
        ("half up", 5.5, 400, 5.5),
        ("down", 5.5, -400, 0),
        ("floor", 1e300, 2, 1e300),
        ("half even", 1 / 3, 2.5, 0.33),
        ("floor", -0.2, 0, -1),
        ("ceiling", -0.2, 0, 0),
        ("half up", 0.49999999999999994, 0, 1),
    ],
)
def test_rounding(mode: str, value: float, scale: float, result: float) -> None:
    assert round_to(mode, value, scale) == result


@pytest.mark.parametrize("mode", MODES)
@given(st.integers(-(10**13), 10**13), st.integers(0, 6))
def test_a_large_whole_number_is_never_its_neighbour(mode: str, value: int, scale: int) -> None:
    assert round_to(mode, value, scale) == value
    assert round_to(mode, float(value), scale, FLOOR_MONEY) == value


@pytest.mark.parametrize("scale", [-6112, 6177])
def test_a_scale_is_bounded(scale: int) -> None:
    with pytest.raises(Undefined):
        round_to("floor", 1.5, scale)


@pytest.mark.parametrize(
    ("a", "b", "rest"),
    [
        (10, 4, 2),
        (-12, 5, 3),
        (12, -5, -3),
        (-12, -5, -2),
        (0.3, 0.1, 0),
        (10.1, 4.5, 1.1),
        (5.5, 2, 1.5),
        (1, 3, 1),
    ],
)
def test_modulo(a: float, b: float, rest: float) -> None:
    assert number.equal(number.modulo(a, b), rest)


@given(st.integers(-(10**14), 10**14), st.integers(-1000, 1000).filter(bool))
def test_modulo_of_whole_numbers_is_pythons(a: int, b: int) -> None:
    assert number.modulo(a, b) == a % b


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (number.divide, (1, 0)),
        (number.modulo, (1, 0)),
        (number.power, (0, -1)),
        (number.power, (-8, 0.5)),
        (number.power, (10, 400)),
        (number.square_root, (-1,)),
        (number.logarithm, (0,)),
        (number.exponential, (1000,)),
        (number.settle, (math.inf,)),
        (number.settle, (math.nan,)),
        (number.settle, (10**400,)),
    ],
)
def test_what_is_not_finite_has_no_value(function: object, arguments: tuple[float, ...]) -> None:
    assert callable(function)
    with pytest.raises(Undefined):
        function(*arguments)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-3, "-3"),
        (2.0, "2"),
        (0.1 + 0.2, "0.3"),
        (123.45, "123.45"),
        (1e21, "1" + "0" * 21),
        (1.5e-7, "0.00000015"),
        (-0.0, "0"),
        (2**53, "9007199254740992"),
        (1e300, "1" + "0" * 300),
        (-1 / 3, "-0.333333333333333"),
        (1e-5, "0.00001"),
    ],
)
def test_numbers_as_text(value: float, text: str) -> None:
    assert number.format_number(value) == text


@given(st.floats(-1e12, 1e12))
def test_a_number_as_text_reads_as_an_equal_one(value: float) -> None:
    assert number.equal(float(number.format_number(value)), value)
    assert "e" not in number.format_number(value)
