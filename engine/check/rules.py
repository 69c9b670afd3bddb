"""Type rules: what operators give, which kinds compare, when one type fits another.

Money is a number with the policy's currency. It adds to money, scales by a number,
and money over money is a number; a bare literal turns into money where it stands
beside money, never under `*` or `/`.
"""
from __future__ import annotations

import math

from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type

#: Data beyond this magnitude is refused at the door, so that sums and products of a few inputs stay finite.
LIMIT = 1e100

_TEMPORAL = frozenset({dt.DATE, dt.DATE_TIME, dt.TIME})
_DURATIONS = frozenset({dt.DAYS_DURATION, dt.MONTHS_DURATION})


def arithmetic(op: str, left: Type, right: Type) -> Type | None:
    """The type of `left op right`, None where there is none. Nullability is joined."""
    nullable = left.nullable or right.nullable
    kinds = (left.kind, right.kind)
    if left.kind in dt.NUMERIC and right.kind in dt.NUMERIC:
        return _numeric(op, left, right, nullable)
    if op == "+" and kinds == (dt.STRING, dt.STRING):
        return Type(dt.STRING, nullable)
    if op == "-" and left.kind == right.kind and left.kind in _TEMPORAL:
        return Type(dt.DAYS_DURATION, nullable)
    if op in "+-" and left.kind in _TEMPORAL and right.kind in _DURATIONS:
        if left.kind == dt.TIME and right.kind == dt.MONTHS_DURATION:
            return None
        return Type(left.kind, nullable)
    if op == "+" and left.kind in _DURATIONS and right.kind in _TEMPORAL:
        return arithmetic(op, right, left)
    if op in "+-" and left.kind == right.kind and left.kind in _DURATIONS:
        return Type(left.kind, nullable)
    if op == "*" and left.kind in _DURATIONS and right.kind == dt.NUMBER:
        return Type(left.kind, nullable)
    if op == "*" and right.kind in _DURATIONS and left.kind == dt.NUMBER:
        return Type(right.kind, nullable)
    if op == "/" and left.kind in _DURATIONS and right.kind == dt.NUMBER:
        return Type(left.kind, True)
    if op == "/" and left.kind == right.kind and left.kind in _DURATIONS:
        return Type(dt.NUMBER, True)
    return None


def _numeric(op: str, left: Type, right: Type, nullable: bool) -> Type | None:
    money = (left.kind == dt.MONEY, right.kind == dt.MONEY)
    if op in "+-":
        if money[0] != money[1]:
            return None
        kind = left.kind
    elif op == "*":
        if all(money):
            return None
        kind = dt.MONEY if any(money) else dt.NUMBER
    elif op == "/":
        if money == (False, True):
            return None
        kind = dt.MONEY if money == (True, False) else dt.NUMBER
    elif any(money):
        return None
    else:
        kind = dt.NUMBER
    low, high = bounds(op, left, right)
    whole = left.whole and right.whole and op in "+-*"
    finite = math.isfinite(low) and math.isfinite(high)
    partial = not finite if op in "+-*" else op == "**" or not finite or not excludes_zero(right)
    return Type(kind, nullable or partial, whole=whole, lower=low if finite else None, upper=high if finite else None)


def span_of(kind: Type) -> tuple[float, float]:
    """The interval in which a number lies, infinite where nothing is known."""
    return (-math.inf if kind.lower is None else kind.lower, math.inf if kind.upper is None else kind.upper)


def excludes_zero(kind: Type) -> bool:
    low, high = span_of(kind)
    return low > 0 or high < 0


def bounds(op: str, left: Type, right: Type) -> tuple[float, float]:
    """Interval arithmetic; an end that overflows is infinite."""
    a, b = span_of(left)
    c, d = span_of(right)
    if op == "+":
        return a + c, b + d
    if op == "-":
        return a - d, b - c
    if op == "*":
        ends = [_times(x, y) for x in (a, b) for y in (c, d)]
        return min(ends), max(ends)
    if op == "/" and excludes_zero(right):
        ends = [x / y if math.isfinite(x) or math.isfinite(y) else math.inf for x in (a, b) for y in (c, d)]
        if all(map(math.isfinite, ends)):
            return min(ends), max(ends)
    return -math.inf, math.inf


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def comparable(op: str, left: Type, right: Type) -> bool:
    """Whether two known types may stand beside a comparison."""
    if left.kind == dt.NULL or right.kind == dt.NULL:
        return op in ("=", "!=")
    if left.kind != right.kind:
        return False
    if op in ("=", "!="):
        return left.kind not in (dt.RELATION, dt.FUNCTION)
    return left.kind in dt.ORDERED and left.values is None and right.values is None


