"""What engines write differently: primitives that every dialect gives its own tree, or says that it lacks.

`Dialect` is DuckDB's. The others override what would mean something else there: Spark's floor is a
BIGINT, PostgreSQL compares texts by a collation, BigQuery's containment ignores case. What an engine lacks
is a flag that is false; an operation that needs it is refused by name when a policy is compiled for it.
Spark's moments are TIMESTAMP, so its session's time zone must be UTC.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from engine.backends.sql.stages import case, operand
from engine.backends.sql.trees import Operand, above, below, cast, equal, function, minus, plus, text, times, tree

#: Microseconds of a day.
DAY = 86_400_000_000
EPOCH = "1970-01-01"


def _date(value: str) -> exp.Expr:
    return exp.cast(text(value), "DATE")


def _of(tree: Operand) -> exp.Expr:
    return cast(tree, "INT")


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

    # --- numbers ------------------------------------------------------------------------

    def floor(self, value: Operand) -> exp.Expr:
        """The greatest whole number not above a DOUBLE, as a DOUBLE."""
        return exp.Floor(this=tree(value))

    def remainder(self, a: Operand, b: Operand) -> exp.Expr:
        """The rest of a division cut toward zero; exact, of whole numbers and of DOUBLEs (`has_remainder`)."""
        return exp.Paren(this=exp.Mod(this=operand(tree(a)), expression=operand(tree(b))))

    def quotient(self, a: Operand, b: Operand) -> exp.Expr:
        """How often one whole number goes into another; neither is negative."""
        return exp.Paren(this=exp.IntDiv(this=operand(tree(a)), expression=operand(tree(b))))

    # --- texts --------------------------------------------------------------------------

    def ordered(self, value: Operand) -> exp.Expr:
        """A text as an operand of `<`, which orders by code point."""
        return tree(value)

    def contains(self, value: Operand, match: Operand) -> exp.Expr:
        return exp.Contains(this=tree(value), expression=tree(match))

    def ends(self, value: Operand, match: Operand) -> exp.Expr:
        return exp.EndsWith(this=tree(value), expression=tree(match))

    def starts(self, value: Operand, match: Operand) -> exp.Expr:
        return exp.StartsWith(this=tree(value), expression=tree(match))

    def position(self, value: Operand, match: Operand) -> exp.Expr:
        """Where a text that is not empty first stands in another, by code point from 1; 0 for nowhere."""
        return exp.StrPosition(this=tree(value), substr=tree(match))

    def joined(self, between: Operand, parts: Sequence[Operand]) -> exp.Expr:
        """Texts with a text between each two, those that are NULL left out."""
        return function("CONCAT_WS", between, *parts)

    def is_written(self, value: Operand, pattern: str) -> exp.Expr:
        """Whether a whole text is written as a constant pattern of ASCII classes and counts."""
        return function("REGEXP_FULL_MATCH", value, text(pattern))

    def search(self, value: Operand, pattern: str) -> exp.Expr:
        """Whether a pattern, made by `operations.patterns`, is somewhere in a text."""
        return function("REGEXP_MATCHES", value, text(pattern))

    def replaced(self, value: Operand, pattern: str, parts: list[tuple[str, str]]) -> exp.Expr:
        """Every match replaced by texts and groups (`operations.patterns`)."""
        return function("REGEXP_REPLACE", value, text(pattern), text(_template(parts, "\\", "\\\\")), text("g"))

    def digits(self, value: Operand) -> exp.Expr:
        """A DOUBLE as C's `%.15g` writes it."""
        return function("PRINTF", text("%.15g"), value)

    # --- dates --------------------------------------------------------------------------

    def day_number(self, date: Operand) -> exp.Expr:
        """Days since 1970-01-01 of a DATE, as a BIGINT."""
        return function("DATE_DIFF", text("day"), _date(EPOCH), date)

    def date_of(self, days: Operand) -> exp.Expr:
        """The DATE of a day number between the years 1 and 9999."""
        return exp.Paren(this=plus(_date(EPOCH), _of(days)))

    def from_parts(self, year: Operand, month: Operand, day: Operand) -> exp.Expr:
        """The DATE of a year, month and day that there is."""
        return function("MAKE_DATE", year, month, day)

    def months_on(self, date: Operand, months: Operand) -> exp.Expr:
        """A DATE some months on, clamped to the month's last day; the result is between the years 1 and 9999."""
        return cast(plus(date, function("TO_MONTHS", _of(months))), "DATE")

    def part(self, unit: str, value: Operand) -> exp.Expr:
        """A part of a DATE, moment or time: YEAR, MONTH, DAY, DOY, WEEK (of ISO 8601), HOUR, MINUTE, or SECOND,
        which may have a fraction."""
        return exp.Extract(this=exp.var(unit), expression=tree(value))

    def day(self, moment: Operand) -> exp.Expr:
        """The DATE of a moment."""
        return cast(moment, "DATE")

    def micros(self, moment: Operand) -> exp.Expr:
        """Microseconds since 1970-01-01 of a moment, as a BIGINT."""
        return function("EPOCH_US", moment)

    def moment_of(self, micros: Operand) -> exp.Expr:
        return function("MAKE_TIMESTAMP", micros)

    def clock(self, time: Operand) -> exp.Expr:
        """Microseconds since midnight of a time of day, as a BIGINT."""
        return function("EPOCH_US", time)

    def time_of(self, micros: Operand) -> exp.Expr:
        return cast(function("MAKE_TIMESTAMP", micros), "TIME")

    def finished(self, query: exp.Expr) -> exp.Expr:
        """A whole query as this engine takes it."""
        return query


