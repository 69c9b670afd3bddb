"""Types a decision's arms, and says what it may not leave open."""
from __future__ import annotations

from engine.check import rules
from engine.check.arms import LIST_HITS, ArmReader
from engine.check.constants import domain_of
from engine.check.expressions import ExpressionChecker
from engine.check.facts import facts
from engine.check.model import (
    ArmModel,
    Cell,
    CharacteristicModel,
    DecisionModel,
    Expr,
    LookupModel,
    MissingModel,
    ModelModel,
    Outcome,
    Plain,
    ScoreModel,
)
from engine.check.plain import NotReadable, read
from engine.check.scope import LOCAL, Binding, Report, Scope, whole
from engine.check.typed import Typing
from engine.check.unstated import unstated
from engine.diagnostics import Label
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.domain import ALL, difference, single
from engine.semantics.dtypes import Type
from engine.semantics.lazy import Lazy
from engine.source.declare import DecisionSpec, OnMissingSpec
from engine.source.nodes import Mapping, Node, Scalar, normal
from engine.syntax import ast

#: What a text that was meant as an expression holds.
_COMPUTED = Lazy(r"\w\(|\w [-+*/] [\w(]")
SCORE = Type(dt.NUMBER)


class Draft(Record):
    """A decision read but not yet typed. `arms` or, for a scorecard, `base` and `characteristics`."""

    spec: DecisionSpec
    reader: ArmReader
    hit: str
    arms: tuple[ArmModel, ...]
    base: float
    characteristics: tuple[CharacteristicModel, ...]
    where: tuple[tuple[str, Expr], ...]


