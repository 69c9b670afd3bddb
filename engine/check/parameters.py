"""Parameters: values by date and condition.

Of the rows begun and matching, the fewest `-` wins, then the latest `from`; two rows
that would tie are an error.
"""
from __future__ import annotations

import datetime

from engine.check.cells import odd_cells
from engine.check.constants import domain_of
from engine.check.declarations import Declarations
from engine.check.expressions import ExpressionChecker
from engine.check.graph import Reading
from engine.check.model import Cell, ParameterModel, ParameterRowModel
from engine.check.parsing import ExpressionParser, grid_findings
from engine.check.plain import NotReadable, read
from engine.check.scope import Report, Scope, Slice, instead, whole
from engine.diagnostics import Label
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.domain import intersection
from engine.semantics.dtypes import Type
from engine.source.declare import ParameterSpec
from engine.source.meant import meant
from engine.syntax import ast, grid

FIRST = datetime.date.min


class ParameterDraft(Record):
    spec: ParameterSpec
    type: Type
    rows: tuple[ParameterRowModel, ...]
    reading: Reading


class ParameterReader:
    def __init__(
        self, report: Report, parser: ExpressionParser, declarations: Declarations, expressions: ExpressionChecker
    ) -> None:
        self.report = report
        self.parser = parser
        self.declarations = declarations
        self.expressions = expressions

    def draft(self, spec: ParameterSpec) -> ParameterDraft:
        """Rows with their values read; the type is the declared one, else number where all are, else text."""
        declared = None
        if spec.body is not None and ("type" in spec.body or "values" in spec.body):
            declared = self.declarations.type_of(spec.body)
        if spec.grid is None:
            return self._single(spec, declared)
        table = grid.parse_grid(spec.grid.text)
        if not grid_findings(self.report, spec.grid, table.findings) or table.corner is None:
            return ParameterDraft(spec, declared or Type(dt.ANY), (), Reading(()))
        columns = [self.parser.slice(Slice(spec.grid, c.start, c.text)) for c in table.conditions]
        values = [Slice(spec.grid, r.results[0].start, r.results[0].text) for r in table.rows]
        kind = declared or self._inferred(values)
        rows = []
        for row, value in zip(table.rows, values, strict=True):
            start = self._start(Slice(spec.grid, row.id.start, row.id.text))
            cells = []
            for column, cell in zip(columns, row.conditions, strict=True):
                place = Slice(spec.grid, cell.start, cell.text)
                tests = self.parser.tests(place) if cell.text else None
                if column is not None and tests is not None:
                    names_null = any(isinstance(t, ast.NullLiteral) for t in tests.tests)
                    cells.append(Cell(column, tests, place, names_null))
            if start is not None and len(cells) == len(columns):
                wildcards = sum(_is_any(c) for c in cells)
                rows.append(ParameterRowModel(start, tuple(cells), wildcards, self._value(value, kind, spec), value))
        for i in range(len(columns)):
            odd_cells(self.report, [(r.cells[i].place, r.cells[i].tests) for r in rows])
        nulls = [any(len(r.cells) > i and r.cells[i].takes_null for r in rows) for i in range(len(columns))]
        rows = [
            r.replace(cells=tuple(c.replace(takes_null=nulls[i]) for i, c in enumerate(r.cells))) for r in rows
        ]
        nodes: list[ast.Node] = [c.node for c in columns if c is not None]
        nodes.extend(c.tests for r in rows for c in r.cells)
        return ParameterDraft(spec, kind, tuple(rows), Reading.of(nodes))

    def _single(self, spec: ParameterSpec, declared: Type | None) -> ParameterDraft:
        assert spec.value is not None
        place = whole(spec.value)
        kind = declared or self._inferred([place])
        row = ParameterRowModel(FIRST, (), 0, self._value(place, kind, spec), place)
        return ParameterDraft(spec, kind, (row,), Reading(()))

    def _inferred(self, values: list[Slice]) -> Type:
        """A number where one value is, or was surely meant as one: those that are none are reported where they are
        read."""
        if any(v.text.startswith("=") or _is_number(v.text) for v in values):
            return Type(dt.NUMBER)
        return Type(dt.STRING)

    def _start(self, place: Slice) -> datetime.date | None:
        if place.text.strip() == "-":
            return FIRST
        try:
            return datetime.date.fromisoformat(place.text)
        except ValueError:
            surely = meant(place.text, Type(dt.DATE))
            help = "the first column says from which day the row holds, YYYY-MM-DD"
            span = place.locate(0, len(place.text))
            self.report.at(
                "E0308", f"`{place.text}` is not a date", span, help if surely is None else f"write `{surely}`",
                edits=instead(span, surely),
            )
            return None

    def _value(self, place: Slice, kind: Type, spec: ParameterSpec) -> object:
        """A row's value; faulty ones are reported."""
        if not place.text:
            key = spec.key.text
            self.report.at(
                "W0614", f"this row of `{key}` gives no value, so `{key}` is null where it holds", place.locate(0, 0),
                "write the value, or delete the row",
            )
        if not place.text or kind.kind == dt.ANY:
            return None
        help = "a parameter's values are plain data; what is computed is a feature"
        try:
            if place.text.startswith("="):
                raise NotReadable(f"`{place.text}` is computed")
            return read(place.text, kind)
        except NotReadable as why:
            if why.meant is not None:
                help = f"write `{why.meant}`"
            elif spec.body is None and kind.kind == dt.NUMBER and not place.text.startswith("="):
                help = "where texts are meant, put all of them in double quotes"
            span = place.locate(0, len(place.text))
            self.report.at("E0308", why.message, span, help, edits=instead(span, why.meant))
            return 0 if kind.kind in dt.NUMERIC else None   # stands in, so that nothing is said of a null

    def check(self, draft: ParameterDraft, scope: Scope, policy_start: datetime.date | None) -> ParameterModel:
        """Type the conditions; a parameter is nullable where no row need win."""
        nullable = False
        for row in draft.rows:
            for cell in row.cells:
                column = self.expressions.check(cell.column.node, scope, cell.column.place)
                operand = column.optional(False) if cell.takes_null else column
                if self.expressions.check_tests(cell.tests, operand, scope, cell.place) or (
                    operand.nullable and not _is_any(cell)
                ):
                    nullable = True
        self._ties(draft)
        fallback = [r for r in draft.rows if r.wildcards == len(r.cells) and r.value is not None]
        if not fallback or (policy_start is not None and min(r.start for r in fallback) > policy_start):
            nullable = True
        if any(r.value is None for r in draft.rows):
            nullable = True
        kind = draft.type.optional(nullable)
        numbers = [r.value for r in draft.rows if isinstance(r.value, (int, float))]
        if kind.kind in dt.NUMERIC and numbers:
            kind = kind.replace(lower=float(min(numbers)), upper=float(max(numbers)))
        if kind.kind == dt.STRING and kind.values is None:
            kind = kind.replace(values=tuple(dict.fromkeys(str(r.value) for r in draft.rows if r.value is not None)))
        return ParameterModel(draft.spec.name, kind, draft.rows, draft.spec.key.span)

    def _ties(self, draft: ParameterDraft) -> None:
        """Two rows of one day with as many `-` that can match the same customer."""
        for index, row in enumerate(draft.rows):
            for other in draft.rows[:index]:
                if row.start == other.start and row.wildcards == other.wildcards and self._overlap(row, other):
                    self.report.at(
                        "E0507",
                        f"two rows of `{draft.spec.name}` hold from the same day for the same customers",
                        row.place.locate(0, len(row.place.text)),
                        "change the day of one, or make one of them more precise",
                        (Label(other.place.locate(0, len(other.place.text)), "the other row"),),
                    )

    def _overlap(self, row: ParameterRowModel, other: ParameterRowModel) -> bool:
        for one, two in zip(row.cells, other.cells, strict=True):
            kind = self.expressions.typing.type_of(one.column.node)
            a, b = domain_of(one.tests, kind), domain_of(two.tests, kind)
            if a is not None and b is not None and intersection(a, b).is_empty:
                return False
        return True


def _is_any(cell: Cell) -> bool:
    return not cell.tests.negated and any(isinstance(t, ast.AnyTest) for t in cell.tests.tests)




def _is_number(text: str) -> bool:
    try:
        read(text, Type(dt.NUMBER))
    except NotReadable as why:
        return why.meant is not None
    return True