def fits(actual: Type, wanted: Type) -> bool:
    """Whether a value of `actual` may stand where `wanted` is declared (nullability aside)."""
    if actual.kind == dt.NULL or wanted.kind == dt.ANY or actual.kind == dt.ANY:
        return True
    if actual.kind != wanted.kind:
        return False
    if wanted.values is not None:
        return actual.values is not None and set(actual.values) <= set(wanted.values)
    if wanted.kind == dt.LIST and wanted.item is not None and actual.item is not None:
        return fits(actual.item, wanted.item)
    if wanted.kind == dt.CONTEXT and wanted.fields is not None and actual.fields is not None:
        return all((f := actual.field(n)) is not None and fits(f, t) for n, t in wanted.fields)
    return True


def join(one: Type, other: Type) -> Type | None:
    """The least type that both fit, None where their kinds differ. Only what both have of one relation is of it."""
    found = _join(one, other)
    if found is None or found.relation is None or one.relation == other.relation:
        return found
    return found.replace(relation=None)


def _join(one: Type, other: Type) -> Type | None:
    nullable = one.nullable or other.nullable
    if dt.ANY in (one.kind, other.kind):
        return Type(dt.ANY, nullable)
    if one.kind == dt.NULL:
        return other.optional(True)
    if other.kind == dt.NULL:
        return one.optional(True)
    if one.kind != other.kind:
        return None
    if one.kind == dt.STRING:
        if one.values is None or other.values is None:
            return Type(dt.STRING, nullable)
        if set(one.values) <= set(other.values):
            return other.optional(nullable)
        if set(other.values) <= set(one.values):
            return one.optional(nullable)
        return Type(dt.STRING, nullable, values=tuple(dict.fromkeys((*one.values, *other.values))))
    if one.kind in dt.NUMERIC:
        low = None if one.lower is None or other.lower is None else min(one.lower, other.lower)
        high = None if one.upper is None or other.upper is None else max(one.upper, other.upper)
        return Type(one.kind, nullable, whole=one.whole and other.whole, lower=low, upper=high)
    if one.kind == dt.LIST and one.item is not None and other.item is not None:
        item = join(one.item, other.item)
        return None if item is None else one.replace(nullable=nullable, item=item)
    if one.kind == dt.RELATION:
        if one.relation != other.relation or one.item is None or other.item is None:
            return None
        # a filter may have found fields known that are not known on the other side
        fields = tuple((n, k.optional(k.nullable or _nullable(other.item, n))) for n, k in one.item.fields or ())
        return one.replace(nullable=nullable, item=one.item.replace(fields=fields))
    if one.kind == dt.CONTEXT:
        members: dict[str, Type] = {}
        for name, kind in (*(one.fields or ()), *(other.fields or ())):
            joined = join(members[name], kind) if name in members else kind
            if joined is None:
                return None
            members[name] = joined
        shared = {n for n, _ in one.fields or ()} & {n for n, _ in other.fields or ()}
        fields = tuple((n, t if n in shared else t.optional(True)) for n, t in members.items())
        return Type(dt.CONTEXT, nullable, fields=fields)
    return one.optional(nullable)


def _nullable(row: Type, name: str) -> bool:
    kind = row.field(name)
    return kind is None or kind.nullable


def describe(kind: Type) -> str:
    """A type in words a policy author uses."""
    if kind.kind == dt.STRING:
        if kind.values is not None and len(kind.values) == 1:
            return f'the text "{kind.values[0]}"'
        return str(kind) if kind.values is not None else "text"
    if kind.kind == dt.NULL:
        return "null"
    if kind.kind == dt.RELATION:
        return f"the history `{kind.relation}`"
    if kind.kind == dt.DAYS_DURATION:
        return "a duration in days"
    if kind.kind == dt.MONTHS_DURATION:
        return "a duration in months"
    if kind.kind == dt.LIST and kind.item is not None:
        return "a list of texts" if kind.item.kind == dt.STRING else f"a list of {describe(kind.item)}"
    if kind.kind in (dt.NUMBER, dt.BOOLEAN, dt.DATE, dt.TIME, dt.DATE_TIME, dt.RANGE, dt.LIST, dt.CONTEXT):
        return f"a {kind.kind}"
    return kind.kind
