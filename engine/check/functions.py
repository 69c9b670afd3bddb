"""The sets of functions that a policy names, and calls of their functions."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.check import calls, rules
from engine.check.scope import Report, Scope, closest, instead
from engine.diagnostics import Problem
from engine.reads import Reads
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import Operation, Parameter, Signature
from engine.semantics.dtypes import Type
from engine.semantics.functions import Functions, FunctionSet, FunctionSource, PluginFunction
from engine.source.declare import PolicyFile
from engine.syntax import ast

if TYPE_CHECKING:
    from engine.check.expressions import ExpressionChecker

ANY = Type(dt.ANY)
#: Kinds of values that are written as `@"..."`.
_WRITTEN = frozenset({dt.DATE, dt.TIME, dt.DATE_TIME, dt.DAYS_DURATION, dt.MONTHS_DURATION})


def read_functions(
    file: PolicyFile, source: FunctionSource, report: Report, reads: Reads
) -> tuple[Functions, bool]:
    """The sets that a file names, and whether they are all there; what can change without a change of file is not to
    be remembered."""
    found: dict[str, FunctionSet] = {}
    for scalar in file.functions:
        name = scalar.text.strip()
        if name in found:
            report.at("E0201", f"the set of functions `{name}` is named twice", scalar.span, "drop one of the two")
            continue
        try:
            held = source.find(name)
            lasts = held is not None and source.lasting(name)
            others = [] if held is not None else list(source.names())
        except Problem as problem:
            reads.whole = False
            for d in problem.diagnostics:
                report.add(d if d.span is not None else d.replace(span=scalar.span))
            continue
        reads.whole = reads.whole and lasts
        if held is None:
            parts = re.split(r"[ ,;、，]+", name)
            if len(parts) > 1 and set(parts) <= set(others):
                listed = f"[{', '.join(parts)}]"
                report.at("E0213", f"there is no set of functions `{name}`", scalar.span,
                          f"several stand in brackets: `{listed}`", edits=instead(scalar.span, listed))
                continue
            near = closest(name, others)
            listed = ", ".join(f"`{n}`" for n in sorted(others))
            hint = f"did you mean `{near}`?" if near else f"there are {listed or 'none'}; a plugin may bring more"
            edits = instead(scalar.span, near)
            report.at("E0213", f"there is no set of functions `{name}`", scalar.span, hint, edits=edits)
            continue
        for function in held.functions:
            other = next((s for s in found.values() if any(f.name == function.name for f in s.functions)), None)
            if other is not None:
                message = f"both `{other.name}` and `{name}` have a function `{function.name}`"
                report.at("E0213", message, scalar.span, "name one of the two sets, and move what needs the other "
                          "into a policy of its own")
                break
        found[name] = held
    return Functions(found.values()), len(found) == len({s.text.strip() for s in file.functions})


def set_with(source: FunctionSource, function: str, reads: Reads) -> str | None:
    """The set that has a function of that name; what a plugin may change is not to be remembered."""
    reads.whole = False
    try:
        for name in source.names():
            held = source.find(name)
            if held is not None and any(f.name == function for f in held.functions):
                return name
    except Problem:
        return None         # a plugin that cannot be used is told where its set is named
    return None


def given_members(functions: Functions) -> list[str]:
    """The members of the contexts that functions give, which may follow a `.`."""
    found: dict[str, None] = {}
    left = [s.returns(()) for f in functions for s in f.operation.signatures]
    while left:
        kind = left.pop()
        found.update((name, None) for name, _ in kind.fields or ())
        left += [t for _, t in kind.fields or ()]
        left += [kind.item] if kind.item is not None else []
    return list(found)


def plugin_call(checker: ExpressionChecker, function: PluginFunction, node: ast.Invocation, scope: Scope) -> Type:
    """The type of a call. Where one argument that may be money is, a bare literal in place of another is money."""
    shown = function.operation.replace(name=function.name)
    if not shown.by_count(len(node.arguments)):
        return checker.error(
            "E0306", f"`{function.name}` takes {calls.counts(shown)}, not {len(node.arguments)}", node,
            calls.parameters(shown),
        )
    arguments = calls.ordered(checker, node, shown)
    if arguments is None:
        return ANY
    checker.typing.arguments[id(node)] = tuple(arguments)
    types = [checker.type(a, scope) for a in arguments]
    if any(t.kind == dt.ANY or (t.kind == dt.LIST and t.item is not None and t.item.kind == dt.ANY) for t in types):
        return ANY
    for place, (argument, kind) in enumerate(zip(arguments, types, strict=True)):
        wanted = shown.signatures[0].parameters[place].type
        if (wanted.item or wanted).kind == dt.CONTEXT and _whole_row(argument, kind, scope):
            return checker.error(
                "E0306", f"`{function.name}` cannot take {rules.describe(kind)}: a policy names what it reads of a row",
                argument, "make contexts of what is needed, as in `for row in invoices return {paid: row.paid}`",
            )
    signature = next((s for s in shown.signatures if _fits(checker, s, arguments, types)), None)
    if signature is None:
        return _misfit(checker, shown, arguments, types)
    return signature.returns(types).optional()


def _fits(checker: ExpressionChecker, signature: Signature, arguments: list[ast.Node], types: list[Type]) -> bool:
    """Whether a signature takes the arguments; a bare number is money where it stands in money's place."""
    triples = list(zip(arguments, types, signature.parameters, strict=False))
    if not all(_takes(p.type, kind) or _literal(p, argument, kind) for argument, kind, p in triples):
        return False
    for argument, kind, parameter in triples:
        if _literal(parameter, argument, kind):
            checker.as_money(argument)
    return True


