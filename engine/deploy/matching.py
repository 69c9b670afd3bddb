"""A deployment held against a policy: what is asked of which table for which input and history.

Every name is found or refused with what was likely meant, and every field's type must be that of the input that it
is for: both are told at their places.
"""
from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from engine.check.scope import closest
from engine.deploy.document import Deployment, HistoryBinding, InputBinding, Reference
from engine.deploy.opening import OpenSource, kind_in
from engine.diagnostics import Diagnostic, Edit, Label, Span
from engine.hookspecs import Table
from engine.ir import nodes as ir
from engine.ir.models import SOURCES_FAILED
from engine.ir.reads import Cone
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.dtypes import Type
from engine.source.nodes import Mapping as MappingNode
from engine.source.nodes import normal


class Place(Record):
    """A table of a source."""

    source: str
    table: str

    @property
    def shown(self) -> str:
        return f"{self.source}.{self.table}"


class Candidate(Record):
    """A field that an input may be taken from."""

    place: Place
    field: str

    @property
    def shown(self) -> str:
        return f"{self.place.shown}.{self.field}"


class InputPlan(Record):
    """Where an input comes from, the preferred first; `stale_after` is a duration or None."""

    decl: InputDecl
    candidates: tuple[Candidate, ...]
    stale_after: Any = None


class HistoryPlan(Record):
    """Where a history's rows come from: columns by its fields, and the input that owns its rows."""

    decl: ir.HistoryDecl
    place: Place
    columns: Mapping[str, str]
    owner: InputDecl


class Plan(Record):
    """All that is asked for a policy. `fields` are the columns asked of each table, `customers` the table that lists
    them, None where it is not settled."""

    key: InputDecl
    customers: Place | None
    inputs: Mapping[str, InputPlan]
    histories: Mapping[str, HistoryPlan]
    fields: Mapping[Place, tuple[str, ...]]
    #: Whether the policy asks if a source failed for a customer (`on failure`).
    tells_failures: bool = False

    @property
    def facts(self) -> list[Place]:
        """The tables of facts, in the order in which they are first named."""
        return list(dict.fromkeys(c.place for plan in self.inputs.values() for c in plan.candidates))

    @property
    def events(self) -> list[Place]:
        return list(dict.fromkeys(plan.place for plan in self.histories.values()))


def names_of(
    deployment: Deployment, programs: Sequence[ir.Program], cones: Sequence[Cone]
) -> tuple[list[str], list[str]]:
    """The bound inputs and histories that the outcomes asked for hang on, in the order of the deployment; raises
    DeploymentError for one that no version of the policy declares."""
    inputs = {d.name for program in programs for d in program.inputs if not d.previous and not d.model}
    histories = {h.name for program in programs for h in program.histories if h.each is None}
    found: list[Diagnostic] = []
    for bindings, known, what in ((deployment.inputs, inputs, "input"), (deployment.histories, histories, "history")):
        for name, binding in bindings.items():
            if name not in known:
                other = "history" if what == "input" else "input"
                elsewhere = name in (histories if what == "input" else inputs)
                near = closest(name, known)
                help = (
                    f"it is a {other}: bind it under `{'history' if other == 'history' else 'inputs'}`" if elsewhere
                    else f"did you mean `{near}`?" if near
                    else f"the policy has {_listed(sorted(known)) or f'no {what}'}"
                )
                edits = (Edit(binding.at, near),) if near and not elsewhere else ()
                found.append(Diagnostic("E0955", f"the policy has no {what} `{name}`", binding.at, help, edits=edits))
    if found:
        raise deployment.error(found)
    wanted = {name for cone in cones for name in cone.inputs}
    needed = {name for cone in cones for name in cone.relations}
    keys = {d.name for program in programs for d in program.inputs if d.key}
    return [n for n in deployment.inputs if n in wanted or n in keys], [n for n in deployment.histories if n in needed]


def sources_of(deployment: Deployment, inputs: Iterable[str], histories: Iterable[str], portfolio: bool) -> list[str]:
    """The sources that must be opened for some inputs and histories, and to list the customers of a portfolio."""
    references = [r for name in inputs for r in deployment.inputs[name].references]
    references += [deployment.histories[name].reference for name in histories]
    if portfolio and deployment.customers is not None:
        references.append(deployment.customers)
    return list(dict.fromkeys(reference.source for reference in references))


