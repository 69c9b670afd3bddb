"""Reads an allocation plan: columns, budget and caps, each with its place."""
from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from engine.check.plain import NotReadable, read
from engine.diagnostics import Diagnostic, Edit, Problem
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.nodes import Mapping, Node, Scalar, Sequence, load_file, normal
from engine.source.schema import validate

_NUMBER, _MONEY = Type(dt.NUMBER), Type(dt.MONEY)
#: The fen.
SMALLEST = Decimal("0.01")


class PlanError(Problem):
    """A plan that cannot be used; `diagnostics` say why, `sources` hold the text that they point into."""

    def __init__(self, diagnostics: list[Diagnostic], sources: dict[str, str]) -> None:
        super().__init__(*diagnostics)
        self.sources = sources


class CapPlan(Record):
    """A cap by the groups of a column: the `usual` amount for each (None: no cap), and `groups` with their own."""

    by: str
    usual: Decimal | None
    groups: dict[str, Decimal]


class Plan(Record):
    """An allocation plan. Amounts are exact decimals in the currency's unit."""

    name: str
    key: str
    amount: str
    value: str
    only: dict[str, tuple[str, ...]]
    budget: Decimal
    step: Decimal
    whole: bool
    caps: tuple[CapPlan, ...]


def read_plan(path: str) -> Plan:
    """The plan at `path`; raises PlanError with everything that is wrong with it."""
    try:
        document = load_file(Path(path), path)
    except Problem as problem:
        raise PlanError(list(problem.diagnostics), {path: _text(path)}) from None
    found = [*document.problems, *validate(document, "allocation")]
    if not any(d.is_error for d in found):
        assert isinstance(document.root, Mapping)
        plan = _Reader(found).plan(document.root)
        if not found:
            return plan
    raise PlanError(found, {document.name: document.text})


def _text(path: str) -> str:
    try:
        return Path(path).read_bytes()[:1_000_000].decode("utf-8", "replace")
    except OSError:
        return ""


class _Reader:
    def __init__(self, found: list[Diagnostic]) -> None:
        self.found = found
        self.budget = Decimal(0)

    def plan(self, root: Mapping) -> Plan:
        self.budget = self.amount(root.get("budget"))
        step = root.get("step")
        smallest = SMALLEST if step is None else self.amount(step)
        if step is not None and (smallest < SMALLEST or smallest % SMALLEST):
            self.add(f"a step of {smallest} is no multiple of {SMALLEST}", step, "give whole fen, as `step: 0.01`")
            smallest = SMALLEST
        caps = root.get("caps")
        return Plan(
            _word(root, "allocation"), _word(root, "key"), _word(root, "amount"), _word(root, "value"),
            {normal(k.text): _words(v) for k, v in _entries(root.get("only"))},
            self.budget, smallest, _word(root, "all or nothing") == "true",
            tuple(self.cap(c) for c in (caps.items if isinstance(caps, Sequence) else ()) if isinstance(c, Mapping)),
        )

    def cap(self, node: Mapping) -> CapPlan:
        share, most = node.get("share"), node.get("at most")
        if share is not None and most is not None:
            self.add("a cap has a `share` or an amount, not both", most, "write two caps where both are to hold")
        usual = None
        if share is not None:
            usual = self.share(share)
        elif most is not None:
            usual = self.amount(most)
        return CapPlan(
            _word(node, "by"), usual, {k.text: self.either(v) for k, v in _entries(node.get("groups"))}
        )

    def either(self, node: Node) -> Decimal:
        """An amount, or a share of the budget."""
        return self.share(node) if isinstance(node, Scalar) and node.text.endswith("%") else self.amount(node)

    def share(self, node: Node) -> Decimal:
        found = self.number(node, _NUMBER, "a share, such as `15%`")
        if not 0 <= found <= 1:
            self.add(f"a share of {found} is not between 0 and 1", node, "write it as `15%`")
        return found * self.budget

    def amount(self, node: Node | None) -> Decimal:
        found = self.number(node, _MONEY, "an amount, such as `5亿`")
        if found < 0:
            self.add(f"an amount of {found} is below 0", node, "give what there is to share")
        return found

    def number(self, node: Node | None, kind: Type, what: str) -> Decimal:
        if not isinstance(node, Scalar):
            return Decimal(0)
        try:
            return Decimal(str(read(node.text, kind)))
        except NotReadable as why:
            meant = (Edit(node.span, why.meant),) if why.meant is not None else ()
            self.found.append(Diagnostic("E0971", why.message, node.span, f"write {what}", edits=meant))
            return Decimal(0)

    def add(self, message: str, node: Node | None, help: str) -> None:
        self.found.append(Diagnostic("E0971", message, None if node is None else node.span, help))


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Mapping) else ()


def _word(node: Mapping, key: str) -> str:
    found = node.get(key)
    return normal(found.text) if isinstance(found, Scalar) else ""


def _words(node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, Sequence) else [node]
    return tuple(item.text for item in items if isinstance(item, Scalar))
