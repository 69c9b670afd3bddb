"""Contexts and lists that a policy spells out: their members, whether two are equal, and how FEEL writes them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql import trees as t
from engine.backends.sql.stages import Sql, case
from engine.backends.support import CONTEXTS, LISTS, Form, Gap
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.text import key_text
from engine.semantics.values import MAX_TEXT

if TYPE_CHECKING:
    from engine.backends.sql.expressions import SqlExpressions

CONTAINERS = frozenset({dt.LIST, dt.CONTEXT})


class NoValue(Exception):
    """FEEL has no value here, whatever the data."""


def members(node: ir.Node) -> dict[str, ir.Node] | None:
    """The members of a context that is spelt out, or that an operation makes of such; None for others. Raises
    `NoValue`."""
    if isinstance(node, ir.Record):
        return dict(node.fields)
    if not isinstance(node, ir.Call) or node.op not in ("context put", "context merge", "context"):
        return None
    if any(a.type.kind == dt.NULL for a in node.args[:2 if node.op == "context put" else 1]):
        raise NoValue
    if node.op == "context put":
        base = members(node.args[0])
        return None if base is None else _put(base, node.args[1], node.args[2])
    listed = node.args[0]
    if not isinstance(listed, ir.List):
        return None
    found: dict[str, ir.Node] = {}
    for item in listed.items:
        inner = members(item)
        if inner is None:
            return None
        found.update(inner if node.op == "context merge" else _entry(inner, found))
    return found


def _entry(entry: Mapping[str, ir.Node], before: Mapping[str, ir.Node]) -> dict[str, ir.Node]:
    if not {"key", "value"} <= entry.keys() or not isinstance(entry["key"], ir.Const):
        raise NoValue
    key = entry["key"].value
    if not isinstance(key, str) or key in before:
        raise NoValue
    return {key: entry["value"]}


def _put(base: dict[str, ir.Node], key: ir.Node, value: ir.Node) -> dict[str, ir.Node] | None:
    if isinstance(key, ir.Const) and isinstance(key.value, str):
        return {**base, key.value: value}
    if not isinstance(key, ir.List):
        return None
    path = [k.value if isinstance(k, ir.Const) else None for k in key.items]
    if not path or not all(isinstance(k, str) for k in path):
        if any(not isinstance(k, ir.Const) for k in key.items):
            return None
        raise NoValue
    head = str(path[0])
    if len(path) == 1:
        return {**base, head: value}
    if head not in base:
        raise NoValue
    inner = members(base[head])
    if inner is None:
        if base[head].type.kind != dt.CONTEXT:
            raise NoValue
        return None
    made = _put(inner, key.replace(items=key.items[1:]), value)
    if made is None:
        return None
    fields = tuple(made.items())
    kind = dt.Type(dt.CONTEXT, fields=tuple((n, f.type) for n, f in fields))
    return {**base, head: ir.Record(base[head].id, kind, base[head].at, fields)}


def got(node: ir.Call) -> ir.Node:
    """What `get value` gives of a context that is spelt out; the node itself where it is not."""
    nothing = ir.Const(node.id, dt.Type(dt.NULL, True), node.at, None)
    key = node.args[1]
    path = [key] if not isinstance(key, ir.List) else list(key.items)
    if not path or not all(isinstance(k, ir.Const) for k in path):
        return node if path else nothing
    found: ir.Node = node.args[0]
    try:
        for part in path:
            held = members(found)
            name = part.value if isinstance(part, ir.Const) else None
            if held is None:
                return nothing if found.type.kind not in (dt.CONTEXT, dt.ANY) else node
            if not isinstance(name, str) or name not in held:
                return nothing
            found = held[name]
    except NoValue:
        return nothing
    return found


# --- equality ----------------------------------------------------------------------------------------


def equal(of: SqlExpressions, left: ir.Node, right: ir.Node) -> Sql:
    """Whether two lists or contexts are equal: item by item, exactly; null equals null in them."""
    kinds = (left.type.kind, right.type.kind)
    if dt.CONTEXT in kinds:
        a, b = members(left), members(right)
        if a is None or b is None:
            raise Gap(left.at, "comparisons of contexts that the policy does not spell out")
        if a.keys() != b.keys():
            return Sql(exp.false())
        return _all(of, [_same(of, value, b[name]) for name, value in a.items()])
    if isinstance(left, ir.List) and isinstance(right, ir.List):
        if len(left.items) != len(right.items):
            return Sql(exp.false())
        return _all(of, [_same(of, a, b) for a, b in zip(left.items, right.items, strict=True)])
    sides = [of.spelt_out(side) for side in (left, right)]
    items = [item for side in sides for item in side or ()]
    if None in sides or not all(present == st.TRUE and isinstance(i, Sql) for present, i in items):
        raise Gap(left.at, "comparisons of lists that the policy does not spell out")
    pairs = [[item for _, item in side or ()] for side in sides]
    if len(pairs[0]) != len(pairs[1]):
        return Sql(exp.false())
    return _all(of, [_null_safe(of, a, b) for a, b in zip(*pairs, strict=True)])


def _same(of: SqlExpressions, a: ir.Node, b: ir.Node) -> Sql:
    if a.type.kind in CONTAINERS or b.type.kind in CONTAINERS:
        return equal(of, a, b) if a.type.kind == b.type.kind else Sql(exp.false())
    return _null_safe(of, of.compile(a), of.compile(b))


def _null_safe(of: SqlExpressions, a: Sql, b: Sql) -> Sql:
    tree = exp.NullSafeEQ(this=st.operand(a.tree.copy()), expression=st.operand(b.tree.copy()))
    return of.joined(tree, [a, b]).replace(nullable=False)


def _all(of: SqlExpressions, parts: Sequence[Sql]) -> Sql:
    return of.joined(st.all_of([p.tree for p in parts]), parts).replace(nullable=False)


# --- as texts -----------------------------------------------------------------------------------------


def written(of: SqlExpressions, node: ir.Call, args: Sequence[Sql]) -> Sql:
    """FEEL's text of a list or context."""
    try:
        parts = _written(of, node, node.args[0])
    except NoValue:
        return of.nothing(dt.STRING)
    value = of.stages.named(of.joined(t.joined(parts), parts))
    test = t.at_most(exp.Length(this=t.tree(value)), MAX_TEXT)
    return value.replace(tree=case([(test, t.tree(value))]), nullable=True)


