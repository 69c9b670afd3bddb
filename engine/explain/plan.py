"""What an explanation can know before any customer: texts, places and the names each condition reads.

A program is planned once; an explanation then only puts values in.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.ir import nodes as ir
from engine.ir.reads import expressions, inputs_behind, reached, reads, walk
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

#: Kinds of slots that may mean another thing in another decision.
LOCAL = frozenset({"where", "history", "lookup"})
#: The described type of a selection of rows.
ROWS = "rows"
GROUPS = "groups"
#: Operations whose result is of the kind of their operands, and those that round the first.
SUMS = frozenset({"+", "-", "min", "max", "abs", "neg"})
ROUNDING = frozenset({"decimal", "floor", "ceiling", "round up", "round down", "round half up", "round half down"})
#: Programs whose plans are kept; a service holds a handful of versions at a time.
KEPT = 64


class Slot(Record):
    """A name that a condition reads.

    `kind` is input, decision, feature, parameter, where, history, lookup or as of; `type` is that of
    `describe`. `percent`: the policy writes percentages where this stands. `hidden`: personal data.
    `history` names the relation whose rows a `history` slot counts.
    """

    name: str
    kind: str
    node: ir.Node
    type: Any
    percent: bool = False
    hidden: bool = False
    history: str = ""


class PartPlan(Record):
    """One condition (or expression): its text on one line and the names it reads."""

    text: str
    node: ir.Node
    slots: tuple[Slot, ...]


class ArmPlan(Record):
    """`parts` are the conditions as the core tries them: both ends of `between` have the same text.
    `shown` are those of differing texts, `results` the computed outcomes."""

    rule: str
    text: str
    parts: tuple[PartPlan, ...]
    shown: tuple[PartPlan, ...]
    results: tuple[PartPlan, ...]
    place: dict[str, Any] | None


class CharacteristicPlan(Record):
    """`bins` holds each bin's text by its id, `best` the points of the best (or neutral) bin."""

    label: str
    part: PartPlan
    type: Any
    bins: dict[str, str]
    best: float
    percent: bool


class DecisionPlan(Record):
    """`arms` by their rule ids, `where` local facts with their parts."""

    name: str
    form: str
    type: Any
    percent: bool
    place: dict[str, Any] | None
    where: tuple[tuple[str, PartPlan, Any, bool], ...]
    arms: dict[str, ArmPlan]
    characteristics: tuple[CharacteristicPlan, ...]