class DecisionChecker:
    """Types drafts one by one, in an order in which each reads only earlier ones."""

    def __init__(
        self, report: Report, typing: Typing, expressions: ExpressionChecker, policy_missing: OnMissingSpec | None
    ) -> None:
        self.report = report
        self.typing = typing
        self.expressions = expressions
        self.policy_missing = policy_missing

    def decide(self, draft: Draft, scope: Scope) -> DecisionModel | ScoreModel:
        """The typed decision; its findings go to the report."""
        # each local has no type until its turn: only in a circle, which was reported, is one read before, and one that
        # could not be read has none at all
        local = scope
        if draft.spec.where:
            local = scope.inner({name: Binding(LOCAL, name, Type(dt.ANY)) for name, _, _ in draft.spec.where})
        for name, expr in draft.where:
            kind = self.expressions.check(expr.node, local, expr.place)
            local = local.inner({name: Binding(LOCAL, name, kind)})
        if draft.spec.form == "scorecard":
            return self._score(draft, local)
        return self._arms(draft, local)

    # --- arms ----------------------------------------------------------------------------

    def _arms(self, draft: Draft, scope: Scope) -> DecisionModel:
        spec, results = draft.spec, draft.reader.results
        undetermined: list[ArmModel] = []
        for arm in draft.arms:
            if self._guard(arm, scope):
                undetermined.append(arm)
        outcome, members, null_results = self._outcomes(draft, scope)
        missing = self._on_missing(draft, outcome, members, bool(undetermined or null_results))
        stated = spec.on_missing is not None or self.policy_missing is not None
        if not stated:
            unstated(self.report, self.expressions, spec.name, undetermined, [value for _, value in null_results])
        if missing.action == "then":
            outcome, members = _with_given(outcome, members, missing.outcome)
        kind = self._decision_type(draft, outcome, members, bool(undetermined), bool(null_results), missing)
        if draft.hit == "worst" and (kind.values is None or kind.order is None):
            self.report.at(
                "E0502", f"`{spec.name}` needs ordered `values` for `worst`", spec.form_key.span,
                "list them and add `order: best first`",
            )
        if draft.hit in ("priority", "output order") and (results.single.values is None or results.members):
            message = f"`{draft.hit}` needs `values`, whose order is the priority"
            self.report.at("E0502", message, spec.form_key.span, "list the values")
        self._otherwise_last(draft)
        return DecisionModel(
            spec.name, spec.family, draft.hit, kind, members, draft.where, draft.arms, missing, whole(spec.key),
            _doc(spec), spec.form,
        )

    def _guard(self, arm: ArmModel, scope: Scope) -> bool:
        """Type an arm's conditions; whether they can be null."""
        if arm.guard is not None:
            kind = self.expressions.check(arm.guard.node, scope, arm.guard.place)
            if kind.kind not in (dt.BOOLEAN, dt.ANY):
                self.report.on(
                    "E0307", f"a condition must be true or false, this is {rules.describe(kind)}", arm.guard.place,
                    arm.guard.node, "compare it with something, as in `... > 0` or `... != null`",
                )
            return kind.nullable
        nullable = [self.cell(cell, scope) for cell in arm.cells]
        return any(nullable)

    def cell(self, cell: Cell, scope: Scope) -> bool:
        """Type a cell against its column; whether it can be null."""
        column = self.expressions.check(cell.column.node, scope, cell.column.place)
        operand = column.optional(False) if cell.takes_null else column
        nullable = self.expressions.check_tests(cell.tests, operand, scope, cell.place)
        return nullable

    def _outcomes(
        self, draft: Draft, scope: Scope
    ) -> tuple[Type, tuple[tuple[str, Type], ...], list[tuple[ArmModel, Outcome]]]:
        """The types of what the arms give: a single type or members, and the results that can be null."""
        results = draft.reader.results
        found: dict[str, Type] = {}
        firsts: dict[str, Outcome] = {}
        nulls: list[tuple[ArmModel, Outcome]] = []
        for arm in draft.arms:
            here = scope
            if arm.guard is not None:
                here = scope.knowing(facts(arm.guard.node, True))
            for member, value in arm.outcome:
                wanted = dict(results.members).get(member, results.single)
                kind = self._result(draft, value, wanted, here, results.stated)
                if not isinstance(value, Plain) and kind.nullable:
                    nulls.append((arm, value))
                counted = draft.hit == "collect count"  # what is counted may be of any kind
                joined = rules.join(found[member], kind) if member in found and not counted else kind
                if joined is None:
                    place = value.place
                    self.report.at(
                        "E0309",
                        f"this outcome is {rules.describe(kind)}, an earlier one {rules.describe(found[member])}",
                        place.locate(0, len(place.text)),
                        _types_help(firsts[member], value),
                        (Label(firsts[member].place.locate(0, len(firsts[member].place.text)), "the earlier one"),),
                    )
                else:
                    found[member] = joined
                    firsts.setdefault(member, value)
        declared = results.members
        if declared:
            members = tuple(
                (n, _refined(t, found[n]).optional(found[n].nullable) if n in found else t.optional())
                for n, t in declared
            )
        elif set(found) - {""}:
            members = tuple((n, t) for n, t in found.items())
        else:
            members = ()
        if results.stated and not members:
            single = results.single.optional(any(t.nullable for t in found.values()))
            if "" in found:
                single = _refined(single, found[""])
        else:
            faulty = not draft.arms and draft.spec.form in ("value", "lookup", "model")
            single = found.get("", Type(dt.ANY) if faulty else results.single)
            if single.kind == dt.STRING and draft.spec.form != "value":
                single = Type(dt.STRING, single.nullable)
        return single, members, nulls

    def _result(
        self, draft: Draft, value: Outcome, wanted: Type, scope: Scope, stated: bool
    ) -> Type:
        if isinstance(value, Plain):
            return value.type
        if isinstance(value, LookupModel):
            return self._lookup(value, scope)
        if isinstance(value, ModelModel):
            return self._model(value, scope)
        kind = self.expressions.check(value.node, scope, value.place)
        if not stated or kind.kind == dt.ANY:
            return kind
        if wanted.kind == dt.MONEY and kind.kind == dt.NUMBER and self.expressions.as_money(value.node):
            kind = self.typing.type_of(value.node)
        if not rules.fits(kind, wanted):
            if wanted.values is not None and kind.kind == dt.STRING and kind.values is not None:
                extra = [v for v in kind.values if v not in wanted.values]
                self.report.on(
                    "E0303", f'"{extra[0]}" is not one of the values of `{draft.spec.name}`', value.place,
                    _literal(value.node, extra[0]),
                    "the values are " + ", ".join(f'"{v}"' for v in wanted.values[:12]),
                )
            else:
                money = {kind.kind, wanted.kind} == {dt.MONEY, dt.NUMBER}
                self.report.on(
                    "E0305" if money else "E0308",
                    f"`{draft.spec.name}` is declared as {rules.describe(wanted)}, this is {rules.describe(kind)}",
                    value.place, value.node,
                    (
                        "write `.amount` behind the money"
                        if kind.kind == dt.MONEY
                        else "state `type: number`, or compute with money"
                    )
                    if money else "change the expression or the declared type",
                )
        return kind

    def _lookup(self, lookup: LookupModel, scope: Scope) -> Type:
        """A lookup is null where no row has the key, and where a key is null."""
        columns = dict(lookup.table.columns)
        for name, expr in zip(lookup.table.keys, lookup.keys, strict=True):
            kind = self.expressions.check(expr.node, scope, expr.place)
            if kind.kind != dt.ANY and not rules.fits(kind.replace(values=None), columns[name].replace(values=None)):
                self.report.on(
                    "E0308",
                    f"the column `{name}` holds {rules.describe(columns[name])}, this is {rules.describe(kind)}",
                    expr.place, expr.node, "look up by a value of the column's type",
                )
        return columns[lookup.column].optional()

    def _model(self, model: ModelModel, scope: Scope) -> Type:
        """A scorer may always give no answer."""
        for name, expr in model.args:
            kind = self.expressions.check(expr.node, scope, expr.place)
            if kind.kind not in (*dt.NUMERIC, dt.STRING, dt.BOOLEAN, dt.DATE, dt.DATE_TIME, dt.ANY):
                self.report.on(
                    "E0308",
                    f"a model takes numbers, texts, truth values and dates; `{name}` is {rules.describe(kind)}",
                    expr.place, expr.node, "give it one value, such as a member or a count",
                )
        return model.type

    def _decision_type(
        self, draft: Draft, outcome: Type, members: tuple[tuple[str, Type], ...], undetermined: bool, null_result: bool,
        missing: MissingModel,
    ) -> Type:
        """The type that readers of the decision see, null included where it can be."""
        closed = missing.action == "then" or (
            missing.action == "refer" and not members and "refer" in (outcome.values or ())
        )
        total = draft.hit == "value" or any(a.otherwise for a in draft.arms) or any(_always(a) for a in draft.arms)
        if draft.hit in ("unique", "any"):
            total = False
        if draft.hit in LIST_HITS:
            item = Type(dt.CONTEXT, fields=tuple((n, t.optional()) for n, t in members)) if members else outcome
            return dt.list_of(item)
        if draft.hit in ("collect sum", "collect count"):
            return Type(outcome.kind, undetermined and missing.action != "skip" and missing.action != "then")
        nullable = outcome.nullable or not total or (undetermined and not closed and missing.action != "skip")
        if null_result and draft.hit != "value":
            nullable = True
        if members:
            fields = tuple((n, t.optional(t.nullable or nullable)) for n, t in members)
            return Type(dt.CONTEXT, False, fields=fields)
        return outcome.optional(nullable)

    def _otherwise_last(self, draft: Draft) -> None:
        """`otherwise` is the last rule; that one is there at all where rules leave a gap is for the analyses to see."""
        if draft.hit not in ("first", "worst") or not draft.arms or draft.spec.form == "table":
            return
        if any(a.otherwise for a in draft.arms):
            last = draft.arms[-1]
            if not last.otherwise:
                at = next(a for a in draft.arms if a.otherwise)
                self.report.at(
                    "E0510" if draft.hit == "first" else "W0510", "rules stand behind `otherwise`",
                    at.place.locate(0, len(at.place.text)), "move `otherwise` to the end",
                )

    # --- on missing -----------------------------------------------------------------------------

    def _on_missing(
        self, draft: Draft, outcome: Type, members: tuple[tuple[str, Type], ...], can_open: bool
    ) -> MissingModel:
        """The action of an open decision. A policy-wide `then` need not fit decisions that are never open."""
        spec = draft.spec.on_missing or self.policy_missing
        if spec is None or (spec is self.policy_missing and not can_open):
            return MissingModel("refer", None)
        if spec.action != "then":
            return MissingModel(spec.action, None)
        own = draft.spec.on_missing is not None
        item = outcome if draft.reader.results.stated else outcome.replace(values=None)
        if draft.hit == "collect count":
            item = Type(dt.NUMBER)
        return MissingModel("then", self._then(spec.outcome, item, members, draft.spec.name, own))

    def _then(
        self, node: Node | None, kind: Type, members: tuple[tuple[str, Type], ...], name: str, own: bool
    ) -> object:
        """The stated outcome of an open decision, typed as an outcome of it."""
        if members:
            given = {normal(k.text): v for k, v in node.entries} if isinstance(node, Mapping) else {}
            if not isinstance(node, Mapping):
                shown = ", ".join(f"{n}: ..." for n, _ in members)
                help = f"write `{{then: {{{shown}}}}}`"
                self._then_misfit(node, f"`{name}` has several outputs, so `then` gives each", own, help)
            values: dict[str, object] = {}
            for member, member_type in members:
                value = given.get(member)
                values[member] = self._plain(value, member_type, name, own) if isinstance(value, Scalar) else None
            return values
        if not isinstance(node, Scalar):
            self._then_misfit(node, f"`{name}` has one output, so `then` gives one value", own)
            return None
        return self._plain(node, kind, name, own)

    def _plain(self, node: Scalar, kind: Type, name: str, own: bool) -> object:
        try:
            value = read(node.text, kind)
        except NotReadable as why:
            self._then_misfit(node, f"{why.message}, which `{name}` needs", own)
            return None
        if kind.values is not None and value not in kind.values:
            self._then_misfit(node, f"`{value}` is not one of the values of `{name}`", own)
            return None
        return value

    def _then_misfit(
        self, node: Node | None, message: str, own: bool, way: str = "state a value of the decision"
    ) -> None:
        help = way if own else "give the decision an `on missing` of its own"
        self.report.at("E0503", message, node.span if node is not None else None, help)

    # --- scorecards -------------------------------------------------------------------------------

    def _score(self, draft: Draft, scope: Scope) -> ScoreModel:
        spec = draft.spec
        can_open = gaps = False
        for characteristic in draft.characteristics:
            expr = characteristic.value
            kind = self.expressions.check(expr.node, scope, expr.place)
            for each in characteristic.bins:
                if each.tests is not None:
                    self.expressions.check_tests(each.tests, kind.optional(False), scope, each.place)
            gaps = gaps or not _covers(characteristic, kind)
            if kind.nullable and all(b.tests is not None for b in characteristic.bins):
                can_open = True
                if spec.on_missing is None and self.policy_missing is None:
                    self.report.on(
                        "E0401", f"`{characteristic.label}` can be null and has no `null` bin", expr.place, expr.node,
                        "add a bin `null`, or state `on missing` for the decision or the policy",
                    )
        missing_spec = spec.on_missing or self.policy_missing
        if missing_spec is not None and missing_spec.action == "skip" and can_open:
            self.report.at(
                "E0405", f"the scorecard `{spec.name}` may not skip what is missing", spec.form_key.span,
                "add a `null` bin to each characteristic that can be missing, or state another `on missing`",
            )
        missing = MissingModel("refer", None)
        if missing_spec is not None and missing_spec.action != "skip":
            outcome = (
                self._then(missing_spec.outcome, SCORE, (), spec.name, spec.on_missing is not None)
                if missing_spec.action == "then" and can_open
                else None
            )
            missing = MissingModel(missing_spec.action, outcome)
        nullable = gaps or (can_open and missing.action != "then")
        return ScoreModel(
            spec.name, spec.family, _points_type(draft, missing).optional(nullable), draft.base, draft.where,
            draft.characteristics, missing,
            whole(spec.key), _doc(spec),
        )


