"""Binds the arguments of a call to an operation's parameters, with FEEL's conversions."""
from __future__ import annotations

from typing import Any

from engine.semantics import dtypes as dt
from engine.semantics import temporal
from engine.semantics.catalogue import Operation, Parameter, Signature
from engine.semantics.equality import FUNCTION, kind_of
from engine.semantics.operators import described
from engine.semantics.values import Undefined

#: A parameter that was not given; trailing ones are left out of the call.
_ABSENT: Any = object()


def bind(operation: Operation, arguments: list[Any], names: tuple[str, ...]) -> list[Any]:
    """Positional values for the kernel.

    `names` aligns with `arguments`, "" for a positional one; a call names all or none. The first
    signature whose types fit wins; failing that, the first that fits after converting (a list of
    one item and its item). Raises `Undefined` where none takes the arguments.
    """
    if operation.spread:
        return [_spread(operation, arguments, names)]
    placed = [(s, p) for s in operation.signatures if (p := _place(s, arguments, names)) is not None]
    if not placed:
        raise Undefined(_wrong_count(operation, arguments, names))
    if any(names):
        # `before(point, range)` and `before(range, point)` differ in order alone: the order written decides.
        placed.sort(key=lambda pair: tuple(p.name for p in pair[0].parameters) != names)
    for signature, values in placed:
        if all(_fits(v, p) for v, p in _paired(signature, values)):
            return _trimmed(values)
    if operation.name.startswith("."):
        # A property is of its type only: a date has no `hour`.
        raise Undefined(f"{described(arguments[0])} has no member `{operation.name[1:]}`")
    for signature, values in placed:
        converted = [_convert(v, p) for v, p in _paired(signature, values)]
        if all(_fits(v, p) for v, (_, p) in zip(converted, _paired(signature, values), strict=True)):
            return _trimmed(converted)
    raise Undefined(_wrong_type(operation, placed[0][0], placed[0][1]))


def bound(operation: Operation) -> Operation:
    """An operation whose kernel binds its arguments first, for those whose types are known only when it is carried out.
    Operators look at their operands themselves, and aggregates at their items."""
    if operation.spread or not (operation.name[0].isalpha() or operation.name[0] == "."):
        return operation
    kernel = operation.kernel

    def binding(*arguments: Any) -> Any:
        return kernel(*bind(operation, list(arguments), ("",) * len(arguments)))

    return operation.replace(kernel=binding)


def _spread(operation: Operation, arguments: list[Any], names: tuple[str, ...]) -> Any:
    """The one list of an aggregate."""
    if any(names):
        if names != ("list",):
            raise Undefined(_wrong_count(operation, arguments, names))
        return arguments[0] if isinstance(arguments[0], list) or arguments[0] is None else [arguments[0]]
    if not arguments:
        raise Undefined(f"`{operation.name}` takes a list, or items")
    if len(arguments) == 1:
        only = arguments[0]
        return only if isinstance(only, list) or only is None else [only]
    return arguments


def _place(signature: Signature, arguments: list[Any], names: tuple[str, ...]) -> list[Any] | None:
    """Arguments in the order of the parameters; None where they do not go with them."""
    parameters = signature.parameters
    if any(names):
        known = {p.name: i for i, p in enumerate(parameters)}
        if len(set(names)) != len(names) or any(n not in known for n in names):
            return None
        values = [_ABSENT] * len(parameters)
        for name, value in zip(names, arguments, strict=True):
            values[known[name]] = value
        if any(v is _ABSENT and not p.optional for v, p in zip(values, parameters, strict=True)):
            return None
        return values
    return list(arguments) if signature.accepts(len(arguments)) else None


def _paired(signature: Signature, values: list[Any]) -> list[tuple[Any, Parameter]]:
    last = len(signature.parameters) - 1
    return [(v, signature.parameters[min(i, last)]) for i, v in enumerate(values)]


def _trimmed(values: list[Any]) -> list[Any]:
    while values and values[-1] is _ABSENT:
        values = values[:-1]
    return [None if v is _ABSENT else v for v in values]


def _fits(value: Any, parameter: Parameter) -> bool:
    if value is None or value is _ABSENT:
        return True
    kind = parameter.type.kind
    if kind == dt.ANY:
        return True
    found = kind_of(value)
    if kind == dt.FUNCTION:
        return found == FUNCTION
    return found == kind


def _convert(value: Any, parameter: Parameter) -> Any:
    kind = parameter.type.kind
    if value is None or value is _ABSENT or kind == dt.ANY or _fits(value, parameter):
        return value
    if kind == dt.LIST:
        return [value]
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if kind == dt.DATE_TIME and temporal.is_date(value):
        return temporal.make_date_time(temporal.day_count(value), 0, temporal.make_zone("Z"))
    return value


def _wrong_count(operation: Operation, arguments: list[Any], names: tuple[str, ...]) -> str:
    shapes = " or ".join(dict.fromkeys(
        f"({', '.join(p.name for p in s.parameters)})" for s in operation.signatures))
    unknown = [n for n in names if n and all(n != p.name for s in operation.signatures for p in s.parameters)]
    if unknown:
        return f"`{operation.name}` has no parameter `{unknown[0]}`; it takes {shapes}"
    return f"`{operation.name}` takes {shapes}, not {len(arguments)} argument{'s' if len(arguments) != 1 else ''}"


def _wrong_type(operation: Operation, signature: Signature, values: list[Any]) -> str:
    for value, parameter in _paired(signature, values):
        if not _fits(_convert(value, parameter), parameter):
            return f"`{parameter.name}` of `{operation.name}` is a {parameter.type.kind}, not {described(value)}"
    return f"`{operation.name}` does not take these arguments"
