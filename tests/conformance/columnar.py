"""`python -m tests.conformance --sql CASES...`: the cases whose types are static, as SQL in DuckDB.

A case is in the subset where its expressions check and lower as those of a policy, its names typed from
their values, and compile to SQL. What it gives is read from a column each for its scalars; a list or
context that is spelt out has one for each part. An answer that is not the expected one is compared with
the reference evaluator under a policy's rules: where both give the same, the case falls to a rule that
policies and bare FEEL do not share (null is no value to compare with), where they differ it is a fault.
"""
from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import duckdb
from sqlglot import exp

from engine.backends.reference.expressions import Evaluator
from engine.backends.sql import stages as st
from engine.backends.sql.expressions import TYPES
from engine.backends.sql.operations.contexts import NoValue, members
from engine.backends.sql.origins import Labels
from engine.backends.sql.relations import Expressions, Members
from engine.backends.sql.stages import Names, Sql, Stages, quoted, with_queries
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.ir.rewrites import settle
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS
from engine.semantics.narrow import narrowed
from tests.backends.columnar import cell, value_of
from tests.conformance import typed
from tests.conformance.model import Model
from tests.conformance.static import AS_OF, Case, Outside

#: Cases of one query.
BATCH = 100
#: A shape of columns: the number of one and its kind, a list of shapes with columns that say which are there,
#: or shapes by name.
Shape = tuple[int, str] | list[tuple[int | None, "Shape"]] | dict[str, "Shape"]


class Answer(NamedTuple):
    case: Case
    value: Any
    #: What the reference gives under a policy's rules.
    single: Any
    fault: str = ""


class Batch:
    """One query for many cases, each with inputs of its own."""

    def __init__(self) -> None:
        table = exp.Table(this=exp.to_identifier("given"))
        self.stages = Stages(Names(), "s", lambda: ([], exp.select().from_(table)))
        self.columns: list[Sql] = []
        self.given: list[tuple[str, Any]] = []
        self.cases: list[tuple[Case, Shape]] = []

    def add(self, case: Case) -> None:
        """Compile a case into the query; raises `Gap`."""
        program = ir.Program("case", "1", None, None, "tests", None, (), (), (), (), (), (), ())
        compiler = Expressions(self.stages, program, Labels(()))
        for name, (kind, value) in case.inputs.items():
            column = f"g{len(self.given)}"
            self.given.append((TYPES[kind.kind], cell(value)))
            compiler.variables[("Input", name)] = self.stages.source(quoted(column), kind.nullable)
        held = len(self.columns)
        try:
            self.cases.append((case, self.shape(compiler, settle(case.node))))
        except Gap:
            del self.columns[held:]
            raise

    def shape(self, compiler: Expressions, node: ir.Node) -> Shape:
        if node.type.kind in (dt.CONTEXT, dt.LIST) and isinstance(node, ir.Call) and any(
                a.type.kind == dt.NULL for a in node.args) and BUILTINS.get(node.op).nulls == "strict":
            return self.column(compiler.call(node)), dt.NULL
        if node.type.kind == dt.CONTEXT:
            try:
                held = members(node)
            except NoValue:
                return self.column(compiler.nothing(dt.NULL)), dt.NULL
            if held is None:
                raise Gap(node.at, "contexts as results")
            return {name: self.shape(compiler, value) for name, value in held.items()}
        if node.type.kind == dt.LIST:
            if isinstance(node, ir.List):
                return [(None, self.shape(compiler, item)) for item in node.items]
            items = compiler.spelt_out(node)
            item = node.type.item
            if items is None or item is None:
                raise Gap(node.at, "lists as results")
            return [(self.column(present), self.item(value, item)) for present, value in items]
        return self.column(compiler.compile(node)), node.type.kind

    def item(self, value: Sql | Members, kind: dt.Type) -> Shape:
        if isinstance(value, Sql):
            return self.column(value), kind.kind
        members = {name: member.kind for name, member in kind.fields or ()}
        return {name: (self.column(column), members[name]) for name, column in value.fields.items()}

    def column(self, value: Sql) -> int:
        self.columns.append(self.stages.named(value))
        return len(self.columns) - 1

    def run(self) -> list[Any]:
        """The value of each case."""
        made = self.stages.queries()
        source = exp.Table(this=exp.to_identifier(made[-1][0]))
        trees = [exp.alias_(c.tree.copy(), f"v{n}") for n, c in enumerate(self.columns)]
        text = with_queries(exp.select(*trees or [st.number(0)]).from_(source), made).sql("duckdb")
        with duckdb.connect() as connection:
            columns = [
                exp.ColumnDef(this=exp.to_identifier(f"g{n}"), kind=exp.DataType.build(kind))
                for n, (kind, _) in enumerate([*self.given, ("DOUBLE", 0)])
            ]
            table = exp.Schema(this=exp.Table(this=exp.to_identifier("given")), expressions=columns)
            connection.execute(exp.Create(this=table, kind="TABLE").sql("duckdb"))
            values = [value for _, value in self.given] + [0.0]
            connection.execute(f"INSERT INTO given VALUES ({', '.join('?' * len(values))})", values)
            row = connection.execute(text, {"as_of": AS_OF} if "$as_of" in text else None).fetchone()
        assert row is not None
        return [read(shape, row) for _, shape in self.cases]


