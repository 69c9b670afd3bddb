"""From a checked policy to the typed core.

Everything here is mechanical: names and types are settled, so each construct has one
expansion. `between`, `in`, cells and quantifiers become comparisons and folds;
`get or else` becomes a test for null; an imported policy is spliced in, its names
qualified by the name of its import and its inputs bound as hidden decisions.
"""
from __future__ import annotations

from collections.abc import Sequence

from engine.check import model
from engine.check.scope import DECISION, FIELD, HISTORY, INPUT, LOCAL, PARAMETER, USE, Slice
from engine.ir import nodes as ir
from engine.ir.expressions import ExpressionLowering
from engine.ir.leaves import lowered_portfolio
from engine.ir.models import Asked, Lowered, lowered, with_referrals
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type

TRUE_TYPE = Type(dt.BOOLEAN)


def lower(policy: model.PolicyModel) -> ir.Program:
    """The program of a checked policy; imported policies are part of it."""
    return _Lowering(policy, "", {}).program()


class _Lowering:
    """Lowers one policy file. `prefix` qualifies its names; `histories` maps its histories to the importer's."""

    def __init__(self, policy: model.PolicyModel, prefix: str, histories: dict[str, str]) -> None:
        self.policy = policy
        self.prefix = prefix
        self.histories = histories
        self.parameters: list[ir.ParameterDecl] = []
        self.derived: list[ir.HistoryDecl] = []
        self.tables: list[ir.TableDecl] = []
        self.reasons: list[ir.ReasonDecl] = []
        self.decisions: list[ir.Decision] = []
        self.functions = policy.functions
        self.models: list[ir.ModelDecl] = []
        self.answers: list[InputDecl] = []
        self._typed: dict[Type, Type] = {}

    def program(self) -> ir.Program:
        policy = self.policy
        self.splice()
        file = policy.file
        program = ir.Program(
            file.name,
            file.version,
            policy.start,
            policy.end,
            file.owner,
            file.currency,
            (*policy.inputs, *policy.previous, *self.answers),
            tuple(self.parameters),
            (*(_history(h) for h in policy.histories), *self.derived),
            tuple(self.reasons),
            tuple(self.tables),
            tuple(self.decisions),
            policy.declared,
            file.description,
            file.application_date,
            functions=self.functions,
            models=tuple(self.models),
            on_failure=file.on_failure or "missing",
            portfolio=lowered_portfolio(policy),
        )
        return with_referrals(program)

    # --- names -----------------------------------------------------------------------

    def qualified(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def read(self, kind: str, target: str, type: Type, id: str, at: ir.Place | None) -> ir.Node:
        """The node that reads a bound name."""
        if kind == INPUT:
            if self.prefix:
                return ir.Ref(id, type, at, self.qualified(target))
            return ir.Input(id, type, at, target)
        if kind == PARAMETER:
            return ir.Parameter(id, type, at, self.qualified(target))
        if kind == HISTORY:
            return ir.Relation(id, type, at, self.relation(target))
        if kind in (DECISION, USE):
            return ir.Ref(id, type, at, self.qualified(target))
        if kind in (LOCAL, FIELD):
            return ir.Local(id, type, at, target)
        return ir.AsOf(id, type, at)

    def relation(self, name: str) -> str:
        """The program's name of a history of this policy, or of an import for each row."""
        if any(use.name == name and use.each is not None for use in self.policy.uses):
            return self.qualified(name)
        return self.histories.get(name, name) if self.prefix else name

    def typed(self, kind: Type) -> Type:
        """A type with its relations by the program's names: an import calls them as it likes."""
        if not self.prefix or (kind.relation is None and kind.item is None and kind.fields is None):
            return kind
        found = self._typed.get(kind)
        if found is None:
            found = self._typed[kind] = kind.replace(
                relation=None if kind.relation is None else self.relation(kind.relation),
                item=None if kind.item is None else self.typed(kind.item),
                fields=None if kind.fields is None else tuple((n, self.typed(t)) for n, t in kind.fields),
            )
        return found

    def expression(self, expr: model.Expr, owner: str, wanted: Type | None = None) -> ir.Node:
        return self.lowering(expr.place, owner).lower(expr.node, wanted)

    def lowering(self, place: Slice, owner: str) -> ExpressionLowering:
        return ExpressionLowering(
            self.policy.typing, place, owner, self.read, self.typed, self.policy.functions
        )

    # --- splicing -----------------------------------------------------------------------

    def splice(self) -> None:
        """Add this policy's declarations and decisions, those of its imports before the decisions that read them."""
        for parameter in self.policy.parameters:
            self.parameters.append(self._parameter(parameter))
        for table in self.policy.tables:
            self.tables.append(
                ir.TableDecl(self.qualified(table.name), table.mode, table.columns, table.rows, table.keys)
            )
        self.reasons.extend(self._reason(r) for r in self.policy.reasons)
        uses = {u.name: u for u in self.policy.uses}
        decisions = {d.name: d for d in self.policy.decisions}
        for name in self.policy.order:
            use, decision = uses.get(name), decisions.get(name)
            if use is not None and use.each is None:
                self._import(use)
            elif use is not None:
                self._import_each(use)
            elif isinstance(decision, model.ScoreModel):
                self.decisions.append(self._score(decision))
            elif decision is not None:
                self.decisions.extend(self._decide(decision))

    def _import(self, use: model.UseModel) -> None:
        prefix = self.qualified(use.name) + "."
        inputs = {decl.name: decl for decl in use.policy.inputs}
        for name, expr in use.bindings:
            decl = inputs[name]
            value = self.expression(expr, f"{prefix}{name}", decl.type)
            place = _place(expr.place)
            always = _true(f"{prefix}{name}/guard")
            arm = ir.Arm(f"{prefix}{name}/value", "value", always, (), (("", value),), (), False, place)
            self.decisions.append(
                ir.Decide(
                    prefix + name, "imports", "value", decl.type.optional(decl.type.nullable), (), (), (arm,),
                    ir.OnMissing("skip"), True, place, binds=decl,
                )
            )
        for decl in use.policy.inputs:
            if all(name != decl.name for name, _ in use.bindings):
                self.decisions.append(_unbound(prefix, decl))
        histories = {h.name: self.relation(h.source) for h in use.histories}
        inner = _Lowering(use.policy, prefix, histories)
        inner.splice()
        self.parameters.extend(inner.parameters)
        self.tables.extend(inner.tables)
        self.derived.extend(inner.derived)
        self.reasons.extend(inner.reasons)
        self.functions = self.functions.joined(inner.functions)
        self.models.extend(inner.models)
        self.answers.extend(inner.answers)
        self.decisions.extend(d.replace(internal=True) for d in inner.decisions)

    def _import_each(self, use: model.UseModel) -> None:
        assert use.each is not None
        owner = self.qualified(use.name)
        inputs = {decl.name: decl for decl in use.policy.inputs}
        bindings = tuple((n, self.expression(expr, f"{owner}/{n}", inputs[n].type)) for n, expr in use.bindings)
        histories = []
        for history in use.histories:
            assert history.key is not None, "the checker finds the key or refuses"
            source = self.relation(history.source)
            histories.append(ir.EachHistory(history.name, source, history.key, history.input, history.of))
        inner = lower(use.policy)
        self.functions = self.functions.joined(inner.functions)
        each = ir.EachDecl(inner, self.relation(use.each), bindings, tuple(histories))
        self.derived.append(ir.HistoryDecl(owner, None, None, (), (), each, "", None))

    # --- declarations ---------------------------------------------------------------------

    def _parameter(self, parameter: model.ParameterModel) -> ir.ParameterDecl:
        rows = []
        for index, row in enumerate(parameter.rows, start=1):
            owner = f"{self.qualified(parameter.name)}/{index}"
            guard, _ = self.cells(row.cells, owner)
            rows.append(ir.ParameterRow(row.start, guard, row.wildcards, row.value, _place(row.place)))
        return ir.ParameterDecl(self.qualified(parameter.name), parameter.type, tuple(rows))

    def _reason(self, reason: model.ReasonModel) -> ir.ReasonDecl:
        owner = f"{self.prefix}reason {reason.code}"
        texts = tuple((name, self._template(parts, f"{owner}/{name}")) for name, parts in reason.texts)
        notices = tuple((name, self._template(parts, f"{owner}/notice/{name}")) for name, parts in reason.notices)
        return ir.ReasonDecl(reason.code, texts, reason.rank, notices=notices)

    def _template(self, parts: Sequence[str | model.Expr], owner: str) -> tuple[str | ir.Node, ...]:
        return tuple(
            p if isinstance(p, str) else self.expression(p, f"{owner}/{place}") for place, p in enumerate(parts)
        )

    def sources(self, reasons: Sequence[model.ReasonRef]) -> tuple[ir.ReasonSource, ...]:
        return tuple(ir.ReasonSource(self.qualified(r.name) if r.inherited else r.name, r.inherited) for r in reasons)

    # --- decisions ---------------------------------------------------------------------------

    def _where(self, owner: str, where: Sequence[tuple[str, model.Expr]]) -> tuple[tuple[str, ir.Node], ...]:
        return tuple((name, self.expression(expr, f"{owner}/where/{name}")) for name, expr in where)

    def _decide(self, decision: model.DecisionModel) -> tuple[ir.Decide, ...]:
        """A decision, behind those that give what a scorer is asked."""
        name = self.qualified(decision.name)
        before: tuple[ir.Decide, ...] = ()
        hit, where = decision.hit, self._where(name, decision.where)
        asked = decision.arms[0].outcome[0][1] if decision.arms else None
        if isinstance(asked, model.ModelModel):
            found = self._model(name, asked, where)
            before, hit, arms = found.before, found.hit, found.arms
        else:
            arms = tuple(self._arm(name, decision, arm) for arm in decision.arms)
        decided = ir.Decide(
            name, decision.family, hit, self.typed(decision.type), decision.members, where, arms,
            ir.OnMissing(decision.on_missing.action, decision.on_missing.outcome),
            decision.family == "features" or bool(self.prefix), _place(decision.place), doc=decision.doc,
            form=decision.form,
        )
        return (*before, decided)

    def _model(
        self, name: str, asked: model.ModelModel, where: tuple[tuple[str, ir.Node], ...]
    ) -> Lowered:
        args = tuple((n, self.expression(e, f"{name}/inputs/{n}")) for n, e in asked.args)
        codes = self.sources([ref for _, ref in asked.reasons])
        reasons = tuple((n, code) for (n, _), code in zip(asked.reasons, codes, strict=True))
        found = lowered(Asked(
            name, asked.name, args, where, reasons, asked.type, asked.domain, asked.on_failure, asked.with_missing,
            _place(asked.place),
        ))
        self.models.append(found.decl)
        self.answers.extend(found.inputs)
        return found

    def _arm(self, owner: str, decision: model.DecisionModel, arm: model.ArmModel) -> ir.Arm:
        id = f"{owner}/{arm.rule}"
        parts: tuple[ir.Node, ...] = ()
        if arm.guard is not None:
            guard = self.expression(arm.guard, f"{id}/when")
            parts = guard.args if isinstance(guard, ir.And) else (guard,)
        else:
            guard, parts = self.cells(arm.cells, f"{id}/when")
        members = dict(decision.members)
        single = decision.type.item if decision.type.kind == dt.LIST else decision.type
        outcome = tuple(
            (member, self._result(f"{id}/then/{member}", value, members.get(member, single)))
            for member, value in arm.outcome
        )
        return ir.Arm(id, arm.rule, guard, parts, outcome, self.sources(arm.reasons), arm.otherwise, _place(arm.place))

    def _result(
        self, owner: str, value: model.Outcome, wanted: Type | None
    ) -> ir.Node:
        if isinstance(value, model.Expr):
            return self.expression(value, owner, wanted)
        if isinstance(value, model.LookupModel):
            keys = tuple(self.expression(k, f"{owner}/{i}") for i, k in enumerate(value.keys, start=1))
            kind = dict(value.table.columns)[value.column].optional()
            return ir.Lookup(owner, kind, _place(value.place), self.qualified(value.table.name), value.column, keys)
        assert isinstance(value, model.Plain), "a model's answer is lowered with its decision"
        return ir.Const(owner, value.type, _place(value.place), value.value, value.place.text)

    def cells(self, cells: Sequence[model.Cell], owner: str) -> tuple[ir.Node, tuple[ir.Node, ...]]:
        """A row's guard, and its conditions one by one."""
        parts = []
        for index, cell in enumerate(cells, start=1):
            lowering = self.lowering(cell.column.place, f"{owner}/{index}")
            test = lowering.cell(cell)
            if test is not None:
                parts.append(test)
        if not parts:
            return _true(owner), ()
        if len(parts) == 1:
            return parts[0], tuple(parts)
        kind = TRUE_TYPE.optional(any(p.type.nullable for p in parts))
        return ir.And(owner, kind, None, tuple(parts)), tuple(parts)

    def _score(self, score: model.ScoreModel) -> ir.Score:
        name = self.qualified(score.name)
        characteristics = []
        for index, characteristic in enumerate(score.characteristics, start=1):
            owner = f"{name}/{index}"
            value = self.expression(characteristic.value, f"{owner}/value")
            variable = f"{owner}/value"
            bins = []
            for number, each in enumerate(characteristic.bins, start=1):
                place = f"{owner}/{number}"
                test: ir.Node = _true(place)
                if each.tests is not None:
                    lowering = self.lowering(each.place, place)
                    operand = ir.Local(f"{place}/x", value.type.optional(False), None, variable)
                    test = lowering.tests(each.tests, operand, False)
                bins.append(
                    ir.Bin(
                        place, test, each.points, self.sources(each.reasons), each.tests is None, each.neutral,
                        _place(each.place),
                    )
                )
            characteristics.append(ir.Characteristic(owner, characteristic.label, variable, value, tuple(bins)))
        return ir.Score(
            name, score.family, score.type, score.base, self._where(name, score.where), tuple(characteristics),
            ir.OnMissing(score.on_missing.action, score.on_missing.outcome),
            score.family == "features" or bool(self.prefix), _place(score.place), score.doc,
        )


def _history(history: model.HistoryModel) -> ir.HistoryDecl:
    return ir.HistoryDecl(
        history.name, history.key, history.visible_from, history.order_by, history.fields, None, history.doc,
        of=history.of,
    )


def _unbound(prefix: str, decl: InputDecl) -> ir.Decide:
    """An optional input of an imported policy that the importer does not give: null."""
    name = prefix + decl.name
    value = ir.Const(f"{name}/value", Type(dt.NULL, True), None, None)
    arm = ir.Arm(f"{name}/value", "value", _true(f"{name}/guard"), (), (("", value),), (), False, None)
    return ir.Decide(name, "imports", "value", decl.type, (), (), (arm,), ir.OnMissing("skip"), True, None)


def _true(id: str) -> ir.Const:
    return ir.Const(f"{id}/true", TRUE_TYPE, None, True, "true")


def _place(place: Slice) -> ir.Place:
    return ir.Place(place, 0, len(place.text), place.text)
