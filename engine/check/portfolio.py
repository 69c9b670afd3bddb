"""Checks the values of a policy over all customers that a run decides (`portfolio`).

They read customers as expectations of a test file do (`engine.check.customers`), and nothing else of the policy: what a
customer has is known when it is decided. Rules may not read them, since no customer's decision hangs on others.
"""
from __future__ import annotations

import re
from collections.abc import Mapping

from engine.check import rules
from engine.check.customers import CustomersChecker, members, row_fields, tables
from engine.check.functions import given_members
from engine.check.groups import GROUP_BY, MEMBERS, row_names
from engine.check.model import AggregateModel, Expr, GroupingModel, GroupKeyModel, PolicyModel, PortfolioModel
from engine.check.parsing import ExpressionParser
from engine.check.scope import AS_OF, Binding, Report, Scope, whole
from engine.check.typed import Typing
from engine.diagnostics import Label
from engine.semantics import dtypes as dt
from engine.semantics.customers import CUSTOMERS, PORTFOLIO, REFUSED, STATUS, WORDS
from engine.semantics.dtypes import Type
from engine.semantics.folds import STREAKS
from engine.source.declare import AggregateSpec, GroupingSpec, Named
from engine.source.nodes import Scalar
from engine.syntax import ast
from engine.syntax.vocabulary import Vocabulary

#: The variable of the customer that an expression about one is over; no expression can write it.
ONE = "~customer"
STATES = ("decided", "open")
#: What a customer's row says of how it was decided, beside its inputs and outcomes, with the values of these.
_ABOUT = {STATUS: Type(dt.STRING, values=STATES)}
_NAMES = re.compile(r"[\w .]+")
_WAY = "give one number, text, date or truth value of all customers, as in `sum(customers.limit)`"


def row_of(model: PolicyModel) -> Type:
    """The row of a decided customer: inputs, features, outcomes, what used policies decide, and `status`, `_status`
    where the policy has a name of its own like it."""
    outcomes: list[tuple[tuple[str, ...], Type]] = [
        ((d.name,), d.type) for d in model.decisions if d.type.kind != dt.RELATION
    ]
    for use in model.uses:
        if use.each is None:
            kinds = {d.name: d.type for d in use.policy.decisions}
            outcomes.extend(((use.name, name), kinds[name]) for name in use.policy.declared if name in kinds)
    fields = row_fields(((i.name, i.type) for i in model.inputs), outcomes)
    for name, kind in _ABOUT.items():
        fields[name if name not in fields else f"_{name}"] = kind
    return Type(dt.CONTEXT, fields=tuple(fields.items()))


def read_portfolio(model: PolicyModel, report: Report) -> PortfolioModel | None:
    """The values over customers of a checked policy, None where it has none; faults are reported."""
    if not model.file.portfolio:
        return None
    if model.file.application_date is not None:
        node = model.file.root.key("portfolio")
        report.at(
            "E0315", "a policy whose version hangs on each customer's `application date` has no values over customers",
            node.span if node is not None else None,
            "leave `portfolio` out: customers of other versions have other outcomes",
        )
        return None
    return _Reader(model, report).read()


