"""From a cell to the value that a policy checks, as SQL.

The one-by-one path decides what a cell means: `engine.portfolio.binding` for text, `engine.ir.door` for
everything. SQL takes only forms of which it is certain that both agree (a plain number, an ISO
date); whatever else is neither that nor missing is *odd* and is handed to the one-by-one path, each
distinct text once (`binding`). So there is one meaning, and SQL only saves time.
"""
from __future__ import annotations

from engine.records import Record
from engine.semantics import dtypes as dt

#: What a source's cells are: texts of CSV, or JSON values; anything else is the database's own type.
TEXT = "text"
JSON = "json"

#: Columns of a bound relation, by the kind that is declared.
SQL_TYPES = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "VARCHAR", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.TIME: "TIME", dt.DATE_TIME: "TIMESTAMP", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}
INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
#: The days that a policy knows: neither infinity nor years before Christ.
_DAYS = "({0} >= DATE '0001-01-01' AND {0} < DATE '10000-01-01')"
#: Integers that a binary64 always holds exactly, and so many digits of a decimal.
_SMALL = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})
_DIGITS = 15
#: Characters that Python's `str.strip` takes away.
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace())


class Cell(Record):
    """SQL of a bound column: its `value`, and what is `odd` about it (NULL where nothing is), which goes before
    the value. Both read `first` under the name that the reader was given for it.

    Odd is the cell itself as text where the one-by-one path is to be asked, `asked`; else a cell that is certain to be
    bad, in the source's own type.
    """

    value: str
    odd: str | None
    asked: bool = True
    first: str | None = None


class Reader:
    """Makes cells. `missing` is SQL of a list of texts that mean missing, `blanks` of the characters to strip;
    `plain_dates`: dates are ISO and nothing else."""

    def __init__(self, missing: str | None, blanks: str, plain_dates: bool) -> None:
        self.missing = missing
        self.blanks = blanks
        self.plain_dates = plain_dates

    def cell(self, raw: str, content: str, kind: dt.Type, first: str) -> Cell:
        """The cell of a column, `raw` being SQL of what it holds and `content` what that is."""
        if content == TEXT or content == "VARCHAR":
            return self.text(raw, kind, first)
        return json(raw, kind) if content == JSON else typed(raw, content, kind)

    def text(self, raw: str, kind: dt.Type, first: str) -> Cell:
        absent = self.absent(raw)
        if kind.kind == dt.STRING:
            return Cell(f"CASE WHEN NOT ({absent}) THEN {raw} END", None)
        cast, plain, strange = self.plain(raw, kind, first)
        if self.missing is None:
            value = f"CASE WHEN {plain} THEN {first} END"
            odd = f"WHEN NOT ({absent}) THEN {raw}"
            if strange is None:
                odd = f"CASE WHEN {plain} THEN NULL {odd} END"
            else:
                odd = f"CASE WHEN {plain} THEN CASE WHEN {strange} THEN {raw} END {odd} END"
        else:
            value = f"CASE WHEN {plain} AND NOT ({absent}) THEN {first} END"
            sure = f"({plain}) AND NOT ({strange or 'false'})"
            odd = f"CASE WHEN NOT ({absent}) AND ({sure}) IS NOT TRUE THEN {raw} END"
        return Cell(value, odd, True, cast)

    def absent(self, raw: str) -> str:
        """Whether a text means missing: blank, or one of the texts that say so, blanks around it or not."""
        bare = f"trim({raw}, {self.blanks})"
        if self.missing is not None:
            listed = f"list_contains({self.missing}, {raw}) OR list_contains({self.missing}, {bare})"
            return f"{raw} IS NULL OR {bare} = '' OR {listed}"
        # blanks lie below `!`, and from U+0080 to U+3000; a trim of all of them takes a microsecond
        full = f"({raw} >= '!' AND {raw} < chr(128)) OR {raw} > chr(12288) AND NOT starts_with({raw}, chr(12288))"
        return f"CASE WHEN {full} THEN false ELSE {raw} IS NULL OR {bare} = '' END"

    def plain(self, raw: str, kind: dt.Type, first: str) -> tuple[str, str, str | None]:
        """What the database reads, when that is certain to be the value, and when then after all it is not."""
        if kind.kind in dt.NUMERIC:
            # what the database reads beyond our numbers: `1_000`, `+-5`, exponents of many digits
            strange = (
                f"contains({raw}, '_') OR contains({raw}, '+-') OR length({raw}) > 40 OR ((contains({raw}, 'e') "
                f"OR contains({raw}, 'E')) AND regexp_matches({raw}, '[eE][+-]?[0-9]{{7}}'))"
            )
            return f"TRY_CAST({raw} AS DOUBLE)", f"isfinite({first})", strange
        if kind.kind == dt.BOOLEAN:
            read = f"CASE lower({raw}) WHEN 'true' THEN true WHEN 'false' THEN false END"
            return read, f"{first} IS NOT NULL", None
        if kind.kind == dt.DATE and self.plain_dates:
            return f"TRY_CAST({raw} AS DATE)", f"{_DAYS.format(first)} AND CAST({first} AS VARCHAR) = {raw}", None
        if kind.kind == dt.DATE_TIME:
            same = f"CAST({first} AS VARCHAR) = replace({raw}, 'T', ' ')"
            return f"TRY_CAST({raw} AS TIMESTAMP)", f"{_DAYS.format(first)} AND {same} AND length({raw}) >= 19", None
        return f"CAST(NULL AS {SQL_TYPES[kind.kind]})", "false", None


