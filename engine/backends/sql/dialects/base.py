"""The primitives that engines write differently, as DuckDB has them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from engine.backends.sql import trees as t
from engine.backends.sql.dialects.arithmetic import checked
from engine.backends.sql.stages import case, operand
from engine.semantics.number import RELATIVE

#: Microseconds of a day.
DAY = 86_400_000_000
EPOCH = "1970-01-01"


def literal_date(value: str) -> exp.Expr:
    return exp.cast(t.text(value), "DATE")


def integer(tree: t.Operand) -> exp.Expr:
    return t.cast(tree, "INT")


class Dialect:
    """DuckDB."""

    name: ClassVar[str] = "duckdb"
    title: ClassVar[str] = "DuckDB"
    #: Whether exp, log and powers are the C library's, which Python calls too: DuckDB runs in its process.
    has_library: ClassVar[bool] = True
    #: Whether there is a type for the time of day.
    has_clock: ClassVar[bool] = True
    #: Whether there is an exact remainder of DOUBLEs.
    has_remainder: ClassVar[bool] = True
    #: Whether there are whole numbers of 127 bits.
    has_wide: ClassVar[bool] = True
    #: Whether a DOUBLE is written to 15 significant digits, correctly rounded.
    has_digits: ClassVar[bool] = True
    #: Whether a text that writes a number is read to the nearest DOUBLE, an infinite one included.
    has_reading: ClassVar[bool] = True
    #: Whether regular expressions of the subset in `operations.patterns` are searched for as policies mean them,
    #: and replaced.
    has_search: ClassVar[bool] = True
    has_replacing: ClassVar[bool] = True
    #: Whether a result beyond the DOUBLEs, or one that is too small for them, ends the query there.
    ends_out_of_range: ClassVar[bool] = False

    # --- numbers ------------------------------------------------------------------------

    def calculated(self, sign: str, a: t.Operand, b: t.Operand) -> exp.Expr:
        """`+ - * /` of DOUBLEs whose result may be beyond them: not finite, or NULL. A divisor is not 0."""
        if self.ends_out_of_range:
            return checked(sign, a, b)
        return {"+": t.plus, "-": t.minus, "*": t.times, "/": t.over}[sign](a, b)

    def tolerance(self, size: t.Operand, least: t.Operand) -> exp.Expr:
        """The larger of a share of a size and the least tolerance."""
        found = t.larger(t.times(RELATIVE, size), least)
        if self.ends_out_of_range:                          # a share of what is below 1 is below the least
            return case([(t.at_most(size, 1.0), t.tree(least))], found)
        return found

    def floor(self, value: t.Operand) -> exp.Expr:
        """The greatest whole number not above a DOUBLE, as a DOUBLE."""
        return exp.Floor(this=t.tree(value))

    def remainder(self, a: t.Operand, b: t.Operand) -> exp.Expr:
        """The rest of a division cut toward zero; exact, of whole numbers and of DOUBLEs (`has_remainder`)."""
        return exp.Paren(this=exp.Mod(this=operand(t.tree(a)), expression=operand(t.tree(b))))

    def quotient(self, a: t.Operand, b: t.Operand) -> exp.Expr:
        """How often one whole number goes into another; neither is negative."""
        return exp.Paren(this=exp.IntDiv(this=operand(t.tree(a)), expression=operand(t.tree(b))))

    # --- texts --------------------------------------------------------------------------

    def ordered(self, value: t.Operand) -> exp.Expr:
        """A text as an operand of `<`, which orders by code point."""
        return t.tree(value)

    def contains(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return exp.Contains(this=t.tree(value), expression=t.tree(match))

    def ends(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return exp.EndsWith(this=t.tree(value), expression=t.tree(match))

    def starts(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        return exp.StartsWith(this=t.tree(value), expression=t.tree(match))

    def position(self, value: t.Operand, match: t.Operand) -> exp.Expr:
        """Where a text that is not empty first stands in another, by code point from 1; 0 for nowhere."""
        return exp.StrPosition(this=t.tree(value), substr=t.tree(match))

    def joined(self, between: t.Operand, parts: Sequence[t.Operand]) -> exp.Expr:
        """Texts with a text between each two, those that are NULL left out."""
        return t.function("CONCAT_WS", between, *parts)

    def is_written(self, value: t.Operand, pattern: str) -> exp.Expr:
        """Whether a whole text is written as a constant pattern of ASCII classes and counts."""
        return t.function("REGEXP_FULL_MATCH", value, t.text(pattern))

    def search(self, value: t.Operand, pattern: str) -> exp.Expr:
        """Whether a pattern, made by `operations.patterns`, is somewhere in a text."""
        return t.function("REGEXP_MATCHES", value, t.text(pattern))

    def replaced(self, value: t.Operand, pattern: str, parts: list[tuple[str, str]]) -> exp.Expr:
        """Every match replaced by texts and groups (`operations.patterns`)."""
        return t.function("REGEXP_REPLACE", value, t.text(pattern), t.text(template(parts, "\\", "\\\\")), t.text("g"))

    def digits(self, value: t.Operand) -> exp.Expr:
        """A DOUBLE as C's `%.15g` writes it."""
        return t.function("PRINTF", t.text("%.15g"), value)

    # --- dates --------------------------------------------------------------------------

    def day_number(self, date: t.Operand) -> exp.Expr:
        """Days since 1970-01-01 of a DATE, as a BIGINT."""
        return t.function("DATE_DIFF", t.text("day"), literal_date(EPOCH), date)

    def date_of(self, days: t.Operand) -> exp.Expr:
        """The DATE of a day number between the years 1 and 9999."""
        return exp.Paren(this=t.plus(literal_date(EPOCH), integer(days)))

    def from_parts(self, year: t.Operand, month: t.Operand, day: t.Operand) -> exp.Expr:
        """The DATE of a year, month and day that there is."""
        return t.function("MAKE_DATE", year, month, day)

    def months_on(self, date: t.Operand, months: t.Operand) -> exp.Expr:
        """A DATE some months on, clamped to the month's last day; the result is between the years 1 and 9999."""
        return t.cast(t.plus(date, t.function("TO_MONTHS", integer(months))), "DATE")

    def part(self, unit: str, value: t.Operand) -> exp.Expr:
        """A part of a DATE, moment or time: YEAR, MONTH, DAY, DOY, WEEK (of ISO 8601), HOUR, MINUTE, or SECOND,
        which may have a fraction."""
        return exp.Extract(this=exp.var(unit), expression=t.tree(value))

    def day(self, moment: t.Operand) -> exp.Expr:
        """The DATE of a moment."""
        return t.cast(moment, "DATE")

    def micros(self, moment: t.Operand) -> exp.Expr:
        """Microseconds since 1970-01-01 of a moment, as a BIGINT."""
        return t.function("EPOCH_US", moment)

    def moment_of(self, micros: t.Operand) -> exp.Expr:
        return t.function("MAKE_TIMESTAMP", micros)

    def clock(self, time: t.Operand) -> exp.Expr:
        """Microseconds since midnight of a time of day, as a BIGINT."""
        return t.function("EPOCH_US", time)

    def time_of(self, micros: t.Operand) -> exp.Expr:
        return t.cast(t.function("MAKE_TIMESTAMP", micros), "TIME")

    def finished(self, query: exp.Expr) -> exp.Expr:
        """A whole query as this engine takes it."""
        return query


def template(parts: list[tuple[str, str]], mark: str, backslash: str, sign: str = "$") -> str:
    """A replacement in an engine's words: `mark` stands before a group's number."""
    found = []
    for kind, value in parts:
        found.append(mark + value if kind == "group" else value.replace("\\", backslash).replace("$", sign))
    return "".join(found)