def _written(of: SqlExpressions, call: ir.Call, node: ir.Node) -> list[Sql]:
    if node.type.kind == dt.CONTEXT:
        held = members(node)
        if held is None:
            raise Gap(call.at, "`string` over a context that the policy does not spell out")
        entries = [[_text(f"{key_text(name)}: "), *_written(of, call, value)] for name, value in held.items()]
        return [_text("{"), *_between(entries), _text("}")]
    if node.type.kind == dt.LIST:
        if not isinstance(node, ir.List):
            raise Gap(call.at, "`string` over a list that the policy does not spell out")
        return [_text("["), *_between([_written(of, call, item) for item in node.items]), _text("]")]
    if node.type.kind == dt.NULL:
        return [_text("null")]
    value = of.call(call.replace(args=(node,)))
    text = t.tree(value)
    if node.type.kind == dt.STRING:
        for sign, instead in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            text = exp.Replace(this=text, expression=t.text(sign), replacement=t.text(instead))
        text = exp.Paren(this=t.joined([t.text('"'), text, t.text('"')]))
    if value.nullable:
        text = exp.Coalesce(this=text, expressions=[t.text("null")])
    return [of.stages.named(of.joined(text, [value]).replace(nullable=False))]


def _text(value: str) -> Sql:
    return Sql(t.text(value))


def _between(parts: Sequence[Sequence[Sql]]) -> list[Sql]:
    found: list[Sql] = []
    for part in parts:
        found += [*([_text(", ")] if found else []), *part]
    return found


OPERATIONS: Mapping[str, tuple[Form, ...]] = {"string": (Form((LISTS,), written), Form((CONTEXTS,), written))}