class Spark(Dialect):
    name = "spark"
    title = "Spark"
    has_library = False                     # Java's powers and logarithms have other last bits
    has_clock = False
    has_wide = False
    has_digits = False                      # Java rounds what is already rounded

    def floor(self, value: Operand) -> exp.Expr:
        # FLOOR is a BIGINT, which saturates; beyond 2**53 every DOUBLE is whole.
        held = cast(exp.Floor(this=tree(value)), "DOUBLE")
        return case([(below(exp.Abs(this=tree(value)), 2.0**53), held)], tree(value))

    def is_written(self, value: Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=tree(value), expression=text(rf"\A(?:{pattern})\z"))

    def search(self, value: Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=tree(value), expression=text(pattern))

    def replaced(self, value: Operand, pattern: str, parts: list[tuple[str, str]]) -> exp.Expr:
        return function("REGEXP_REPLACE", value, text(pattern), text(_template(parts, "$", "\\\\", "\\$")))

    def day_number(self, date: Operand) -> exp.Expr:
        return cast(function("UNIX_DATE", date), "BIGINT")

    def date_of(self, days: Operand) -> exp.Expr:
        return function("DATE_FROM_UNIX_DATE", _of(days))

    def from_parts(self, year: Operand, month: Operand, day: Operand) -> exp.Expr:
        return function("MAKE_DATE", _of(year), _of(month), _of(day))

    def months_on(self, date: Operand, months: Operand) -> exp.Expr:
        return function("ADD_MONTHS", date, _of(months))

    def micros(self, moment: Operand) -> exp.Expr:
        return function("UNIX_MICROS", moment)

    def moment_of(self, micros: Operand) -> exp.Expr:
        return function("TIMESTAMP_MICROS", micros)


