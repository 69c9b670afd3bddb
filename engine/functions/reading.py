"""Sets of functions as plugins state them, read and checked: types by name, and a body that takes what is stated."""
from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Sequence
from pathlib import Path

from engine.diagnostics import Diagnostic, Problem
from engine.functions.kernels import kernel
from engine.hookspecs import Function
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS, Operation, Parameter, Signature
from engine.semantics.dtypes import Type
from engine.semantics.functions import FunctionSet, PluginFunction

#: Money or a plain number: where one argument of this type is money all are, and a result of it is too.
AMOUNT = "amount"
#: Begins the type of texts of which there are some alone.
ONE_OF = "one of "
_SIMPLE = frozenset(dt.DECLARABLE)
#: Names that the language's lexer reads as one word or, known to it, as several.
_NAME = re.compile(r"[^\W\d]\w*(?: \w+)*")
#: Words that FEEL keeps for itself.
_KEYWORDS = frozenset(
    "if then else for in return some every satisfies and or not between instance of null true false function external"
    .split()
)


def function_set(name: str, version: str, functions: Sequence[Function], aside: bool = False) -> FunctionSet:
    """A set of a plugin of that version; raises `Problem` for what a plugin may not state. `aside`: what its bodies
    print goes to standard error.

    What identifies it is the plugin's version with a digest of what its functions state and of the files that their
    bodies stand in.
    """
    read: dict[str, PluginFunction] = {}
    for function in functions:
        if function.name in read:
            raise _wrong(function, "is there twice", "keep one of the two")
        read[function.name] = _read(function, aside)
    return FunctionSet(name, f"{version}-{_digest(functions)}", tuple(read.values()))


def _digest(functions: Sequence[Function]) -> str:
    found = hashlib.blake2b(digest_size=6)
    files: set[str] = set()
    for f in sorted(functions, key=lambda f: f.name):
        stated = (f.name, sorted(f.parameters.items()), f.result, f.optional, f.handles_missing, f.sql is not None)
        found.update(repr(stated).encode())
        for part in (f.body, f.sql):
            code = getattr(inspect.unwrap(part), "__code__", None) if part is not None else None
            if code is not None:
                files.add(code.co_filename)
    for data in sorted(Path(file).read_bytes() for file in files if Path(file).is_file()):
        found.update(data)
    return found.hexdigest()


# --- what a plugin states ---------------------------------------------------------------------------


def read_type(text: str, amount: str = dt.NUMBER) -> Type:
    """The type that a plugin names: one of a policy's, "amount", "one of ..." for texts, "list of ..." or
    "context<name: type, ...>", also "context" for any; raises ValueError. `amount` is the kind that an amount has."""
    text = text.strip()
    if text == AMOUNT:
        return Type(amount)
    if text in _SIMPLE:
        return Type(text)
    if text == dt.CONTEXT:
        return Type(dt.CONTEXT)
    if text.startswith(ONE_OF):
        return Type(dt.STRING, values=tuple(value.strip() for value in text.removeprefix(ONE_OF).split(",")))
    if text.startswith("list of "):
        return Type(dt.LIST, item=read_type(text.removeprefix("list of "), amount))
    if text.startswith("context<") and text.endswith(">"):
        fields = []
        for part in _parts(text[len("context<"):-1]):
            name, colon, kind = part.partition(":")
            if not colon or not name.strip():
                raise ValueError(f"`{part.strip()}` is no member and its type")
            fields.append((name.strip(), read_type(kind, amount)))
        return Type(dt.CONTEXT, fields=tuple(fields))
    raise ValueError(f"`{text}` is no type")


def _parts(text: str) -> list[str]:
    """What stands between the outer commas."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        depth += {"<": 1, ">": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _wrong(function: Function, what: str, help: str | None = None) -> Problem:
    message = f"the function `{function.name}` of the set `{function.set}` {what}"
    return Problem(Diagnostic("E1030", message, None, help))


def _read(function: Function, aside: bool) -> PluginFunction:
    name = function.name
    if not _NAME.fullmatch(name) or name.split()[0] in _KEYWORDS:
        raise _wrong(function, "has a name that no expression can call", "name it with words of letters and digits")
    if name in BUILTINS:
        raise _wrong(function, "is called as one of the language", "give it another name")
    unknown = [n for n in function.optional if n not in function.parameters]
    if unknown:
        raise _wrong(function, f"has no parameter `{unknown[0]}` to leave out")
    required = [n not in function.optional for n in function.parameters]
    if required != sorted(required, reverse=True):
        raise _wrong(function, "has a required parameter behind one that may be left out", "put it before")
    try:
        signatures = _signatures(function)
    except ValueError as why:
        simple = ", ".join((*dt.DECLARABLE, AMOUNT))
        help = f"the types are {simple}, `one of ...`, `list of ...` and `context<name: type, ...>`"
        raise _wrong(function, f"names a type that there is not: {why}", help) from None
    _callable(function)
    types = [read_type(text) for text in function.parameters.values()]
    result = read_type(function.result)
    nulls = "handles" if function.handles_missing else "strict"
    operation = Operation(f"{function.set}.{name}", signatures, kernel(function, types, result, aside), nulls)
    return PluginFunction(name, operation, function.sql)


def _signatures(function: Function) -> tuple[Signature, ...]:
    texts = (*function.parameters.values(), function.result)
    kinds = (dt.NUMBER, dt.MONEY) if any(AMOUNT in text for text in texts) else (dt.NUMBER,)
    if AMOUNT in function.result and not any(AMOUNT in text for text in texts[:-1]):
        raise ValueError("the result is an amount, and no parameter says of which kind")
    found = []
    for kind in kinds:
        parameters = tuple(
            Parameter(n, read_type(t, kind), n in function.optional, function.handles_missing)
            for n, t in function.parameters.items()
        )
        result = read_type(function.result, kind)
        if _untyped(result):
            raise ValueError("a result is a context whose members are named")
        found.append(Signature(parameters, _members_nullable(result).optional()))
    return tuple(found)


def _untyped(kind: Type) -> bool:
    inner = [kind.item] if kind.item is not None else [t for _, t in kind.fields or ()]
    return (kind.kind == dt.CONTEXT and kind.fields is None) or any(_untyped(t) for t in inner if t is not None)


def _members_nullable(kind: Type) -> Type:
    """A body may leave out what it has no value for: members of contexts may be null, items of lists are there."""
    if kind.item is not None:
        return kind.replace(item=_members_nullable(kind.item))
    if kind.fields is not None:
        return kind.replace(fields=tuple((n, _members_nullable(t).optional()) for n, t in kind.fields))
    return kind


def _callable(function: Function) -> None:
    """Refuse a body that does not take the stated arguments, which would fail at each call."""
    try:
        signature = inspect.signature(function.body)
    except (TypeError, ValueError):
        return      # of C: it says nothing of its parameters
    least = len(function.parameters) - len(function.optional)
    for count in (least, len(function.parameters)):
        try:
            signature.bind(*range(count))
        except TypeError:
            help = "give the body a parameter for each that is stated, with a default for one that may be left out"
            raise _wrong(function, f"has a body that does not take {count} arguments", help) from None
