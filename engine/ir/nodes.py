"""The nodes of the typed core.

Invariants, which `ir.verify` checks:

- every node has a stable `id` (its path from the decision that owns it, so that
  editing one rule does not rename the nodes of another), a static type with
  nullability, and the place in a policy file that it came from;
- every boolean atom (`Compare`, `IsNull`, a boolean leaf) is known by its id, so
  that coverage can ask for both sides;
- a literal keeps its exact text beside its binary64 value (a solver reads the
  text as a rational);
- only `Decide`, `And`, `Or`, `IsNull`, and what is built on `IsNull`, consume a
  null; every other node over a null is null, `Cond` included.

The last three expression nodes are for bare FEEL, whose types are dynamic;
`verify` refuses them in a program.
"""
from __future__ import annotations

import datetime

from engine import records
from engine.diagnostics import Locator, Span
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.semantics.functions import NO_FUNCTIONS, Functions


class Place(records.Record):
    """Where a node stands: offsets `start`..`end` of a scalar's text."""

    locator: Locator
    start: int
    end: int
    text: str

    @property
    def span(self) -> Span:
        return self.locator.locate(self.start, self.end)

    @property
    def snippet(self) -> str:
        return self.text[self.start:self.end]


class Node(records.Record):
    id: str
    type: Type
    at: Place | None


# --- expressions ---------------------------------------------------------------


class Const(Node):
    """A literal; `text` as written, "" where the value was made by lowering."""

    value: object
    text: str = ""


class Input(Node):
    name: str


class Parameter(Node):
    """A policy parameter; its rows stand in the program."""

    name: str


class AsOf(Node):
    pass


class Ref(Node):
    """The outcome of a decision, feature or imported outcome, by its qualified name."""

    name: str


class Local(Node):
    """A name bound by `Let`, a decision's `where`, or the row variable of Map, Filter or Fold."""

    name: str


class Let(Node):
    name: str
    value: Node
    body: Node


class Call(Node):
    """An operation of the catalogue by its name (`+`, `floor`, `.days`)."""

    op: str
    args: tuple[Node, ...]


class Compare(Node):
    """`op` is one of = != < <= > >=, three-valued.

    `mode` says how numbers compare: "tolerant" with `floor` as the least tolerance,
    "plain" for IEEE comparison (whole numbers, dates, texts, and constants settled by
    `rewrites.settle`).
    """

    op: str
    left: Node
    right: Node
    mode: str = "plain"
    floor: float = 0.0


class And(Node):
    args: tuple[Node, ...]


class Or(Node):
    args: tuple[Node, ...]


class Not(Node):
    arg: Node


class IsNull(Node):
    arg: Node


class Cond(Node):
    test: Node
    then: Node
    otherwise: Node


class Record(Node):
    fields: tuple[tuple[str, Node], ...]


class Field(Node):
    """A member of a context or of a relation's row."""

    base: Node
    name: str


class List(Node):
    items: tuple[Node, ...]


class Relation(Node):
    """The visible rows of a history as of the decision's date; null if not supplied."""

    name: str


class Filter(Node):
    """Items of `source` (a relation or list) for which `predicate`, over the local `var`, is true."""

    source: Node
    var: str
    predicate: Node


class Map(Node):
    source: Node
    var: str
    body: Node


class Fold(Node):
    """An aggregate over a relation or list.

    Items of `source` that pass `filter` give `value` (both over the local `var`; None
    stands for all items and for the item itself), which `op` folds: sum count min max
    mean median some every worst best first last, longest streak and current streak. `decimals` is the
    unit to which sum and mean round each item, None for exact folds.
    """

    op: str
    source: Node
    var: str
    filter: Node | None
    value: Node | None
    decimals: int | None = None


class Group(Node):
    """The rows of `source`, a relation, in groups by `key` over the local `var`, which is never null and compares
    exactly: a list of contexts, each with the `key` and its `rows` (a relation again, in their order), in the order
    in which the keys first appear."""

    source: Node
    var: str
    key: Node


class Lookup(Node):
    """A column of a constant table by key or by band; `table` names it in the program."""

    table: str
    column: str
    keys: tuple[Node, ...]


# --- bare FEEL only -------------------------------------------------------------


class Lambda(Node):
    """A function literal. `parameters` are (name, type text or "")."""

    parameters: tuple[tuple[str, str], ...]
    body: Node


class Apply(Node):
    """A call of a function value; `names` aligns with `args`, "" for a positional one."""

    function: Node
    args: tuple[Node, ...]
    names: tuple[str, ...] = ()


class Iterate(Node):
    """`for`, `some` or `every` over several iterators, each (name, source, upper or None)."""

    kind: str
    iterators: tuple[tuple[str, Node, Node | None], ...]
    body: Node


