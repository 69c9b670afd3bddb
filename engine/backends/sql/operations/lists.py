"""Operations over operands in any number, or over the items of a list that a policy spells out; `semantics.lists`."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.operations.numbers import known_number, quotient
from engine.backends.sql.operations.points import same
from engine.backends.sql.operations.sums import added, span_sum
from engine.backends.sql.stages import Sql, case
from engine.backends.support import BOOLEANS, DAYS, LISTS, MONTHS, NUMBERS, ORDERED, SCALARS, Form
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions


def extreme(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """The least or greatest, NULL where any is (SQL's LEAST skips NULL)."""
    order = of.dialect.ordered if node.type.kind == dt.STRING else t.tree
    first, then = (t.at_most, t.above) if node.op == "min" else (t.at_least, t.below)
    best = of.stages.named(args[0])
    for arg in args[1:]:
        other = of.stages.named(arg)
        whens = [(test(order(best), order(other)), t.tree(kept)) for test, kept in ((first, best), (then, other))]
        best = of.stages.named(of.joined(case(whens), [best, other]))
    return best


def settled(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """`all` and `any` of operands, NULL where one is."""
    join = st.all_of if node.op == "all" else st.any_of
    nulls = [st.is_null(t.tree(a)) for a in args if a.nullable]
    tree = join([t.tree(a) for a in args])
    return of.joined(case([(st.negated(st.any_of(nulls)), tree)]) if nulls else tree, args)


# --- sums -------------------------------------------------------------------------------------------


def total(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return added(of, node, args)


def span_total(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return span_sum(of, node.type.kind, args)


def mean(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    return quotient(of, added(of, node, args), Sql(st.number(len(args))))


def median(of: SqlExpressions, node: ir.Call | ir.Fold, args: Sequence[Sql]) -> Sql:
    """The middle number, or the mean of the middle two."""
    ordered = in_order(of, args, dt.NUMBER)
    middle = len(ordered) // 2
    # NULL goes where a comparison falls, so it is asked for by itself.
    found = ordered[middle] if len(ordered) % 2 else quotient(
        of, added(of, node, ordered[middle - 1:middle + 1]), Sql(st.number(2)))
    nulls = [st.is_null(t.tree(a)) for a in map(of.stages.named, args) if a.nullable]
    if not nulls:
        return found
    found = of.stages.named(found)
    return of.joined(case([(st.negated(st.any_of(nulls)), t.tree(found))]), [found, *args])


def in_order(of: SqlExpressions, args: Sequence[Sql], kind: str) -> list[Sql]:
    """Values in ascending order: neighbours change places, as often as there are values."""
    order = of.dialect.ordered if kind == dt.STRING else t.tree
    ordered = [of.stages.named(a) for a in args]
    for turn in range(len(ordered)):
        for place in range(turn % 2, len(ordered) - 1, 2):
            a, b = ordered[place], ordered[place + 1]
            ordered[place], ordered[place + 1] = (
                of.stages.named(of.joined(case([(test(order(a), order(b)), t.tree(a))], t.tree(b)), [a, b]))
                for test in (t.at_most, t.above)
            )
    return ordered


def product(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    value = of.stages.named(args[0])
    for arg in args[1:]:
        other = of.stages.named(arg)
        value = of.stages.named(of.only_finite(of.joined(of.dialect.calculated("*", value, other), [value, other])))
    return value


def deviation(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Of a sample: divided by n - 1."""
    of.needs("has_library", node)
    if len(args) < 2:
        return of.nothing(dt.NUMBER)
    items = [of.stages.named(a) for a in args]
    average = of.stages.named(quotient(of, added(of, node, items), Sql(st.number(len(items)))))
    squares = [
        of.joined(exp.Pow(this=t.minus(item, average), expression=st.number(2)), [item, average]) for item in items
    ]
    variance = of.stages.named(quotient(of, added(of, node, squares), Sql(st.number(len(items) - 1))))
    return variance.replace(tree=exp.Sqrt(this=t.tree(variance)))


def of_items(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """An aggregate of one list: of its items, of which none may be absent by a condition."""
    items = of.listed(node.args[0], node)
    kind = node.args[0].type.item
    if not items or kind is None or kind.kind not in dt.NUMERIC:
        return of.nothing(dt.NUMBER)
    emit = {"product": product, "stddev": deviation}[node.op]
    return emit(of, node, items)


# --- membership ---------------------------------------------------------------------------------------


def contains(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """Whether an item equals an element, null equalling null; never NULL."""
    items = of.items_of(node.args[0], node)
    element = of.stages.named(args[0])
    held, parts = [], [element]
    for present, item in items:
        kinds = (_kind(node.args[0]), node.args[1].type.kind)
        equal = of.stages.named(same(of, item, element, kinds))
        tests = [equal.tree] if not equal.nullable else [case([(t.tree(equal), exp.true())], exp.false())]
        if not (isinstance(present.tree, exp.Boolean) and present.tree.this):
            tests.append(t.tree(present))
        held.append(st.all_of(tests))
        parts += [present, equal]
    return of.joined(st.any_of(held), parts).replace(nullable=False)


def _kind(node: ir.Node) -> str:
    return node.type.item.kind if node.type.item is not None else dt.NULL


# --- lists of lists ------------------------------------------------------------------------------------

Items = list[tuple[Sql, Any]]
#: Items beyond which a counted list is not spelt out.
MOST_COUNTED = 200


def spelt_out(of: SqlExpressions, node: ir.Call) -> Items | None:
    """The items of a list that an operation makes of lists that are spelt out; None where they are not, and
    where positions are computed or lie outside."""
    if node.op == "..":
        return _counted(node)
    lists = [a for a in node.args if a.type.kind == dt.LIST]
    found = [of.spelt_out(a) for a in lists]
    items = [i for i in found if i is not None]
    if node.op not in _MADE or len(items) < len(found) or not items:
        return None
    if node.op in ("concatenate", "union"):
        joined = [item for part in items for item in part]
        return joined if node.op == "concatenate" else _distinct(of, joined, lists)
    if node.op == "reverse":
        return items[0][::-1]
    if node.op == "distinct values":
        return _distinct(of, items[0], lists)
    if node.op == "append":
        return items[0] + [(st.TRUE, of.stages.named(of.compile(a))) for a in node.args[1:]]
    if node.op == "sort":
        return _sorted(of, node, items[0])
    if node.op == "index of":
        return _places(of, node, items[0])
    return _changed(of, node, items[0])


def _counted(node: ir.Call) -> Items | None:
    ends = [known_number(a) for a in node.args]
    if any(e is None or e != int(e) or abs(e) > _FAR for e in ends):
        return None
    first, last = (int(e or 0) for e in ends)
    step = 1 if first <= last else -1
    if abs(last - first) >= MOST_COUNTED:
        return None
    return [(st.TRUE, Sql(st.number(n))) for n in range(first, last + step, step)]


def _changed(of: SqlExpressions, node: ir.Call, items: Items) -> Items | None:
    """Positions are known, and every item is there, so that they say which."""
    numbers = [known_number(a) for a in (node.args[1:] if node.op == "sublist" else node.args[1:2])]
    if any(present != st.TRUE for present, _ in items) or not numbers or None in numbers:
        return None
    place = int(numbers[0] or 0)
    if place == 0 or abs(place) > len(items):
        return None
    at = place - 1 if place > 0 else len(items) + place
    if node.op == "remove":
        return [*items[:at], *items[at + 1:]]
    if node.op == "sublist":
        if len(node.args) < 3:
            return items[at:]
        size = int(numbers[-1] or 0)
        return items[at:at + size] if len(numbers) > 1 and 0 <= size <= len(items) - at else None
    item = (st.TRUE, of.stages.named(of.compile(node.args[2])))
    return [*items[:at], item, *items[at + (node.op == "list replace"):]]


def _places(of: SqlExpressions, node: ir.Call, items: Items) -> Items | None:
    if any(present != st.TRUE or not isinstance(item, Sql) for present, item in items):
        return None
    kinds = (_kind(node.args[0]), node.args[1].type.kind)
    if dt.ANY in kinds:
        return None     # whether they can be equal hangs on what they are
    match = of.stages.named(of.compile(node.args[1]))
    return [
        (of.stages.named(st.holds(same(of, item, match, kinds))), Sql(st.number(place)))
        for place, (_, item) in enumerate(items, start=1)
    ]


def _sorted(of: SqlExpressions, node: ir.Call, items: Items) -> Items | None:
    """In ascending order, exactly; of items that are there, none of them null."""
    item_type = node.args[0].type.item
    kind = _kind(node.args[0])
    if len(node.args) > 1 or kind not in dt.ORDERED or item_type is None or item_type.nullable or any(
            present != st.TRUE or not isinstance(item, Sql) for present, item in items):
        return None
    return [(st.TRUE, item) for item in in_order(of, [item for _, item in items], kind)]


def _distinct(of: SqlExpressions, items: Items, lists: Sequence[ir.Node]) -> Items | None:
    """Items without those that repeat an earlier one, told apart exactly; moments by their seconds."""
    if not all(isinstance(item, Sql) for _, item in items):
        return None
    kind = next((_kind(node) for node in lists if _kind(node) not in (dt.ANY, dt.NULL)), dt.NULL)
    found: Items = []
    for place, (present, item) in enumerate(items):
        repeats = [
            st.both(before, st.holds(same(of, earlier, item, (kind, kind), exact=kind in dt.NUMERIC)))
            for before, earlier in items[:place]
        ]
        fresh = st.both(present, *(st.opposite(of.stages.named(r)) for r in repeats))
        found.append((of.stages.named(fresh), item))
    return found


_FAR = 2.0**53
_MADE = frozenset({
    "append", "concatenate", "union", "sort", "reverse", "distinct values", "index of", "remove", "sublist",
    "insert before", "list replace",
})

_MANY = {"min": (ORDERED, extreme), "max": (ORDERED, extreme), "mean": (NUMBERS, mean),
         "median": (NUMBERS, median), "product": (NUMBERS, product), "stddev": (NUMBERS, deviation),
         "all": (BOOLEANS, settled), "any": (BOOLEANS, settled)}
OPERATIONS: Mapping[str, tuple[Form, ...]] = {
    **{name: (Form((kinds,), emit, more=True),) for name, (kinds, emit) in _MANY.items()},
    "sum": (
        Form((NUMBERS,), total, more=True), Form((DAYS,), span_total, more=True),
        Form((MONTHS,), span_total, more=True),
    ),
    "product": (Form((NUMBERS,), product, more=True), Form((LISTS,), of_items)),
    "stddev": (Form((NUMBERS,), deviation, more=True), Form((LISTS,), of_items)),
    "list contains": (Form((LISTS, SCALARS), contains),),
}
