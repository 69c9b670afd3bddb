"""Cases of a test file, checked against the policy that they are about.

Cases of a list and rows of a table both become a `Draft`, which `CaseReader.case` turns into a `Case`: names
are those that the policy declares, values are read by its types, all that is wrong is reported at its place.
"""
from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.check.plain import NotReadable
from engine.check.scope import Report, closest
from engine.ir import nodes as ir
from engine.ir.door import Refusal, admit_field, admit_input, raw_input
from engine.policy import Policy
from engine.policytest import values
from engine.policytest.model import Case, Placed, Wanted
from engine.policytest.values import Datum, Field
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.dtypes import Type
from engine.source.nodes import Mapping as MappingNode
from engine.source.nodes import Node, Scalar, Sequence

#: Rows of a history from a file: the path as written, the history, the case's own key and what to report to.
RowsFrom = Callable[[Scalar, ir.HistoryDecl, Any], "list[dict[str, Any]] | None"]
Rows = list[dict[str, Any]]

#: Expectations that are lists of names, in the order of the schema.
LISTS = ("reasons", "open", "missing", "refused")
#: Expectations that are lists of names by decision.
BY_DECISION = ("reasons of", "fired")


class Draft(Record):
    """A case as written. `lists` holds `reasons`, `open`, `missing` and `refused` as far as they are stated."""

    name: str
    place: Placed
    given: list[Field]
    wanted: list[Field]
    lists: Mapping[str, Datum | Node]
    by: Mapping[str, list[Field]]
    base: list[Datum] = []
    history: Node | None = None
    as_of: Datum | None = None
    only: list[Datum] | None = None
    tolerance: float | None = None
    why: str = ""