def _whole_row(argument: ast.Node, kind: Type, scope: Scope) -> bool:
    """Whether an argument holds rows of a history as they are, of which all fields would be read unseen."""
    if kind.kind == dt.RELATION:
        return True
    row = kind.item or kind
    if row.kind != dt.CONTEXT or row.relation is None or _spelt_out(argument):
        return False
    named = scope.find(row.relation)
    whole = named.type.item if named is not None else None
    return whole is None or [n for n, _ in whole.fields or ()] == [n for n, _ in row.fields or ()]


def _spelt_out(node: ast.Node) -> bool:
    """Whether contexts are made where they stand."""
    if isinstance(node, ast.For):
        return _spelt_out(node.body)
    if isinstance(node, ast.ListLiteral):
        return all(map(_spelt_out, node.items))
    return isinstance(node, ast.ContextLiteral)


def _literal(parameter: Parameter, argument: ast.Node, kind: Type) -> bool:
    return parameter.type.kind == dt.MONEY and kind.kind == dt.NUMBER and _bare(argument)


def _bare(node: ast.Node) -> bool:
    """A number as it is written, which is money where money is asked for."""
    return isinstance(node, ast.NumberLiteral) or (isinstance(node, ast.Negation) and _bare(node.operand))


def _takes(wanted: Type, given: Type) -> bool:
    if given.kind == dt.NULL:
        return True
    if wanted.kind == dt.LIST:
        if given.kind != dt.LIST or given.item is None or wanted.item is None:
            return given.kind == dt.LIST
        return _takes(wanted.item, given.item)
    if wanted.kind == dt.CONTEXT and given.kind == dt.CONTEXT and wanted.fields is not None:
        return all((held := given.field(n)) is not None and _takes(t, held) for n, t in wanted.fields)
    if wanted.values is not None and given.values is not None:
        return given.kind == dt.STRING and set(given.values) <= set(wanted.values)
    return wanted.kind == given.kind


def _misfit(checker: ExpressionChecker, shown: Operation, arguments: list[ast.Node], types: list[Type]) -> Type:
    """Name the first argument that no signature takes, or the amounts that do not go together."""
    for place, (argument, kind) in enumerate(zip(arguments, types, strict=True)):
        wanted = [s.parameters[place].type for s in shown.signatures]
        if any(_takes(w, kind) for w in wanted):
            continue
        name = shown.signatures[0].parameters[place].name
        needed = " or ".join(dict.fromkeys(_described(w) for w in wanted))
        help = f"give it {needed}"
        if kind.kind == dt.MONEY:
            help = "write `.amount` behind the money"
        elif kind.item is not None and kind.item.kind == dt.MONEY:
            help = "make plain numbers of it, as in `for x in invoices.paid return x.amount`"
        elif isinstance(argument, ast.StringLiteral) and wanted[0].kind in _WRITTEN:
            help = f'write `@"{argument.value}"`, which is no text'
        elif isinstance(argument, ast.StringLiteral) and any(w.kind in dt.NUMERIC for w in wanted):
            help = "write the number without quotes"
        elif kind.kind == dt.STRING and kind.values is not None and wanted[0].values is not None:
            strange = next(v for v in kind.values if v not in wanted[0].values)
            near = closest(strange, wanted[0].values)
            return checker.error(
                "E0301", f'"{strange}" is not a value of `{name}` of `{shown.name}`', argument,
                f'did you mean "{near}"?' if near else f"it is {needed}",
                replacement=f'"{near}"' if near and isinstance(argument, ast.StringLiteral) else None,
            )
        elif kind.kind == dt.RELATION:
            help = "name a field, as in `invoices.amount`"
        message = f"`{name}` of `{shown.name}` is {needed}, this is {rules.describe(kind)}"
        return checker.error("E0306", message, argument, help)
    amounts = [i for i, p in enumerate(shown.signatures[0].parameters) if p != shown.signatures[-1].parameters[i]]
    plain = [(arguments[i], types[i]) for i in amounts if i < len(types)]
    return checker.error(
        "E0305", f"`{shown.name}` mixes money and plain numbers", plain[0][0],
        "write `.amount` behind the money, or declare the number as money",
        labels=checker.labels(*plain),
    )


def _described(kind: Type) -> str:
    if kind.kind == dt.LIST and kind.item is not None:
        return f"a list of {kind.item.kind}"
    return rules.describe(kind)
