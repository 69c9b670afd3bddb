"""A program as one query over a relation with a customer a row.

The relation's columns have the declared types (numbers of any SQL type); binding and reading
files are not done here. The first stage is the door: numbers become DOUBLE and what is not finite
NULL, and a row that the door refuses gives `refused` and no outcome.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.decisions import DecisionCompiler
from engine.backends.sql.expressions import TYPES, SqlExpressions
from engine.backends.sql.stages import MAX_STAGES, Sql, Stages
from engine.backends.support import Gap, Unsupported
from engine.check.rules import LIMIT
from engine.ir import nodes as ir
from engine.ir.reads import Cone, cone, decision_reads
from engine.ir.rewrites import rewritten
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.semantics.number import nudge

#: Kinds that a column of a relation may have.
COLUMNS = frozenset({dt.NUMBER, dt.MONEY, dt.STRING, dt.BOOLEAN, dt.DATE})


class Output(Record):
    """A column of the result: a decision's value, or one member of it."""

    decision: str
    member: str
    type: Type


class Query(Record):
    """The compiled program. Its columns are `keep`, then `outputs`, then whether the row was refused."""

    tree: exp.Select
    keep: tuple[str, ...]
    outputs: tuple[Output, ...]

    def sql(self, dialect: str = "duckdb", pretty: bool = False) -> str:
        """The text; the date of the decision is the named parameter `as_of`."""
        return self.tree.sql(dialect=dialect, pretty=pretty)


def compile_program(
    program: ir.Program,
    outcomes: Sequence[str] | None = None,
    relation: str = "customers",
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
) -> Query:
    """Compile a program; `outcomes` are the decisions asked for, all that are shown by default.

    `columns` names the relation's column of an input where it differs from the input's name or stated
    column; `keep` are columns of the relation to hand on. Raises `Unsupported` with every place that
    this backend lacks, the decisions that read such a place left out.
    """
    return _Compiler(rewritten(program), outcomes, columns or {}).query(relation, tuple(keep))