class Names:
    """What cases may name of one version of a policy."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self.inputs: dict[str, InputDecl] = {}
        for decl in reversed(program.inputs):
            for name in (decl.name.replace(" ", "_"), decl.column):
                if name is not None:
                    self.inputs[name] = decl
        self.inputs.update({decl.name: decl for decl in program.inputs})    # a name itself goes before all spellings
        self.histories = {h.name: h for h in program.histories if h.each is None}
        self.decisions = {d.name: d for d in program.decisions if not _binds(d)}
        self.shown = [d.name for d in program.decisions if not d.internal]
        self.codes = (*(r.code for r in program.reasons), *ir.RESERVED)

    def outcome(self, path: str) -> tuple[str, str | None, Type] | None:
        """Decision, member and type that `offer` or `offer.base` names."""
        found = self.decisions.get(path)
        if found is not None:
            return path, None, found.type
        name, _, member = path.rpartition(".")
        owner = self.decisions.get(name)
        kind = None if owner is None or owner.type.kind != dt.CONTEXT else owner.type.field(member)
        return None if kind is None else (name, member, kind)

    def paths(self) -> Iterable[str]:
        """Everything that `outcome` takes."""
        for name, decision in self.decisions.items():
            yield name
            if decision.type.kind == dt.CONTEXT:
                yield from (f"{name}.{member}" for member, _ in decision.type.fields or ())


def _binds(decision: ir.Decision) -> bool:
    return isinstance(decision, ir.Decide) and decision.binds is not None


class CaseReader:
    """Reads the cases of one file. `fixtures` are its shared givens by name."""

    def __init__(
        self, policy: Policy, report: Report, rows_from: RowsFrom, fixtures: Mapping[str, MappingNode],
        as_of: Datum | None, tolerance: float | None,
    ) -> None:
        self.policy = policy
        self.report = report
        self.rows_from = rows_from
        self.as_of = as_of
        self.tolerance = tolerance
        self._names: dict[int, Names] = {}
        self._shared = {name: _split(fixture) for name, fixture in fixtures.items()}
        self._rows: dict[tuple[int, int, bool], Rows] = {}      # by node, version, and whether bad data are meant

    def names(self, program: ir.Program) -> Names:
        found = self._names.get(id(program))
        if found is None:
            found = self._names[id(program)] = Names(program)
        return found

    def case(self, draft: Draft) -> Case | None:
        """The case, None where it cannot be decided; what is wrong is reported either way."""
        day = self._day(draft)
        if day is None:
            return None
        before = len(self.report.diagnostics)
        given, histories = self._sources(draft)
        program = self._program(given, day)
        names = self.names(program)
        lists = {key: self._list(key, draft.lists[key], names) for key in LISTS if key in draft.lists}
        refused = lists.get("refused")
        inputs = self._inputs(given, names, refused or ())
        history = self._histories(histories, names, inputs, refused or ())
        only = None if draft.only is None else self._named(draft.only, list(names.decisions), "decision")
        wanted = [w for field in draft.wanted if (w := self._wanted(field, names)) is not None]
        by = {key: self._by(key, fields, names) for key, fields in draft.by.items()}
        if len(self.report.diagnostics) == before:
            self._reached(draft, names, only)
        others = bool(draft.wanted or [k for k in lists if k != "refused"] or any(draft.by.values()))
        if not others and refused is None:
            self.report.at("E0906", f"case `{draft.name}` expects nothing", draft.place.span,
                           "state an outcome under `expect`, or `reasons`, `fired`, `open`, `missing` or `refused`")
        elif others and refused:
            self.report.at("E0909", f"case `{draft.name}` expects a refusal and more", draft.place.span,
                           "a refused customer has no outcomes and no reasons; state `refused` alone")
        if len(self.report.diagnostics) > before:
            return None
        return Case(
            draft.name, program, day, inputs, history, draft.place, tuple(wanted), lists.get("reasons"),
            by.get("reasons of", {}), by.get("fired", {}), _set(lists.get("open")), _set(lists.get("missing")),
            _set(refused), only, self.tolerance if draft.tolerance is None else draft.tolerance, draft.why,
        )

    def check_fixtures(self, program: ir.Program) -> None:
        """Report names of fixtures that the policy does not have, used or not."""
        names = self.names(program)
        for given, histories in self._shared.values():
            for field in given:
                self._input(field.name, names)
            for field in values.fields(histories):
                self._history(field.name, names)

    # --- what is given ----------------------------------------------------------------

    def _day(self, draft: Draft) -> datetime.date | None:
        stated = draft.as_of or self.as_of
        if stated is None or stated.text is None:
            self.report.at("E0907", f"case `{draft.name}` has no date", draft.place.span,
                           "state `as of` here, or once for all cases at the top of the file")
            return None
        try:
            return datetime.date.fromisoformat(stated.text)
        except ValueError:
            self.report.at("E0903", f"`{stated.text}` is no day of the calendar", stated.place.span,
                           "dates are written YYYY-MM-DD")
            return None

    def _sources(self, draft: Draft) -> tuple[list[Field], list[Node]]:
        """Givens and histories from the fixtures and the case itself, later ones to win."""
        given: list[Field] = []
        histories: list[Node] = []
        for name in draft.base:
            fixture = self._shared.get(name.text or "")
            if fixture is None:
                near = closest(name.text or "", self._shared)
                way = f"did you mean `{near}`?" if near else "it stands under `fixtures`, at the top of the file"
                self.report.at("E0904", f"there is no fixture `{name.text}`", name.place.span, way)
                continue
            shared, events = fixture
            given += shared
            if events is not None:
                histories.append(events)
        given += draft.given
        if draft.history is not None:
            histories.append(draft.history)
        return given, histories

    def _program(self, given: list[Field], day: datetime.date) -> ir.Program:
        """The version that decides: in force on the stated application date, else on the date of the decision."""
        name = self.policy.program.application_date
        if name is not None:
            names = self.names(self.policy.program)
            decl = names.inputs[name]
            for field in given:
                if names.inputs.get(field.name.text or "") is decl and isinstance(field.value, Datum):
                    try:
                        stated = admit_input(decl, raw_input(decl, {name: field.value.text}))
                    except Refusal:
                        continue                        # reported when it is read
                    day = stated or day
        return self.policy.program_at(day)

    def _input(self, name: Datum, names: Names) -> InputDecl | None:
        text = name.text or ""
        decl = names.inputs.get(text)
        if decl is None:
            known = [d.name for d in names.program.inputs]
            if text in names.histories:
                way: str | None = "its rows stand under `history`"
            elif text in names.decisions:
                way = "the policy decides it; state it under `expect`"
            else:
                way = listed(text, known, "the policy takes")
            self.report.at("E0901", f"the policy has no input `{text}`", name.place.span, way)
        return decl

    def _inputs(self, given: list[Field], names: Names, refused: Iterable[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in given:
            decl = self._input(field.name, names)
            if decl is None or not isinstance(field.value, Datum):
                continue
            value = None
            try:
                value = values.scalar(field.value, decl.type)
                if value is not None:
                    admit_input(decl, value)
            except (NotReadable, Refusal) as problem:
                if decl.name in refused:
                    value = field.value.text if isinstance(problem, NotReadable) else value
                else:
                    self._misfit(decl, field.value, problem, f"name it under `refused` if `{decl.name}` is to be bad")
            found[decl.name] = value
        return {name: value for name, value in found.items() if value is not None}

    def _misfit(self, decl: InputDecl | FieldDecl, value: Datum, problem: NotReadable | Refusal, way: str) -> None:
        if isinstance(problem, NotReadable):
            message, hint = problem.message, problem.help
        else:
            message, hint = f"{problem} (`{decl.name}`)", None
            near = closest(value.text or "", decl.type.values or ())
            hint = f"did you mean `{near}`?" if near else None
        self.report.at("E0903", message, value.place.span, f"{hint}; {way}" if hint else way)

    # --- histories ----------------------------------------------------------------------

    def _history(self, name: Datum, names: Names) -> ir.HistoryDecl | None:
        decl = names.histories.get(name.text or "")
        if decl is None:
            way = listed(name.text or "", names.histories, "it has")
            self.report.at("E0901", f"the policy has no history `{name.text}`", name.place.span, way)
        return decl

    def _histories(
        self, nodes: list[Node], names: Names, inputs: Mapping[str, Any], refused: Iterable[str]
    ) -> dict[str, Rows | None]:
        found: dict[str, Rows | None] = {}
        for node in nodes:
            for field in values.fields(node):
                decl = self._history(field.name, names)
                if decl is None:
                    continue
                if isinstance(field.value, Sequence):
                    key = (id(field.value), id(names), decl.name in refused)
                    if key not in self._rows:
                        rows = [r for r in field.value.items if isinstance(r, MappingNode)]
                        self._rows[key] = [self._row(row, decl, decl.name in refused) for row in rows]
                    found[decl.name] = self._rows[key]
                elif isinstance(field.value, Datum) and field.value.text is not None:
                    place = field.value.place
                    own = None if decl.key is None else inputs.get(decl.key)
                    found[decl.name] = self.rows_from(place, decl, own) if isinstance(place, Scalar) else None
                else:
                    found[decl.name] = None
        return found

    def _row(self, node: MappingNode, history: ir.HistoryDecl, bad: bool) -> dict[str, Any]:
        known: dict[str, FieldDecl] = {}
        for decl in history.fields:
            known |= {n: decl for n in (decl.name, decl.column, decl.name.replace(" ", "_")) if n is not None}
        row: dict[str, Any] = {}
        for field in values.fields(node):
            text = field.name.text or ""
            if text == history.key and text not in known:
                continue                                # whose row it is: this customer's
            if text not in known:
                way = listed(text, [d.name for d in history.fields], "its fields are")
                self.report.at("E0901", f"history `{history.name}` has no field `{text}`", field.name.place.span, way)
                continue
            decl = known[text]
            if not isinstance(field.value, Datum):
                continue
            value = None
            try:
                value = values.scalar(field.value, decl.type)
                if value is not None:
                    admit_field(decl, {decl.name: value})
            except (NotReadable, Refusal) as problem:
                if bad:
                    value = field.value.text if isinstance(problem, NotReadable) else value
                else:
                    way = f"name `{history.name}` under `refused` if it is to be bad"
                    self._misfit(decl, field.value, problem, way)
            row[decl.name] = value
        return row

    # --- what is expected ------------------------------------------------------------------

    def _wanted(self, field: Field, names: Names) -> Wanted | None:
        path = field.name.text or ""
        known = names.outcome(path)
        if known is None:
            way = listed(path, list(names.paths()), "the policy decides", names.shown)
            if path in LISTS or path in BY_DECISION:
                way = f"`{path}` stands beside `expect`, not in it"
            self.report.at("E0902", f"the policy has no decision `{path}`", field.name.place.span, way)
            return None
        decision, member, kind = known
        try:
            value = values.outcome(field.value, kind)
        except NotReadable as problem:
            place = field.value.place if isinstance(field.value, Datum) else field.value
            self.report.at("E0903", f"{problem.message} (`{path}`)", place.span, problem.help)
            return None
        return Wanted(path, decision, member, kind, value, field.name.place)

    def _reached(self, draft: Draft, names: Names, only: tuple[str, ...] | None) -> None:
        """Report expectations of decisions that are not made: those of a used policy that nothing reads, for one."""
        reach = {d.name for d in self.policy.cone(names.program, only).decisions}
        stated = [(f.name, names.outcome(f.name.text or "")) for f in draft.wanted]
        stated += [(f.name, names.outcome(f.name.text or "")) for part in draft.by.values() for f in part]
        for name, known in stated:
            if known is not None and known[0] not in reach:
                self.report.at("E0902", f"`{name.text}` is not decided", name.place.span,
                               "nothing under `only` reads it" if only is not None else "the policy does not read it")

    def _list(self, key: str, value: Datum | Node, names: Names) -> tuple[str, ...]:
        known, what = self._known(key, names)
        return self._named(values.names(value) or [], known, what)

    def _known(self, key: str, names: Names) -> tuple[Iterable[str], str]:
        data = [*(d.name for d in names.program.inputs), *names.histories]
        if key == "reasons":
            return names.codes, "reason"
        if key == "open":
            return list(names.decisions), "decision"
        return (data, "input or history") if key == "missing" else ([*data, *names.decisions], "input or decision")

    def _named(self, given: list[Datum], known: Iterable[str], what: str) -> tuple[str, ...]:
        allowed = list(known)
        for name in given:
            if name.text not in allowed:
                self.report.at("E0902", f"the policy has no {what} `{name.text}`", name.place.span,
                               listed(name.text or "", allowed, "there are"))
        return tuple(name.text or "" for name in given)

    def _by(self, key: str, fields: list[Field], names: Names) -> dict[str, tuple[str, ...]]:
        found = {}
        for field in fields:
            name = field.name.text or ""
            decision = names.decisions.get(name)
            if decision is None:
                self.report.at("E0902", f"the policy has no decision `{name}`", field.name.place.span,
                               listed(name, list(names.decisions), "it decides", names.shown))
                continue
            known: Iterable[str] = names.codes
            if key == "fired":
                if not isinstance(decision, ir.Decide) or decision.hit == "value":
                    self.report.at("E0902", f"`{name}` has no rules that could fire", field.name.place.span,
                                   "state its value under `expect`")
                    continue
                known = [arm.rule for arm in decision.arms]
            what = "reason" if key != "fired" else f"rule of `{name}`"
            found[name] = self._named(values.names(field.value) or [], known, what)
        return found


def _split(fixture: MappingNode) -> tuple[list[Field], Node | None]:
    """A fixture's inputs and its histories."""
    events = fixture.get("history")
    if not isinstance(events, MappingNode):
        return values.fields(fixture), None
    return [f for f in values.fields(fixture) if f.name.text != "history"], events


def _set(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def listed(name: str, known: Iterable[str], lead: str, some: Iterable[str] | None = None) -> str | None:
    """The name that was meant, else those there are, or `some` of them."""
    known = list(known)
    near = closest(name, known)
    if near is not None:
        return f"did you mean `{near}`?"
    shown = list(known if some is None else some)
    if not shown:
        return "there are none" if some is None else None
    return f"{lead} " + ", ".join(f"`{n}`" for n in shown[:12]) + (f" and {len(shown) - 12} more" * (len(shown) > 12))