class Postgres(Dialect):
    name = "postgres"
    title = "PostgreSQL"
    has_library = False                     # the library of another machine
    has_remainder = False
    has_wide = False
    has_digits = False
    has_reading = False                     # a cast of what is out of range ends the query
    has_search = False                      # the longest match wins there, and other characters are special
    has_replacing = False

    def quotient(self, a: Operand, b: Operand) -> exp.Expr:
        return cast(exp.IntDiv(this=tree(a), expression=tree(b)), "BIGINT")

    def ordered(self, value: Operand) -> exp.Expr:
        return exp.Collate(this=operand(tree(value)), expression=exp.column(exp.to_identifier("C", quoted=True)))

    def contains(self, value: Operand, match: Operand) -> exp.Expr:
        return above(self.position(value, match), 0)

    def ends(self, value: Operand, match: Operand) -> exp.Expr:
        return equal(function("RIGHT", value, exp.Length(this=tree(match))), match)

    def is_written(self, value: Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=tree(value), expression=text(f"^(?:{pattern})$"))

    def day_number(self, date: Operand) -> exp.Expr:
        return cast(exp.Paren(this=minus(date, _date(EPOCH))), "BIGINT")

    def from_parts(self, year: Operand, month: Operand, day: Operand) -> exp.Expr:
        return function("MAKE_DATE", _of(year), _of(month), _of(day))

    def months_on(self, date: Operand, months: Operand) -> exp.Expr:
        return cast(plus(date, function("MAKE_INTERVAL", 0, _of(months))), "DATE")

    def micros(self, moment: Operand) -> exp.Expr:
        return cast(times(self.part("EPOCH", moment), 1_000_000), "BIGINT")

    def moment_of(self, micros: Operand) -> exp.Expr:
        # An interval is multiplied in floating point: exactly below a day's microseconds.
        days, rest = self._split(micros)
        return exp.Paren(this=plus(cast(self.date_of(days), "TIMESTAMP"), self._micros(rest)))

    def clock(self, time: Operand) -> exp.Expr:
        return self.micros(time)

    def time_of(self, micros: Operand) -> exp.Expr:
        return exp.Paren(this=plus(cast(text("00:00:00"), "TIME"), self._micros(micros)))

    def _split(self, micros: Operand) -> tuple[exp.Expr, exp.Expr]:
        """Days and the rest of the last; a moment of the year 1 is 719,162 days before 1970."""
        shifted = plus(micros, 719_162 * DAY)
        return minus(self.quotient(shifted, DAY), 719_162), self.remainder(shifted, DAY)

    @staticmethod
    def _micros(count: Operand) -> exp.Expr:
        return times(count, exp.Interval(this=text("1"), unit=exp.var("MICROSECOND")))

    def finished(self, query: exp.Expr) -> exp.Expr:
        # `1e0` is of type numeric there.
        def typed(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Literal) and not node.is_string and "e" in node.this:
                return exp.cast(node, "DOUBLE")
            return node

        return query.transform(typed)


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

    def quotient(self, a: Operand, b: Operand) -> exp.Expr:
        # A division of whole numbers is rounded to six decimals there: first take the rest away.
        return cast(exp.Div(this=exp.Paren(this=minus(a, self.remainder(a, b))), expression=operand(tree(b))), "BIGINT")

    def is_written(self, value: Operand, pattern: str) -> exp.Expr:
        return exp.RegexpLike(this=tree(value), expression=text(pattern))

    def day_number(self, date: Operand) -> exp.Expr:
        return function("DATEDIFF", exp.var("DAY"), _date(EPOCH), date)

    def date_of(self, days: Operand) -> exp.Expr:
        return function("DATEADD", exp.var("DAY"), days, _date(EPOCH))

    def from_parts(self, year: Operand, month: Operand, day: Operand) -> exp.Expr:
        return function("DATE_FROM_PARTS", year, month, day)

    def months_on(self, date: Operand, months: Operand) -> exp.Expr:
        return function("DATEADD", exp.var("MONTH"), months, date)

    def part(self, unit: str, value: Operand) -> exp.Expr:
        return super().part({"WEEK": "WEEKISO"}.get(unit, unit), value)

    def micros(self, moment: Operand) -> exp.Expr:
        return self.part("EPOCH_MICROSECOND", moment)

    def moment_of(self, micros: Operand) -> exp.Expr:
        return function("TO_TIMESTAMP_NTZ", micros, 6)

    def clock(self, time: Operand) -> exp.Expr:
        return function("DATEDIFF", exp.var("MICROSECOND"), cast(text("00:00:00"), "TIME"), time)

    def time_of(self, micros: Operand) -> exp.Expr:
        return function("DATEADD", exp.var("MICROSECOND"), micros, cast(text("00:00:00"), "TIME"))


