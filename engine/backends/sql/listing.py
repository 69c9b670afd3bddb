"""Lists whose items are known when a policy is compiled: what they are, so that a row need but say which it has."""
from __future__ import annotations

import datetime
from typing import Any

from sqlglot import exp

from engine.backends.sql.items import Items
from engine.backends.sql.stages import Sql
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.values import YearsMonths


class _NotConstant(Exception):
    """An item hangs on the data."""


def constant_items(items: Items, kind: Type) -> tuple[Any, ...] | None:
    """The items as the engine's values, whether they are there or not; None where one hangs on the data."""
    item = kind.item or kind
    kinds = dict(item.fields or ())
    found: list[Any] = []
    try:
        for _, held in items:
            if isinstance(held, Sql):
                found.append(_value(held.tree, item))
            else:
                members = {}
                for name, value in held.fields.items():
                    if not isinstance(value, Sql):
                        return None
                    members[name] = _value(value.tree, kinds.get(name, item))
                found.append(members)
    except _NotConstant:
        return None
    return tuple(found)


def _value(tree: exp.Expr, kind: Type) -> Any:
    tree = tree.unnest()
    if isinstance(tree, exp.Null):
        return None
    if isinstance(tree, exp.Boolean):
        return bool(tree.this)
    sign = 1
    if isinstance(tree, exp.Neg):
        sign, tree = -1, tree.this.unnest()
    if isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal) and tree.this.is_string:
        read = _MOMENTS.get(kind.kind)
        if read is None:
            raise _NotConstant
        return read(tree.this.this)
    if not isinstance(tree, exp.Literal):
        raise _NotConstant
    if tree.is_string:
        return tree.this
    if kind.kind == dt.DAYS_DURATION:
        return datetime.timedelta(microseconds=sign * int(tree.this))
    return YearsMonths(sign * int(tree.this)) if kind.kind == dt.MONTHS_DURATION else sign * float(tree.this)


_MOMENTS = {
    dt.DATE: datetime.date.fromisoformat, dt.DATE_TIME: datetime.datetime.fromisoformat,
    dt.TIME: datetime.time.fromisoformat,
}


def told(value: Any) -> str:
    """An item in words."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {told(member)}" for name, member in value.items())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "null" if value is None else str(value)
