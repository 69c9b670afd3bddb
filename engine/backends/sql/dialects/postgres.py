"""What PostgreSQL writes differently."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.dialects.base import DAY, EPOCH, Dialect, integer, literal_date
from engine.backends.sql.stages import operand


class Postgres(Dialect):
    name = "postgres"
    title = "PostgreSQL"
    ends_out_of_range = True
    has_library = False                     # the library of another machine
    has_remainder = False
    has_wide = False
    has_digits = False
    has_reading = False                     # a cast of what is out of range ends the query
    has_search = False                      # the longest match wins there, and other characters are special
    has_replacing = False

    def quotient(self, a: t.Operand, b: t.Operand) -> exp.Expr:
        return t.cast(exp.IntDiv(this=t.tree(a), expression=t.tree(b)), "BIGINT")

    def ordered(self, value: t.Operand) -> exp.Expr:
        return exp.Collate(this=operand(t.tree(value)), expression=exp.column(exp.to_identifier("C", quoted=True)))

    def contains(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return t.above(self.position(value, match), 0)

    def ends(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return t.equal(t.function("RIGHT", value, exp.Length(this=t.tree(match))), match)

    def is_written(self, value: t.Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=t.tree(value), expression=t.text(f"^(?:{pattern})$"))

    def day_number(self, date: t.Operand) -> exp.Expr:
        return t.cast(exp.Paren(this=t.minus(date, literal_date(EPOCH))), "BIGINT")

    def from_parts(self, year: t.Operand, month: t.Operand, day: t.Operand) -> exp.Expr:
        return t.function("MAKE_DATE", integer(year), integer(month), integer(day))

    def months_on(self, date: t.Operand, months: t.Operand) -> exp.Expr:
        return t.cast(t.plus(date, t.function("MAKE_INTERVAL", 0, integer(months))), "DATE")

    def micros(self, moment: t.Operand) -> exp.Expr:
        return t.cast(t.times(self.part("EPOCH", moment), 1_000_000), "BIGINT")

    def moment_of(self, micros: t.Operand) -> exp.Expr:
        # An interval is multiplied in floating point: exactly below a day's microseconds.
        days, rest = self._split(micros)
        return exp.Paren(this=t.plus(t.cast(self.date_of(days), "TIMESTAMP"), self._micros(rest)))

    def clock(self, time: t.Operand) -> exp.Expr:
        return self.micros(time)

    def time_of(self, micros: t.Operand) -> exp.Expr:
        return exp.Paren(this=t.plus(t.cast(t.text("00:00:00"), "TIME"), self._micros(micros)))

    def _split(self, micros: t.Operand) -> tuple[exp.Expr, exp.Expr]:
        """Days and the rest of the last; a moment of the year 1 is 719,162 days before 1970."""
        shifted = t.plus(micros, 719_162 * DAY)
        return t.minus(self.quotient(shifted, DAY), 719_162), self.remainder(shifted, DAY)

    @staticmethod
    def _micros(count: t.Operand) -> exp.Expr:
        return t.times(count, exp.Interval(this=t.text("1"), unit=exp.var("MICROSECOND")))

    def finished(self, query: exp.Expr) -> exp.Expr:
        # `1e0` is of type numeric there.
        def typed(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Literal) and not node.is_string and "e" in node.this:
                return exp.cast(node, "DOUBLE")
            return node

        return query.transform(typed)
