"""The syntax tree of FEEL.

`start` and `end` are offsets in code points into the expression's own text, so a
tree depends on its text and vocabulary alone and can be cached; the scalar that
held the text maps offsets to places in a file.
"""
from __future__ import annotations

from engine.records import Record


class Node(Record):
    start: int
    end: int


class NumberLiteral(Node):
    """`text` is exact as written, `30%`, `500万` and `1亿` included (policy dialect)."""

    text: str
    value: int | float


class StringLiteral(Node):
    value: str


class BooleanLiteral(Node):
    value: bool


class NullLiteral(Node):
    pass


class AtLiteral(Node):
    """`@"2026-07-01"`: a temporal literal by its text."""

    text: str


class Name(Node):
    """A name, normalised (NFC, single inner spaces). `?` in a unary test is the name `?`."""

    name: str


class Negation(Node):
    operand: Node


class Arithmetic(Node):
    """`op` is one of + - * / **."""

    op: str
    left: Node
    right: Node


class Comparison(Node):
    """`op` is one of = != < <= > >=."""

    op: str
    left: Node
    right: Node


class Conjunction(Node):
    operands: tuple[Node, ...]


class Disjunction(Node):
    operands: tuple[Node, ...]


class Between(Node):
    operand: Node
    lower: Node
    upper: Node


class In(Node):
    """`x in tests`: tests are those of a unary test, `x in (a, b)` or `x in a`."""

    operand: Node
    tests: tuple[Node, ...]


class InstanceOf(Node):
    operand: Node
    type: TypeName


class TypeName(Node):
    """`number`, `list<string>`, `context<a: number>`, `function<number> -> string`, `range<date>`.

    `name` is the head; `arguments` are (member name or "", type) pairs; `result` only for functions.
    """

    name: str
    arguments: tuple[tuple[str, TypeName], ...] = ()
    result: TypeName | None = None


class If(Node):
    condition: Node
    then: Node
    otherwise: Node


class Iterator(Node):
    """`name in source`, or `name in source..upper` when `upper` is there."""

    name: str
    source: Node
    upper: Node | None = None


class For(Node):
    iterators: tuple[Iterator, ...]
    body: Node


class Quantified(Node):
    """`kind` is `some` or `every`."""

    kind: str
    iterators: tuple[Iterator, ...]
    body: Node


class Filter(Node):
    base: Node
    predicate: Node


class Path(Node):
    base: Node
    name: str


class Argument(Node):
    """An argument of a call; `name` is None for a positional one."""

    name: str | None
    value: Node


class Invocation(Node):
    function: Node
    arguments: tuple[Argument, ...]


class Entry(Node):
    """`key: value` of a context."""

    key: str
    value: Node


class ContextLiteral(Node):
    entries: tuple[Entry, ...]


class ListLiteral(Node):
    items: tuple[Node, ...]


class RangeLiteral(Node):
    """`[lower..upper)` and its kin; also `(<= x)` with one end None."""

    lower: Node | None
    upper: Node | None
    lower_closed: bool
    upper_closed: bool


class Parameter(Node):
    name: str
    type: TypeName | None


class FunctionLiteral(Node):
    parameters: tuple[Parameter, ...]
    body: Node
    external: bool = False


class Comparator(Node):
    """A unary test `< 5`, `>= x`, `= 3`, `!= 3`."""

    op: str
    operand: Node


class AnyTest(Node):
    """`-`"""


class UnaryTests(Node):
    """A cell: alternatives, `not(...)` where `negated`. Items are Comparator, AnyTest or any expression
    (a value to equal, a range or list to be in, or a boolean expression over `?`)."""

    tests: tuple[Node, ...]
    negated: bool = False


def children(node: Node) -> list[Node]:
    """The direct subtrees of a node, in source order."""
    found: list[Node] = []
    for name in node._fields:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found.extend(v for v in value if isinstance(v, Node))
    return found