class BigQuery(Dialect):
    name = "bigquery"
    title = "BigQuery"
    has_library = False
    has_remainder = False
    has_wide = False
    has_digits = False
    has_reading = False

    def quotient(self, a: Operand, b: Operand) -> exp.Expr:
        return exp.IntDiv(this=tree(a), expression=tree(b))

    def contains(self, value: Operand, match: Operand) -> exp.Expr:
        return above(self.position(value, match), 0)

    def position(self, value: Operand, match: Operand) -> exp.Expr:
        return function("STRPOS", value, match)

    def joined(self, between: Operand, parts: Sequence[Operand]) -> exp.Expr:
        return function("ARRAY_TO_STRING", exp.Array(expressions=[tree(p) for p in parts]), between)

    def is_written(self, value: Operand, pattern: str) -> exp.Expr:
        return function("REGEXP_CONTAINS", value, text(f"^(?:{pattern})$"))

    def search(self, value: Operand, pattern: str) -> exp.Expr:
        return function("REGEXP_CONTAINS", value, text(pattern))

    def replaced(self, value: Operand, pattern: str, parts: list[tuple[str, str]]) -> exp.Expr:
        return function("REGEXP_REPLACE", value, text(pattern), text(_template(parts, "\\", "\\\\")))

    def day_number(self, date: Operand) -> exp.Expr:
        return function("UNIX_DATE", date)

    def date_of(self, days: Operand) -> exp.Expr:
        return function("DATE_FROM_UNIX_DATE", days)

    def from_parts(self, year: Operand, month: Operand, day: Operand) -> exp.Expr:
        return function("DATE", year, month, day)

    def months_on(self, date: Operand, months: Operand) -> exp.Expr:
        return exp.DateAdd(this=tree(date), expression=tree(months), unit=exp.var("MONTH"))

    def part(self, unit: str, value: Operand) -> exp.Expr:
        return super().part({"WEEK": "ISOWEEK", "DOY": "DAYOFYEAR"}.get(unit, unit), value)

    def micros(self, moment: Operand) -> exp.Expr:
        return function("DATETIME_DIFF", moment, self._start("DATETIME"), exp.var("MICROSECOND"))

    def moment_of(self, micros: Operand) -> exp.Expr:
        return self._later("DATETIME_ADD", self._start("DATETIME"), micros)

    def clock(self, time: Operand) -> exp.Expr:
        return function("TIME_DIFF", time, cast(text("00:00:00"), "TIME"), exp.var("MICROSECOND"))

    def time_of(self, micros: Operand) -> exp.Expr:
        return self._later("TIME_ADD", cast(text("00:00:00"), "TIME"), micros)

    @staticmethod
    def _start(kind: str) -> exp.Expr:
        return cast(text(f"{EPOCH} 00:00:00"), kind)

    @staticmethod
    def _later(name: str, start: exp.Expr, micros: Operand) -> exp.Expr:
        return function(name, start, exp.Interval(this=tree(micros), unit=exp.var("MICROSECOND")))


def _template(parts: list[tuple[str, str]], mark: str, backslash: str, sign: str = "$") -> str:
    """A replacement in an engine's words: `mark` stands before a group's number."""
    found = []
    for kind, value in parts:
        found.append(mark + value if kind == "group" else value.replace("\\", backslash).replace("$", sign))
    return "".join(found)


DIALECTS: dict[str, Dialect] = {d.name: d for d in (Dialect(), Spark(), Postgres(), Snowflake(), BigQuery())}