def match(
    deployment: Deployment, sources: Mapping[str, OpenSource], programs: Sequence[ir.Program], cones: Sequence[Cone],
    inputs: Sequence[str], histories: Sequence[str], portfolio: bool,
) -> Plan:
    """The plan for what `names_of` gave; raises DeploymentError with all that does not fit."""
    return _Matcher(deployment, sources, programs, cones).plan(inputs, histories, portfolio)


def require(
    deployment: Deployment, programs: Sequence[ir.Program], cones: Sequence[Cone], given: Container[str]
) -> None:
    """Raise DeploymentError where no source gives an input without which every customer is refused."""
    needed = frozenset.intersection(*(cone.inputs for cone in cones))
    lost = [
        d.name for d in programs[-1].inputs
        if d.required and d.name in needed and not d.key and d.name not in deployment.inputs and d.name not in given
    ]
    if lost:
        root = deployment.document.root
        key = root.key("inputs") if isinstance(root, MappingNode) else None
        at = deployment.document.span(0, 0) if key is None else key.span
        listed = ", ".join(f"`{name}`" for name in lost)
        raise deployment.error([Diagnostic(
            "E0957", f"no source gives {listed}, which the policy requires", at,
            f"bind {'it' if len(lost) == 1 else 'each'} here, as `{lost[0]}: source.table.field`",
        )])