def _literal(node: ast.Node, text: str) -> ast.Node:
    """The literal under `node` that gives a text, `node` itself where there is none."""
    stack = [node]
    while stack:
        found = stack.pop()
        if isinstance(found, ast.StringLiteral) and found.value == text:
            return found
        stack.extend(ast.children(found))
    return node


def _refined(declared: Type, found: Type) -> Type:
    """A declared number with the bounds that its outcomes show."""
    if declared.kind in dt.NUMERIC and found.kind in dt.NUMERIC:
        return declared.replace(lower=found.lower, upper=found.upper, whole=found.whole)
    return declared


def _points_type(draft: Draft, missing: MissingModel) -> Type:
    """A score's type: whole where all points are, within what the bins can add up to."""
    low = high = float(draft.base)
    points = [[b.points for b in c.bins] for c in draft.characteristics if c.bins]
    whole = isinstance(draft.base, int) and all(isinstance(p, int) for each in points for p in each)
    low += sum(min(each) for each in points)
    high += sum(max(each) for each in points)
    stated = missing.outcome
    if isinstance(stated, (int, float)):
        low, high = min(low, stated), max(high, stated)
        whole = whole and isinstance(stated, int)
    return SCORE.replace(whole=whole, lower=low, upper=high)


def _covers(characteristic: CharacteristicModel, kind: Type) -> bool:
    """Whether some bin holds every known value of a characteristic."""
    rest = ALL
    if kind.kind in dt.NUMERIC and kind.lower is not None and kind.upper is not None:
        rest = single(kind.lower, kind.upper, True, True)
    for each in characteristic.bins:
        if each.tests is not None:
            held = domain_of(each.tests, kind)
            if held is None:
                return False
            rest = difference(rest, held)
    return rest.is_empty


