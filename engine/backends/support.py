"""What each backend carries out, and how it says that it does not.

A compiled backend is a class below `Compiler`: its tables name every node of the core and every
primitive operation of the catalogue, as carried out or as left out. The tables are checked when
the class is made, so that a new node or primitive breaks each backend that has not thought of it.

What a backend leaves out is found when a program is compiled for it, which is before any
customer is decided; `Unsupported` carries one diagnostic for each place.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from engine.diagnostics import Diagnostic, Problem
from engine.ir import nodes as ir
from engine.records import Record
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS

#: Nodes of bare FEEL, which no program holds.
DYNAMIC = frozenset({ir.Lambda, ir.Apply, ir.Iterate})
#: Every node of the core.
NODES: tuple[type[ir.Node], ...] = tuple(
    c for c in vars(ir).values() if isinstance(c, type) and issubclass(c, ir.Node) and c is not ir.Node
)
#: Decisions that are no `Decide`.
SCORECARD = "scorecard"
HITS = (*ir.HITS, SCORECARD)

#: Kinds of operands as the tables of operations name them.
NUMBERS = frozenset({dt.NUMBER, dt.MONEY})
TEXTS = frozenset({dt.STRING})
BOOLEANS = frozenset({dt.BOOLEAN})
DATES = frozenset({dt.DATE})
TIMES = frozenset({dt.TIME})
MOMENTS = frozenset({dt.DATE_TIME})
DATED = DATES | MOMENTS
DAYS = frozenset({dt.DAYS_DURATION})
MONTHS = frozenset({dt.MONTHS_DURATION})
LISTS = frozenset({dt.LIST})
CONTEXTS = frozenset({dt.CONTEXT})
RANGES = frozenset({dt.RANGE})
#: What a relational column holds.
SCALARS = NUMBERS | TEXTS | BOOLEANS | DATED | TIMES | DAYS | MONTHS
#: Kinds that have an order.
ORDERED = SCALARS - BOOLEANS
#: One operand and several of a kind, for the page, in the order in which kinds are listed.
_WORDS = {
    NUMBERS: ("number", "numbers"), TEXTS: ("text", "texts"), BOOLEANS: ("boolean", "booleans"),
    DATES: ("date", "dates"), TIMES: ("time", "times"), MOMENTS: ("moment", "moments"), DAYS: ("days", "days"),
    MONTHS: ("months", "months"), LISTS: ("list", "lists"), CONTEXTS: ("context", "contexts"),
    RANGES: ("range", "ranges"),
}
#: Operations that become nodes when a policy is lowered.
LOWERED: Mapping[str, frozenset[type[ir.Node]]] = {
    "not": frozenset({ir.Not}), "get or else": frozenset({ir.Let, ir.IsNull, ir.Cond}), "today": frozenset({ir.AsOf}),
    "now": frozenset({ir.AsOf, ir.Call}), "count": frozenset({ir.Fold}),
}

#: Nodes in a policy author's words.
_PHRASES: dict[type[ir.Node], str] = {
    ir.Record: "contexts", ir.List: "lists", ir.Relation: "histories", ir.Filter: "filters of rows or items",
    ir.Map: "loops over rows or items", ir.Fold: "aggregates over rows or items", ir.Lookup: "lookups in a table",
    ir.Group: "groups of rows",
    ir.Lambda: "functions", ir.Apply: "functions",
    ir.Iterate: "loops over several lists",
}

#: What a backend that carries values alone lacks; see `asks_why_null`.
WHY_NULL = "the test of what made a computed outcome null, on which it hangs whether this is open"
HELP = "decide with the Python engine, or write the rule without it"


class Unsupported(Problem):
    """A program holds what a backend does not carry out."""


class Gap(Exception):
    """Raised inside a compiler at the first thing in a decision that it lacks; `what` completes
    "the SQL backend does not carry out ..."."""

    def __init__(self, at: ir.Place | None, what: str) -> None:
        super().__init__(what)
        self.at = at
        self.what = what

    def diagnostic(self, title: str) -> Diagnostic:
        span = self.at.span if self.at is not None else None
        return Diagnostic("E0801", f"{title} does not carry out {self.what}", span, HELP)


class Form(Record):
    """An operation over operands of these kinds; with `more` any number of further ones of the last kind."""

    kinds: tuple[frozenset[str], ...]
    emit: Callable[..., Any]
    more: bool = False

    def takes(self, kinds: Sequence[str]) -> bool:
        wanted = self.kinds
        if self.more and len(kinds) > len(wanted):
            wanted = (*wanted, *(wanted[-1:] * (len(kinds) - len(wanted))))
        return len(kinds) == len(wanted) and all(k in w for k, w in zip(kinds, wanted, strict=True))

    def __str__(self) -> str:
        """The kinds in words: "numbers", "date and days"."""
        if len(set(self.kinds)) == 1:
            return _listed([many for kind, (_, many) in _WORDS.items() if kind <= self.kinds[0]])
        return " and ".join(_listed([one for kind, (one, _) in _WORDS.items() if kind <= k]) for k in self.kinds)


def _listed(words: Sequence[str]) -> str:
    if len(words) > 7:
        return "anything"
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shown(operation: str) -> str:
    """An operation in messages; a plugin's function with its set."""
    held, dot, name = operation.partition(".")
    return f"`{name}` of `{held}`" if held and dot else f"`{operation}`"


def phrase(node: ir.Node) -> str:
    """A node in a policy author's words."""
    return _PHRASES.get(type(node), type(node).__name__)


class Support(Record):
    """What one backend carries out. `operations` maps a name to the operand kinds it takes, "" for all."""

    backend: str
    nodes: frozenset[type[ir.Node]]
    operations: Mapping[str, str]
    hits: frozenset[str]