class _Matcher:
    def __init__(
        self, deployment: Deployment, sources: Mapping[str, OpenSource], programs: Sequence[ir.Program],
        cones: Sequence[Cone],
    ) -> None:
        self.deployment = deployment
        self.sources = sources
        self.program = programs[-1]
        self.inputs = {d.name: d for program in programs for d in program.inputs}
        self.histories = {h.name: h for program in programs for h in program.histories if h.each is None}
        self.read = {pair for cone in cones for pair in cone.fields}
        self.found: list[Diagnostic] = []
        self.fields: dict[Place, dict[str, None]] = {}

    def plan(self, inputs: Sequence[str], histories: Sequence[str], portfolio: bool) -> Plan:
        key = self.key()
        bound = {name: self.input(self.deployment.inputs[name]) for name in inputs}
        taken = {name: plan for name, plan in bound.items() if plan is not None}
        owned = {name: self.history(self.deployment.histories[name]) for name in histories}
        events = {name: plan for name, plan in owned.items() if plan is not None}
        customers = self.customers(taken) if portfolio and (not self.found or self.deployment.customers) else None
        if key is not None:
            self.same_keys(key, customers, taken, events)
        if self.found or key is None:
            raise self.deployment.error(self.found)
        fields = {place: tuple(names) for place, names in self.fields.items()}
        if customers is not None:
            fields.setdefault(customers, ())
        taken.pop(key.name, None)                       # the key is what is asked by, wherever it stands
        return Plan(key, customers, taken, events, fields, SOURCES_FAILED in self.inputs)

    # --- keys and customers ---------------------------------------------------------------------------

    def key(self) -> InputDecl | None:
        """The input by which customers are asked for."""
        keys = [d for d in self.program.inputs if d.key]
        if len(keys) == 1:
            return keys[0]
        at = self.deployment.document.span(0, 0)
        if not keys:
            self.add("E0957", f"the policy `{self.program.name}` has no key to ask sources by", at,
                     "mark the input that tells customers apart with `key: true`")
        else:
            listed = ", ".join(f"`{d.name}`" for d in keys)
            self.add("E0957", f"the policy `{self.program.name}` has several keys, {listed}, and sources know one", at,
                     "run it on tables of files, or mark one input as the key")
        return None

    def customers(self, taken: Mapping[str, InputPlan]) -> Place | None:
        """The table that lists the customers of a portfolio."""
        reference = self.deployment.customers
        if reference is not None:
            found = self.table(reference)
            if found is None:
                return None
            place, table = found
            if table.events:
                self.add("E0958", f"`{reference.text}` is a table of events, and customers are listed by facts",
                         reference.at, "name a table that has one row for each customer")
            if table.keyed:
                self.add("E0958", f"`{reference.text}` can only be asked for given customers, so it lists none",
                         reference.at, "name a table that can be read whole, or give the customers as a file")
            return place
        tables = list(dict.fromkeys(
            c.place for plan in taken.values() for c in plan.candidates
            if not self.sources[c.place.source].tables[c.place.table].keyed
        ))
        keyed = [c.place for plan in taken.values() if plan.decl.key for c in plan.candidates if c.place in tables]
        if len(tables) == 1 or keyed:
            return (keyed or tables)[0]
        at = self.deployment.document.span(0, 0)
        listed = " or ".join(f"`{place.shown}`" for place in tables[:4])
        self.add("E0957", "the deployment does not say which table lists the customers of a portfolio", at,
                 f"add `customers:` with one of {listed}" if tables else
                 "add `customers:` with a table, or give the customers as a file")
        return None

    def same_keys(
        self, key: InputDecl, customers: Place | None, taken: Mapping[str, InputPlan],
        events: Mapping[str, HistoryPlan],
    ) -> None:
        """The type of each table's key must be that of the input whose values it is asked by."""
        found: dict[Place, tuple[InputDecl, Span]] = {}
        for name, plan in taken.items():
            for candidate, reference in zip(plan.candidates, self.deployment.inputs[name].references, strict=True):
                found.setdefault(candidate.place, (key, reference.at))
        for name, event in events.items():
            found.setdefault(event.place, (event.owner, self.deployment.histories[name].reference.at))
        if customers is not None and self.deployment.customers is not None:
            found[customers] = key, self.deployment.customers.at
        for place, (owner, at) in found.items():
            table = self.sources[place.source].tables[place.table]
            field = table.fields.get(table.key)
            if field is not None and not fits(Type(field.type), owner.type):
                self.mismatch(f"{place.shown}.{table.key}", field.type, owner, at)

    # --- inputs and histories -----------------------------------------------------------------------------

    def input(self, binding: InputBinding) -> InputPlan | None:
        decl = self.inputs[binding.name]
        found = []
        for reference in binding.references:
            candidate = self.field(reference)
            if candidate is None:
                continue
            table = self.sources[candidate.place.source].tables[candidate.place.table]
            kind = kind_in(table, candidate.field)
            if table.events:
                self.add("E0958", f"`{candidate.place.shown}` is a table of events, which gives no input", reference.at,
                         "bind it under `history`, and compute the fact from its rows as a feature")
            elif not fits(kind, decl.type):
                self.mismatch(reference.text, kind.kind, decl, reference.at)
            elif decl.key and candidate.field != table.key:
                shown = candidate.place.shown
                self.add("E0958", f"`{decl.name}` is the policy's key, and `{shown}` knows customers by `{table.key}`",
                         reference.at, f"bind it to `{shown}.{table.key}`")
            found.append(candidate)
        if len(found) < len(binding.references):
            return None
        tables = [self.sources[c.place.source].tables[c.place.table] for c in found]
        if binding.stale_after is not None and all(table.stamp is None for table in tables):
            shown = " or ".join(dict.fromkeys(f"`{c.place.shown}`" for c in found))
            self.add("E0958", f"no row of {shown} says how old it is, so that none is ever stale",
                     binding.stale_at or binding.at,
                     "leave `stale after` out, or name the table's `stamp` in the source")
        for candidate in found:
            self.ask(candidate.place, *([] if decl.key else [candidate.field]))
        return InputPlan(decl, tuple(found), binding.stale_after)

    def ask(self, place: Place, *names: str) -> None:
        """Note columns to ask for, and the stamp of facts, which the explanation tells."""
        table = self.sources[place.source].tables[place.table]
        asked = self.fields.setdefault(place, {})
        asked.update(dict.fromkeys(names))
        if table.stamp is not None and not table.events:
            asked[table.stamp] = None

    def history(self, binding: HistoryBinding) -> HistoryPlan | None:
        decl = self.histories[binding.name]
        found = self.table(binding.reference)
        self.strangers(binding, decl)
        owner = self.owner(decl, binding)
        if found is None or owner is None:
            return None
        place, table = found
        if not table.events:
            self.add("E0958", f"`{binding.reference.text}` is a table of facts, and a history is made of events",
                     binding.reference.at, "bind its fields under `inputs`")
            return None
        columns: dict[str, str] = {}
        for field in decl.fields:
            column = self.column(binding, decl, field, table, place)
            if column is not None:
                columns[field.name] = column
        self.ask(place, *columns.values())
        return HistoryPlan(decl, place, columns, owner)

    def owner(self, decl: ir.HistoryDecl, binding: HistoryBinding) -> InputDecl | None:
        if decl.of is not None:
            self.add("E0957", f"the rows of history `{decl.name}` belong to those of `{decl.of}`, and sources know "
                     "those of customers alone", binding.at, "let the source join them, and name the customer's key")
            return None
        owner = self.inputs.get(decl.key or "")
        if owner is None:
            self.add("E0957", f"history `{decl.name}` has no key that says whose its rows are", binding.at,
                     "name the input that owns them as the history's `key`")
        return owner

    def strangers(self, binding: HistoryBinding, decl: ir.HistoryDecl) -> None:
        names = [field.name for field in decl.fields]
        for name, (_, at) in binding.fields.items():
            if name not in names:
                near = closest(name, names)
                self.add("E0955", f"history `{decl.name}` has no field `{name}`", at,
                         f"did you mean `{near}`?" if near else f"it has {_listed(names)}")

    def column(
        self, binding: HistoryBinding, decl: ir.HistoryDecl, field: FieldDecl, table: Table, place: Place
    ) -> str | None:
        """The column that gives a field: the one stated, else the one that is called like it."""
        stated = binding.fields.get(field.name)
        at = binding.reference.at
        names = {**dict.fromkeys(table.fields), table.key: None}
        if stated is not None:
            name, at = stated
            if name not in names:
                self.unknown(name, list(names), place.shown, at)
                return None
        else:
            known = {normal(n): n for n in names}
            spelt = (field.name, field.column, field.name.replace(" ", "_"))
            name = next((known[normal(s)] for s in spelt if s is not None and normal(s) in known), "")
            if not name:
                if (decl.name, field.name) in self.read and not field.type.nullable:
                    near = closest(field.name, names)
                    self.add("E0957", f"`{place.shown}` has no column for `{field.name}` of history `{decl.name}`", at,
                             f"is `{near}` meant? state it as `fields: {{{field.name}: {near}}}`" if near else
                             f"state the column under `fields`; there are {_listed(list(names))}")
                return None
        declared = table.fields.get(name)
        if declared is not None and not fits(Type(declared.type), field.type):
            self.add("E0956", f"`{place.shown}.{name}` is of type {declared.type}, and `{field.name}` of history "
                     f"`{decl.name}` of type {field.type.kind}", at, "bind another column, or mend the policy's type",
                     self.declared(f"history `{decl.name}`", decl.at.span if decl.at is not None else None))
        return name

    def mismatch(self, shown: str, kind: str, decl: InputDecl, at: Span) -> None:
        self.add("E0956", f"`{shown}` is of type {kind}, and the input `{decl.name}` of type {decl.type.kind}", at,
                 "bind another field, or mend the type in the policy", self.declared(f"`{decl.name}`", decl.at))

    def declared(self, what: str, at: Span | None) -> tuple[Label, ...]:
        return () if at is None else (Label(at, f"{what} is declared here"),)

    # --- references ------------------------------------------------------------------------------------------

    def table(self, reference: Reference) -> tuple[Place, Table] | None:
        tables = self.sources[reference.source].tables
        found = tables.get(reference.rest)
        if found is None:
            self.unknown(reference.rest, list(tables), f"source `{reference.source}`", self.rest(reference), "table")
            return None
        return Place(reference.source, reference.rest), found

    def field(self, reference: Reference) -> Candidate | None:
        tables = self.sources[reference.source].tables
        fitting = [name for name in tables if reference.rest.startswith(f"{name}.")]
        if not fitting:
            table = reference.rest.rpartition(".")[0]
            self.unknown(table, list(tables), f"source `{reference.source}`", self.rest(reference, table), "table")
            return None
        name = max(fitting, key=len)
        field = reference.rest[len(name) + 1:].strip()
        table_found = tables[name]
        if field not in table_found.fields and field not in (table_found.key, table_found.stamp):
            shown = f"{reference.source}.{name}"
            self.unknown(field, list(table_found.fields), f"`{shown}`", self.rest(reference, field, True))
            return None
        return Candidate(Place(reference.source, name), field)

    def rest(self, reference: Reference, part: str = "", last: bool = False) -> Span:
        """The place of a part of a reference behind the source's name."""
        text, part = reference.node.text, part or reference.rest
        start = text.rfind(part) if last else text.find(part, len(reference.source))
        return reference.node.locate(start, start + len(part))

    def unknown(self, name: str, names: list[str], where: str, at: Span, what: str = "field") -> None:
        near = closest(name, names)
        help = f"did you mean `{near}`?" if near else f"there are {_listed(names) or 'none'}"
        where = where if where.startswith(("source ", "`")) else f"`{where}`"
        self.found.append(Diagnostic(
            "E0954", f"{where} has no {what} `{name}`", at, help, edits=(Edit(at, near),) if near else ()
        ))

    def add(self, code: str, message: str, at: Span, help: str, labels: tuple[Label, ...] = ()) -> None:
        self.found.append(Diagnostic(code, message, at, help, labels))


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one declared type can be one of another."""
    if given.kind in dt.NUMERIC and wanted.kind in dt.NUMERIC:
        return True
    return given.kind == wanted.kind


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
