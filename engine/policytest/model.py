"""What a test file says, read and checked against its policy."""
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from engine.diagnostics import Diagnostic, Span
from engine.ir import nodes as ir
from engine.policy import Policy
from engine.records import Record
from engine.semantics.dtypes import Type

if TYPE_CHECKING:                                       # the checker, which a file without portfolios does not need
    from engine.policytest.conditions import Condition
    from engine.policytest.rows import RowType
    from engine.policytest.samples import Sample


class Placed(Protocol):
    """Something that stands in a file."""

    @property
    def span(self) -> Span: ...


class At(Record):
    """A place that is known."""

    span: Span


class Wanted(Record):
    """An outcome that a case states: of `decision`, or of its one output `member`.

    `value` is plain: None, a text, number, boolean, date, time or duration; a dict of stated members;
    a list. `path` is the name as written.
    """

    path: str
    decision: str
    member: str | None
    type: Type
    value: Any
    place: Placed


class Case(Record):
    """One customer and what is expected of the policy. None under an expectation: not asked.

    `inputs` are by declared name, `history` rows by history. `values` are stated outcomes; `reasons` are
    exact and in order, so are `reasons_of` and `fired` by decision; `open`, `missing` and `refused` are sets.
    `only` are the decisions asked for, None for all. `tolerance` is absolute, None for the tolerance of the language.
    `program` is the version that decides.
    """

    name: str
    program: ir.Program
    as_of: datetime.date
    inputs: Mapping[str, Any]
    history: Mapping[str, list[dict[str, Any]] | None]
    place: Placed
    values: tuple[Wanted, ...] = ()
    reasons: tuple[str, ...] | None = None
    reasons_of: Mapping[str, tuple[str, ...]] = {}
    fired: Mapping[str, tuple[str, ...]] = {}
    open: frozenset[str] | None = None
    missing: frozenset[str] | None = None
    refused: frozenset[str] | None = None
    only: tuple[str, ...] | None = None
    tolerance: float | None = None
    why: str = ""

    @property
    def span(self) -> Span:
        return self.place.span


class That(Record):
    """A condition must hold of all customers or, with `by`, of each group of at least `least` of them."""

    condition: Condition
    by: Condition | None = None
    least: int = 1


class Monotone(Record):
    """`outcome` goes one way only as the input moves to what `moves` give; `scale` lists ordered values from worst to
    best."""

    outcome: str
    decision: str
    member: str | None
    type: Type
    input: str
    direction: str
    moves: tuple[Condition, ...]
    scale: tuple[str, ...] | None


class FourFifths(Record):
    favourable: Condition
    by: Condition
    ratio: float
    least: int


class Stored(Record):
    """What a stored run gave, a row a customer who was decided: None for no outcome."""

    outcome: str
    decision: str
    member: str | None
    type: Type
    values: tuple[Any, ...]


class Drift(Record):
    stored: tuple[Stored, ...]
    against: str
    most: float
    ends: tuple[float, ...] | None


class FewRefused(Record):
    """No more than this share of the rows is refused."""

    most: float


class Agreement(Record):
    """The engines say the same of every row."""


Measure = That | Monotone | FourFifths | Drift | FewRefused | Agreement


class Expectation(Record):
    """One thing that must hold of a portfolio; `name` holds that of the portfolio too."""

    name: str
    measure: Measure
    place: Placed
    as_of: datetime.date
    why: str = ""

    @property
    def span(self) -> Span:
        return self.place.span


class Portfolio(Record):
    """Customers, decided as of one date by the version `program` (or, where an input picks it, by several).
    `reads` are the inputs that expectations read."""

    name: str
    as_of: datetime.date
    program: ir.Program
    row: RowType
    sample: Sample
    expectations: tuple[Expectation, ...]
    reads: frozenset[str]


class Lacking(Record):
    """What an engine does not carry out (E0801), and the cases or expectations that it therefore leaves out."""

    diagnostics: tuple[Diagnostic, ...]
    items: tuple[Case | Expectation, ...]


class Suite(Record):
    """A test file. With an error among its `diagnostics` it has no `policy` or no cases to trust.

    `file` is its name as shown to people; `sources` are the texts that diagnostics point into.
    """

    file: str
    name: str
    policy: Policy | None
    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    portfolios: tuple[Portfolio, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether its cases can be decided."""
        return self.policy is not None and not any(d.is_error for d in self.diagnostics)
