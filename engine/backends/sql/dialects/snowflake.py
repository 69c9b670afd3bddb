"""What Snowflake writes differently."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.dialects.base import EPOCH, Dialect, literal_date
from engine.backends.sql.stages import operand


class Snowflake(Dialect):
    name = "snowflake"
    title = "Snowflake"
    has_library = False
    has_remainder = False
    has_wide = False
    has_digits = False
    has_reading = False
    has_search = False
    has_replacing = False

    def quotient(self, a: t.Operand, b: t.Operand) -> exp.Expr:
        # A division of whole numbers is rounded to six decimals there: first take the rest away.
        whole = exp.Paren(this=t.minus(a, self.remainder(a, b)))
        return t.cast(exp.Div(this=whole, expression=operand(t.tree(b))), "BIGINT")

    def is_written(self, value: t.Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=t.tree(value), expression=t.text(pattern))

    def day_number(self, date: t.Operand) -> exp.Expr:
        return t.function("DATEDIFF", exp.var("DAY"), literal_date(EPOCH), date)

    def date_of(self, days: t.Operand) -> exp.Expr:
        return t.function("DATEADD", exp.var("DAY"), days, literal_date(EPOCH))

    def from_parts(self, year: t.Operand, month: t.Operand, day: t.Operand) -> exp.Expr:
        return t.function("DATE_FROM_PARTS", year, month, day)

    def months_on(self, date: t.Operand, months: t.Operand) -> exp.Expr:
        return t.function("DATEADD", exp.var("MONTH"), months, date)

    def part(self, unit: str, value: t.Operand) -> exp.Expr:
        return super().part({"WEEK": "WEEKISO"}.get(unit, unit), value)

    def micros(self, moment: t.Operand) -> exp.Expr:
        return self.part("EPOCH_MICROSECOND", moment)

    def moment_of(self, micros: t.Operand) -> exp.Expr:
        return t.function("TO_TIMESTAMP_NTZ", micros, 6)

    def clock(self, time: t.Operand) -> exp.Expr:
        return t.function("DATEDIFF", exp.var("MICROSECOND"), t.cast(t.text("00:00:00"), "TIME"), time)

    def time_of(self, micros: t.Operand) -> exp.Expr:
        return t.function("DATEADD", exp.var("MICROSECOND"), micros, t.cast(t.text("00:00:00"), "TIME"))