class Compiler:
    """Base of a backend's expression compiler; the tables are checked when a subclass is made."""

    backend: ClassVar[str]
    #: The backend's name in messages.
    title: ClassVar[str]
    nodes: ClassVar[Mapping[type[ir.Node], Callable[[Any, Any], Any]]]
    nodes_left_out: ClassVar[frozenset[type[ir.Node]]]
    operations: ClassVar[Mapping[str, tuple[Form, ...]]]
    #: Primitive operations left out; what is not primitive may be left out without a word.
    operations_left_out: ClassVar[frozenset[str]]
    hits: ClassVar[frozenset[str]]
    hits_left_out: ClassVar[frozenset[str]]

    def __init_subclass__(cls) -> None:
        partition(f"{cls.backend}: nodes", cls.nodes, cls.nodes_left_out, set(NODES))
        primitives = {o.name for o in BUILTINS if o.primitive}
        known = {o.name for o in BUILTINS}
        handled = set(cls.operations)
        partition(f"{cls.backend}: operations", handled, cls.operations_left_out, primitives | (handled & known))
        partition(f"{cls.backend}: hit policies", cls.hits, cls.hits_left_out, set(HITS))

    @classmethod
    def support(cls) -> Support:
        """What the class carries out, for the page."""
        operations = {name: "; ".join(dict.fromkeys(map(str, forms))) for name, forms in cls.operations.items()}
        operations |= {name: "" for name, nodes in LOWERED.items() if nodes <= cls.nodes.keys()}
        return Support(cls.backend, frozenset(cls.nodes), operations, cls.hits)

    def compile(self, node: ir.Node) -> Any:
        """The node's form in the backend; raises `Gap`."""
        emit = self.nodes.get(type(node))
        if emit is None:
            raise Gap(node.at, phrase(node))
        return emit(self, node)

    def form(self, node: ir.Call) -> Form:
        """The form of an operation that takes the node's operands; raises `Gap`."""
        forms = self.operations.get(node.op)
        if forms is None:
            raise Gap(node.at, shown(node.op))
        kinds = [a.type.kind for a in node.args]
        for form in forms:
            if form.takes(kinds):
                return form
        raise Gap(node.at, f"`{node.op}` over {' and '.join(dict.fromkeys(kinds))}")


def partition(what: str, carried_out: Iterable[Any], left_out: Iterable[Any], every: set[Any]) -> None:
    """Raise TypeError unless the two parts make `every` and do not overlap."""
    one, other = set(carried_out), set(left_out)
    both, neither, unknown = one & other, every - one - other, (one | other) - every
    for found, fault in ((both, "carried out and left out"), (neither, "neither"), (unknown, "unknown")):
        if found:
            raise TypeError(f"{what} {fault}: {', '.join(sorted(_name(f) for f in found))}")


def _name(item: Any) -> str:
    return item if isinstance(item, str) else str(item.__name__)


# --- what a decision asks of a backend ------------------------------------------------------


def asks_why_null(decision: ir.Decide, nullable: bool) -> bool:
    """Whether the outcome hangs on where a computed null came from; `nullable`: there may be one.

    A computed outcome that is null leaves the decision open where a name it reads is null, and
    not where known data give no value; a backend that carries values alone cannot tell.
    """
    action = decision.on_missing.action
    if action == "skip" or not nullable:
        return False
    return not (action == "refer" and not decision.members and "refer" not in (decision.type.values or ()))


def differs(one: ir.Arm, other: ir.Arm) -> bool:
    """Whether two outcomes differ; a computed one differs from every other."""
    return one.is_computed or other.is_computed or _constants(one) != _constants(other)


def _constants(arm: ir.Arm) -> dict[str, Any]:
    return {name: node.value for name, node in arm.outcome if isinstance(node, ir.Const)}


# --- the page -----------------------------------------------------------------------------


def page(supports: Sequence[Support], more: Sequence[str] = ()) -> str:
    """The table of nodes, hit policies and operations by backend, as Markdown; `more` are lines behind it."""
    names = [s.backend for s in supports]
    lines = [
        "# What each backend carries out",
        "",
        "Written by `make docs` from the backends' own tables, which are checked against the core when the",
        "backends are imported. A policy that holds what a backend lacks is refused with [E0801](errors/E0801.md)",
        "when it is loaded for that backend, never midway. *reference* interprets and explains, *python* is the",
        "generated fast path, *sql* decides portfolios in DuckDB and in the engines below; *smt* carries out a first",
        "subset, over single customers without histories.",
        "",
        "## Nodes of the core",
        "",
        *table("node", names, [
            (f"`{n.__name__}`" + (" (bare FEEL)" if n in DYNAMIC else ""), [_yes(n in s.nodes) for s in supports])
            for n in NODES
        ]),
        "",
        "## Decisions by hit policy",
        "",
        *table("hit policy", names, [(f"`{h}`", [_yes(h in s.hits) for s in supports]) for h in HITS]),
        "",
        "## Operations",
        "",
        "Primitive operations are marked with a star; a backend supplies them or lists them as left out. A cell",
        "names the operands where not all are taken: `date and days` is a date and a duration of days, in order.",
        "",
        *table("operation", names, [
            (f"`{o.name}`" + (" *" if o.primitive else ""), [_operands(s.operations.get(o.name)) for s in supports])
            for o in BUILTINS
        ]),
        *more,
    ]
    return "\n".join(lines) + "\n"


def _yes(held: bool) -> str:
    return "yes" if held else "no"


def _operands(kinds: str | None) -> str:
    return "no" if kinds is None else kinds or "yes"


def table(head: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    lines = [f"| {head} | {' | '.join(columns)} |", "|" + " --- |" * (len(columns) + 1)]
    return [*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)]
