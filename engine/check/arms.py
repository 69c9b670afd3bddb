"""Rules and tables as arms: one shape for lists and grids.

A decision's declared types are known here, so plain data in results are read at
once; expressions are parsed but not yet typed.
"""
from __future__ import annotations

import re
from collections.abc import Sequence

from engine.check.cells import odd_cells
from engine.check.declarations import Declarations
from engine.check.model import ArmModel, Cell, Expr, Plain, ReasonRef
from engine.check.parsing import ExpressionParser, grid_findings
from engine.check.plain import NotReadable, read
from engine.check.scope import Report, Slice, closest, instead, whole
from engine.diagnostics import Label
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.declare import DecisionSpec, strings
from engine.source.nodes import Mapping, Node, Scalar, normal
from engine.source.nodes import Sequence as ListNode
from engine.syntax import ast, grid

HIT_WORDS = (
    "unique", "first", "any", "priority", "collect", "collect sum", "collect min", "collect max", "collect count",
    "rule order", "output order", "worst",
)
#: The letters by which DMN abbreviates them.
HIT_LETTERS = {
    "U": "unique", "F": "first", "A": "any", "P": "priority", "C": "collect", "C+": "collect sum", "C<": "collect min",
    "C>": "collect max", "C#": "collect count", "R": "rule order", "O": "output order",
}
LIST_HITS = frozenset({"collect", "rule order", "output order"})
REASON_COLUMNS = ("reason", "reasons")


class Results(Record):
    """The declared result types: `members` for several outputs, else `single`."""

    single: Type
    members: tuple[tuple[str, Type], ...]
    stated: bool