class _Compiler:
    def __init__(self, program: ir.Program, outcomes: Sequence[str] | None, columns: Mapping[str, str]) -> None:
        self.program = program
        self.shown = [d.name for d in program.decisions if not d.internal] if outcomes is None else list(outcomes)
        self.reach: Cone = cone(program, self.shown)
        self.columns = columns
        self.stages = Stages()
        self.expressions = SqlExpressions(self.stages, program)
        self.decisions = DecisionCompiler(self.expressions)
        self.gaps: list[Gap] = []
        self.refusing: list[Sql] = []
        self.failed: set[str] = set()

    def query(self, relation: str, keep: tuple[str, ...]) -> Query:
        for decl in self.program.inputs:
            if decl.name in self.reach.inputs:
                self.attempt(decl.name, self.input, decl)
        for decision in self.reach.decisions:
            found = decision_reads(decision)
            if not self.failed & (found.refs | found.inputs):
                self.attempt(decision.name, self.decision, decision)
            else:
                self.failed.add(decision.name)
        if len(self.stages.levels) > MAX_STAGES:
            self.gaps.append(Gap(None, f"decisions that hang on one another more than {MAX_STAGES:,} stages deep"))
        if self.gaps:
            raise Unsupported(*(g.diagnostic(self.expressions.title) for g in self.gaps))
        return self.selected(relation, keep)

    def attempt(self, name: str, compile: Callable[[Any], None], of: Any) -> None:
        try:
            compile(of)
        except Gap as gap:
            self.gaps.append(gap)
            self.failed.add(name)

    def selected(self, relation: str, keep: tuple[str, ...]) -> Query:
        refused = self.stages.named(
            Sql(st.any_of([r.tree.copy() for r in self.refusing]), max((r.level for r in self.refusing), default=0))
        )
        outputs, trees = [], []
        by_name = {d.name: d for d in self.reach.decisions}
        for name in self.shown:
            members = by_name[name].members if isinstance(by_name[name], ir.Decide) else ()  # type: ignore[union-attr]
            for member, kind in members or (("", by_name[name].type),):
                value = self.expressions.variables[("Ref", f"{name}.{member}" if member else name)].tree.copy()
                outputs.append(Output(name, member, kind))
                tree = st.case([(st.negated(refused.tree.copy()), value)]) if self.refusing else value
                trees.append((f"{name}.{member}" if member else name, tree))
        trees.append(("refused", refused.tree.copy()))
        return Query(self.stages.select(relation, keep, trees), keep, tuple(outputs))

    # --- the door -------------------------------------------------------------------------

    def input(self, decl: InputDecl) -> None:
        if decl.type.kind not in COLUMNS:
            raise Gap(None, f"columns of kind `{decl.type.kind}`, which the input `{decl.name}` is")
        if decl.on_unknown == "stop":
            raise Gap(None, f"`on unknown: stop`, which the input `{decl.name}` asks for")
        source = exp.column(exp.to_identifier(self.columns.get(decl.name, decl.column or decl.name), quoted=True))
        value = self.stages.source(source, True)
        if decl.type.kind in dt.NUMERIC:
            double = self.stages.named(value.replace(tree=exp.cast(value.tree.copy(), "DOUBLE")))
            finite = st.case([(st.finite(double.tree.copy()), double.tree.copy())])
            value = self.stages.named(double.replace(tree=finite))
            beyond = exp.GT(this=st.absolute(value.tree.copy()), expression=st.number(LIMIT))
            self.refuse(value.replace(tree=beyond))
            if decl.type.whole:
                self.refuse(value.replace(tree=st.any_of([
                    exp.NEQ(this=exp.Floor(this=value.tree.copy()), expression=value.tree.copy()),
                    exp.GT(this=st.absolute(value.tree.copy()), expression=st.number(2.0**53)),
                ])))
        if decl.type.values is not None and decl.on_unknown == "missing" and not decl.required:
            known = exp.In(this=value.tree.copy(), expressions=self.values(decl))
            value = self.stages.named(value.replace(tree=st.case([(known, value.tree.copy())])))
        self.fits(decl, value)
        self.expressions.variables[("Input", decl.name)] = value.replace(nullable=not decl.required)

    def fits(self, decl: InputDecl, value: Sql) -> None:
        """Refuse a row whose value does not satisfy a declaration."""
        if decl.required:
            self.refuse(value.replace(tree=st.is_null(value.tree.copy())))
        if decl.type.values is not None:
            known = exp.In(this=value.tree.copy(), expressions=self.values(decl))
            self.refuse(value.replace(tree=st.negated(known)))
        if decl.domain is not None:
            self.refuse(value.replace(tree=st.negated(self.holds(decl.domain, decl.type, value))))

    def values(self, decl: InputDecl) -> list[exp.Expr]:
        return [self.expressions.literal(v, None) for v in decl.type.values or ()]

    def holds(self, domain: Domain, kind: Type, value: Sql) -> exp.Expr:
        floor = 1e-4 if kind.kind == dt.MONEY else 1e-12
        inside = []
        for interval in domain.intervals:
            parts = []
            for bound, op in (
                (interval.lower, ">=" if interval.lower_closed else ">"),
                (interval.upper, "<=" if interval.upper_closed else "<"),
            ):
                if bound is None:
                    continue
                if kind.kind in dt.NUMERIC:
                    bound = nudge(op, bound, floor)
                test = {">=": exp.GTE, ">": exp.GT, "<=": exp.LTE, "<": exp.LT}[op]
                parts.append(test(this=value.tree.copy(), expression=self.expressions.literal(bound, None)))
            inside.append(st.all_of(parts))
        return st.any_of(inside)

    def refuse(self, condition: Sql) -> None:
        """The row is refused where the condition is true."""
        tree = st.case([(condition.tree, exp.true())], exp.false())
        self.refusing.append(self.stages.named(condition.replace(tree=tree, nullable=False)))

    # --- decisions ----------------------------------------------------------------------------

    def decision(self, decision: ir.Decision) -> None:
        if isinstance(decision, ir.Decide) and decision.hit not in self.expressions.hits:
            raise Gap(decision.at, f"`{decision.hit}` decisions")
        if decision.type.kind not in TYPES and not (isinstance(decision, ir.Decide) and decision.members):
            raise Gap(decision.at, f"outcomes of kind `{decision.type.kind}`")
        given, refusing = self.decisions.decision(decision)
        self.refusing.extend(refusing)
        for member, value in given.items():
            self.expressions.variables[("Ref", f"{decision.name}.{member}" if member else decision.name)] = value
        if isinstance(decision, ir.Decide) and decision.binds is not None:
            self.fits(decision.binds, given[""])
