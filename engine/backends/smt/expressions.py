"""Scalar expression nodes as solver terms: numbers are rationals, dates day numbers, durations microseconds."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import z3

from engine.backends import support
from engine.backends.smt.terms import DAY, Smt, Term, all_of, any_of, constant, exact, holds, pick, real, written
from engine.backends.support import DATES, DAYS, NUMBERS, TEXTS, Form, Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt

KINDS = frozenset({dt.NUMBER, dt.MONEY, dt.STRING, dt.BOOLEAN, dt.DATE, dt.DAYS_DURATION})
ROUNDINGS = ("floor", "ceiling", "decimal", "round up", "round down", "round half up", "round half down")
#: How far from a threshold a customer stands that is easy to believe, as a share of it and at least.
CLEAR = Fraction(1, 10**6)
MAX_SCALE = 22
_LAST_DAY = datetime.date.max.toordinal()
_OPERATORS: dict[str, Callable[[Term, Term], Term]] = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}


class SmtExpressions(support.Compiler):
    """Encodes the expressions of one program. `variables` maps what a node reads to its term.

    `clear` collects, for each comparison of numbers, that its sides are equal or well apart.
    """

    backend = "smt"
    title = "the solver"

    def __init__(self, program: ir.Program) -> None:
        self.parameters = {p.name: p for p in program.parameters}
        self.variables: dict[tuple[str, str], Smt] = {}
        self.as_of = z3.Int("as of")
        self.clear: list[Term] = []

    # --- leaves -------------------------------------------------------------------------

    def const(self, node: ir.Const) -> Smt:
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return Smt(real(exact(node)))
        return constant(node.value, node.at)

    def as_of_date(self, node: ir.AsOf) -> Smt:
        return Smt(self.as_of)

    def variable(self, node: ir.Input | ir.Ref | ir.Local) -> Smt:
        return self.variables[(type(node).__name__, node.name)]

    def field(self, node: ir.Field) -> Smt:
        if not isinstance(node.base, ir.Ref):
            raise Gap(node.at, "fields of contexts and of rows")
        return self.variables[("Ref", f"{node.base.name}.{node.name}")]

    def parameter(self, node: ir.Parameter) -> Smt:
        """The row that wins: of those begun and not false, the fewest wildcards, then the latest start."""
        key = ("Parameter", node.name)
        if key not in self.variables:
            found = constant(None, None)
            rows = self.parameters[node.name].rows
            for row in sorted(rows, key=lambda row: (row.wildcards, -row.start.toordinal()), reverse=True):
                begun = self.as_of >= row.start.toordinal()
                guard = self.compile(row.guard)
                value = pick(guard.null, constant(None, None), constant(row.value, row.at))
                found = pick(z3.And(begun, z3.Or(guard.null, guard.value)), value, found)
            self.variables[key] = found
        return self.variables[key]

    def let(self, node: ir.Let) -> Smt:
        key = ("Local", node.name)
        before = self.variables.get(key)
        self.variables[key] = self.compile(node.value)
        body: Smt = self.compile(node.body)
        if before is None:
            del self.variables[key]
        else:
            self.variables[key] = before
        return body

    # --- logic --------------------------------------------------------------------------

    def conjunction(self, node: ir.And) -> Smt:
        parts = list(map(self.compile, node.args))
        settled = any_of([z3.And(z3.Not(p.null), z3.Not(p.value)) for p in parts if p.value is not None])
        value = all_of([p.value for p in parts if p.value is not None])
        return Smt(value, z3.And(z3.Not(settled), any_of([p.null for p in parts])))

    def disjunction(self, node: ir.Or) -> Smt:
        parts = list(map(self.compile, node.args))
        settled = any_of([holds(p) for p in parts])
        value = any_of([p.value for p in parts if p.value is not None])
        return Smt(value, z3.And(z3.Not(settled), any_of([p.null for p in parts])))

    def negation(self, node: ir.Not) -> Smt:
        part = self.compile(node.arg)
        return part if part.value is None else Smt(z3.Not(part.value), part.null)

    def null_test(self, node: ir.IsNull) -> Smt:
        return Smt(self.compile(node.arg).null)

    def condition(self, node: ir.Cond) -> Smt:
        test, then, other = (self.compile(n) for n in (node.test, node.then, node.otherwise))
        if test.value is None:
            return constant(None, None)
        chosen = pick(test.value, then, other)
        return Smt(chosen.value, z3.Or(test.null, chosen.null))

    def comparison(self, node: ir.Compare) -> Smt:
        left, right = self.compile(node.left), self.compile(node.right)
        kinds = {node.left.type.kind, node.right.type.kind} - {dt.NULL}
        if not kinds <= KINDS:
            raise Gap(node.at, f"comparisons of {' and '.join(sorted(kinds))}")
        if left.value is None or right.value is None:
            return constant(None, None)
        if node.op not in ("=", "!=") and dt.STRING in kinds:
            raise Gap(node.at, f"`{node.op}` over texts")
        null = z3.Or(left.null, right.null)
        if not kinds <= dt.NUMERIC:
            return Smt(_OPERATORS[node.op](left.value, right.value), null)
        self.keep_clear(node, left, right, null)
        if node.mode == "plain":
            return Smt(_OPERATORS[node.op](left.value, right.value), null)
        return Smt(self.tolerant(node, left.value, right.value), null)

    def tolerant(self, node: ir.Compare, left: Term, right: Term) -> Term:
        """The formula of `semantics.number.compare`."""
        relative = _larger(_size(left), _size(right)) * real(Fraction(1, 10**12))
        tolerance = _larger(relative, real(Fraction(repr(node.floor))))
        within, above = left - right <= tolerance, left - right >= -tolerance
        terms = {
            "<=": within, ">=": above, ">": z3.Not(within), "<": z3.Not(above), "=": z3.And(within, above),
            "!=": z3.Not(z3.And(within, above)),
        }
        return terms[node.op]

    def keep_clear(self, node: ir.Compare, left: Smt, right: Smt, null: Term) -> None:
        gap = _size(left.value - right.value)
        if isinstance(node.right, ir.Const):
            limit = written(node.right)
            self.clear.append(z3.Or(null, gap >= real(max(CLEAR, abs(limit) * CLEAR)), left.value == real(limit)))
        else:
            apart = _larger(_size(right.value), real(Fraction(1))) * real(CLEAR)
            self.clear.append(z3.Or(null, gap >= apart, gap == 0))

    # --- operations -----------------------------------------------------------------------

    def call(self, node: ir.Call) -> Smt:
        form = self.form(node)
        args = [self.compile(a) for a in node.args]
        null = any_of([a.null for a in args])
        if any(a.value is None for a in args):
            return constant(None, None)
        found = form.emit(self, node, [a.value for a in args])
        value, undefined = found if isinstance(found, tuple) else (found, None)
        return Smt(value, null if undefined is None else z3.Or(null, undefined))

    def add(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return args[0] + args[1]

    def subtract(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return args[0] - args[1]

    def multiply(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return args[0] * args[1]

    def divide(self, node: ir.Call, args: Sequence[Term]) -> tuple[Term, Term]:
        return args[0] / args[1], args[1] == 0

    def minus(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return -args[0]

    def magnitude(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return _size(args[0])

    def extreme(self, node: ir.Call, args: Sequence[Term]) -> Term:
        best = args[0]
        for arg in args[1:]:
            best = z3.If(best <= arg if node.op == "min" else best >= arg, best, arg)
        return best

    def rounding(self, node: ir.Call, args: Sequence[Term]) -> Term:
        scale = node.args[1] if len(args) > 1 else None
        places = scale.value if isinstance(scale, ir.Const) else 0 if scale is None else None
        if not isinstance(places, int) or not 0 <= places <= MAX_SCALE:
            raise Gap(node.at, f"`{node.op}` to a scale that is computed, negative or beyond {MAX_SCALE}")
        least = node.args[2].value if len(args) > 2 and isinstance(node.args[2], ir.Const) else 1e-12
        assert isinstance(least, float)
        factor = 10**places
        floor = Fraction(repr(least))
        tolerance = floor if floor == Fraction(1, 10**12) else floor * factor
        whole = _rounded(node.op, args[0] * factor, tolerance)
        return whole if places == 0 else whole / factor

    def concatenation(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return z3.Concat(args[0], args[1])

    def length(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return z3.ToReal(z3.Length(args[0]))

    def found(self, node: ir.Call, args: Sequence[Term]) -> Term:
        if node.op == "contains":
            return z3.Contains(args[0], args[1])
        return (z3.PrefixOf if node.op == "starts with" else z3.SuffixOf)(args[1], args[0])

    def days_between(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return (args[0] - args[1]) * DAY

    def whole_days(self, node: ir.Call, args: Sequence[Term]) -> Term:
        return z3.ToReal(z3.If(args[0] >= 0, args[0] / DAY, -(-args[0] / DAY)))

    def moved(self, node: ir.Call, args: Sequence[Term]) -> tuple[Term, Term]:
        """A date some days on; null outside years 1 to 9999."""
        date, span = args if node.args[0].type.kind == dt.DATE else (args[1], args[0])
        day = date + (span if node.op == "+" else -span) / DAY
        return day, z3.Or(day < 1, day > _LAST_DAY)

    nodes: ClassVar[Mapping[type[ir.Node], Callable[[Any, Any], Any]]] = {
        ir.Const: const, ir.Input: variable, ir.Parameter: parameter, ir.AsOf: as_of_date, ir.Ref: variable,
        ir.Local: variable, ir.Let: let, ir.Call: call, ir.Compare: comparison, ir.And: conjunction,
        ir.Or: disjunction, ir.Not: negation, ir.IsNull: null_test, ir.Cond: condition, ir.Field: field,
    }
    nodes_left_out = frozenset({
        ir.Record, ir.List, ir.Relation, ir.Filter, ir.Map, ir.Fold, ir.Group, ir.Lookup,
        *support.DYNAMIC,
    })
    operations: ClassVar[Mapping[str, tuple[Form, ...]]] = {
        "+": (
            Form((NUMBERS, NUMBERS), add), Form((TEXTS, TEXTS), concatenation), Form((DATES, DAYS), moved),
            Form((DAYS, DATES), moved), Form((DAYS, DAYS), add),
        ),
        "-": (
            Form((NUMBERS, NUMBERS), subtract), Form((DATES, DATES), days_between), Form((DATES, DAYS), moved),
            Form((DAYS, DAYS), subtract),
        ),
        "*": (Form((NUMBERS, NUMBERS), multiply),),
        "/": (Form((NUMBERS, NUMBERS), divide),),
        "neg": (Form((NUMBERS,), minus), Form((DAYS,), minus)),
        "abs": (Form((NUMBERS,), magnitude), Form((DAYS,), magnitude)),
        **dict.fromkeys(("min", "max"), (Form((NUMBERS | DATES,) * 2, extreme, more=True),)),
        **dict.fromkeys(
            ROUNDINGS, (Form((NUMBERS,), rounding), Form((NUMBERS, NUMBERS), rounding), Form((NUMBERS,) * 3, rounding))
        ),
        "string length": (Form((TEXTS,), length),),
        **dict.fromkeys(("contains", "starts with", "ends with"), (Form((TEXTS, TEXTS), found),)),
        ".days": (Form((DAYS,), whole_days),),
    }
    operations_left_out = frozenset({"upper case", "lower case", "count", "substring", ".year", ".month", ".day"})
    hits = frozenset({"value", "first", "worst", support.SCORECARD})
    hits_left_out = frozenset(support.HITS) - hits


def _size(term: Term) -> Term:
    return z3.If(term >= 0, term, -term)


def _larger(a: Term, b: Term) -> Term:
    return z3.If(a >= b, a, b)


def _smaller(a: Term, b: Term) -> Term:
    return z3.If(a <= b, a, b)


def _tolerance(a: Term, b: Term, least: Fraction) -> Term:
    relative = _larger(_size(a), _size(b)) * real(Fraction(1, 10**12))
    return _smaller(_larger(relative, real(least)), real(Fraction(1, 100)))


def _floor(value: Term, least: Fraction) -> Term:
    lower = z3.ToReal(z3.ToInt(value))
    upper = lower + 1
    return z3.If(value - upper >= -_tolerance(value, upper, least), upper, lower)


def _ceiling(value: Term, least: Fraction) -> Term:
    return -_floor(-value, least)


def _rounded(op: str, value: Term, least: Fraction) -> Term:
    """See `semantics.number.round_to`."""
    size, half = _size(value), real(Fraction(1, 2))
    if op == "floor":
        return _floor(value, least)
    if op == "ceiling":
        return _ceiling(value, least)
    if op == "round up":
        return z3.If(value >= 0, _ceiling(value, least), _floor(value, least))
    if op == "round down":
        return z3.If(value >= 0, _floor(value, least), _ceiling(value, least))
    if op == "round half up":
        found = _floor(size + half, least)
    elif op == "round half down":
        found = _ceiling(size - half, least)
    else:
        lower = _floor(size, least)
        middle = lower + half
        even = z3.ToInt(lower) % 2 == 0
        near = _size(size - middle) <= _tolerance(size, middle, least)
        found = z3.If(near, z3.If(even, lower, lower + 1), z3.If(size < middle, lower, lower + 1))
    return z3.If(value >= 0, found, -found)