def read(shape: Shape, row: Sequence[Any]) -> Any:
    """The value that columns hold, as FEEL has it: whole numbers are ints."""
    if isinstance(shape, dict):
        return {name: read(inner, row) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [read(inner, row) for place, inner in shape if place is None or row[place]]
    return value_of(row[shape[0]], shape[1])


class Given(Evaluator):
    """The reference under a policy's rules, over the inputs of one case."""

    def __init__(self, case: Case) -> None:
        super().__init__(AS_OF)
        self.case = case

    def input(self, name: str) -> Any:
        return self.case.inputs[name][1]


def answers(cases: Sequence[Case]) -> Iterator[Answer]:
    """Every case's value in SQL and by the reference."""
    for start in range(0, len(cases), BATCH):
        batch = Batch()
        part = cases[start:start + BATCH]
        for case in part:
            batch.add(case)
        try:
            values = batch.run()
            faults = [""] * len(values)
        except duckdb.Error:
            values, faults = _one_by_one(part)
        for (case, _), value, fault in zip(batch.cases, values, faults, strict=True):
            yield Answer(case, value, Given(case).evaluate(case.node), fault)


def _one_by_one(cases: Sequence[Case]) -> tuple[list[Any], list[str]]:
    """Each case in a query of its own, so that one that fails is named."""
    values, faults = [], []
    for case in cases:
        batch = Batch()
        batch.add(case)
        try:
            values += batch.run()
            faults.append("")
        except duckdb.Error as error:
            values.append(None)
            faults.append(str(error).splitlines()[0])
    return values, faults


def subset(cases: Sequence[dict[str, Any]]) -> tuple[list[Case], collections.Counter[str], int]:
    """The cases that compile, why others do not, and how many of these are errors of the checker where FEEL
    expects null."""
    held, outside, nulls = [], collections.Counter[str](), 0
    for case in cases:
        try:
            static = Case(case)
            if not held_by_policies(typed.read(case["expected"])):
                raise Outside("an answer that a policy does not hold")
            Batch().add(static)
        except Outside as why:
            outside[str(why)] += 1
            nulls += bool(why.codes) and case["expected"]["value"] is None
        except Gap as gap:
            outside[f"no SQL: {gap.what}"] += 1
        else:
            held.append(static)
    return held, outside, nulls


def held_by_policies(value: Any) -> bool:
    """Whether a policy can hold a value: no time zone, no year beyond 9999."""
    if isinstance(value, (list, dict)):
        return all(map(held_by_policies, value.values() if isinstance(value, dict) else value))
    return value is None or narrowed(value) is not None


def report(cases: Sequence[dict[str, Any]]) -> int:
    held, outside, nulls = subset(cases)
    right, ruled, wrong = 0, [], []
    for answer in answers(held):
        model = Model(answer.case.case)
        kind = answer.case.case["nodes"][-1].get("type_ref")
        value, single = (model.convert(v, kind) for v in (answer.value, answer.single))
        if not answer.fault and typed.same(value, answer.case.case["expected"]):
            right += 1
        elif not answer.fault and same_values(answer.value, answer.single):
            ruled.append((answer, value))
        else:
            wrong.append((answer, single))
    for why, count in outside.most_common():
        print(f"{count:5}  {why}")
    print()
    for head, found in (("BY A RULE OF POLICIES", ruled), ("WRONG", wrong)):
        for answer, other in found:
            case = answer.case.case
            print(f"{head} {case['id']}")
            print(f"    expression  {' '.join(str(case['expression']).split())[:300]}")
            print(f"    expected    {typed.shown(case['expected'])}")
            print(f"    sql         {answer.fault or typed.written(answer.value)}")
            if head == "WRONG":
                print(f"    reference   {typed.written(other)}")
    share = 100 * len(held) / len(cases)
    print(f"\nof {len(cases):,} cases {len(held):,} ({share:.1f}%) are static and compile to SQL: "
          f"{right:,} ({100 * right / max(len(held), 1):.1f}%) agree, {len(ruled)} fall to a rule of policies, "
          f"{len(wrong)} are wrong")
    print(f"of the others {nulls:,} are errors of the checker where FEEL expects null")
    return 1 if wrong else 0


def same_values(a: Any, b: Any) -> bool:
    """Whether two values are the same, numbers by their bits but for the sign of zero."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same_values, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same_values(a[n], b[n]) for n in a)
    return type(a) is type(b) and bool(a == b) if isinstance(a, bool) or isinstance(b, bool) else bool(a == b)