def json(raw: str, kind: dt.Type) -> Cell:
    what = f"json_type({raw})"
    if kind.kind in dt.NUMERIC:
        number = f"TRY_CAST({raw} AS DOUBLE)"
        value = f"CASE WHEN {what} IN ('UBIGINT', 'BIGINT', 'DOUBLE') AND isfinite({number}) THEN {number} END"
    elif kind.kind == dt.BOOLEAN:
        value = f"CASE WHEN {what} = 'BOOLEAN' THEN TRY_CAST({raw} AS BOOLEAN) END"
    else:
        text = f"CASE WHEN {what} = 'VARCHAR' THEN json_extract_string({raw}, '$') END"
        date = f"TRY_CAST({text} AS DATE)"
        if kind.kind == dt.STRING:
            value = text
        elif kind.kind == dt.DATE:
            value = f"CASE WHEN {_DAYS.format(date)} AND CAST({date} AS VARCHAR) = {text} THEN {date} END"
        else:
            value = f"CAST(NULL AS {SQL_TYPES[kind.kind]})"
    return Cell(value, f"CASE WHEN ({value}) IS NULL AND {what} <> 'NULL' THEN CAST({raw} AS VARCHAR) END")


def typed(raw: str, content: str, kind: dt.Type) -> Cell:
    """A cell of the database's own types: converted where that is exact, bad where it is not."""
    wanted = SQL_TYPES.get(kind.kind)
    family = content.partition("(")[0]
    exact: str | None = None                            # SQL that is true where the value is kept whole
    if family.startswith("ENUM"):
        return typed(f"CAST({raw} AS VARCHAR)", "VARCHAR", kind)
    if kind.kind in dt.NUMERIC:
        value = f"CAST({raw} AS DOUBLE)"
        if family in ("DOUBLE", "FLOAT"):
            return Cell(f"CASE WHEN isfinite({value}) THEN {value} END", None)
        if family in _SMALL or family == "DECIMAL" and _width(content) <= _DIGITS:
            return Cell(value, None)
        if family in INTEGERS:
            exact = f"TRY_CAST({value} AS {family}) = {raw}"
        elif family == "DECIMAL":
            exact = f"TRY_CAST({value} AS {content}) = {raw}"
    elif kind.kind == dt.STRING:
        value = f"CAST({raw} AS VARCHAR)"
        if family in INTEGERS or family in ("VARCHAR", "UUID"):
            return Cell(value, None)
    elif kind.kind == dt.DATE and family in ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"):
        value = f"CAST({raw} AS DATE)"
        exact = f"CAST({value} AS {family}) = {raw} AND {_DAYS.format(raw)}"
    elif kind.kind == dt.DATE and family == "DATE":
        value, exact = raw, _DAYS.format(raw)
    elif kind.kind == dt.DATE_TIME and family in ("TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_S"):
        value, exact = f"CAST({raw} AS TIMESTAMP)", _DAYS.format(raw)
    elif content == wanted and kind.kind not in (dt.DAYS_DURATION, dt.MONTHS_DURATION):
        return Cell(raw, None)
    if exact is None:                                   # no value of this type is one of the declared kind
        shown = f"[CAST({raw} AS VARCHAR)]" if family.startswith("TIMESTAMP WITH") else raw
        return Cell(f"CAST(NULL AS {wanted or 'VARCHAR'})", shown, False)
    return Cell(f"CASE WHEN {exact} THEN {value} END", f"CASE WHEN NOT coalesce({exact}, true) THEN {raw} END", False)


def _width(content: str) -> int:
    """Digits of `DECIMAL(14,2)`."""
    return int(content.partition("(")[2].partition(",")[0])