class Plan:
    """The static half of every explanation of a program. Decisions are planned when first explained."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self.decisions = {d.name: d for d in program.decisions}
        self.histories = {h.name: h for h in program.histories}
        self.parameters = {p.name: p for p in program.parameters}
        self.inputs = {i.name: describe(i.type) for i in program.inputs}
        self.personal = {i.name for i in program.inputs if i.personal}
        self.reasons = {r.code: r for r in program.reasons}
        self.languages = tuple(dict.fromkeys(language for r in program.reasons for language, _ in r.texts))
        self._plans: dict[str, DecisionPlan] = {}
        self._percent: dict[str, bool] = {}
        self._slots: dict[tuple[str, str, str, str, bool], Slot] = {}
        self._behind: dict[str, frozenset[str]] | None = None
        self._readers: dict[tuple[str, str], tuple[str, ...]] = {}

    def decision(self, name: str) -> DecisionPlan:
        found = self._plans.get(name)
        if found is None:
            found = self._plans[name] = _DecisionPlanner(self, self.decisions[name]).plan()
        return found

    # --- percentages ----------------------------------------------------------------

    def is_percent(self, node: ir.Node, where: Mapping[str, ir.Node]) -> bool:
        """Whether the policy writes this value as a percentage, through sums, choices and names."""
        if isinstance(node, ir.Const):
            return node.text.rstrip().endswith("%")
        if isinstance(node, ir.Parameter):
            rows = self.parameters[node.name].rows
            return any(row.at is not None and row.at.text.rstrip().endswith("%") for row in rows)
        if isinstance(node, ir.Ref):
            return self.decision_percent(node.name)
        if isinstance(node, ir.Local):
            value = where.get(node.name)
            return value is not None and self.is_percent(value, where)
        if isinstance(node, ir.Let):
            return self.is_percent(node.body, where)
        if isinstance(node, ir.Field):
            return isinstance(node.base, ir.Ref) and self.member_percent(self.decisions[node.base.name], node.name)
        if isinstance(node, ir.Cond):
            return self.is_percent(node.then, where) or self.is_percent(node.otherwise, where)
        if isinstance(node, ir.Call) and node.op in SUMS:
            return any(self.is_percent(arg, where) for arg in node.args)
        if isinstance(node, ir.Call) and node.op in ROUNDING:
            return self.is_percent(node.args[0], where)
        return False

    def decision_percent(self, name: str) -> bool:
        decision = self.decisions[name]
        if isinstance(decision, ir.Score) or decision.members:
            return False
        if name not in self._percent:
            where = dict(decision.where)
            self._percent[name] = any(self.is_percent(n, where) for arm in decision.arms for _, n in arm.outcome)
        return self._percent[name]

    def member_percent(self, decision: ir.Decision, member: str) -> bool:
        """Whether one of several outputs is written as a percentage."""
        if isinstance(decision, ir.Score):
            return False
        where = dict(decision.where)
        return any(n == member and self.is_percent(node, where) for arm in decision.arms for n, node in arm.outcome)

    def is_hidden(self, node: ir.Node) -> bool:
        """Whether a node is a personal input, or the name under which an imported policy takes one."""
        if isinstance(node, ir.Input):
            return node.name in self.personal
        if isinstance(node, ir.Ref):
            decision = self.decisions[node.name]
            if isinstance(decision, ir.Score) or decision.family != "imports" or decision.hit != "value":
                return False
            if decision.binds is not None and decision.binds.personal:
                return True
            return self.is_hidden(decision.arms[0].outcome[0][1])
        return False

    def interned(self, slot: Slot) -> Slot:
        """One object for equal slots, so that their values are put in once."""
        owner = slot.node.id if slot.kind in LOCAL else ""
        return self._slots.setdefault((slot.kind, slot.name, owner, str(slot.type), slot.percent), slot)

    # --- who reads what -----------------------------------------------------------------

    @property
    def behind(self) -> dict[str, frozenset[str]]:
        """Inputs and histories that each decision reads, through derived and imported facts and parameters."""
        if self._behind is None:
            self._behind = inputs_behind(self.program)
        return self._behind

    def readers(self, decision: ir.Decision, name: str) -> tuple[str, ...]:
        """The rules (`decision/rule`), or the decision itself, that read the input or history `name`."""
        key = (decision.name, name)
        if key not in self._readers:
            carriers = {n for n, names in self.behind.items() if name in names and self.decisions[n].internal}
            parameters = _parameters_on(self.program, name, carriers)
            self._readers[key] = tuple(_readers(decision, name, carriers, parameters, self.histories))
        return self._readers[key]


_PLANS: dict[int, Plan] = {}


def plan_of(program: ir.Program) -> Plan:
    """The plan of a program. Plans hold their programs, so an id cannot come to mean another one."""
    found = _PLANS.get(id(program))
    if found is None:
        if len(_PLANS) >= KEPT:
            del _PLANS[next(iter(_PLANS))]
        found = _PLANS[id(program)] = Plan(program)
    return found


class _DecisionPlanner:
    def __init__(self, plan: Plan, decision: ir.Decision) -> None:
        self.base = plan
        self.decision = decision
        self.where = dict(decision.where)

    def plan(self) -> DecisionPlan:
        decision, base = self.decision, self.base
        where = tuple(
            (name, self.part(node), self.type_of(node), base.is_percent(node, self.where))
            for name, node in decision.where
        )
        if isinstance(decision, ir.Score):
            cards = tuple(self.characteristic(c) for c in decision.characteristics)
            return DecisionPlan(
                decision.name, "scorecard", describe(decision.type), False, place(decision.at), where, {}, cards
            )
        form = decision.hit
        if form == "value" and isinstance(decision.arms[0].outcome[0][1], ir.Lookup):
            form = "lookup"
        if decision.form == "model":
            form = "model"
        kind = decision.type
        if decision.members and kind.kind != dt.LIST:
            percents = {n for n, _ in decision.members if base.member_percent(decision, n)}
            shape: Any = {"fields": {n: "percent" if n in percents else describe(t) for n, t in decision.members}}
        else:
            shape = describe(kind)
        return DecisionPlan(
            decision.name, form, shape, base.decision_percent(decision.name), place(decision.at), where,
            {arm.rule: self.arm(arm) for arm in decision.arms}, (),
        )

    def arm(self, arm: ir.Arm) -> ArmPlan:
        parts = [self.part(node) for node in arm.parts]
        named: dict[str, dict[str, Slot]] = {}
        for part in parts:
            named.setdefault(part.text, {}).update((s.name, s) for s in part.slots)
        parts = [p.replace(slots=tuple(named[p.text].values())) for p in parts]
        at = arm.guard.at
        shown = {p.text: p for p in parts}
        text = part_text(arm.guard) if at is not None and _column(arm.guard) is None else " and ".join(shown)
        if arm.otherwise:
            text = ""
        elif not parts:
            text = "-"
        results = tuple(self.part(node) for _, node in arm.outcome if not isinstance(node, ir.Const))
        return ArmPlan(arm.rule, text, tuple(parts), tuple(shown.values()), results, place(arm.at))

    def characteristic(self, card: ir.Characteristic) -> CharacteristicPlan:
        neutral = next((b.points for b in card.bins if b.neutral), None)
        best = max(b.points for b in card.bins) if neutral is None else neutral
        texts = {b.id: tidy(b.at.text) if b.at is not None else "" for b in card.bins}
        percent = self.base.is_percent(card.value, self.where) or any(self.tests_percent(b.test) for b in card.bins)
        return CharacteristicPlan(
            tidy(card.label), self.part(card.value), describe(card.value.type), texts, best, percent
        )

    def tests_percent(self, test: ir.Node) -> bool:
        return any(isinstance(n, ir.Compare) and self.base.is_percent(n.right, self.where) for n in walk(test))

    # --- parts and the names in them ------------------------------------------------------

    def part(self, node: ir.Node) -> PartPlan:
        percents = {
            path
            for n in walk(node)
            if isinstance(n, ir.Compare)
            for side, other in ((n.left, n.right), (n.right, n.left))
            if (path := self.path(side)) is not None and self.base.is_percent(other, self.where)
        }
        found: dict[str, Slot] = {}
        for slot in self.slots(node, False):
            if slot.name in percents and not slot.percent:
                slot = slot.replace(percent=True)
            found.setdefault(slot.name, self.base.interned(slot))
        return PartPlan(part_text(node), node, tuple(found.values()))

    def path(self, node: ir.Node) -> str | None:
        """The name that a node stands for: an input, decision, parameter, local fact, or a member of one."""
        if isinstance(node, (ir.Input, ir.Ref, ir.Parameter)):
            return node.name
        if isinstance(node, ir.Local):
            return node.name if node.name in self.where else None
        if isinstance(node, ir.Field):
            base = self.path(node.base)
            return None if base is None else f"{base}.{node.name}"
        return None

    def slots(self, node: ir.Node, inside: bool) -> Iterator[Slot]:
        """Slots in order of appearance; `inside` a filter or a loop's body nothing that hangs on its row."""
        base = self.base
        name = self.path(node)
        if name is not None:
            percent = base.is_percent(node, self.where)
            yield Slot(name, self.kind(node), node, self.type_of(node), percent, base.is_hidden(node))
        elif isinstance(node, ir.AsOf):
            yield Slot("as of", "as of", node, describe(node.type))
        elif isinstance(node, (ir.Fold, ir.Filter, ir.Map)):
            yield from self.collection(node, inside)
        elif isinstance(node, ir.Relation):
            yield Slot(node.name, "history", node, "number", history=node.name)
        elif isinstance(node, ir.Lookup):
            if not inside:
                yield Slot(part_text(node), "lookup", node, describe(node.type))
            for key in node.keys:
                yield from self.slots(key, inside)
        else:
            for child in ir.children(node):
                yield from self.slots(child, inside)

    def collection(self, node: ir.Fold | ir.Filter | ir.Map, inside: bool) -> Iterator[Slot]:
        history = self.history(node)
        bodies: list[ir.Node | None]
        if isinstance(node, ir.Fold):
            bodies = [node.filter, node.value]
        else:
            bodies = [node.predicate if isinstance(node, ir.Filter) else node.body]
        if history is not None and not inside:
            kind = describe(node.type) if isinstance(node, ir.Fold) else "number"
            yield Slot(part_text(node), "history", node, kind, self.fold_percent(node), history=history)
        else:
            yield from self.slots(node.source, inside)
        below = node.source
        while isinstance(below, (ir.Filter, ir.Map)):
            bodies.append(below.predicate if isinstance(below, ir.Filter) else below.body)
            below = below.source
        for body in bodies:
            if body is not None:
                yield from (s for s in self.slots(body, True) if s.kind != "history")

    def fold_percent(self, node: ir.Node) -> bool:
        return isinstance(node, ir.Fold) and node.value is not None and self.base.is_percent(node.value, self.where)

    def history(self, node: ir.Node) -> str | None:
        """The history at the bottom of a chain of folds, filters, maps and local facts."""
        while True:
            if isinstance(node, (ir.Fold, ir.Filter, ir.Map)):
                node = node.source
            elif isinstance(node, ir.Local) and node.name in self.where:
                node = self.where[node.name]
            else:
                return node.name if isinstance(node, ir.Relation) else None

    def type_of(self, node: ir.Node) -> Any:
        """The described type; "rows" where the value is rows of a history, of which only the number is told."""
        below = self.where.get(node.name) if isinstance(node, ir.Local) else node
        while isinstance(below, ir.Filter):
            below = below.source
        if isinstance(below, ir.Local) and below is not node:
            return self.type_of(below)
        if isinstance(below, ir.Relation):
            return ROWS
        if isinstance(node, ir.Input):
            return self.base.inputs[node.name]
        if isinstance(node, ir.Ref):
            return describe(self.base.decisions[node.name].type)
        return describe(node.type)

    def kind(self, node: ir.Node) -> str:
        while isinstance(node, ir.Field):
            node = node.base
        if isinstance(node, ir.Input):
            return "input"
        if isinstance(node, ir.Parameter):
            return "parameter"
        if isinstance(node, ir.Local):
            return "where"
        assert isinstance(node, ir.Ref)
        return "feature" if self.base.decisions[node.name].family == "features" else "decision"


