"""Solver terms with a null flag beside each value."""
from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import z3

from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics.values import YearsMonths

#: A z3 expression; the library has no types of its own.
Term = Any

TRUE, FALSE = z3.BoolVal(True), z3.BoolVal(False)
#: Microseconds of a day.
DAY = 86_400_000_000
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


class Smt(Record):
    """`value` means something only where `null` is false; None is the value of a literal null."""

    value: Term
    null: Term = FALSE


NULL = Smt(None, TRUE)


def real(value: Fraction) -> Term:
    return z3.RealVal(f"{value.numerator}/{value.denominator}")


def exact(node: ir.Const) -> Fraction:
    """A literal as a rational: its text where that is the number, else the double that rewriting put there."""
    assert isinstance(node.value, (int, float))
    return written(node) if float(written(node)) == node.value else Fraction(node.value)


def written(node: ir.Const) -> Fraction:
    """The number that a person wrote: `0.1` is a tenth."""
    assert isinstance(node.value, (int, float))
    try:
        return Fraction(node.text)
    except (ValueError, ZeroDivisionError):
        return Fraction(repr(node.value)) if isinstance(node.value, float) else Fraction(node.value)


def constant(value: Any, at: ir.Place | None) -> Smt:
    """A constant that is no number literal; raises `Gap` for a value that this subset does not hold."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Smt(z3.BoolVal(value))
    if isinstance(value, (int, float)):
        return Smt(real(Fraction(repr(value)) if isinstance(value, float) else Fraction(value)))
    if isinstance(value, str):
        return Smt(text(value))
    if isinstance(value, datetime.timedelta):
        return Smt(z3.IntVal(value // datetime.timedelta(microseconds=1)))
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return Smt(z3.IntVal(value.toordinal()))
    if isinstance(value, YearsMonths):
        raise Gap(at, "durations of months")
    raise Gap(at, "constants of this kind")


def text(value: str) -> Term:
    """A text; a backslash would begin one of the solver's escapes."""
    return z3.StringVal(value.replace("\\", "\\u{5c}"))


def plain_text(term: Term) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), term.as_string())


def all_of(terms: Sequence[Term]) -> Term:
    return z3.And(*terms) if terms else TRUE


def any_of(terms: Sequence[Term]) -> Term:
    return z3.Or(*terms) if terms else FALSE


def holds(condition: Smt) -> Term:
    """The condition is true, neither false nor null."""
    return FALSE if condition.value is None else z3.And(condition.value, z3.Not(condition.null))


def pick(test: Term, then: Smt, other: Smt) -> Smt:
    """One of two, by a plain boolean."""
    null = z3.If(test, then.null, other.null)
    if then.value is None or other.value is None:
        return Smt(other.value if then.value is None else then.value, null)
    return Smt(z3.If(test, then.value, other.value), null)


def same(one: Smt, other: Smt) -> Term:
    """Both null, or equal."""
    if one.value is None or other.value is None:
        return z3.And(one.null, other.null)
    return z3.Or(z3.And(one.null, other.null), z3.And(z3.Not(one.null), z3.Not(other.null), one.value == other.value))