# --- decisions -------------------------------------------------------------------


class ReasonSource(records.Record):
    """A reason code, or the reasons of a decision (`from X`) when `inherited`."""

    name: str
    inherited: bool = False


class OnMissing(records.Record):
    """`action` is refer, skip, refuse or then; `outcome` is the value that `then` gives (a dict of
    members where there are several outputs)."""

    action: str
    outcome: object = None


class Arm(records.Record):
    """One rule: where `guard` is true, `outcome` holds and `reasons` are given.

    `outcome` is one node a member; its only name is "" where the decision has a single output.
    `parts` are the guard's conditions as a person wrote them (a grid's cells), for explanations.
    `rule` is its id in the file; `otherwise` arms have the guard `true`.
    """

    id: str
    rule: str
    guard: Node
    parts: tuple[Node, ...]
    outcome: tuple[tuple[str, Node], ...]
    reasons: tuple[ReasonSource, ...]
    otherwise: bool
    at: Place | None

    @property
    def is_computed(self) -> bool:
        """Whether an outcome is an expression rather than plain data."""
        return any(not isinstance(node, Const) for _, node in self.outcome)


#: Every hit policy a `Decide` may have. `value` has a single arm with the guard `true`.
HITS = (
    "value", "first", "worst", "unique", "any", "priority", "collect", "rule order", "output order",
    "collect sum", "collect min", "collect max", "collect count",
)


class Decide(records.Record):
    """A decision: arms under a hit policy.

    `where` are local names in an order in which each only reads earlier ones. `members` names
    several outputs with their types, empty for a single one. `internal` decisions are features
    (`family` "features") and what an imported policy brings; they give no outputs.
    """

    name: str
    family: str
    hit: str
    type: Type
    members: tuple[tuple[str, Type], ...]
    where: tuple[tuple[str, Node], ...]
    arms: tuple[Arm, ...]
    on_missing: OnMissing
    internal: bool
    at: Place | None
    #: Set where this binds an input of an imported policy: its value must satisfy the input's type.
    binds: InputDecl | None = None
    doc: str = ""
    #: The form it was written in (`rules`, `table`, ...), for messages; "" for what lowering made.
    form: str = ""


class Bin(records.Record):
    """`test` over the characteristic's value; `is_null` marks the `null` bin."""

    id: str
    test: Node
    points: float
    reasons: tuple[ReasonSource, ...]
    is_null: bool
    neutral: bool
    at: Place | None


class Characteristic(records.Record):
    """`var` is the local that the bins' tests read; the first bin that holds gives its points."""

    id: str
    label: str
    var: str
    value: Node
    bins: tuple[Bin, ...]


class Score(records.Record):
    """A scorecard: `base` plus the points of each characteristic's bin."""

    name: str
    family: str
    type: Type
    base: float
    where: tuple[tuple[str, Node], ...]
    characteristics: tuple[Characteristic, ...]
    on_missing: OnMissing
    internal: bool
    at: Place | None
    doc: str = ""


Decision = Decide | Score


# --- declarations -----------------------------------------------------------------


class EachHistory(records.Record):
    """A history of a policy that is decided for each row: those rows of the relation `source`, as visible as of the
    date, whose field `key` equals what the row gives for the input `input`; with `of` instead, whose `key` is that of
    a row which this row has in the policy's history `of`, one before it. Keys compare exactly and are never null.
    The policy's own declaration of the history then says once more what is visible and known, and the order. Null
    where the source is null, or what it is `of`."""

    name: str
    source: str
    key: str
    input: str | None
    of: str | None = None


class EachDecl(records.Record):
    """A policy decided for each row of `over`; `bindings` give its inputs over the local `row`, and
    `histories` its histories, each by a join on a key."""

    program: Program
    over: str
    bindings: tuple[tuple[str, Node], ...]
    histories: tuple[EachHistory, ...] = ()


class HistoryDecl(records.Record):
    """An event table; with `each`, the rows of `each.over` with a policy's outcomes as columns.

    `key` is the data column that holds the customer's key. With `of` it is a field that this history and
    the history `of` share: a row belongs to the customer of the row of `of` with the same value."""

    name: str
    key: str | None
    visible_from: str | None
    order_by: tuple[str, ...]
    fields: tuple[FieldDecl, ...]
    each: EachDecl | None = None
    doc: str = ""
    at: Place | None = None
    of: str | None = None


class ParameterRow(records.Record):
    """In force from `start` where `guard` holds; `wildcards` counts its `-` cells."""

    start: datetime.date
    guard: Node
    wildcards: int
    value: object
    at: Place | None