# --- texts --------------------------------------------------------------------------------


def part_text(node: ir.Node) -> str:
    """A condition as written, on one line; a table's cell with its column before it."""
    if isinstance(node, ir.Lookup):
        keys = ", ".join(part_text(k) for k in node.keys)
        return f"{node.column} of {node.table} by {keys}"
    if node.at is None:
        return ""
    column = _column(node)
    if column is None:
        return tidy(_hull(node, node.at))
    return cell_text(column, tidy(node.at.text), isinstance(node, ir.Fold))


def cell_text(column: str, cell: str, is_member: bool = False) -> str:
    """A column and its cell as one condition; `is_member`: the cell is a list that holds the value."""
    if "?" in cell and not cell.startswith('"'):
        return f"{column}: {cell}"
    if cell.startswith("not(") and cell.endswith(")"):
        return f"not({cell_text(column, cell[4:-1].strip(), is_member)})"
    if _is_several(cell):
        return f"{column} in ({cell})"
    if cell.startswith(("<", ">", "=", "!=")):
        return f"{column} {cell}"
    if is_member or (cell[:1] in ("[", "(", "]") and ".." in cell):
        return f"{column} in {cell}"
    return f"{column} = {cell}"


def _is_several(cell: str) -> bool:
    """Whether a cell has several tests: a comma outside texts, brackets and calls."""
    depth, quoted, skip = 0, False, False
    for char in cell:
        if skip:
            skip = False
        elif quoted:
            skip, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth <= 0:
            return True
    return False


