"""Checks one policy file as of a day: names, then trees, then types in the order in which decisions read each other."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from engine.check import lints, logged, previous
from engine.check.arms import ArmReader
from engine.check.cards import scorecard
from engine.check.decisions import DecisionChecker, Draft
from engine.check.declarations import KEYWORDS, Declarations, Vocabularies, date_of, name_findings
from engine.check.expressions import ExpressionChecker
from engine.check.functions import given_members, read_functions, set_with
from engine.check.graph import Reading, in_order, reading, use_reading
from engine.check.groups import GROUP_BY, MEMBERS
from engine.check.lookups import lookup_draft
from engine.check.model import (
    DecisionModel,
    Expr,
    HistoryModel,
    ParameterModel,
    PolicyModel,
    ScoreModel,
    TableModel,
)
from engine.check.models import model_draft, unread_failures
from engine.check.parameters import ParameterReader
from engine.check.parsing import ExpressionParser
from engine.check.portfolio import read_portfolio
from engine.check.reasons import ReasonReader, check_references
from engine.check.scope import (
    AS_OF,
    DECISION,
    HISTORY,
    INPUT,
    PARAMETER,
    PREVIOUS,
    USE,
    Binding,
    Report,
    Restriction,
    Scope,
    closest,
    instead,
)
from engine.check.typed import Typing
from engine.check.uses import UseReader
from engine.diagnostics import Label, Problem
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type
from engine.semantics.folds import STREAKS
from engine.semantics.functions import NO_SETS, FunctionSource
from engine.source.declare import DecisionSpec, Named, PolicyFile, pairs
from engine.source.files import Files
from engine.source.nodes import Scalar, normal
from engine.source.nodes import Sequence as ListNode
from engine.syntax.vocabulary import Vocabulary

#: Checks an imported policy as of a day: (file, reference, day) to its model.
Importer = Callable[[PolicyFile, Scalar], "PolicyModel | None"]


class PolicyChecker:
    """Checks one file. `import_policy` gives the model of an imported one, None where it is faulty.

    `faulty` are decisions of the wrong shape, which were left out of the file: their names may be anything.
    """

    def __init__(
        self, file: PolicyFile, files: Files, report: Report, import_policy: Importer, faulty: Sequence[Named] = (),
        source: FunctionSource = NO_SETS,
    ) -> None:
        self.file = file
        self.files = files
        self.report = report
        self.import_policy = import_policy
        self.faulty = tuple(faulty)
        self.typing = Typing()
        self.functions, complete = read_functions(file, source, report, files.reads)
        self.expressions = ExpressionChecker(
            report, self.typing, file.currency, self.functions,
            (lambda name: set_with(source, name, files.reads)) if complete else None,
        )

    def check(self) -> PolicyModel:
        """The model of the file; where the report has errors it serves only to find more of them."""
        file, report = self.file, self.report
        self._names()
        vocabularies = self._vocabularies()
        declarations = Declarations(report, vocabularies, file.currency)
        uses = UseReader(report, self.import_policy).read(file)
        parser = ExpressionParser(report, self._vocabulary(uses))
        parser.unreadable = frozenset(n for n in self._keys() if n.split(" ", 1)[0] in KEYWORDS)
        inputs = tuple(declarations.bounded(declarations.input(i, parser)) for i in file.inputs)
        histories = tuple(declarations.history(h, parser) for h in file.histories)
        declarations.belonging(file.histories, histories)
        scope = Scope(self._bindings(inputs, histories, uses))
        by_history = {h.name: h for h in histories}
        rows_of = self.expressions.histories = self._rows_of(by_history)
        relations = [*by_history, *(u.name for u in file.uses if u.each is not None)]
        use_models = [UseReader.model(u, parser, report, relations) for u in uses]
        parameter_reader = ParameterReader(report, parser, declarations, self.expressions)
        drafts, tables = self._drafts(parser, declarations)
        scope.names[PREVIOUS] = logged.binding(drafts, (f.name for f in self.faulty))
        parameter_drafts = {p.name: parameter_reader.draft(p) for p in file.parameters}
        decisions: list[DecisionModel | ScoreModel] = []
        parameters: list[ParameterModel] = []
        checker = DecisionChecker(report, self.typing, self.expressions, file.on_missing)
        twice = self._twice()  # what these read is unclear, so they are in no circle
        readings = {d.spec.name: reading(d, by_history) if d.spec.name not in twice else Reading(()) for d in drafts}
        readings.update({n: p.reading for n, p in parameter_drafts.items()})
        known = (u for u in use_models if u is not None and u.name not in twice)
        readings.update({u.name: use_reading(u, by_history) for u in known})
        by_name = {d.spec.name: d for d in drafts}
        order = in_order(readings, self._keys(), report)
        if not self.faulty:                             # else what reads a model may be among these
            unread_failures(report, drafts, readings)
        for name in order:
            if name in by_name:
                decided = checker.decide(by_name[name], scope)
                decisions.append(decided)
                scope.names[name] = scope.names[name].replace(type=decided.type)
            elif name in parameter_drafts:
                parameter = parameter_reader.check(parameter_drafts[name], scope, date_of(file.start))
                parameters.append(parameter)
                scope.names[name] = scope.names[name].replace(type=parameter.type)
        bound = tuple(
            UseReader.check(use, raw, scope, self.expressions, report, rows_of)
            for use, raw in zip(use_models, uses, strict=True)
            if use is not None
        )
        reason_reader = ReasonReader(report, parser, self.expressions)
        reasons = tuple(reason_reader.read(r, scope) for r in file.reasons)
        model = PolicyModel(
            file, date_of(file.start), date_of(file.end), inputs, tuple(parameters), histories, reasons, tuple(tables),
            bound, tuple(decisions), tuple(d.name for d in (*file.decisions, *self.faulty)), self.typing, tuple(order),
            previous.leaves(self.typing), self.functions,
        )
        if file.portfolio and not self.faulty:          # else nobody knows what customers have
            model = model.replace(portfolio=read_portfolio(model, report))
        self._application_date(inputs)
        check_references(model, report)
        lints.lint(model, report)
        return model

    def _twice(self) -> set[str]:
        file = self.file
        names = [n.name for n in (*file.inputs, *file.parameters, *file.histories, *file.uses, *file.decisions)]
        return {name for name, times in Counter(names).items() if times > 1}

    # --- names -----------------------------------------------------------------------------

    def _keys(self) -> dict[str, Scalar]:
        file = self.file
        named = (*file.inputs, *file.parameters, *file.histories, *file.uses, *file.decisions)
        return {n.name: n.key for n in named}

    def _names(self) -> None:
        """Duplicates across kinds, and names that the language would misread."""
        file = self.file
        first: dict[str, Scalar] = {}
        every: list[tuple[str, Scalar]] = []
        for named in (*file.inputs, *file.parameters, *file.histories, *file.uses, *file.decisions):
            every.append((named.name, named.key))
            before = first.setdefault(named.name, named.key)
            if before is not named.key:
                self.report.at(
                    "E0201", f"the name `{named.name}` is declared twice", named.key.span, "rename one of the two",
                    (Label(before.span, "first declared here"),),
                )
        for decision in file.decisions:
            every.extend((name, key) for name, key, _ in decision.where)
            for name, key, _ in decision.where:
                if name in first:
                    self.report.at(
                        "E0201", f"the local name `{name}` is also declared outside `{decision.name}`", key.span,
                        "rename one of the two", (Label(first[name].span, "also declared here"),),
                    )
        for history in file.histories:
            every.extend((f.name, f.key) for f in history.fields)
        name_findings(every, self.report)

    def _vocabulary(self, uses: Sequence[UseReader.Raw]) -> Vocabulary:
        """Every name that an expression of the file may hold, and every member behind a `.`."""
        file = self.file
        fields = [f.name for h in file.histories for f in h.fields]
        outcomes = [n for u in uses if u.policy is not None for n in u.policy.declared]
        outputs: list[str] = []
        imported = [d for u in uses if u.policy is not None for d in u.policy.file.decisions]
        for decision in (*file.decisions, *imported):
            outputs.extend(_member_names(decision))
        locals_ = [name for d in file.decisions for name, _, _ in d.where]
        names = [*self._keys(), *(n.name for n in self.faulty), *fields, *locals_, *outcomes, "as of", "item"]
        names.extend((GROUP_BY, *STREAKS))
        names.extend(f.name for f in self.functions)
        members = [*fields, *outputs, *outcomes, *MEMBERS, "amount", *given_members(self.functions)]
        if PREVIOUS in file.document.text:
            names.append(PREVIOUS)
            members.extend((previous.DATE, *(d.name for d in file.decisions)))
        return Vocabulary(names, members)

    def _bindings(
        self, inputs: Iterable[InputDecl], histories: Iterable[HistoryModel], uses: Sequence[UseReader.Raw]
    ) -> dict[str, Binding]:
        found = {"as of": Binding(AS_OF, "as of", Type(dt.DATE))}
        for decl in inputs:
            found[decl.name] = Binding(INPUT, decl.name, decl.type, decl.at, _restriction(decl))
        for history in histories:
            kind = Type(dt.RELATION, True, item=history.row, relation=history.name)
            found[history.name] = Binding(HISTORY, history.name, kind, history.span)
        for parameter in self.file.parameters:
            found[parameter.name] = Binding(PARAMETER, parameter.name, Type(dt.ANY), parameter.key.span)
        for decision in self.file.decisions:
            found[decision.name] = Binding(DECISION, decision.name, Type(dt.ANY), decision.key.span)
        for named in self.faulty:
            found[named.name] = Binding(DECISION, named.name, Type(dt.ANY), named.key.span)
        rows: dict[str, Type] = {h.name: h.row for h in histories}
        left = {u.spec.name: u for u in uses}
        while left:
            # an import for each row of what another derives comes behind that one; a circle is told as one
            name = next((n for n, u in left.items() if _over(u) not in left), next(iter(left)))
            binding = found[name] = _use_binding(left.pop(name), rows)
            if binding.type.kind == dt.RELATION and binding.type.item is not None:
                rows[name] = binding.type.item
        return found

    def _rows_of(self, histories: Mapping[str, HistoryModel]) -> Mapping[str, HistoryModel]:
        """The histories, and for the imports that decide each row of one the history whose rows they are."""
        over = {u.name: normal(u.each.text) for u in self.file.uses if u.each is not None}
        found = dict(histories)
        for name in over:
            base = name
            for _ in over:
                base = over.get(base, base)
            if base in histories:
                found[name] = histories[base]
        return found

    def _application_date(self, inputs: Sequence[InputDecl]) -> None:
        """The input that picks the version is a date."""
        name = self.file.application_date
        if name is None:
            return
        node = self.file.root.get("application date")
        span = node.span if node is not None else None
        decl = next((i for i in inputs if i.name == name), None)
        if decl is None:
            near = closest(name, [i.name for i in inputs])
            hint = f"did you mean `{near}`?" if near else "declare it under `inputs` as a date"
            self.report.at("E0203", f"there is no input `{name}` to pick the version by", span, hint,
                           edits=instead(span, near))
        elif decl.type.kind != dt.DATE:
            help = "declare it with `type: date`"
            self.report.at("E0308", f"`{name}` picks the version, so it must be a date", span, help)

    # --- parts --------------------------------------------------------------------------------

    def _vocabularies(self) -> Vocabularies:
        found: Vocabularies = {}
        for spec in self.file.vocabularies:
            node = spec.node
            if isinstance(node, Scalar):
                try:
                    path = self.files.resolve(self.file, node.text, node.span, ("", ".yaml"))
                    node = self.files.yaml(path).root
                except Problem as problem:
                    for diagnostic in problem.diagnostics:
                        self.report.add(diagnostic)
                    found[spec.name] = ()
                    continue
            if not isinstance(node, ListNode):
                message = f"the vocabulary `{spec.name}` is not a list of values"
                self.report.at("E0709", message, node.span, "write `- value` lines")
                found[spec.name] = ()
                continue
            found[spec.name] = tuple(dict.fromkeys(i.text for i in node.items if isinstance(i, Scalar)))
        return found

    def _drafts(self, parser: ExpressionParser, declarations: Declarations) -> tuple[list[Draft], list[TableModel]]:
        drafts, tables = [], []
        for spec in self.file.decisions:
            reader = ArmReader(self.report, parser, declarations, spec)
            where = self._where(spec, parser)
            if spec.form == "scorecard":
                card = scorecard(reader) or (0, [])
                drafts.append(Draft(spec, reader, "scorecard", (), card[0], tuple(card[1]), where))
            elif spec.form == "lookup":
                draft, table = lookup_draft(self.file, self.files, spec, reader, where)
                drafts.append(draft)
                if table is not None:
                    tables.append(table)
            elif spec.form == "model":
                drafts.append(model_draft(spec, reader, parser, declarations, where, self.file.on_failure))
            else:
                arms = tuple(reader.arms())
                drafts.append(Draft(spec, reader, reader.hit, arms, 0, (), where))
        return drafts, tables

    def _where(self, spec: DecisionSpec, parser: ExpressionParser) -> tuple[tuple[str, Expr], ...]:
        """A decision's local names, each after those it reads."""
        exprs = {}
        for name, key, scalar in spec.where:
            expr = parser.scalar(scalar)
            if expr is not None:
                exprs[name] = (key, expr)
        readings = {n: Reading.of([e.node]) for n, (_, e) in exprs.items()}
        order = in_order(readings, {n: k for n, (k, _) in exprs.items()}, self.report)
        return tuple((n, exprs[n][1]) for n in order if n in exprs)