class ParameterDecl(records.Record):
    name: str
    type: Type
    rows: tuple[ParameterRow, ...]
    at: Place | None = None


class ReasonDecl(records.Record):
    """`texts` maps a language to its template: plain text and nodes whose values stand in it. `notices` are those
    for a letter to the customer, where they differ."""

    code: str
    texts: tuple[tuple[str, tuple[str | Node, ...]], ...]
    rank: float
    at: Place | None = None
    notices: tuple[tuple[str, tuple[str | Node, ...]], ...] = ()


class TableDecl(records.Record):
    """A constant table for `Lookup`: `mode` is "key" or "band" (rows sorted by the first column, the
    last at or below the key counts); `rows` are tuples aligned with `columns`."""

    name: str
    mode: str
    columns: tuple[tuple[str, Type], ...]
    rows: tuple[tuple[object, ...], ...]
    keys: tuple[str, ...]


class ModelDecl(records.Record):
    """What a scorer is asked for `decision`, and where its answer goes.

    `args` are the scorer's inputs with the decisions that give them, `types` their types. `answer`, `failed` and the
    second of each of `reasons` (by the scorer's name) are inputs of the program. `on_failure` is missing, refer or
    stop; `with_missing`: the scorer is asked where an argument is null, too.
    """

    model: str
    decision: str
    args: tuple[tuple[str, str], ...]
    types: tuple[tuple[str, Type], ...]
    answer: str
    failed: str
    reasons: tuple[tuple[str, str], ...]
    type: Type
    domain: Domain | None
    on_failure: str
    with_missing: bool
    at: Place


class Aggregate(records.Record):
    """A value over customers: `node` reads the relations `customers`, `portfolio` and `refused customers`, whose rows
    have the portfolio's leaves as fields."""

    name: str
    type: Type
    node: Node
    doc: str = ""


class Grouping(records.Record):
    """Values of each group of customers. `by` are the columns that part the groups, with their leaves."""

    name: str
    by: tuple[tuple[str, Type, str], ...]
    values: tuple[Aggregate, ...]
    doc: str = ""


class Portfolio(records.Record):
    """Values over all decided customers (`engine.ir.portfolio`). `leaves` are what these read of one customer, as
    expressions over the policy's inputs and decisions; `totals` and `groupings` stand in the order of the file."""

    leaves: tuple[tuple[str, Node], ...]
    totals: tuple[Aggregate, ...]
    groupings: tuple[Grouping, ...]
    order: tuple[str, ...]


class Program(records.Record):
    """A whole policy. `decisions` stand in evaluation order, `declared` in the order of the file; `histories`
    that a policy for each row derives stand behind those that they are derived from."""

    name: str
    version: str
    start: datetime.date | None
    end: datetime.date | None
    owner: str
    currency: str | None
    inputs: tuple[InputDecl, ...]
    parameters: tuple[ParameterDecl, ...]
    histories: tuple[HistoryDecl, ...]
    reasons: tuple[ReasonDecl, ...]
    tables: tuple[TableDecl, ...]
    decisions: tuple[Decision, ...]
    declared: tuple[str, ...]
    doc: str = ""
    #: The date input that picks the version, instead of the date of the decision.
    application_date: str | None = None
    #: The functions beyond the language's own that it may call, those of imported policies and of policies for
    #: each row included.
    functions: Functions = NO_FUNCTIONS
    models: tuple[ModelDecl, ...] = ()
    #: What the failure of a data source leads to: missing, refer or stop.
    on_failure: str = "missing"
    portfolio: Portfolio | None = None


#: A decision that is reached whatever is asked for: it refuses a customer whose data source failed.
ALWAYS = "sources.data"

#: Reserved reason codes of an open decision.
MISSING = "MISSING"
UNDEFINED = "UNDEFINED"
RESERVED = (MISSING, UNDEFINED)


#: The fields of each node class that hold operands, by their annotations.
_OPERANDS: dict[type[Node], tuple[str, ...]] = {}


def _operands(kind: type[Node]) -> tuple[str, ...]:
    names = tuple(
        name for base in reversed(kind.__mro__) for name, annotation in base.__dict__.get("__annotations__", {}).items()
        if "Node" in annotation and "ClassVar" not in annotation
    )
    _OPERANDS[kind] = names
    return names


def children(node: Node) -> list[Node]:
    """The direct operands of an expression node, in order."""
    names = _OPERANDS.get(type(node))
    found: list[Node] = []
    for name in _operands(type(node)) if names is None else names:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    found.append(item)
                elif isinstance(item, tuple):
                    found.extend(part for part in item if isinstance(part, Node))
    return found
