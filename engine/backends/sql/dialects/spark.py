"""What Spark writes differently. Its moments are TIMESTAMP, so the time zone of a session must be UTC."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.dialects.base import Dialect, integer, template
from engine.backends.sql.stages import case

_PREDICATES = (exp.Is, exp.In, exp.Between, exp.RegexpLike)


class Spark(Dialect):
    name = "spark"
    title = "Spark"
    has_library = False                     # Java's powers and logarithms have other last bits
    has_clock = False
    has_wide = False
    has_digits = False                      # Java rounds what is already rounded

    def floor(self, value: t.Operand) -> exp.Expr:
        # FLOOR is a BIGINT, which saturates; beyond 2**53 every DOUBLE is whole.
        held = t.cast(exp.Floor(this=t.tree(value)), "DOUBLE")
        return case([(t.below(exp.Abs(this=t.tree(value)), 2.0**53), held)], t.tree(value))

    def is_written(self, value: t.Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=t.tree(value), expression=t.text(rf"\A(?:{pattern})\z"))

    def search(self, value: t.Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=t.tree(value), expression=t.text(pattern))

    def replaced(self, value: t.Operand, pattern: str, parts: list[tuple[str, str]]) -> exp.Expr:
        return t.function("REGEXP_REPLACE", value, t.text(pattern), t.text(template(parts, "$", "\\\\", "\\$")))

    def day_number(self, date: t.Operand) -> exp.Expr:
        return t.cast(t.function("UNIX_DATE", date), "BIGINT")

    def date_of(self, days: t.Operand) -> exp.Expr:
        return t.function("DATE_FROM_UNIX_DATE", integer(days))

    def from_parts(self, year: t.Operand, month: t.Operand, day: t.Operand) -> exp.Expr:
        return t.function("MAKE_DATE", integer(year), integer(month), integer(day))

    def months_on(self, date: t.Operand, months: t.Operand) -> exp.Expr:
        return t.function("ADD_MONTHS", date, integer(months))

    def micros(self, moment: t.Operand) -> exp.Expr:
        return t.function("UNIX_MICROS", moment)

    def moment_of(self, micros: t.Operand) -> exp.Expr:
        return t.function("TIMESTAMP_MICROS", micros)

    def finished(self, query: exp.Expr) -> exp.Expr:
        # Its grammar has no predicate of a predicate: `a IN (b) IS NULL` needs brackets.
        for node in reversed(list(query.find_all(*_PREDICATES))):      # the innermost first
            if isinstance(node.parent, (*_PREDICATES, exp.Binary)) and not isinstance(node.parent, exp.Connector):
                node.replace(exp.Paren(this=node.copy()))
        return query
