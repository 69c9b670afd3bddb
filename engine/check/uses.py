"""Imports: another policy's inputs given from this one's names."""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from engine.check import rules
from engine.check.expressions import ExpressionChecker
from engine.check.groups import row_names
from engine.check.joins import Joiner
from engine.check.model import Expr, HistoryModel, HistoryUse, PolicyModel, UseModel
from engine.check.models import asks_models
from engine.check.parsing import ExpressionParser
from engine.check.scope import Report, Scope, closest, instead
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.declare import PolicyFile, UseSpec
from engine.source.nodes import Scalar, normal

#: The local that holds the row at hand in the bindings of a `for each`.
ROW = "row"


class UseReader:
    class Raw(Record):
        """An import and its policy's model, None where that is faulty."""

        spec: UseSpec
        policy: PolicyModel | None

    def __init__(self, report: Report, import_policy: Callable[[PolicyFile, Scalar], PolicyModel | None]) -> None:
        self.report = report
        self.import_policy = import_policy

    def read(self, file: PolicyFile) -> list[UseReader.Raw]:
        return [UseReader.Raw(spec, self.import_policy(file, spec.policy)) for spec in file.uses]

    @staticmethod
    def model(
        raw: UseReader.Raw, parser: ExpressionParser, report: Report, histories: Collection[str]
    ) -> UseModel | None:
        """The import with its bindings parsed; None where its policy is faulty. `histories` are the names of the
        policy's own and of those that other imports derive."""
        spec, policy = raw.spec, raw.policy
        each = normal(spec.each.text) if spec.each is not None else None
        if each is not None and each not in histories:
            assert spec.each is not None
            near = closest(each, histories)
            report.at(
                "E0203", f"there is no history `{each}` to decide for each row", spec.each.span,
                f"did you mean `{near}`?" if near else "declare it under `history`",
                edits=instead(spec.each.span, near),
            )
        if policy is None:
            return None
        if policy.previous:
            report.at(
                "E0714", f"`{spec.policy.text}` reads its previous decision, which an import has not", spec.policy.span,
                "decisions of imports are not logged: give it what it needs as an input",
            )
        if spec.each is not None and asks_models(policy):
            report.at(
                "E0513", f"`{spec.policy.text}` asks a model, which a policy for each row cannot", spec.policy.span,
                "give it the answer as an input, from a field of the row",
            )
        inputs = {i.name for i in policy.inputs}
        inner = {h.name for h in policy.histories}
        bindings: list[tuple[str, Expr]] = []
        mapped: list[HistoryUse] = []
        meant: set[str] = set()
        for name, key, scalar in spec.bindings:
            if name in inner:
                mapped.append(HistoryUse(name, _history(scalar, histories, report)))
                continue
            if name not in inputs:
                near = closest(name, [*inputs, *inner])
                if near is not None:
                    meant.add(near)
                listing = ", ".join(f"`{i}`" for i in sorted(inputs))
                report.at(
                    "E0704", f"`{spec.policy.text}` has no input `{name}`", key.span,
                    f"did you mean `{near}`?" if near else f"its inputs are {listing}", edits=instead(key.span, near),
                )
                continue
            expr = parser.scalar(scalar)
            if expr is not None:
                bindings.append((name, expr))
        given = {n for n, _ in bindings}
        for decl in policy.inputs:
            if decl.required and decl.name not in given | meant and all(n != decl.name for n, _, _ in spec.bindings):
                report.at(
                    "E0703", f"the input `{decl.name}` of `{spec.policy.text}` is required and not given",
                    spec.key.span, f"add `{decl.name}: ...` under `with`",
                )
        for history in policy.histories:
            if all(h.name != history.name for h in mapped) and history.name not in meant:
                report.at(
                    "E0703", f"the history `{history.name}` of `{spec.policy.text}` is not given", spec.key.span,
                    f"add `{history.name}: ...` under `with`, naming a history of this policy",
                )
        return UseModel(spec.name, policy, each, ROW, tuple(bindings), tuple(mapped), spec.key.span)

    @staticmethod
    def check(
        use: UseModel, raw: UseReader.Raw, scope: Scope, expressions: ExpressionChecker, report: Report,
        histories: Mapping[str, HistoryModel],
    ) -> UseModel:
        """Type the bindings against the inputs they give, and find the keys of the histories."""
        inputs = {i.name: i for i in use.policy.inputs}
        outer = scope
        given: dict[str, Type] = {}
        if use.each is not None:
            base = scope.find(use.each)
            row = base.type.item if base is not None else None
            if row is None:
                return use
            scope = scope.inner(row_names(ROW, row))
        for name, expr in use.bindings:
            decl = inputs[name]
            kind = given[name] = expressions.check(expr.node, scope, expr.place)
            if kind.kind == dt.ANY:
                continue
            if decl.type.kind == dt.MONEY and kind.kind == dt.NUMBER and expressions.as_money(expr.node):
                kind = expressions.typing.type_of(expr.node)
            if not rules.fits(kind, decl.type) and not _may_fit(kind, decl.type):
                report.on(
                    "E0308", f"`{name}` takes {rules.describe(decl.type)}, this is {rules.describe(kind)}", expr.place,
                    expr.node, "convert it here, or bind another name",
                )
            if kind.nullable and decl.required:
                report.on(
                    "E0404", f"this can be missing, but `{name}` of `{raw.spec.policy.text}` is required", expr.place,
                    expr.node, "give a default with `get or else(...)`, or make the input optional there",
                )
        joiner = Joiner(use, raw.spec.policy.text, outer, given, histories, report)
        return use.replace(histories=joiner.join({n: s for n, _, s in raw.spec.bindings}))


def _may_fit(kind: Type, wanted: Type) -> bool:
    """Free text may hold a declared value; the value is then tested when it is decided."""
    return kind.kind == wanted.kind == dt.STRING and kind.values is None


def _history(scalar: Scalar, histories: Collection[str], report: Report) -> str:
    name = normal(scalar.text)
    if name not in histories:
        near = closest(name, histories)
        report.at(
            "E0203", f"there is no history `{name}`", scalar.span,
            f"did you mean `{near}`?" if near else "name a history of this policy", edits=instead(scalar.span, near),
        )
    return name
