"""What BigQuery writes differently."""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.dialects.base import EPOCH, Dialect, template


class BigQuery(Dialect):
    name = "bigquery"
    title = "BigQuery"
    ends_out_of_range = True
    has_library = False
    has_remainder = False
    has_wide = False
    has_digits = False
    has_reading = False

    def quotient(self, a: t.Operand, b: t.Operand) -> exp.Expr:
        return exp.IntDiv(this=t.tree(a), expression=t.tree(b))

    def contains(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return t.above(self.position(value, match), 0)

    def position(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return t.function("STRPOS", value, match)

    def joined(self, between: t.Operand, parts: Sequence[t.Operand]) -> exp.Expr:
        return t.function("ARRAY_TO_STRING", exp.Array(expressions=[t.tree(p) for p in parts]), between)

    def is_written(self, value: t.Operand, pattern: str) -> exp.Expr:
        return t.function("REGEXP_CONTAINS", value, t.text(f"^(?:{pattern})$"))

    def search(self, value: t.Operand, pattern: str) -> exp.Expr:
        return t.function("REGEXP_CONTAINS", value, t.text(pattern))

    def replaced(self, value: t.Operand, pattern: str, parts: list[tuple[str, str]]) -> exp.Expr:
        return t.function("REGEXP_REPLACE", value, t.text(pattern), t.text(template(parts, "\\", "\\\\")))

    def day_number(self, date: t.Operand) -> exp.Expr:
        return t.function("UNIX_DATE", date)

    def date_of(self, days: t.Operand) -> exp.Expr:
        return t.function("DATE_FROM_UNIX_DATE", days)

    def from_parts(self, year: t.Operand, month: t.Operand, day: t.Operand) -> exp.Expr:
        return t.function("DATE", year, month, day)

    def months_on(self, date: t.Operand, months: t.Operand) -> exp.Expr:
        return exp.DateAdd(this=t.tree(date), expression=t.tree(months), unit=exp.var("MONTH"))

    def part(self, unit: str, value: t.Operand) -> exp.Expr:
        return super().part({"WEEK": "ISOWEEK", "DOY": "DAYOFYEAR"}.get(unit, unit), value)

    def micros(self, moment: t.Operand) -> exp.Expr:
        return t.function("DATETIME_DIFF", moment, self._start("DATETIME"), exp.var("MICROSECOND"))

    def moment_of(self, micros: t.Operand) -> exp.Expr:
        return self._later("DATETIME_ADD", self._start("DATETIME"), micros)

    def clock(self, time: t.Operand) -> exp.Expr:
        return t.function("TIME_DIFF", time, t.cast(t.text("00:00:00"), "TIME"), exp.var("MICROSECOND"))

    def time_of(self, micros: t.Operand) -> exp.Expr:
        return self._later("TIME_ADD", t.cast(t.text("00:00:00"), "TIME"), micros)

    @staticmethod
    def _start(kind: str) -> exp.Expr:
        return t.cast(t.text(f"{EPOCH} 00:00:00"), kind)

    @staticmethod
    def _later(name: str, start: exp.Expr, micros: t.Operand) -> exp.Expr:
        return t.function(name, start, exp.Interval(this=t.tree(micros), unit=exp.var("MICROSECOND")))