class _Reader:
    def __init__(self, model: PolicyModel, report: Report) -> None:
        self.model = model
        self.report = report
        self.row = row_of(model)
        self.names = [name for name, _ in self.row.fields or ()]
        functions = model.functions
        inner = [*self.names, *members(self.row), *MEMBERS, "amount", *given_members(functions)]
        names = [*self.names, *(f.name for f in functions), *WORDS, GROUP_BY, *STREAKS, "as of", "item"]
        self.parser = ExpressionParser(report, Vocabulary(names, inner))
        self.checker = CustomersChecker(
            report, Typing(), model.file.currency, functions, frozenset(self.names),
            frozenset(p.name for p in model.parameters), settled=True,
        )
        self.reads: set[str] = set()

    def read(self) -> PortfolioModel:
        self._names()
        found: list[AggregateModel | GroupingModel] = []
        for spec in self.model.file.portfolio:
            read = self._aggregate(spec) if isinstance(spec, AggregateSpec) else self._grouping(spec)
            if read is not None:
                found.append(read)
        return PortfolioModel(tuple(found), frozenset(self.reads))

    def _names(self) -> None:
        """A value's name is no other's: it stands beside the outcomes in what a run tells."""
        file = self.model.file
        taken: dict[str, Named] = {
            n.name: n for n in (*file.inputs, *file.parameters, *file.histories, *file.uses, *file.decisions)
        }
        for spec in file.portfolio:
            self._once(spec, taken)
            if isinstance(spec, GroupingSpec):
                inner: dict[str, Named] = {}
                for value in spec.values:
                    self._once(value, inner)

    def _once(self, named: Named, taken: dict[str, Named]) -> None:
        if named.name in WORDS:
            self.report.at("E0201", f"`{named.name}` is a word of the language", named.key.span, "choose another name")
        before = taken.setdefault(named.name, named)
        if before is not named:
            self.report.at(
                "E0201", f"the name `{named.name}` is declared twice", named.key.span, "rename one of the two",
                (Label(before.key.span, "first declared here"),),
            )

    def _aggregate(self, spec: AggregateSpec) -> AggregateModel | None:
        every = {CUSTOMERS: self.row, PORTFOLIO: self.row, REFUSED: Type(dt.CONTEXT, fields=())}
        found = self._typed(self.parser.scalar(spec.value), tables(every))
        if found is None:
            return None
        expr, kind, typing = found
        if kind.kind in (dt.LIST, dt.RELATION, dt.CONTEXT, dt.NULL):
            self.report.on("E0315", f"a portfolio value is one value, this is {rules.describe(kind)}", expr.place,
                           expr.node, _WAY)
            return None
        return AggregateModel(spec.name, expr, kind, typing, spec.description)

    def _grouping(self, spec: GroupingSpec) -> GroupingModel | None:
        keys = [self._key(node) for node in spec.by]
        values = [self._aggregate(value) for value in spec.values]
        by = tuple(key for key in keys if key is not None)
        columns: dict[str, GroupKeyModel] = {}
        for key in by:
            place = key.value.place
            if columns.setdefault(key.name, key) is not key:
                self.report.on("E0201", f"`{key.name}` stands twice in `by`", place, key.value.node, "leave one out")
        for value in spec.values:
            if value.name in columns:
                self.report.at("E0201", f"the value `{value.name}` is called like a column of `by`", value.key.span,
                               "rename the value")
        found = tuple(value for value in values if value is not None)
        return GroupingModel(spec.name, by, found, spec.description, spec.key.span)

    def _key(self, node: Scalar) -> GroupKeyModel | None:
        # A name in `[region, tier]` is what it seems; anything else must be quoted there.
        expr = self.parser.slice(whole(node)) if _NAMES.fullmatch(node.text) else self.parser.scalar(node)
        if expr is not None and isinstance(expr.node, ast.Name) and expr.node.name in (CUSTOMERS, PORTFOLIO, REFUSED):
            self.report.on("E0315", f"`{expr.node.name}` is no value of one customer", expr.place, expr.node,
                           "name an input or outcome, as in `by: region`")
            return None
        names = {n: b for n, b in row_names(ONE, self.row.replace(relation=CUSTOMERS)).items() if n != "item"}
        found = self._typed(expr, names)
        if found is None:
            return None
        expr, kind, typing = found
        if kind.kind != dt.ANY and not dt.groups(kind) or kind.kind == dt.NULL:
            message = f"customers are not grouped by {rules.describe(kind)}"
            way = "group by a text, a date, a whole number, or by true and false"
            if kind.kind in dt.NUMERIC:
                message += " that may have a fraction" if kind.kind == dt.NUMBER else ""
                way = f'cut it into bands, as in `if {_written(expr)} < 500 then "low" else "high"`'
            self.report.on("E0315", message, expr.place, expr.node, way)
            return None
        return GroupKeyModel(_written(expr), expr, kind, typing)

    def _typed(self, expr: Expr | None, names: Mapping[str, Binding]) -> tuple[Expr, Type, Typing] | None:
        if expr is None:
            return None
        typing = self.checker.typing = Typing()
        before = len(self.report.diagnostics)
        scope = Scope({**names, "as of": Binding(AS_OF, "as of", Type(dt.DATE))})
        kind = self.checker.check(expr.node, scope, expr.place)
        self.reads |= self._read(typing)
        if any(d.is_error for d in self.report.diagnostics[before:]):
            return None
        return expr, kind, typing

    def _read(self, typing: Typing) -> set[str]:
        """The names of a customer that an expression reads: bare ones, and behind a row."""
        return {n.name for n in typing.nodes if isinstance(n, (ast.Name, ast.Path))} & set(self.names)


def _written(expr: Expr) -> str:
    """An expression on one line."""
    return " ".join(expr.place.text.split())

