"""Scalar expression nodes as SQL trees.

SQL's own AND, OR and NOT are the language's three-valued ones, and every other operator
gives NULL for a NULL operand. Numbers are DOUBLE, durations whole numbers of microseconds or
of months; what the operations are made of stands in `operations`, what engines write differently
in `dialects`.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from sqlglot import exp

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.dialects import DIALECTS
from engine.backends.sql.operations import OPERATIONS, made_list
from engine.backends.sql.operations.contexts import CONTAINERS, NoValue, equal, members
from engine.backends.sql.operations.plugins import plugin_call
from engine.backends.sql.operations.ranges import range_of, settled
from engine.backends.sql.rounding import Rounder
from engine.backends.sql.stages import Sql, Stages, binary, case
from engine.backends.support import Form, Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS
from engine.semantics.narrow import narrowed
from engine.semantics.values import YearsMonths

TYPES = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "TEXT", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.TIME: "TIME", dt.DATE_TIME: "TIMESTAMP", dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "BIGINT",
}
#: Operands of which an operation asks for the parts.
UNCOMPILED = CONTAINERS | {dt.RANGE}
COMPARISONS: dict[str, type[exp.Binary]] = {
    "=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}


class SqlExpressions(support.Compiler):
    """Compiles the expressions of one program. `variables` maps what a node reads to its column."""

    backend = "sql"
    title = "the SQL backend"

    def __init__(self, stages: Stages, program: ir.Program, dialect: str = "duckdb") -> None:
        self.stages = stages
        self.dialect = DIALECTS[dialect]
        self.rounder = Rounder(stages, self.dialect)
        self.functions = program.functions
        self.parameters = {p.name: p for p in program.parameters}
        self.variables: dict[tuple[str, str], Sql] = {}
        self.as_of = stages.source(exp.cast(exp.Placeholder(this="as_of"), "DATE"), False)

    # --- leaves -------------------------------------------------------------------------

    def const(self, node: ir.Const) -> Sql:
        return Sql(self.literal(node.value, node.at), 0, node.value is None)

    def literal(self, value: Any, at: ir.Place | None) -> exp.Expr:
        """A constant; raises `Gap` for a value that this subset does not hold."""
        if value is None:
            return exp.null()
        if isinstance(value, bool):
            return exp.true() if value else exp.false()
        if isinstance(value, (int, float)):
            return st.number(value)
        if isinstance(value, str):
            if "\0" in value:
                raise Gap(at, "texts with a null character")
            return exp.Literal.string(value)
        if isinstance(value, (datetime.timedelta, YearsMonths)):
            if narrowed(value) is None:
                raise Gap(at, "durations longer than any policy can hold")
            micro = datetime.timedelta(microseconds=1)
            return st.whole(value.total if isinstance(value, YearsMonths) else value // micro)
        if isinstance(value, datetime.datetime) and value.tzinfo is None:
            return exp.cast(exp.Literal.string(value.isoformat(" ")), TYPES[dt.DATE_TIME])
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return exp.cast(exp.Literal.string(value.isoformat()), TYPES[dt.DATE])
        if isinstance(value, datetime.time) and value.tzinfo is None:
            if not self.dialect.has_clock:
                raise Gap(at, f"times of day in {self.dialect.title}")
            return exp.cast(exp.Literal.string(value.isoformat()), TYPES[dt.TIME])
        raise Gap(at, "constants of this kind")

    def as_of_date(self, node: ir.AsOf) -> Sql:
        return self.as_of

    def variable(self, node: ir.Input | ir.Ref | ir.Local) -> Sql:
        return self.variables[(type(node).__name__, node.name)]

    def field(self, node: ir.Field) -> Sql:
        """One output of a decision that has several, or a member of a context that is spelt out."""
        if not isinstance(node.base, ir.Ref):
            return self.member(node)
        return self.variables[("Ref", f"{node.base.name}.{node.name}")]

    def member(self, node: ir.Field) -> Sql:
        try:
            held = members(node.base)
        except NoValue:
            return self.nothing(node.type.kind)
        if held is None:
            raise Gap(node.at, "fields of contexts and of rows")
        return self.compile(held[node.name]) if node.name in held else self.nothing(node.type.kind)

    def parameter(self, node: ir.Parameter) -> Sql:
        """The row that wins: of those begun and not false, the fewest wildcards, then the latest start."""
        key = ("Parameter", node.name)
        if key in self.variables:
            return self.variables[key]
        whens: list[tuple[exp.Expr, exp.Expr]] = []
        level = self.as_of.level
        rows = self.parameters[node.name].rows
        if len(rows) == 1 and _always(rows[0]):         # a literal, so that what hangs on it alone is computed once
            self.variables[key] = self.stages.named(Sql(self.literal(rows[0].value, rows[0].at), 0, False))
            return self.variables[key]
        for row in sorted(rows, key=lambda row: (row.wildcards, -row.start.toordinal())):
            begun = exp.GTE(this=self.as_of.tree.copy(), expression=self.literal(row.start, row.at))
            guard = self.stages.named(self.compile(row.guard))
            level = max(level, guard.level)
            whens.append((st.all_of([begun, guard.tree.copy()]), self.literal(row.value, row.at)))
            if guard.nullable:
                whens.append((st.all_of([begun.copy(), st.is_null(guard.tree.copy())]), exp.null()))
        self.variables[key] = self.stages.named(Sql(case(whens), level, True))
        return self.variables[key]

    def let(self, node: ir.Let) -> Sql:
        key = ("Local", node.name)
        before = self.variables.get(key)
        self.variables[key] = self.stages.named(self.compile(node.value))
        body: Sql = self.compile(node.body)
        if before is None:
            del self.variables[key]
        else:
            self.variables[key] = before
        return body

    # --- logic --------------------------------------------------------------------------

    def conjunction(self, node: ir.And | ir.Or) -> Sql:
        parts = [self.compile(a) for a in node.args]
        join = st.all_of if isinstance(node, ir.And) else st.any_of
        return self.joined(join([p.tree.copy() for p in parts]), parts)

    def negation(self, node: ir.Not) -> Sql:
        part: Sql = self.compile(node.arg)
        return part.replace(tree=st.negated(part.tree.copy()))

    def null_test(self, node: ir.IsNull) -> Sql:
        part = self.compile(node.arg)
        return Sql(st.is_null(part.tree.copy()), part.level) if part.nullable else Sql(exp.false())

    def condition(self, node: ir.Cond) -> Sql:
        test, then, other = (self.compile(n) for n in (node.test, node.then, node.otherwise))
        if not test.nullable:
            return self.joined(case([(test.tree, then.tree.copy())], other.tree.copy()), [test, then, other])
        test = self.stages.named(test)
        whens = [(test.tree.copy(), then.tree.copy()), (st.negated(test.tree.copy()), other.tree.copy())]
        return self.joined(case(whens), [test, then, other])

    def comparison(self, node: ir.Compare) -> Sql:
        node = node.replace(left=settled(node.left), right=settled(node.right))
        kinds = {node.left.type.kind, node.right.type.kind} - {dt.NULL}
        if kinds & CONTAINERS and len(kinds) == 1 and node.op in ("=", "!="):
            try:
                same = equal(self, node.left, node.right)
            except NoValue:
                return self.nothing(dt.BOOLEAN)
            return same if node.op == "=" else st.opposite(same)
        if not kinds <= set(TYPES):
            raise Gap(node.at, f"comparisons of {' and '.join(sorted(kinds))}")
        if not self.dialect.has_clock and dt.TIME in kinds:
            raise Gap(node.at, f"times of day in {self.dialect.title}")
        left, right = self.operand(node.left), self.operand(node.right)
        if node.mode == "tolerant":
            return self.compared(node.op, left, right, node.floor)
        sides = [left.tree.copy(), right.tree.copy()]
        if dt.STRING in kinds and node.op not in ("=", "!="):
            sides = [self.dialect.ordered(s) for s in sides]
        return self.joined(binary(COMPARISONS[node.op], *sides), [left, right])

    def compared(self, op: str, left: Sql, right: Sql, floor: float) -> Sql:
        """The formula of `semantics.number.compare`; a NULL operand makes the difference NULL."""
        left, right = self.stages.named(left), self.stages.named(right)
        greatest = self.stages.named(self.joined(t.larger(t.size(left), t.size(right)), [left, right]))
        tolerance = self.stages.named(greatest.replace(tree=self.dialect.tolerance(greatest, floor)))
        gap = self.stages.named(self.joined(t.minus(left, right), [left, right]))
        within, above = t.at_most(gap, tolerance), t.at_least(gap, t.opposite(tolerance))
        both = st.all_of([within.copy(), above.copy()])
        trees: dict[str, exp.Expr] = {
            "<=": within, ">=": above, ">": st.negated(within), "<": st.negated(above), "=": both,
            "!=": st.negated(both),
        }
        return self.joined(trees[op], [tolerance, gap])

    # --- lists --------------------------------------------------------------------------

    def spelt_out(self, node: ir.Node) -> list[tuple[Sql, Any]] | None:
        """The items of a list that is known item by item, each with the condition under which it is there; None
        for what is not."""
        if isinstance(node, ir.List):
            return [(st.TRUE, self.stages.named(self.compile(item))) for item in node.items]
        return made_list(self, node) if isinstance(node, ir.Call) else None

    def absent(self, node: ir.Call) -> Sql:
        """Whether a list, context or range that an operation makes is null; raises `Gap` for what is not spelt
        out."""
        if self.functions.of(node.op) is not None:
            raise Gap(node.at, support.shown(node.op))
        nulls = [a.type.kind == dt.NULL for a in node.args]
        if any(nulls) and BUILTINS.get(node.op).nulls == "strict":
            return st.TRUE
        try:
            if node.type.kind == dt.LIST:
                known = self.spelt_out(node) is not None
            elif node.type.kind == dt.CONTEXT:
                known = members(node) is not None
            else:
                known = range_of(node, node) is not None
        except NoValue:
            return st.TRUE
        if not known:
            raise Gap(node.at, f"`{node.op}`")
        return st.FALSE

    def items_of(self, node: ir.Node, call: ir.Call) -> list[tuple[Sql, Sql]]:
        """The items of an operand, scalars all; raises `Gap`."""
        found = self.spelt_out(node)
        if found is None or not all(isinstance(item, Sql) for _, item in found):
            raise Gap(call.at, f"`{call.op}` of a list that the policy does not spell out")
        return found

    def listed(self, node: ir.Node, call: ir.Call) -> list[Sql]:
        """The items of an operand that are there whatever the data."""
        found = self.items_of(node, call)
        if not all(present == st.TRUE for present, _ in found):
            raise Gap(call.at, f"`{call.op}` of a list from which items are filtered")
        return [item for _, item in found]

    # --- operations -----------------------------------------------------------------------

    def call(self, node: ir.Call) -> Sql:
        """An operation; `args` are its operands but for lists and contexts, of which it asks for the parts."""
        function = self.functions.of(node.op)
        if function is not None:
            return plugin_call(self, node, function)
        nulls = [a.type.kind == dt.NULL for a in node.args]
        if any(nulls) and BUILTINS.get(node.op).nulls == "strict":
            return self.nothing(node.type.kind)
        node = node.replace(args=tuple(map(settled, node.args)))
        if not self.dialect.has_clock and dt.TIME in (node.type.kind, *(a.type.kind for a in node.args)):
            raise Gap(node.at, f"times of day in {self.dialect.title}")
        form = self.form(node)
        args = [self.operand(a) for a in node.args if a.type.kind not in UNCOMPILED]
        if any(isinstance(a.tree, exp.Null) for a in args) and BUILTINS.get(node.op).nulls == "strict":
            return self.nothing(node.type.kind)     # a bare NULL has no type by which to pick a function
        value: Sql = form.emit(self, node, args)
        return value

    def operand(self, node: ir.Node) -> Sql:
        """An operand; what lowering did not make is not remembered by its identity."""
        value: Sql = self.const(node) if isinstance(node, ir.Const) else self.compile(node)
        return value

    def form(self, node: ir.Call) -> Form:
        """As for every backend; an operand that is the literal `null` is of any kind."""
        forms = self.operations.get(node.op, ())
        kinds = [a.type.kind for a in node.args]
        if dt.NULL in kinds:
            for form in forms:
                wanted = (*form.kinds, *([form.kinds[-1]] * (len(kinds) - len(form.kinds) if form.more else 0)))
                filled = [next(iter(w)) if k == dt.NULL else k for k, w in zip(kinds, wanted, strict=False)]
                if len(wanted) == len(kinds) and form.takes(filled):
                    return form
        return super().form(node)

    def needs(self, capability: str, node: ir.Call) -> None:
        """Raise `Gap` where the dialect lacks what an operation needs."""
        if not getattr(self.dialect, capability):
            raise Gap(node.at, f"`{node.op}` in {self.dialect.title}")

    def nothing(self, kind: str) -> Sql:
        """NULL of a kind."""
        return Sql(exp.cast(exp.null(), TYPES[kind]) if kind in TYPES else exp.null(), 0, True)

    def joined(self, tree: exp.Expr, parts: Sequence[Sql], nullable: bool = False) -> Sql:
        return Sql(tree, max((p.level for p in parts), default=0), nullable or any(p.nullable for p in parts))

    def only_finite(self, value: Sql) -> Sql:
        """NULL for what is not finite."""
        value = self.stages.named(value)
        return value.replace(tree=case([(st.finite(value.tree.copy()), value.tree.copy())]), nullable=True)

    nodes: ClassVar[Mapping[type[ir.Node], Callable[[Any, Any], Any]]] = {
        ir.Const: const, ir.Input: variable, ir.Parameter: parameter, ir.AsOf: as_of_date, ir.Ref: variable,
        ir.Local: variable, ir.Let: let, ir.Call: call, ir.Compare: comparison, ir.And: conjunction,
        ir.Or: conjunction, ir.Not: negation, ir.IsNull: null_test, ir.Cond: condition, ir.Field: field,
    }
    nodes_left_out = frozenset({
        ir.Record, ir.List, ir.Relation, ir.Filter, ir.Map, ir.Fold, ir.Group, ir.Lookup,
        *support.DYNAMIC,
    })
    operations: ClassVar[Mapping[str, tuple[Form, ...]]] = OPERATIONS
    operations_left_out: ClassVar[frozenset[str]] = frozenset({"count"})  # of lists and histories alone: a Fold
    hits = frozenset({"value", "first", "worst", support.SCORECARD})
    hits_left_out = frozenset(support.HITS) - hits


def _always(row: ir.ParameterRow) -> bool:
    """Whether a row gives a value to every customer on every day."""
    holds = isinstance(row.guard, ir.Const) and row.guard.value is True
    return holds and row.start == datetime.date.min and row.value is not None
