"""A checked policy: what lowering reads.

Trees and their types, plain data already read by type, reasons and names resolved
to their declarations. Records here hold no findings; these went to the report.
"""
from __future__ import annotations

import datetime

from engine.check.scope import Slice
from engine.check.typed import Typing
from engine.diagnostics import Span
from engine.records import Record
from engine.semantics.declarations import FieldDecl, InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.semantics.functions import NO_FUNCTIONS, Functions
from engine.source.declare import PolicyFile
from engine.syntax import ast


class Expr(Record):
    """An expression and the text it was parsed from."""

    node: ast.Node
    place: Slice


class Plain(Record):
    """Plain data read by its declared type; `value` None is null."""

    value: object
    type: Type
    place: Slice


class ReasonRef(Record):
    """A reason code, or a decision whose reasons are inherited."""

    name: str
    inherited: bool
    span: Span


class Cell(Record):
    """One condition of a table row: `tests` over the column's expression.

    `takes_null`: some row of the column names `null`, so that missing is a value of it."""

    column: Expr
    tests: ast.UnaryTests
    place: Slice
    takes_null: bool


class TableModel(Record):
    name: str
    mode: str
    columns: tuple[tuple[str, Type], ...]
    rows: tuple[tuple[object, ...], ...]
    keys: tuple[str, ...]


class LookupModel(Record):
    """The outcome of a lookup: `column` of the row of `table` that the keys pick."""

    table: TableModel
    keys: tuple[Expr, ...]
    column: str
    place: Slice


class ModelModel(Record):
    """The answer of the scorer bound to `name`, asked with `args`; `reasons` are (the scorer's name, the code).

    `on_failure` is missing, refer or stop. `with_missing`: it is asked where an argument is null, too."""

    name: str
    args: tuple[tuple[str, Expr], ...]
    reasons: tuple[tuple[str, ReasonRef], ...]
    type: Type
    domain: Domain | None
    on_failure: str
    with_missing: bool
    place: Slice


#: What an arm gives.
Outcome = Expr | Plain | LookupModel | ModelModel


class ArmModel(Record):
    """One rule or row. Either `guard` or `cells`; neither for `otherwise` and for `value`."""

    rule: str
    guard: Expr | None
    cells: tuple[Cell, ...]
    outcome: tuple[tuple[str, Outcome], ...]
    reasons: tuple[ReasonRef, ...]
    otherwise: bool
    place: Slice


class BinModel(Record):
    """`tests` is None for the `null` bin."""

    tests: ast.UnaryTests | None
    points: float
    reasons: tuple[ReasonRef, ...]
    neutral: bool
    place: Slice


class CharacteristicModel(Record):
    label: str
    value: Expr
    bins: tuple[BinModel, ...]


class MissingModel(Record):
    action: str
    outcome: object


class DecisionModel(Record):
    """`hit` is a hit policy of the core; `members` are several outputs' types."""

    name: str
    family: str
    hit: str
    type: Type
    members: tuple[tuple[str, Type], ...]
    where: tuple[tuple[str, Expr], ...]
    arms: tuple[ArmModel, ...]
    on_missing: MissingModel
    place: Slice
    doc: str
    form: str


class ScoreModel(Record):
    name: str
    family: str
    type: Type
    base: float
    where: tuple[tuple[str, Expr], ...]
    characteristics: tuple[CharacteristicModel, ...]
    on_missing: MissingModel
    place: Slice
    doc: str


class HistoryModel(Record):
    """`of` names the history to whose rows its own belong, by the field `key` of both."""

    name: str
    key: str | None
    visible_from: str | None
    order_by: tuple[str, ...]
    fields: tuple[FieldDecl, ...]
    row: Type
    doc: str
    span: Span
    of: str | None = None


class ParameterRowModel(Record):
    start: datetime.date
    cells: tuple[Cell, ...]
    wildcards: int
    value: object
    place: Slice


class ParameterModel(Record):
    name: str
    type: Type
    rows: tuple[ParameterRowModel, ...]
    span: Span


class ReasonModel(Record):
    code: str
    texts: tuple[tuple[str, tuple[str | Expr, ...]], ...]
    rank: float
    span: Span
    notices: tuple[tuple[str, tuple[str | Expr, ...]], ...] = ()


class HistoryUse(Record):
    """A history of an imported policy, taken from the importer's `source`. Where the policy is decided for each
    row, those rows of the source are the row's own whose field `key` equals what is given for `input`, or that of one
    of its rows of the policy's history `of`."""

    name: str
    source: str
    key: str | None = None
    input: str | None = None
    of: str | None = None


class UseModel(Record):
    """An imported policy. `bindings` give its inputs; `each` names the history whose rows it decides.
    `histories` say where its histories come from."""

    name: str
    policy: PolicyModel
    each: str | None
    row: str
    bindings: tuple[tuple[str, Expr], ...]
    histories: tuple[HistoryUse, ...]
    span: Span


class AggregateModel(Record):
    """A value over customers. What is known of its parts is its own: the same text may mean another table elsewhere."""

    name: str
    value: Expr
    type: Type
    typing: Typing
    doc: str


class GroupKeyModel(Record):
    """What customers are grouped by: an expression about one, under the name of a column."""

    name: str
    value: Expr
    type: Type
    typing: Typing


class GroupingModel(Record):
    """Values of each group of customers."""

    name: str
    by: tuple[GroupKeyModel, ...]
    values: tuple[AggregateModel, ...]
    doc: str
    span: Span


class PortfolioModel(Record):
    """The values over all customers. `reads` are the names of a customer that they read."""

    values: tuple[AggregateModel | GroupingModel, ...]
    reads: frozenset[str]


class PolicyModel(Record):
    """A checked policy file. `decisions` stand in evaluation order, `declared` in the file's order."""

    file: PolicyFile
    start: datetime.date | None
    end: datetime.date | None
    inputs: tuple[InputDecl, ...]
    parameters: tuple[ParameterModel, ...]
    histories: tuple[HistoryModel, ...]
    reasons: tuple[ReasonModel, ...]
    tables: tuple[TableModel, ...]
    uses: tuple[UseModel, ...]
    decisions: tuple[DecisionModel | ScoreModel, ...]
    declared: tuple[str, ...]
    typing: Typing
    #: Decisions and imports in evaluation order.
    order: tuple[str, ...] = ()
    #: What is read of the last logged decision.
    previous: tuple[InputDecl, ...] = ()
    functions: Functions = NO_FUNCTIONS
    portfolio: PortfolioModel | None = None
