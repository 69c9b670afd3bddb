"""What loops go over: rows of a history in a scope of their own, and lists that are known item by item."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from engine.backends.sql.origins import NOTHING, Behind
from engine.backends.sql.scopes import Aggregation
from engine.backends.sql.stages import NULL, Sql
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.records import Record

if TYPE_CHECKING:
    from engine.backends.sql.relations import Expressions


#: What has another form that is columnar: groups.
HISTORY_WITHIN = "a history within a loop over the rows of another, in place of `group by`"


class Members:
    """The members of a context or row by name; one that it lacks is null."""

    def __init__(self, fields: Mapping[str, Sql | Members]) -> None:
        self.fields = fields

    def __call__(self, name: str) -> Sql | Members:
        return self.fields.get(name, NULL)

    def scalar(self, name: str) -> Sql:
        """A member that is no context itself; raises `Gap` for one that is."""
        found = self(name)
        if not isinstance(found, Sql):
            raise Gap(None, f"the context `{name}` within another")
        return found


#: The value of a loop's item: a scalar, or its members.
Item = Sql | Members
#: Items of a list that a query spells out: each with the condition under which it is there.
Items = list[tuple[Sql, Item]]
#: Items beyond which a list is not unrolled.
MAX_ITEMS = 200


class Over(Record):
    """Rows that a fold goes over: in which aggregation, which of them, what of each, and whether each value
    counts once. `compiler` is that of their scope, `hidden` what is behind the nulls of their source's items."""

    aggregation: Aggregation
    compiler: Expressions
    condition: Sql
    item: Item
    distinct: bool = False
    hidden: Behind = NOTHING


class Opened(Record):
    """A scope of rows under an outer one: their aggregation, the compiler of what speaks of them, and a row."""

    aggregation: Aggregation
    compiler: Expressions
    row: Members


class History:
    """Rows of an outer scope: `null` says for which outer rows there are none to speak of. `open` makes their scope,
    which is done once."""

    def __init__(self, name: str, null: Sql, open: Callable[[Expressions], Opened]) -> None:
        self.name = name
        self.null = null
        self._open = open
        self._opened: Opened | None = None

    def opened(self, outer: Expressions) -> Opened:
        if self._opened is None:
            self._opened = self._open(outer)
        return self._opened


class Known:
    """What was compiled in a scope, by the identity of its nodes: values, what is behind their nulls, groups."""

    def __init__(self) -> None:
        self.compiled: dict[int, Sql] = {}
        self.behind: dict[int, Behind] = {}
        self.groups: dict[int, History] = {}


class GroupItem(Members):
    """A group: its key, and the history of its rows."""

    def __init__(self, key: Sql, rows: History) -> None:
        super().__init__({"key": key})
        self.rows = rows


def carried(row: Members, carry: Callable[[Sql], Sql]) -> Members:
    """A row in a chain that goes on from another."""
    return Members({
        name: carry(field) if isinstance(field, Sql) else carried(field, carry) for name, field in row.fields.items()
    })


def supplied(program: ir.Program, decl: ir.HistoryDecl) -> str:
    """The supplied history behind one that a policy for each row derived."""
    histories = {h.name: h for h in program.histories}
    while decl.each is not None:
        decl = histories[decl.each.over]
    return decl.name


def free_locals(node: ir.Node) -> frozenset[str]:
    """The locals that a node reads and does not bind itself."""
    if isinstance(node, ir.Local):
        return frozenset({node.name})
    found: frozenset[str] = frozenset()
    for child in ir.children(node):
        found |= free_locals(child)
    if isinstance(node, ir.Let):
        return free_locals(node.value) | (free_locals(node.body) - {node.name})
    if isinstance(node, (ir.Filter, ir.Map, ir.Fold, ir.Group)):
        return free_locals(node.source) | (found - {node.var})
    return found
