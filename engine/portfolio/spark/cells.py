"""From a cell of a Parquet file to the value that a policy checks, as Spark's columns.

The same cells are certain as in `engine.portfolio.columnar.cells`, and whatever else is there is odd: it is handed to
the one-by-one path, which decides what it means.
"""
from __future__ import annotations

import sys
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from engine.backends.sql.spark import TYPES
from engine.portfolio.binding import Reading
from engine.portfolio.columnar.cells import BLANKS
from engine.records import Record
from engine.semantics import dtypes as dt

#: The types that Spark has a column for.
HELD = TYPES
_WHOLE = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_SMALL = (T.ByteType, T.ShortType, T.IntegerType)
#: Digits of a decimal that a binary64 always holds exactly.
_DIGITS = 15
_NUMBER = r"\A[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,6})?\z"
_DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
_MOMENT = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?\z"


class Cell(Record):
    """A bound column: its `value`, and what is `odd` about it, None where nothing can be. Odd is the text that the
    one-by-one path is `asked` about; else a cell that is certain to be bad, as it came."""

    value: Any
    odd: Any = None
    asked: bool = False


class Reader:
    """Makes cells as the texts are read that a run was told of."""

    def __init__(self, how: Reading) -> None:
        self.missing = sorted(how.missing - {""})
        self.plain_dates = how.date_format is None

    def cell(self, raw: Column, held: T.DataType, kind: dt.Type) -> Cell:
        """The cell of a column of type `held`."""
        return self.text(raw, kind) if isinstance(held, T.StringType) else typed(raw, held, kind)

    def text(self, raw: Column, kind: dt.Type) -> Cell:
        absent = self.absent(raw)
        if kind.kind == dt.STRING:
            return Cell(F.when(~absent, raw))
        value, sure = self.plain(raw, kind)
        sure = F.coalesce(sure, F.lit(False)) & ~absent
        return Cell(F.when(sure, value), F.when(~(absent | sure), raw), True)

    def absent(self, raw: Column) -> Column:
        """Whether a text means missing: blank, or one of the texts that say so, blanks around it or not."""
        bare = F.btrim(raw, F.lit(BLANKS))
        found = raw.isNull() | (bare == "")
        return found | raw.isin(self.missing) | bare.isin(self.missing) if self.missing else found

    def plain(self, raw: Column, kind: dt.Type) -> tuple[Column, Column]:
        """What Spark reads, and when that is certain to be the value."""
        if kind.kind in dt.NUMERIC:
            number = raw.try_cast("double")
            largest = sys.float_info.max
            return number, raw.rlike(_NUMBER) & (F.length(raw) <= 40) & number.between(-largest, largest)
        if kind.kind == dt.BOOLEAN:
            word = F.lower(raw)
            return word == "true", word.isin("true", "false")
        if kind.kind == dt.DATE and self.plain_dates:
            date = raw.try_cast("date")
            return date, raw.rlike(_DATE) & _known(date)
        if kind.kind == dt.DATE_TIME:
            moment = raw.try_cast("timestamp_ntz")
            return moment, raw.rlike(_MOMENT) & _known(moment)
        return F.lit(None).cast(HELD[kind.kind]), F.lit(False)


def typed(raw: Column, held: T.DataType, kind: dt.Type) -> Cell:
    """A cell of Spark's own types: converted where that is exact, bad where it is not."""
    exact: Column | None = None
    value: Column = raw
    if kind.kind in dt.NUMERIC:
        value = raw.cast("double")
        if isinstance(held, (T.FloatType, T.DoubleType)):
            return Cell(F.when(_finite(value), value))
        if isinstance(held, _SMALL) or isinstance(held, T.DecimalType) and held.precision <= _DIGITS:
            return Cell(value)
        if isinstance(held, (T.LongType, T.DecimalType)):
            exact = value.try_cast(held) == raw
    elif kind.kind == dt.STRING and isinstance(held, _WHOLE):
        return Cell(raw.cast("string"))
    elif kind.kind == dt.BOOLEAN and isinstance(held, T.BooleanType):
        return Cell(raw)
    elif kind.kind == dt.DATE and isinstance(held, T.TimestampNTZType):
        value = raw.cast("date")
        exact = (value.cast("timestamp_ntz") == raw) & _known(raw)
    elif kind.kind == dt.DATE and isinstance(held, T.DateType):
        exact = _known(raw)
    elif kind.kind == dt.DATE_TIME and isinstance(held, T.TimestampNTZType):
        exact = _known(raw)
    if exact is None:                                   # no value of this type is one of the declared kind
        return Cell(F.lit(None).cast(HELD[kind.kind]), raw if _collected(held) else F.array(raw.cast("string")))
    exact = F.coalesce(exact, F.lit(False))
    return Cell(F.when(exact, value), F.when(raw.isNotNull() & ~exact, raw))


def _collected(held: T.DataType) -> bool:
    """Whether Python holds a cell of this type as it stands: a moment in a zone would change with the machine's."""
    return not isinstance(held, (T.TimestampType, T.DayTimeIntervalType, T.YearMonthIntervalType))


def _finite(value: Column) -> Column:
    return value.between(-sys.float_info.max, sys.float_info.max)


def _known(value: Column) -> Column:
    """Whether a day or moment is of the years that a policy knows."""
    return F.year(value).between(1, 9999)
