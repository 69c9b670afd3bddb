"""Whole numbers beyond 64 bits: decimals of 38 digits, to which only whole numbers are cast exactly."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.dialects import DIALECTS

#: A DOUBLE below it is cut to a BIGINT exactly; beyond, and below 1e27, so are its two parts.
_NEAR = 2.0**62
_PART = 2**40
_TYPES = {"bigquery": "BIGDECIMAL"}


def wide(query: exp.Select, dialect: str) -> exp.Select:
    """A DOUBLE is cast by way of BIGINT: engines read its digits, 15 to 17 of them, for a decimal."""
    kind = _TYPES.get(dialect, "DECIMAL(38, 0)")
    for cast in list(query.find_all(exp.Cast)):
        if cast.to.this != exp.DataType.Type.INT128:
            continue
        if not isinstance(cast.this, exp.Floor):
            cast.set("to", exp.DataType.build(kind))
            continue
        value = cast.this.this
        high = t.bigint(exp.Floor(this=t.over(value, float(_PART))))
        low = t.bigint(t.minus(DIALECTS[dialect].floor(value), t.times(t.double(high), float(_PART))))
        parts = t.plus(t.times(t.cast(high, kind), t.cast(_PART, kind)), t.cast(low, kind))
        near = t.cast(t.bigint(exp.Floor(this=value.copy())), kind)
        cast.replace(t.cast(st.case([(t.below(t.size(value), _NEAR), near)], parts), kind))
    return query