class ArmReader:
    """Reads the arms of one decision."""

    def __init__(
        self, report: Report, parser: ExpressionParser, declarations: Declarations, spec: DecisionSpec
    ) -> None:
        self.report = report
        self.parser = parser
        self.declarations = declarations
        self.spec = spec
        self.results = self._results()
        self.hit = ""
        self._ids: dict[str, Slice] = {}

    def _results(self) -> Results:
        body = self.spec.body
        outputs = body.get("outputs")
        if isinstance(outputs, Mapping):
            members = tuple(
                (normal(k.text), self.declarations.type_of(v))
                for k, v in outputs.entries
                if isinstance(v, Mapping)
            )
            return Results(Type(dt.STRING), members, True)
        stated = "type" in body or "values" in body
        return Results(self.declarations.type_of(body), (), stated)

    # --- forms -----------------------------------------------------------------------

    def arms(self) -> list[ArmModel]:
        """The arms of `rules`, `worst`, `collect`, `table` or `value`; sets `hit`."""
        spec = self.spec
        self.hit = {"rules": "first"}.get(spec.form, spec.form)
        if spec.form == "value":
            return self._value(spec.content)
        if spec.form == "table":
            return self._table(spec.content)
        if isinstance(spec.content, Scalar):
            return self._rule_grid(spec.content)
        if isinstance(spec.content, ListNode):
            found = [self._rule(n) for n in spec.content.items if isinstance(n, Mapping)]
            return [arm for arm in found if arm is not None]
        return []

    def _value(self, content: Node) -> list[ArmModel]:
        if not isinstance(content, Scalar):
            return []
        expr = self.parser.scalar(content)
        if expr is None:
            return []
        return [ArmModel("value", None, (), (("", expr),), (), False, whole(content))]

    # --- rule lists ------------------------------------------------------------------------

    def _rule(self, node: Mapping) -> ArmModel | None:
        otherwise = node.get("otherwise")
        rule = node.get("rule")
        name = rule.text if isinstance(rule, Scalar) else "otherwise" if otherwise is not None else ""
        place = whole(rule) if isinstance(rule, Scalar) else whole(node.entries[0][0])
        if not name:
            self.report.at("E0508", "this rule has no id", node.entries[0][0].span, "start it with `- rule: S1`")
            return None
        self._unique(name, place)
        guard = None
        when = node.get("when")
        if otherwise is None:
            if not isinstance(when, Scalar):
                help = "add `when:`, or write `otherwise:`"
                self.report.at("E0508", f"rule `{name}` has no `when`", place.locate(0, 1), help)
                return None
            guard = self.parser.scalar(when)
        result = otherwise if otherwise is not None else node.get("then") or node.get("do")
        outcome = self._outcome(result, place)
        reasons = self._reason_nodes(node)
        if outcome is None or (guard is None and otherwise is None):
            return None
        return ArmModel(name, guard, (), outcome, reasons, otherwise is not None, place)

    def _unique(self, name: str, place: Slice) -> None:
        first = self._ids.get(name)
        span = place.locate(0, len(place.text))
        if first is not None:
            self.report.at(
                "E0212",
                f"the rule id `{name}` is used twice in `{self.spec.name}`",
                span,
                "give each rule an id of its own, so that an explanation can name it",
                (Label(first.locate(0, len(first.text)), "first used here"),),
            )
        self._ids.setdefault(name, place)

    def _outcome(self, node: Node | None, place: Slice) -> tuple[tuple[str, Expr | Plain], ...] | None:
        """The outcome that stands under `then`, `do` or `otherwise`."""
        if isinstance(node, Mapping):
            return self._members(node)
        if isinstance(node, Scalar):
            if self.results.members:
                self.report.at(
                    "E0308",
                    f"`{self.spec.name}` has several outputs, this gives one",
                    node.span,
                    "write `{" + ", ".join(f"{n}: ..." for n, _ in self.results.members) + "}`",
                )
                return None
            value = self.result(whole(node), self.results.single, node)
            return None if value is None else (("", value),)
        self.report.at("E0508", "this rule gives no outcome", place.locate(0, 1), "add `then:`")
        return None

    def _members(self, node: Mapping) -> tuple[tuple[str, Expr | Plain], ...] | None:
        declared = dict(self.results.members)
        found: list[tuple[str, Expr | Plain]] = []
        for key, value in node.entries:
            name = normal(key.text)
            if not isinstance(value, Scalar):
                help = "write plain data, or `= expression`"
                self.report.at("E0308", f"`{name}` must be a single value", value.span, help)
                continue
            if declared and name not in declared:
                near = closest(name, declared)
                self.report.at(
                    "E0205",
                    f"`{name}` is not an output of `{self.spec.name}`",
                    key.span,
                    f"did you mean `{near}`?" if near else f"its outputs are {', '.join(f'`{n}`' for n in declared)}",
                    edits=instead(key.span, near),
                )
                continue
            read_value = self.result(whole(value), declared.get(name, Type(dt.STRING)), value)
            if read_value is not None:
                found.append((name, read_value))
        if declared and self.spec.form != "collect":
            given = {n for n, _ in found}
            for name, kind in self.results.members:
                if name not in given:
                    empty = Slice(node.entries[0][0], 0, "")
                    found.append((name, Plain(None, kind.optional(), empty)))
            order = list(declared)
            found.sort(key=lambda pair: order.index(pair[0]))
        return tuple(found)

    def _reason_nodes(self, node: Mapping) -> tuple[ReasonRef, ...]:
        found: list[ReasonRef] = []
        for key in REASON_COLUMNS:
            for item in strings(node.get(key)):
                found.extend(self.reasons(whole(item)))
        return tuple(found)

    # --- results and reasons ---------------------------------------------------------------

    def result(self, place: Slice, kind: Type, node: Scalar | None = None) -> Expr | Plain | None:
        """Plain data read by type, `= expression`, or null for an empty cell.

        Faulty data are reported and stood in for, so that the rest of the rule is still checked; None is an
        expression that cannot be read.
        """
        text = place.text.strip()
        if not text:
            return Plain(None, kind.optional(), place)
        if text.startswith("="):
            return self._computed(place, node)
        try:
            value = read(text, kind)
        except NotReadable as why:
            span = place.locate(0, len(place.text))
            self.report.at("E0308", why.message, span, why.help, edits=instead(span, why.meant))
            return Plain(kind.values[0] if kind.values else None, kind, place)
        if kind.values is not None and value not in kind.values:
            near = closest(str(value), kind.values)
            listing = "the values are " + ", ".join(f"`{v}`" for v in kind.values[:12])
            if re.search(r"\s(?:#|//)", str(value)):
                listing = "a comment stands on a line of its own, and starts with `//` in a grid"
            self.report.at(
                "E0303",
                f"`{value}` is not one of the values of `{self.spec.name}`",
                place.locate(0, len(place.text)),
                f"did you mean `{near}`?" if near else listing,
                edits=instead(place.locate(0, len(place.text)), near),
            )
            return Plain(kind.values[0], kind, place)
        narrowed = kind.replace(values=(value,)) if kind.kind == dt.STRING and kind.values is None else kind
        if kind.kind in dt.NUMERIC and isinstance(value, (int, float)):
            narrowed = kind.replace(whole=isinstance(value, int), lower=float(value), upper=float(value))
        return Plain(value, narrowed, place)

    def _computed(self, place: Slice, node: Scalar | None) -> Expr | None:
        offset = place.text.index("=") + 1
        rest = place.text[offset:]
        stripped = rest.lstrip()
        inner = Slice(place.scalar, place.offset + offset + len(rest) - len(stripped), stripped.rstrip())
        if node is not None and node.style == "double":
            return self.parser.scalar(node)  # reports the quotes
        return self.parser.slice(inner)

    def reasons(self, place: Slice) -> list[ReasonRef]:
        """Codes and `from X`, separated by commas."""
        found = []
        offset = 0
        for part in place.text.split(","):
            name = normal(part)
            start = offset + len(part) - len(part.lstrip())
            span = place.locate(start, offset + len(part.rstrip()))
            offset += len(part) + 1
            if not name or name == "-":
                continue
            inherited = name.startswith("from ")
            found.append(ReasonRef(normal(name[5:]) if inherited else name, inherited, span))
        return found

    # --- grids -----------------------------------------------------------------------------------

    def _grid(self, content: Node) -> tuple[grid.Grid, Scalar] | None:
        if not isinstance(content, Scalar):
            return None
        found = grid.parse_grid(content.text)
        fine = grid_findings(self.report, content, found.findings)
        return None if found.corner is None or not fine else (found, content)

    def _rule_grid(self, content: Scalar) -> list[ArmModel]:
        """`id | when || then [| reason | field...]`"""
        found = self._grid(content)
        if found is None:
            return []
        table, scalar = found
        if len(table.conditions) != 1:
            at = table.conditions[1] if len(table.conditions) > 1 else table.corner
            assert at is not None
            self.report.at(
                "E0127", "a grid of rules has one condition column, `when`", scalar.locate(at.start, at.end),
                "join the conditions with `and`, or use `table`",
            )
            return []
        arms = []
        for row in table.rows:
            place = place_of(scalar, row.id)
            self._unique(row.id.text, place)
            cell = row.conditions[0]
            otherwise = normal(cell.text) == "otherwise"
            guard = None if otherwise or not cell.text else self.parser.slice(place_of(scalar, cell))
            outcome, reasons = self._row_results(table, row, scalar)
            if outcome is not None and (otherwise or guard is not None):
                arms.append(ArmModel(row.id.text, guard, (), outcome, reasons, otherwise, place))
        return arms

    def _table(self, content: Node) -> list[ArmModel]:
        found = self._grid(content)
        if found is None:
            return []
        table, scalar = found
        assert table.corner is not None
        word = normal(table.corner.text)
        if word not in HIT_WORDS:
            letter = HIT_LETTERS.get(word)
            near = letter or closest(word, HIT_WORDS)
            self.report.at(
                "E0509",
                f"`{word}` is not a hit policy",
                scalar.locate(table.corner.start, table.corner.end),
                f"write `{letter}`" if letter else f"did you mean `{near}`?" if near
                else f"head the ids by how rows are picked, one of {', '.join(f'`{w}`' for w in HIT_WORDS)}",
                edits=instead(scalar.locate(table.corner.start, table.corner.end), near),
            )
            word = "first"
        self.hit = word
        if self.hit == "collect count" or (self.hit.startswith("collect ") and not self.results.stated):
            if not self.results.stated:
                self.results = Results(Type(dt.NUMBER), (), True)
        columns = [self.parser.slice(place_of(scalar, cell)) for cell in table.conditions]
        tests = [[self._cell(scalar, cell) for cell in row.conditions] for row in table.rows]
        takes_null = [any(_names_null(row[i]) for row in tests) for i in range(len(columns))]
        for i in range(len(columns)):
            odd_cells(self.report, [
                (place_of(scalar, row.conditions[i]), row_tests[i])
                for row, row_tests in zip(table.rows, tests, strict=True)
            ])
        arms = []
        for row, row_tests in zip(table.rows, tests, strict=True):
            place = place_of(scalar, row.id)
            self._unique(row.id.text, place)
            cells = []
            sound = True
            for index, (column, test) in enumerate(zip(columns, row_tests, strict=True)):
                if column is None or test is None:
                    sound = False
                    continue
                cells.append(Cell(column, test, place_of(scalar, row.conditions[index]), takes_null[index]))
            outcome, reasons = self._row_results(table, row, scalar)
            if outcome is not None and sound:
                arms.append(ArmModel(row.id.text, None, tuple(cells), outcome, reasons, False, place))
        return arms

    def _cell(self, scalar: Scalar, cell: grid.Cell) -> ast.UnaryTests | None:
        return self.parser.tests(place_of(scalar, cell)) if cell.text else None

    def _row_results(
        self, table: grid.Grid, row: grid.Row, scalar: Scalar
    ) -> tuple[tuple[tuple[str, Expr | Plain], ...] | None, tuple[ReasonRef, ...]]:
        """A row's outcome and reasons. A single result column bears the decision's name."""
        reasons: list[ReasonRef] = []
        outcome: list[tuple[str, Expr | Plain]] = []
        names = [normal(c.text) for c in table.results if normal(c.text) not in REASON_COLUMNS]
        single = len(names) == 1 and not self.results.members
        members = dict(self.results.members)
        sound = True
        alone = not members and self.results.stated and self.spec.form == "table"
        if alone and len(names) > 1:
            members = {self.spec.name: self.results.single}     # one type is stated, so there is one output
        for header, cell in zip(table.results, row.results, strict=True):
            name = normal(header.text)
            place = place_of(scalar, cell)
            if name in REASON_COLUMNS:
                reasons.extend(self.reasons(place))
                continue
            kind = self.results.single if single else members.get(name, Type(dt.STRING))
            if self.hit == "collect count":
                kind = Type(dt.STRING)  # what is counted may be anything
            if members and name not in members:
                self._unknown_output(header, scalar, members)
                sound = not self.results.members        # beside the one output a column says nothing
                continue
            value = self.result(place, kind)
            if value is None:
                sound = False
            else:
                outcome.append(("" if single or alone else name, value))
        return (tuple(outcome) if sound and outcome else None), tuple(reasons)

    def _unknown_output(self, header: grid.Cell, scalar: Scalar, members: dict[str, Type]) -> None:
        near = closest(header.text, [*members, *REASON_COLUMNS])
        self.report.at(
            "E0205",
            f"`{header.text}` is not an output of `{self.spec.name}`",
            scalar.locate(header.start, header.end),
            f"did you mean `{near}`?" if near else f"its outputs are {', '.join(f'`{n}`' for n in members)}",
            edits=instead(scalar.locate(header.start, header.end), near),
        )


def place_of(scalar: Scalar, cell: grid.Cell) -> Slice:
    return Slice(scalar, cell.start, cell.text)


def _names_null(tests: ast.UnaryTests | None) -> bool:
    return tests is not None and any(isinstance(t, ast.NullLiteral) for t in _flat(tests.tests))


def _flat(tests: Sequence[ast.Node]) -> list[ast.Node]:
    found: list[ast.Node] = []
    for test in tests:
        found.extend(_flat(test.tests) if isinstance(test, ast.UnaryTests) else [test])
    return found
