"""Types as FEEL writes them, which values conform to them, and the conversions FEEL makes.

`list<number>`, `context<a: string>`, `function<number> -> boolean`, `range<date>`; other names
are looked up among definitions that the caller gives. Null conforms to every type.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from engine.records import Record
from engine.semantics import temporal
from engine.semantics.equality import kind_of
from engine.semantics.values import Budget, Range, Undefined

#: FEEL's names of its types, and other spellings in use, by the kind that they mean.
KINDS = {
    "number": "number", "string": "string", "boolean": "boolean", "date": "date", "time": "time",
    "date and time": "date and time", "dateTime": "date and time",
    "days and time duration": "days and time duration", "dayTimeDuration": "days and time duration",
    "years and months duration": "years and months duration", "yearMonthDuration": "years and months duration",
    "list": "list", "context": "context", "function": "function", "range": "range", "Null": "null",
}


class FeelType(Record):
    """`arguments` are (member or "", type); `result` is a function's."""

    name: str
    arguments: tuple[tuple[str, FeelType], ...] | None = None
    result: FeelType | None = None


class Definition(Record):
    """A named type: another one, a collection of it, a context of components, or with `allowed`
    a test that each of its values passes."""

    base: FeelType | None = None
    components: tuple[tuple[str, Definition], ...] | None = None
    collection: bool = False
    allowed: Callable[[Any], bool] | None = None


Definitions = Mapping[str, Definition]
ANY = FeelType("Any")
_TOKEN = re.compile(r"\s*(->|[<>,:]|[^\s<>,:]+)")


@lru_cache(maxsize=1024)
def parse_type(text: str) -> FeelType:
    """A type from its text; raises `Undefined` where it is none."""
    tokens = _TOKEN.findall(text)
    kind, rest = _type(tokens, 0, 0)
    if rest != len(tokens):
        raise Undefined(f"`{text}` is no type")
    return kind


def _name(tokens: list[str], at: int) -> tuple[str, int]:
    start = at
    while at < len(tokens) and tokens[at] not in ("<", ">", ",", ":", "->"):
        at += 1
    if at == start:
        raise Undefined("a type is named")
    return " ".join(tokens[start:at]), at


def _type(tokens: list[str], at: int, depth: int) -> tuple[FeelType, int]:
    if depth > 50:
        raise Undefined("a type is nested at most 50 deep")
    name, at = _name(tokens, at)
    arguments: list[tuple[str, FeelType]] | None = None
    if at < len(tokens) and tokens[at] == "<":
        arguments, at = [], at + 1
        while at < len(tokens) and tokens[at] != ">":
            member = ""
            if name == "context":
                member, at = _name(tokens, at)
                at += 1
            kind, at = _type(tokens, at, depth + 1)
            arguments.append((member, kind))
            if at < len(tokens) and tokens[at] == ",":
                at += 1
        at += 1
    result = None
    if at < len(tokens) and tokens[at] == "->":
        result, at = _type(tokens, at + 1, depth + 1)
    return FeelType(name, None if arguments is None else tuple(arguments), result), at


def conforms(value: Any, kind: FeelType, definitions: Definitions, depth: int = 0,
             budget: Budget | None = None) -> bool:
    """Whether a value is of a type; null is of every type. Raises `Undefined` for an unknown type."""
    if depth > 100:
        return False
    budget = budget or Budget()
    budget.spend()
    name = kind.name
    base = KINDS.get(name)
    if base is None and name != "Any":
        definition = definitions.get(name)
        if definition is None:
            raise Undefined(f"there is no type `{name}`")
        return _meets(value, definition, definitions, depth, budget)
    if value is None or name == "Any":
        return True
    if kind_of(value) != base:
        return False
    if kind.arguments is None:
        return True
    if base == "list":
        inner = kind.arguments[0][1] if kind.arguments else ANY
        return all(conforms(item, inner, definitions, depth + 1, budget) for item in value)
    if base == "context":
        return all(
            member in value and conforms(value[member], inner, definitions, depth + 1, budget)
            for member, inner in kind.arguments)
    if base == "range":
        inner = kind.arguments[0][1] if kind.arguments else ANY
        return _range_of(value, inner, definitions, depth)
    accepts = getattr(value, "accepts", None)
    wanted = tuple(inner for _, inner in kind.arguments)
    return accepts is None or bool(accepts(wanted, kind.result or ANY, definitions))


def fits(given: FeelType, wanted: FeelType, definitions: Definitions, depth: int = 0) -> bool:
    """Whether every value of the type `given` is one of `wanted`, as far as their names tell."""
    if wanted.name == "Any" or given == wanted:
        return True
    if depth > 50:
        return False
    base = KINDS.get(given.name)
    if base is None:
        definition = definitions.get(given.name)
        if definition is None or definition.collection or definition.base is None:
            return False
        return fits(definition.base, wanted, definitions, depth + 1)
    if base != KINDS.get(wanted.name):
        return False
    if wanted.arguments is None:
        return True
    inner = dict(given.arguments or ())
    return all(name in inner and fits(inner[name], kind, definitions, depth + 1) for name, kind in wanted.arguments)


def _range_of(value: Range, inner: FeelType, definitions: Definitions, depth: int) -> bool:
    ends = [end for end in (value.low, value.high) if end is not None]
    return all(conforms(end, inner, definitions, depth + 1) for end in ends)


def _meets(value: Any, definition: Definition, definitions: Definitions, depth: int, budget: Budget) -> bool:
    budget.spend()
    if value is None:
        return True
    if definition.collection:
        if not isinstance(value, list):
            return False
        one = definition.replace(collection=False)
        return all(_meets(item, one, definitions, depth + 1, budget) for item in value)
    if definition.components is not None:
        if not isinstance(value, dict):
            return False
        for member, inner in definition.components:
            if member not in value or not _meets(value[member], inner, definitions, depth + 1, budget):
                return False
    elif definition.base is not None and not conforms(value, definition.base, definitions, depth + 1, budget):
        return False
    return definition.allowed is None or definition.allowed(value)


def _root(kind: FeelType, definitions: Definitions) -> str:
    """The built-in type that a named type stands for: `list` for a collection, "" where it is none."""
    for _ in range(50):
        if kind.name in KINDS or kind.name == "Any":
            return kind.name
        definition = definitions.get(kind.name)
        if definition is None:
            return ""
        if definition.collection:
            return "list"
        if definition.base is None:
            return ""
        kind = definition.base
    return ""


def is_list_type(kind: FeelType, definitions: Definitions) -> bool:
    return _root(kind, definitions) == "list"


def convert(value: Any, kind: FeelType, definitions: Definitions) -> Any:
    """The value as `kind` wants it: as it is where it conforms, else by FEEL's implicit conversions (a
    list of one item and its item, a date and its midnight in UTC). Raises `Undefined` where
    neither helps."""
    if conforms(value, kind, definitions):
        return value
    if isinstance(value, list) and len(value) == 1 and not is_list_type(kind, definitions):
        if conforms(value[0], kind, definitions):
            return value[0]
    elif not isinstance(value, list) and is_list_type(kind, definitions) and conforms([value], kind, definitions):
        return [value]
    if temporal.is_date(value) and KINDS.get(_root(kind, definitions)) == "date and time":
        midnight = temporal.make_date_time(temporal.day_count(value), 0, _utc())
        if conforms(midnight, kind, definitions):
            return midnight
    raise Undefined(f"the value is no {kind.name}")


def _utc() -> Any:
    return temporal.make_zone("Z")