def _with_given(
    outcome: Type, members: tuple[tuple[str, Type], ...], given: object
) -> tuple[Type, tuple[tuple[str, Type], ...]]:
    """The types of what the arms give, so that they hold what an open decision gives, too."""
    if members and isinstance(given, dict):
        return outcome, tuple((n, _holding(t, given.get(n))) for n, t in members)
    return _holding(outcome, given), members


def _holding(kind: Type, value: object) -> Type:
    if kind.values is not None and isinstance(value, str) and value not in kind.values:
        return kind.replace(values=(*kind.values, value))
    if kind.kind not in dt.NUMERIC or isinstance(value, bool) or not isinstance(value, (int, float)):
        return kind
    number = float(value)
    return kind.replace(
        whole=kind.whole and number.is_integer(),
        lower=None if kind.lower is None else min(kind.lower, number),
        upper=None if kind.upper is None else max(kind.upper, number),
    )


def _always(arm: ArmModel) -> bool:
    """Whether an arm matches every customer: `otherwise`, a row of `-`, or the guard `true`."""
    if arm.otherwise:
        return True
    if arm.guard is not None:
        return arm.guard.place.text.strip() == "true"
    return bool(arm.cells) and all(
        not c.tests.negated and any(isinstance(t, ast.AnyTest) for t in c.tests.tests) for c in arm.cells
    )


def _doc(spec: DecisionSpec) -> str:
    node = spec.body.get("description")
    return node.text if isinstance(node, Scalar) else ""


def _types_help(*outcomes: Outcome) -> str:
    """The way out where outcomes are of two kinds: an expression without its `=` is a text."""
    for outcome in outcomes:
        if isinstance(outcome, Plain) and isinstance(outcome.value, str) and _COMPUTED.compiled.search(outcome.value):
            return f"start `{outcome.value}` with `=` where it is computed"
    return "give all outcomes the same type, or state `type`"
