"""Numbers: IEEE binary64 with tolerant comparison.

Two numbers are equal within `tol(a, b) = max(1e-12 * max(|a|, |b|), floor)`, and every order
follows from that: `a <= b` is `a - b <= tol`. Rounding, floor, ceiling and modulo are built
from the plain floor and this comparison, so that every backend that has `+ - * /`, the plain
floor and `<=` gives the same bits. Ints stand for whole numbers up to 2**53 in size; beyond,
a result is a float. What is not finite has no value.
"""
from __future__ import annotations

import math
import struct
from typing import Any

from engine.semantics.values import Undefined

RELATIVE = 1e-12
FLOOR_NUMBER = 1e-12
FLOOR_MONEY = 1e-4
#: The share of a unit that tolerance may bridge when a value is rounded to units.
UNIT = 0.01
_EXACT = 2**53
#: Scales that DMN allows to a rounding function.
MIN_SCALE, MAX_SCALE = -6111, 6176
#: The greatest power of ten that binary64 holds.
MOST_POWER = 308


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def settle(value: Any) -> Any:
    """A result as the engine keeps it: finite, and an int only where binary64 holds it exactly."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Undefined("the result is out of range")
        return value
    if -_EXACT <= value <= _EXACT:
        return value
    try:
        return float(value)
    except OverflowError:
        raise Undefined("the result is out of range") from None


def tolerance(a: float, b: float, floor: float = FLOOR_NUMBER) -> float:
    return max(RELATIVE * max(abs(a), abs(b)), floor)


def compare(op: str, a: float, b: float, floor: float = FLOOR_NUMBER) -> bool:
    """`a op b` for = != < <= > >= within the tolerance."""
    difference = a - b
    tol = max(RELATIVE * max(abs(a), abs(b)), floor)
    if op == "<=":
        return difference <= tol
    if op == "<":
        return not difference >= -tol
    if op == ">=":
        return difference >= -tol
    if op == ">":
        return not difference <= tol
    equal = -tol <= difference <= tol
    return equal if op == "=" else not equal


def equal(a: float, b: float) -> bool:
    return -(t := tolerance(a, b)) <= a - b <= t


def _ordinal(value: float) -> int:
    """Doubles in order as whole numbers, neighbours differing by one."""
    bits = int(struct.unpack("<q", struct.pack("<d", value))[0])
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def _double(ordinal: int) -> float:
    bits = ordinal if ordinal >= 0 else -ordinal | -(2**63)
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])


def nudge(op: str, constant: float, floor: float = FLOOR_NUMBER) -> float:
    """The double `k` for which plain `x op k` equals the tolerant `x op constant` for every double x.

    `op` is one of < <= > >=. For `>=` it is the smallest double that passes, for `<=` the largest;
    `<` and `>` are their complements, so `x < c` uses the `>=` bound and `x > c` the `<=` bound.
    (`=` is both bounds: `nudge(">=", c) <= x <= nudge("<=", c)`.)
    """
    constant = float(constant)
    if op in (">=", "<"):
        # The tolerance grows with x, so passing is monotone in x: halve the doubles between a
        # value that fails and the constant, which passes.
        low, high = _ordinal(constant - 4 * tolerance(constant, constant, floor)), _ordinal(constant)
        while high - low > 1:
            middle = (low + high) // 2
            if compare(">=", _double(middle), constant, floor):
                high = middle
            else:
                low = middle
        return _double(high)
    low, high = _ordinal(constant), _ordinal(constant + 4 * tolerance(constant, constant, floor))
    while high - low > 1:
        middle = (low + high) // 2
        if compare("<=", _double(middle), constant, floor):
            low = middle
        else:
            high = middle
    return _double(low)


# --- arithmetic ---------------------------------------------------------------------


def divide(a: float, b: float) -> float:
    if b == 0:
        raise Undefined("division by zero")
    return settle(a / b)  # type: ignore[no-any-return]


def power(a: float, b: float) -> float:
    if a == 0 and b < 0:
        raise Undefined("zero has no negative power")
    try:
        result = float(a) ** float(b)
    except OverflowError:
        raise Undefined("the result is out of range") from None
    if isinstance(result, complex):
        raise Undefined("a negative number has no such power")
    result = float(settle(result))
    if isinstance(a, int) and isinstance(b, int) and b >= 0 and abs(result) <= _EXACT:
        return int(result)
    return result


def plain_floor(value: float) -> int | float:
    """The greatest whole number not above `value`, without tolerance."""
    if abs(value) >= _EXACT:
        return value
    return math.floor(value)


def _unit_tolerance(a: float, b: float, least: float) -> float:
    """The tolerance of a comparison that decides on one unit: never more than `UNIT` of it, lest a
    large whole number be taken for its neighbour."""
    return min(max(RELATIVE * max(abs(a), abs(b)), least), UNIT)


def whole_floor(value: float, least: float = FLOOR_NUMBER) -> int | float:
    """Floor with tolerance (at least `least`): a value just below a whole number counts as it."""
    lower = plain_floor(value)
    upper = lower + 1
    return upper if value - upper >= -_unit_tolerance(value, upper, least) else lower


def whole_ceiling(value: float, least: float = FLOOR_NUMBER) -> int | float:
    return -whole_floor(-value, least)


def modulo(dividend: float, divisor: float, least: float = FLOOR_NUMBER) -> float:
    """`dividend - divisor * floor(dividend / divisor)`; the sign is the divisor's.

    A remainder within `least` of nothing is nothing: the money's floor where both are money. Of whole
    numbers it is exact.
    """
    if divisor == 0:
        raise Undefined("division by zero")
    if dividend == (first := plain_floor(dividend)) and divisor == (second := plain_floor(divisor)):
        return settle(int(first) % int(second))  # type: ignore[no-any-return]
    multiple = divisor * whole_floor(settle(dividend / divisor))
    nothing = min(max(RELATIVE * max(abs(dividend), abs(multiple)), least), UNIT * abs(divisor))
    return 0 if abs(dividend - multiple) <= nothing else settle(dividend - multiple)


def _away(value: float, least: float) -> float:
    return whole_ceiling(value, least) if value >= 0 else whole_floor(value, least)


def _toward(value: float, least: float) -> float:
    return whole_floor(value, least) if value >= 0 else whole_ceiling(value, least)


def _half_away(value: float, least: float) -> float:
    size = whole_floor(abs(value) + 0.5, least)
    return size if value >= 0 else -size


def _half_toward(value: float, least: float) -> float:
    size = whole_ceiling(abs(value) - 0.5, least)
    return size if value >= 0 else -size


def _half_even(value: float, least: float) -> float:
    size = abs(value)
    lower = whole_floor(size, least)
    middle = lower + 0.5
    if abs(size - middle) <= _unit_tolerance(size, middle, least):
        rounded = lower if lower % 2 == 0 else lower + 1
    else:
        rounded = lower if size < middle else lower + 1
    return rounded if value >= 0 else -rounded


_MODES = {
    "floor": whole_floor, "ceiling": whole_ceiling, "up": _away, "down": _toward,
    "half up": _half_away, "half down": _half_toward, "half even": _half_even,
}


def round_to(mode: str, value: float, scale: float = 0, least: float = FLOOR_NUMBER) -> int | float:
    """`value` rounded to `scale` decimals (tens where negative); a fractional scale is cut.

    `mode` is floor, ceiling, up (away from zero), down, half up, half down or half even. `least` is the
    least tolerance in units of `value`, money's where it is money.
    """
    scale = int(scale)
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise Undefined(f"a scale lies between {MIN_SCALE} and {MAX_SCALE}")
    rounding = _MODES[mode]
    if scale == 0:
        return rounding(value, least) or 0
    if scale > 0:
        if scale > MOST_POWER or abs(value) * 10.0**min(scale, 300) >= _EXACT:
            return value
        factor = 10.0**scale
        tolerant = FLOOR_NUMBER if least == FLOOR_NUMBER else least * factor
        return (rounding(value * factor, tolerant) / factor) or 0
    if scale < -MOST_POWER:
        if rounding(math.copysign(0.1, value) if value else 0, FLOOR_NUMBER):
            raise Undefined("the result is out of range")
        return 0
    factor = 10.0**-scale
    return settle(rounding(value / factor, max(FLOOR_NUMBER, least / factor)) * factor) or 0


def square_root(value: float) -> float:
    if value < 0:
        raise Undefined("a negative number has no square root")
    return math.sqrt(value)


def exponential(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        raise Undefined("the result is out of range") from None


def logarithm(value: float) -> float:
    if value <= 0:
        raise Undefined("only a positive number has a logarithm")
    return math.log(value)


def is_even(value: float) -> bool:
    return bool(modulo(value, 2) == 0)


def is_odd(value: float) -> bool:
    return bool(equal(modulo(value, 2), 1))


def whole(value: object, what: str) -> int:
    """A position, length or part of a date as an int: a fraction is cut off."""
    if not is_number(value):
        raise Undefined(f"{what} is not a number")
    return int(value)  # type: ignore[call-overload, no-any-return]


# --- text ---------------------------------------------------------------------------


def format_number(value: float) -> str:
    """A number as FEEL writes it: 15 significant digits, plain notation, no trailing zeros.

    Whole numbers that binary64 holds exactly are written in full.
    """
    if isinstance(value, int) or value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    text = f"{value:.15g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole_part, _, fraction = mantissa.partition(".")
    shift = int(exponent)
    digits = whole_part + fraction
    if shift >= 0:
        return sign + digits.ljust(shift + 1, "0")
    return f"{sign}0.{'0' * (-shift - 1)}{digits}"
