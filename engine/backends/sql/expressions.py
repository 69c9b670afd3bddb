"""Scalar expression nodes as SQL trees.

SQL's own AND, OR and NOT are the language's three-valued ones, and every other operator
gives NULL for a NULL operand. Numbers are DOUBLE, durations whole numbers of microseconds or
of months.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from sqlglot import exp

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql.rounding import MAX_SCALE, MODES, rounded
from engine.backends.sql.stages import Sql, Stages, binary, case, operand
from engine.backends.support import DATES, DAYS, MONTHS, NUMBERS, TEXTS, Form, Gap
from engine.check import rules
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.values import MAX_TEXT, YearsMonths

TYPES = {
    dt.NUMBER: "DOUBLE", dt.MONEY: "DOUBLE", dt.STRING: "TEXT", dt.BOOLEAN: "BOOLEAN", dt.DATE: "DATE",
    dt.DAYS_DURATION: "BIGINT", dt.MONTHS_DURATION: "INTEGER",
}
#: Microseconds of a day.
DAY = 86_400_000_000
#: Durations that a constant may have, so that no date or sum of them leaves its SQL type.
MOST_DAYS, MOST_MONTHS = 4_000_000, 120_000
COMPARISONS: dict[str, type[exp.Binary]] = {
    "=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}
ARITHMETIC: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


class SqlExpressions(support.Compiler):
    """Compiles the expressions of one program. `variables` maps what a node reads to its column."""

    backend = "sql"
    title = "the SQL backend"

    def __init__(self, stages: Stages, program: ir.Program) -> None:
        self.stages = stages
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
        if isinstance(value, datetime.timedelta) and abs(value.days) <= MOST_DAYS:
            return st.whole(value // datetime.timedelta(microseconds=1))
        if isinstance(value, YearsMonths) and abs(value.total) <= MOST_MONTHS:
            return st.whole(value.total)
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
        raise Gap(at, "constants of this kind")

    def as_of_date(self, node: ir.AsOf) -> Sql:
        return self.as_of

    def variable(self, node: ir.Input | ir.Ref | ir.Local) -> Sql:
        return self.variables[(type(node).__name__, node.name)]

    def field(self, node: ir.Field) -> Sql:
        """One output of a decision that has several."""
        if not isinstance(node.base, ir.Ref):
            raise Gap(node.at, "fields of contexts and of rows")
        return self.variables[("Ref", f"{node.base.name}.{node.name}")]

    def parameter(self, node: ir.Parameter) -> Sql:
        """The row that wins: of those begun and not false, the fewest wildcards, then the latest start."""
        key = ("Parameter", node.name)
        if key in self.variables:
            return self.variables[key]
        whens: list[tuple[exp.Expr, exp.Expr]] = []
        level = self.as_of.level
        rows = self.parameters[node.name].rows
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
        left, right = self.compile(node.left), self.compile(node.right)
        kinds = {node.left.type.kind, node.right.type.kind} - {dt.NULL}
        if not kinds <= set(TYPES):
            raise Gap(node.at, f"comparisons of {' and '.join(sorted(kinds))}")
        if node.mode == "tolerant":
            return self.tolerant(node, left, right)
        tree = binary(COMPARISONS[node.op], left.tree.copy(), right.tree.copy())
        return self.joined(tree, [left, right])

    def tolerant(self, node: ir.Compare, left: Sql, right: Sql) -> Sql:
        """The formula of `semantics.number.compare`; a NULL operand makes the difference NULL."""
        left, right = self.stages.named(left), self.stages.named(right)
        sides = [exp.Abs(this=s.tree.copy()) for s in (left, right)]
        size = case([(exp.GTE(this=sides[0].copy(), expression=sides[1].copy()), sides[0])], sides[1])
        scaled = self.stages.named(self.joined(binary(exp.Mul, st.number(1e-12), size), [left, right]))
        least = st.number(node.floor)
        tol = case([(exp.GTE(this=scaled.tree.copy(), expression=least.copy()), scaled.tree.copy())], least)
        tolerance = self.stages.named(scaled.replace(tree=tol))
        gap = self.stages.named(self.joined(binary(exp.Sub, left.tree.copy(), right.tree.copy()), [left, right]))
        within = exp.LTE(this=gap.tree.copy(), expression=tolerance.tree.copy())
        above = exp.GTE(this=gap.tree.copy(), expression=exp.Paren(this=exp.Neg(this=tolerance.tree.copy())))
        trees: dict[str, exp.Expr] = {
            "<=": within, ">=": above, ">": st.negated(within), "<": st.negated(above),
            "=": st.all_of([within.copy(), above.copy()]),
            "!=": st.negated(st.all_of([within.copy(), above.copy()])),
        }
        return self.joined(trees[node.op], [tolerance, gap])

    # --- operations -----------------------------------------------------------------------

    def call(self, node: ir.Call) -> Sql:
        form = self.form(node)
        value: Sql = form.emit(self, node, [self.compile(a) for a in node.args])
        return value

    def joined(self, tree: exp.Expr, parts: Sequence[Sql], nullable: bool = False) -> Sql:
        return Sql(tree, max((p.level for p in parts), default=0), nullable or any(p.nullable for p in parts))

    def only_finite(self, value: Sql) -> Sql:
        """NULL for what is not finite."""
        value = self.stages.named(value)
        return value.replace(tree=case([(st.finite(value.tree.copy()), value.tree.copy())]), nullable=True)

    def arithmetic(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        value = self.joined(binary(ARITHMETIC[node.op], args[0].tree.copy(), args[1].tree.copy()), args)
        low, high = rules.bounds(node.op, node.args[0].type, node.args[1].type)
        return value if float("-inf") < low and high < float("inf") else self.only_finite(value)

    def division(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        low, high = rules.bounds("/", node.args[0].type, node.args[1].type)
        if rules.excludes_zero(node.args[1].type) and float("-inf") < low and high < float("inf"):
            return self.joined(binary(exp.Div, args[0].tree.copy(), args[1].tree.copy()), args)
        by = self.stages.named(args[1])
        divisor = exp.Nullif(this=by.tree.copy(), expression=st.number(0))
        return self.only_finite(self.joined(binary(exp.Div, args[0].tree.copy(), divisor), [args[0], by], True))

    def minus(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        return self.joined(exp.Neg(this=operand(args[0].tree.copy())), args)

    def magnitude(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        return self.joined(exp.Abs(this=args[0].tree.copy()), args)

    def extreme(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        """The least or greatest, NULL where any is (SQL's LEAST skips NULL)."""
        first, then = (exp.LTE, exp.GT) if node.op == "min" else (exp.GTE, exp.LT)
        best = self.stages.named(args[0])
        for arg in args[1:]:
            other = self.stages.named(arg)
            whens = [
                (first(this=best.tree.copy(), expression=other.tree.copy()), best.tree.copy()),
                (then(this=best.tree.copy(), expression=other.tree.copy()), other.tree.copy()),
            ]
            best = self.stages.named(self.joined(case(whens), [best, other]))
        return best

    def rounding(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        scale = node.args[1] if len(args) > 1 else None
        least = node.args[2] if len(args) > 2 else None
        places = scale.value if isinstance(scale, ir.Const) else 0 if scale is None else None
        if not isinstance(places, int) or not 0 <= places <= MAX_SCALE:
            raise Gap(node.at, f"`{node.op}` to a scale that is computed, negative or beyond {MAX_SCALE}")
        floor = least.value if isinstance(least, ir.Const) else 1e-12
        assert isinstance(floor, float)
        return rounded(self.stages, node.op, args[0], places, floor)

    def concatenation(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        """Two texts; NULL beyond the length that a text may have."""
        left, right = (self.stages.named(a) for a in args)
        length = binary(exp.Add, exp.Length(this=left.tree.copy()), exp.Length(this=right.tree.copy()))
        test = exp.LTE(this=length, expression=st.whole(MAX_TEXT))
        return self.joined(case([(test, binary(exp.DPipe, left.tree.copy(), right.tree.copy()))]), [left, right], True)

    def length(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        return self.joined(exp.cast(exp.Length(this=args[0].tree.copy()), "DOUBLE"), args)

    def found(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        kind = {"contains": exp.Contains, "starts with": exp.StartsWith, "ends with": exp.EndsWith}[node.op]
        return self.joined(kind(this=args[0].tree.copy(), expression=args[1].tree.copy()), args)

    def part(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        """`substring` by constant whole positions."""
        numbers = [a.value if isinstance(a, ir.Const) else None for a in node.args[1:]]
        if not all(isinstance(n, int) and abs(n) <= MAX_TEXT for n in numbers):
            raise Gap(node.at, "`substring` by positions that are computed or no whole numbers")
        start, count = numbers[0], numbers[1] if len(numbers) > 1 else None
        assert isinstance(start, int)
        if start == 0 or (isinstance(count, int) and count < 0):
            return Sql(exp.null(), 0, True)
        text = self.stages.named(args[0])
        length = exp.Length(this=text.tree.copy())
        least = start - 1 if start > 0 else -start
        first = st.whole(start) if start > 0 else binary(exp.Add, length.copy(), st.whole(start + 1))
        most = st.whole(count) if isinstance(count, int) else None
        cut = exp.Substring(this=text.tree.copy(), start=first, length=most)
        test = exp.GTE(this=length, expression=st.whole(least))
        return self.joined(case([(test, cut)]), [text], True)

    def date_part(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        unit = exp.var(node.op.removeprefix(".").upper())
        return self.joined(exp.cast(exp.Extract(this=unit, expression=args[0].tree.copy()), "DOUBLE"), args)

    def days_between(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        days = exp.DateDiff(this=args[0].tree.copy(), expression=args[1].tree.copy(), unit=exp.var("DAY"))
        return self.joined(binary(exp.Mul, days, st.whole(DAY)), args)

    def whole_days(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        """The days of a duration, toward zero."""
        value = self.stages.named(args[0])
        size = exp.IntDiv(this=exp.Abs(this=value.tree.copy()), expression=st.whole(DAY))
        tree = binary(exp.Mul, exp.Sign(this=value.tree.copy()), exp.Paren(this=size))
        return self.joined(exp.cast(tree, "DOUBLE"), [value])

    def moved(self, node: ir.Call, args: Sequence[Sql]) -> Sql:
        """A date some days or months on; NULL outside years 1 to 9999."""
        kinds = [a.type.kind for a in node.args]
        date, span = args if kinds[0] == dt.DATE else (args[1], args[0])
        if node.op == "-":
            span = span.replace(tree=exp.Neg(this=operand(span.tree.copy())))
        amount = self.stages.named(span)
        if dt.MONTHS_DURATION in kinds:
            by: exp.Expr = exp.Anonymous(this="TO_MONTHS", expressions=[exp.cast(amount.tree.copy(), "INTEGER")])
        else:
            by = exp.cast(_floor_days(amount.tree), "INTEGER")
        moved = exp.cast(binary(exp.Add, date.tree.copy(), by), "DATE")
        value = self.stages.named(self.joined(moved, [date, amount]))
        ends = [self.literal(d, node.at) for d in (datetime.date.min, datetime.date.max)]
        test = exp.Between(this=value.tree.copy(), low=ends[0], high=ends[1])
        return self.joined(case([(test, value.tree.copy())]), [value], True)

    nodes: ClassVar[Mapping[type[ir.Node], Callable[[Any, Any], Any]]] = {
        ir.Const: const, ir.Input: variable, ir.Parameter: parameter, ir.AsOf: as_of_date, ir.Ref: variable,
        ir.Local: variable, ir.Let: let, ir.Call: call, ir.Compare: comparison, ir.And: conjunction,
        ir.Or: conjunction, ir.Not: negation, ir.IsNull: null_test, ir.Cond: condition, ir.Field: field,
    }
    nodes_left_out = frozenset({
        ir.Record, ir.List, ir.Relation, ir.Filter, ir.Map, ir.Fold, ir.Group, ir.Lookup, ir.Opaque,
        *support.DYNAMIC,
    })
    operations: ClassVar[Mapping[str, tuple[Form, ...]]] = {
        "+": (
            Form((NUMBERS, NUMBERS), arithmetic), Form((TEXTS, TEXTS), concatenation), Form((DATES, DAYS), moved),
            Form((DAYS, DATES), moved), Form((DATES, MONTHS), moved), Form((MONTHS, DATES), moved),
        ),
        "-": (
            Form((NUMBERS, NUMBERS), arithmetic), Form((DATES, DATES), days_between), Form((DATES, DAYS), moved),
            Form((DATES, MONTHS), moved),
        ),
        "*": (Form((NUMBERS, NUMBERS), arithmetic),),
        "/": (Form((NUMBERS, NUMBERS), division),),
        "neg": (Form((NUMBERS,), minus), Form((DAYS,), minus), Form((MONTHS,), minus)),
        "abs": (Form((NUMBERS,), magnitude), Form((DAYS,), magnitude), Form((MONTHS,), magnitude)),
        **dict.fromkeys(("min", "max"), (Form((NUMBERS | DATES | TEXTS,) * 2, extreme, more=True),)),
        **dict.fromkeys(
            MODES, (Form((NUMBERS,), rounding), Form((NUMBERS, NUMBERS), rounding), Form((NUMBERS,) * 3, rounding))
        ),
        "string length": (Form((TEXTS,), length),),
        "substring": (Form((TEXTS, NUMBERS), part), Form((TEXTS, NUMBERS, NUMBERS), part)),
        **dict.fromkeys(("contains", "starts with", "ends with"), (Form((TEXTS, TEXTS), found),)),
        **dict.fromkeys((".year", ".month", ".day"), (Form((DATES,), date_part),)),
        ".days": (Form((DAYS,), whole_days),),
    }
    operations_left_out = frozenset({"upper case", "lower case", "count"})
    hits = frozenset({"value", "first", "worst", support.SCORECARD})
    hits_left_out = frozenset(support.HITS) - hits


def _floor_days(micros: exp.Expr) -> exp.Expr:
    """Whole days at or below a duration; both divisions are of numbers that are not negative."""
    day = st.whole(DAY)
    forward = exp.IntDiv(this=micros.copy(), expression=day.copy())
    below = binary(exp.Sub, st.whole(DAY - 1), micros.copy())
    backward = exp.Neg(this=exp.Paren(this=exp.IntDiv(this=operand(below), expression=day)))
    return case([(exp.GTE(this=micros.copy(), expression=st.whole(0)), forward)], backward)
