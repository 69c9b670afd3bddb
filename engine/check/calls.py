"""Types calls of built-in functions, properties and temporal literals."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.check import excel, functions, rules
from engine.check.constants import temporal_text
from engine.check.groups import GROUP_BY, group_by
from engine.check.plain import NotReadable, read
from engine.check.scope import Scope, closest
from engine.check.streaks import streak
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS, Operation, Signature
from engine.semantics.dtypes import Type
from engine.semantics.folds import STREAKS
from engine.syntax import ast

if TYPE_CHECKING:
    from engine.check.expressions import ExpressionChecker

ANY = Type(dt.ANY)
BOOLEAN = Type(dt.BOOLEAN)

#: Functions of numbers that give money for money.
KEEPS_MONEY = frozenset(
    {"floor", "ceiling", "abs", "round up", "round down", "round half up", "round half down", "decimal", "modulo"}
)
ORDERING = frozenset({"min", "max"})
AGGREGATES = frozenset({"sum", "mean", "median", "min", "max", "count"})
#: Aggregates of enumerations, beyond FEEL's own.
EXTREMES = frozenset({"worst", "best"})


def invocation(checker: ExpressionChecker, node: ast.Invocation, scope: Scope) -> Type:
    """The type of a call; its arguments in the order of the parameters are kept for lowering."""
    if not isinstance(node.function, ast.Name):
        return checker.error(
            "E0311", "only functions of the language can be called", node.function, "name a function of the language"
        )
    name = node.function.name
    if name in EXTREMES:
        return _extreme(checker, name, node, scope)
    if name == GROUP_BY:
        return group_by(checker, node, scope)
    if name in STREAKS:
        return streak(checker, name, node, scope)
    function = checker.functions.called(name)
    if function is not None:
        return functions.plugin_call(checker, function, node, scope)
    operation = BUILTINS.find(name) if name in CALLABLE else None
    if operation is None and checker.set_with is None:
        return ANY          # it may be of the set that is missing
    if operation is None:
        said = excel.way(name)
        more = [f.name for f in checker.functions]
        near = closest(name, [*CALLABLE, *OVER_ROWS, *more]) if said is None else None
        hint = said or (f"did you mean `{near}`?" if near else "the language reference lists the functions")
        held = checker.set_with(name) if checker.set_with is not None else None
        if scope.find(name) is not None:
            hint = f"`{name}` is a value; an operator is missing before `(`"
        elif held is not None:
            hint, near = f"it is a function of the set `{held}`: add `{held}` to `functions` of this policy", None
        return checker.error("E0206", f"unknown function `{name}`", node.function, hint, replacement=near)
    literal = temporal_text(node)
    if literal is not None:
        return _literal(checker, name, literal, node, scope)
    signatures = operation.by_count(len(node.arguments))
    if not signatures and not (operation.spread and node.arguments):
        return checker.error(
            "E0306", f"`{name}` takes {counts(operation)}, not {len(node.arguments)}", node,
            parameters(operation),
        )
    arguments = ordered(checker, node, operation)
    if arguments is None:
        return ANY
    checker.typing.arguments[id(node)] = tuple(arguments)
    types = [checker.type(a, scope) for a in arguments]
    if any(t.kind == dt.ANY for t in types):
        return ANY
    if name == "get or else":
        return _get_or_else(checker, node, arguments, types)
    if name in AGGREGATES:
        return _aggregate(checker, name, node, arguments, types)
    if name in ("all", "any") and len(types) == 1 and types[0].kind == dt.LIST and types[0].item is not None:
        return BOOLEAN.optional(types[0].nullable or types[0].item.nullable)
    return _by_signature(checker, operation, node, arguments, types)


def ordered(checker: ExpressionChecker, node: ast.Invocation, operation: Operation) -> list[ast.Node] | None:
    """Arguments in the order of the parameters; named ones are matched, gaps at the end left out."""
    if all(a.name is None for a in node.arguments):
        return [a.value for a in node.arguments]
    given = {a.name: a for a in node.arguments}
    for signature in operation.by_count(len(node.arguments)):
        names = [p.name for p in signature.parameters]
        if set(given) <= set(names) and all(p.optional or p.name in given for p in signature.parameters):
            ordered = [given[n].value for n in names if n in given]
            if names[: len(ordered)] == [n for n in names if n in given]:
                return ordered
    known = sorted({p.name for s in operation.signatures for p in s.parameters})
    wrong = next((a for a in node.arguments if a.name not in known), node.arguments[0])
    near = closest(wrong.name or "", known)
    checker.error(
        "E0306", f"`{operation.name}` has no parameter `{wrong.name}`", wrong,
        f"did you mean `{near}`?" if near else f"its parameters are {', '.join(f'`{k}`' for k in known)}",
    )
    return None


def _literal(checker: ExpressionChecker, name: str, text: str, node: ast.Invocation, scope: Scope) -> Type:
    """`date("...")` and the like over a constant text: the value is known now."""
    for argument in node.arguments:
        checker.type(argument.value, scope)
    kinds = (dt.DAYS_DURATION, dt.MONTHS_DURATION) if name == "duration" else (name,)
    return _constant(checker, text, kinds, node, name)


def at_literal(checker: ExpressionChecker, node: ast.AtLiteral, scope: Scope) -> Type:
    kinds = (dt.DATE, dt.DATE_TIME, dt.TIME, dt.DAYS_DURATION, dt.MONTHS_DURATION)
    return _constant(checker, node.text, kinds, node, "date, time or duration")


def _constant(checker: ExpressionChecker, text: str, kinds: Sequence[str], node: ast.Node, what: str) -> Type:
    help = None
    for kind in kinds:
        try:
            read(text, Type(kind))
            return Type(kind)
        except NotReadable as why:
            help = why.help
    if what not in kinds and len(kinds) > 2:
        help = 'write `@"2026-01-31"` for a date, `@"P30D"` for a duration'
    if what == "duration":
        help = 'durations are written "P30D" or "P1Y6M"'
    return checker.error("E0312", f'"{text}" is no {what}', node, help)


def _get_or_else(
    checker: ExpressionChecker, node: ast.Invocation, arguments: list[ast.Node], types: list[Type]
) -> Type:
    value, default = types
    if value.kind == dt.STRING and default.kind == dt.STRING and value.values and default.values:
        checker.check_values(arguments[0], value, arguments[1], default)
    found = checker.branches(
        arguments[0], value.optional(False) if value.kind != dt.NULL else value, arguments[1], default, node, False
    )
    return found.optional(default.nullable)


def _aggregate(
    checker: ExpressionChecker, name: str, node: ast.Invocation, arguments: list[ast.Node], types: list[Type]
) -> Type:
    """sum, mean, median, min, max, count of a list, a history, or of the arguments themselves."""
    first = types[0]
    if len(types) == 1 and first.kind in (dt.LIST, dt.RELATION):
        item = first.item or ANY
        if name == "count":
            return Type(dt.NUMBER, first.nullable, whole=True, lower=0.0, upper=1e12)
        if item.kind == dt.ANY:
            return ANY
        if not _can_aggregate(name, item):
            return checker.error(
                "E0306", f"`{name}` cannot take {rules.describe(first)}", arguments[0],
                "name a field, as in `invoices.amount`" if item.kind == dt.CONTEXT else "take a list of numbers",
            )
        nullable = first.nullable or item.nullable or name != "sum"
        low, high = rules.span_of(item)
        if name == "sum" and item.kind in dt.NUMERIC:
            low, high = low * 1e12 if low < 0 else 0.0, high * 1e12 if high > 0 else 0.0
        return _number(item, nullable, low, high, item.whole and name in ORDERING)
    if name == "count":
        return checker.error(
            "E0306", f"`count` takes a list or history, this is {rules.describe(first)}", arguments[0],
            "name a history, or write a list in `[...]`",
        )
    kind = first
    for other_node, other in zip(arguments[1:], types[1:], strict=True):
        kind, other = checker.settle_money(arguments[0], kind, other_node, other)
        joined = rules.join(kind, other)
        if joined is None:
            message = f"`{name}` mixes {rules.describe(kind)} and {rules.describe(other)}"
            money = {kind.kind, other.kind} == dt.NUMERIC
            help = "give all arguments the same type"
            if money:
                help = (
                    "declare the number as money (a parameter: `type: money` beside its `table:`), or write `.amount`"
                )
            return checker.error(
                "E0305" if money else "E0306", message, node, help,
                labels=checker.labels((arguments[0], kind), (other_node, other)),
            )
        kind = joined
    if not _can_aggregate(name, kind):
        return checker.error("E0306", f"`{name}` cannot take {rules.describe(kind)}", arguments[0], "give it numbers")
    spans = [rules.span_of(t) for t in types]
    if name == "min":
        low, high = min(s[0] for s in spans), min(s[1] for s in spans)
    elif name == "max":
        low, high = max(s[0] for s in spans), max(s[1] for s in spans)
    else:
        low, high = sum(min(s[0], 0) for s in spans), sum(max(s[1], 0) for s in spans)
    return _number(kind, any(t.nullable for t in types), low, high, all(t.whole for t in types) and name != "mean")


def _can_aggregate(name: str, item: Type) -> bool:
    if name in ORDERING:
        return item.kind in dt.ORDERED and item.values is None
    if name == "sum":
        return item.kind in dt.NUMERIC or item.kind in (dt.DAYS_DURATION, dt.MONTHS_DURATION)
    return item.kind in dt.NUMERIC


def _number(kind: Type, nullable: bool, low: float, high: float, whole: bool) -> Type:
    if kind.kind not in dt.NUMERIC:
        return Type(kind.kind, nullable)
    return Type(
        kind.kind, nullable, whole=whole, decimals=kind.decimals,
        lower=low if math.isfinite(low) else None, upper=high if math.isfinite(high) else None,
    )


def _extreme(checker: ExpressionChecker, name: str, node: ast.Invocation, scope: Scope) -> Type:
    """`worst(xs)` and `best(xs)` over an ordered enumeration."""
    if len(node.arguments) != 1:
        return checker.error(
            "E0306", f"`{name}` takes one list, not {len(node.arguments)}", node, f"write `{name}([...])`"
        )
    argument = node.arguments[0].value
    checker.typing.arguments[id(node)] = (argument,)
    kind = checker.type(argument, scope)
    if kind.kind == dt.ANY:
        return ANY
    item = kind.item
    if kind.kind != dt.LIST or item is None or item.values is None or item.order is None:
        return checker.error(
            "E0306", f"`{name}` takes outcomes of an ordered enumeration, this is {rules.describe(kind)}", argument,
            "add `order: best first` where its values are declared",
        )
    return item.optional(True).replace(relation=None)


def _by_signature(
    checker: ExpressionChecker, operation: Operation, node: ast.Invocation, arguments: list[ast.Node], types: list[Type]
) -> Type:
    money = operation.name in KEEPS_MONEY and types[0].kind == dt.MONEY
    plain = [t.replace(kind=dt.NUMBER) if money and t.kind == dt.MONEY else t for t in types]
    signatures = operation.by_count(len(types))
    fitting = next((s for s in signatures if _accepts(s, plain)), None)
    if fitting is None:
        return _misfit(checker, operation, node, arguments, types, signatures)
    result = fitting.returns(plain)
    nullable = result.nullable or any(
        t.nullable and not _parameter_nullable(fitting, i) for i, t in enumerate(types)
    )
    result = result.optional(nullable)
    if money and operation.name != "modulo":
        result = result.replace(kind=dt.MONEY)
    return _bounded(operation.name, result, types)


def _bounded(name: str, result: Type, types: list[Type]) -> Type:
    if result.kind not in dt.NUMERIC or not types or types[0].kind not in dt.NUMERIC:
        return result
    low, high = rules.span_of(types[0])
    if name in KEEPS_MONEY and name not in ("modulo", "abs"):
        slack = 1.0 if len(types) == 1 else max(1.0, abs(low), abs(high))
        result = result.replace(whole=len(types) == 1 and name in ("floor", "ceiling"))
        low, high = low - slack, high + slack
    elif name == "abs":
        low, high = (0.0 if low < 0 < high else min(abs(low), abs(high))), max(abs(low), abs(high))
        result = result.replace(whole=types[0].whole)
    else:
        return result
    return result.replace(
        lower=low if math.isfinite(low) else None, upper=high if math.isfinite(high) else None
    )


def _parameter_nullable(signature: Signature, index: int) -> bool:
    return signature.parameters[min(index, len(signature.parameters) - 1)].nullable


def _accepts(signature: Signature, types: list[Type]) -> bool:
    for index, kind in enumerate(types):
        wanted = signature.parameters[min(index, len(signature.parameters) - 1)].type
        if wanted.kind == dt.ANY or kind.kind == dt.NULL:
            continue
        if wanted.kind == dt.LIST and kind.kind == dt.LIST:
            item = wanted.item
            if item is not None and kind.item is not None and dt.ANY not in (item.kind, kind.item.kind):
                if item.kind != kind.item.kind:
                    return False
            continue
        if wanted.kind != kind.kind:
            return False
    return True


def _misfit(
    checker: ExpressionChecker, operation: Operation, node: ast.Invocation, arguments: list[ast.Node],
    types: list[Type], signatures: Sequence[Signature],
) -> Type:
    """Name the first argument that no signature takes."""
    for index, (argument, kind) in enumerate(zip(arguments, types, strict=True)):
        wanted = {s.parameters[min(index, len(s.parameters) - 1)].type.kind for s in signatures}
        if dt.ANY in wanted or kind.kind in wanted:
            continue
        needed = " or ".join(sorted(rules.describe(Type(w)) for w in wanted))
        help = f"give it {needed}"
        if kind.kind == dt.MONEY and dt.NUMBER in wanted:
            help = "write `.amount` behind the money"
        elif isinstance(argument, ast.StringLiteral) and dt.NUMBER in wanted:
            help = "write the number without quotes"
        message = f"`{operation.name}` takes {needed} here, this is {rules.describe(kind)}"
        return checker.error("E0306", message, argument, help)
    return checker.error(
        "E0306", f"`{operation.name}` does not take arguments of these types", node,
        "the language reference shows what it takes",
    )


def property_type(base: Type, name: str) -> Type | None:
    """The type of `base.name` for temporal values, None where there is no such property."""
    operation = BUILTINS.find(f".{name}")
    if operation is None:
        return None
    for signature in operation.signatures:
        if signature.parameters[0].type.kind == base.kind:
            result = signature.returns([base])
            if result.kind == dt.NUMBER:
                result = result.replace(lower=-1e12, upper=1e12)
            return result.optional(result.nullable or base.nullable)
    return None


def property_help(base: Type) -> str | None:
    """Which properties a kind of value has."""
    names = [
        o.name[1:] for o in BUILTINS if o.name.startswith(".") and o.name != ".."
        and any(s.parameters[0].type.kind == base.kind for s in o.signatures)
    ]
    if base.kind == dt.MONEY:
        names.append("amount")
    return f"it has {', '.join(f'`.{n}`' for n in names)}" if names else None


def parameters(operation: Operation) -> str:
    """The ways to call a function."""
    forms = [f"`{operation.name}({', '.join(p.name for p in s.parameters)})`" for s in operation.signatures]
    return "write " + " or ".join(dict.fromkeys(forms))


def counts(operation: Operation) -> str:
    """How many arguments a function takes, in words."""
    lows = [sum(1 for p in s.parameters if not p.optional) for s in operation.signatures]
    highs = [len(s.parameters) for s in operation.signatures]
    low, high = min(lows), max(highs)
    if low == high:
        return f"{low} argument{'s' if low != 1 else ''}"
    return f"{low} to {high} arguments"


CALLABLE = frozenset(BUILTINS.functions())
#: What policies have beyond FEEL's own functions: all go over rows.
OVER_ROWS = frozenset({*EXTREMES, GROUP_BY, *STREAKS})