def _member_names(decision: DecisionSpec) -> Iterator[str]:
    """Every name a decision's outputs may have, declared or in a header."""
    for key, _ in pairs(decision.body.get("outputs")):
        yield normal(key.text)
    content = decision.content
    if isinstance(content, Scalar):
        header = next((line for line in content.text.splitlines() if "||" in line), "")
        for name in header.partition("||")[2].split("|"):
            if name.strip():
                yield normal(name)
    elif isinstance(content, ListNode):
        for item in content.items:
            for key, value in pairs(item):
                if key.text in ("do", "then", "otherwise"):
                    yield from (normal(k.text) for k, _ in pairs(value))


def _restriction(decl: InputDecl) -> Restriction | None:
    if decl.protected:
        return Restriction(
            "E0504", f"`{decl.name}` is a protected input and may decide nothing",
            "leave it to fairness monitoring; decide by what it does not stand for",
        )
    if decl.monitor_only:
        return Restriction(
            "E0505", f"`{decl.name}` is for monitoring only", "drop `use: monitor only` if it may be used in decisions"
        )
    return None


def _over(use: UseReader.Raw) -> str | None:
    """The history or import whose rows it decides."""
    return normal(use.spec.each.text) if use.spec.each is not None else None


def _use_binding(use: UseReader.Raw, rows: dict[str, Type]) -> Binding:
    span = use.spec.key.span
    if use.policy is None:
        return Binding(USE, use.spec.name, Type(dt.ANY), span)
    by_name = {d.name: d.type for d in use.policy.decisions}
    outcomes = tuple((n, by_name[n]) for n in use.policy.declared if n in by_name)
    if use.spec.each is None:
        return Binding(USE, use.spec.name, Type(dt.CONTEXT, fields=outcomes), span)
    base = rows.get(normal(use.spec.each.text))
    name = use.spec.name
    if base is None:
        return Binding(HISTORY, name, Type(dt.ANY), span)  # no such history, or a circle, which is told elsewhere
    fields = dict(base.fields or ())                    # what the rows bring stays of the history that they are of
    fields.update({n: t.optional().replace(relation=name) for n, t in outcomes})
    row = Type(dt.CONTEXT, fields=tuple(fields.items()), relation=name)
    return Binding(HISTORY, name, Type(dt.RELATION, True, item=row, relation=name), span)