def _hull(node: ir.Node, at: ir.Place) -> str:
    """The text from a node's first operand to its last: `industry in ["A", "B"]` is placed at its list alone."""
    start, end = at.start, at.end
    for below in walk(node):
        if below.at is not None and below.at.locator is at.locator:
            start, end = min(start, below.at.start), max(end, below.at.end)
    while at.text.count("(", start, end) > at.text.count(")", start, end) and (close := at.text.find(")", end)) >= 0:
        end = close + 1
    return at.text[start:end]


def _column(node: ir.Node) -> str | None:
    """The column's text where `node` is a table's cell: its operand stands elsewhere in the file."""
    if node.at is None:
        return None
    for below in walk(node):
        if below.at is not None and below.at.locator is not node.at.locator:
            return tidy(below.at.text)
    return None


def tidy(text: str) -> str:
    """Text on one line: comments dropped, runs of white space one space, texts in quotes left alone."""
    if "\n" not in text and "  " not in text and "//" not in text and "/*" not in text and "\t" not in text:
        return text.strip()
    out: list[str] = []
    at, quoted = 0, False
    while at < len(text):
        char = text[at]
        if quoted:
            if char == "\\":
                out.append(text[at:at + 2])
                at += 2
                continue
            quoted = char != '"'
            out.append(char)
        elif char == '"':
            quoted = True
            out.append(char)
        elif text.startswith("//", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            at = len(text) if end < 0 else end + 2
            continue
        elif char.isspace():
            if out and out[-1] != " ":
                out.append(" ")
        else:
            out.append(char)
        at += 1
    return "".join(out).strip()


def place(at: ir.Place | None) -> dict[str, Any] | None:
    """Where something stands: `{"file", "line", "column"}`, counted from 1."""
    if at is None:
        return None
    span = at.span
    return {"file": span.file, "line": span.line, "column": span.column}


def describe(kind: Type) -> Any:
    """A type as data: a kind's name ("rows", "groups" of a history), `{"list": item}`, `{"fields": {name: type}}`."""
    if kind.kind == dt.RELATION:
        return ROWS
    if kind.kind == dt.LIST and kind.item is not None and dt.is_group(kind.item):
        return GROUPS
    if kind.kind == dt.LIST and kind.item is not None:
        return {"list": describe(kind.item)}
    if kind.kind == dt.CONTEXT and kind.fields is not None:
        return {"fields": {name: describe(t) for name, t in kind.fields}}
    return kind.kind


# --- who reads what ---------------------------------------------------------------------------


def _parameters_on(program: ir.Program, name: str, carriers: set[str]) -> set[str]:
    """The parameters whose rows hang on the input or history `name`, through other parameters too."""
    found: set[str] = set()
    grown = True
    while grown:
        grown = False
        for parameter in program.parameters:
            direct = reads(row.guard for row in parameter.rows)
            touched = name in direct.inputs or name in direct.relations
            if parameter.name not in found and (touched or direct.refs & carriers or direct.parameters & found):
                found.add(parameter.name)
                grown = True
    return found


def _readers(
    decision: ir.Decision, name: str, carriers: set[str], parameters: set[str],
    histories: Mapping[str, ir.HistoryDecl],
) -> Iterator[str]:
    """`carriers` are the imported and derived facts that read `name`; the rules that read them count, not they."""
    if decision.internal:
        return
    local = dict(decision.where)

    def touches(nodes: Iterable[ir.Node]) -> bool:
        direct = reached(reads(nodes), histories)
        known = name in direct.inputs or name in direct.relations
        return known or bool(direct.refs & carriers or direct.parameters & parameters)

    if isinstance(decision, ir.Score) or decision.hit == "value":
        if touches(expressions(decision)):
            yield decision.name
        return
    tainted = {n for n, node in local.items() if touches([node])}
    for n, node in decision.where:
        if any(isinstance(below, ir.Local) and below.name in tainted for below in walk(node)):
            tainted.add(n)
    for arm in decision.arms:
        nodes = [arm.guard, *(n for _, n in arm.outcome)]
        through = any(isinstance(b, ir.Local) and b.name in tainted for node in nodes for b in walk(node))
        if through or touches(nodes):
            yield f"{decision.name}/{arm.rule}"
