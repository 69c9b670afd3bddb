"""The page of the built-in sets of functions, from what their plugins say; every example is evaluated."""
from __future__ import annotations

from engine import feel
from engine.commands.feel import shown
from engine.functions.sets import Sets
from engine.hooks import Plugins
from engine.hookspecs import Function
from engine.semantics.catalogue import Operation

HEAD = """# The built-in sets of functions

Written by `make docs` from what the plugins say; every example is evaluated when it is written. How a policy calls
these is told in [functions](language/functions.md), how to write a set of one's own in [plugins](plugins/index.md).

`?` marks what may be left out. An *amount* is money or a plain number: where one argument is money all are, and so is a
result that is an amount. Columns: whether DuckDB carries the function out, with the same bits as one by one.
"""
TITLES = {
    "calendar": "`calendar`: business days, with holidays and the weekend days worked to make up for them",
    "cn": "`cn`: codes and amounts of the Chinese market",
    "finance": "`finance`: lending arithmetic, and the figures that models and surveys are judged by",
}


def function_sets() -> str:
    """The page; fails where an example does not give what it says."""
    plugins = Plugins(installed=False)
    sets = Sets(plugins)
    parts = [HEAD]
    for name in sorted(TITLES):
        held = sets.find(name)
        assert held is not None, name
        operations = {f.name: f.operation for f in held.functions}
        parts.append(f"\n## {TITLES[name]}\n\n| function | gives | examples | columns |\n|---|---|---|---|\n")
        parts += (_row(function, operations[function.name]) for function in plugins.functions(name))
    return "".join(parts)


def _row(function: Function, operation: Operation) -> str:
    names = ", ".join(n + ("?" if n in function.optional else "") for n in function.parameters)
    types = "; ".join(f"{n}: {_type(t)}" for n, t in function.parameters.items())
    examples = "<br>".join(_example(function, operation, *example) for example in function.examples)
    columns = "yes" if function.sql is not None else "no"
    return (
        f"| `{function.name}({names})`<br>{_cell(types)} → {_cell(_type(function.result))} "
        f"| {_cell(function.help)} | {examples} | {columns} |\n"
    )


def _type(text: str) -> str:
    if text.startswith("one of "):
        return " or ".join(f'"{value.strip()}"' for value in text.removeprefix("one of ").split(","))
    return text


def _example(function: Function, operation: Operation, arguments: str, expected: str) -> str:
    found = operation.kernel(*feel.evaluate(f"[{arguments}]"))
    if feel.evaluate("found = expected", {"found": found, "expected": feel.evaluate(expected)}) is not True:
        raise SystemExit(f"{function.name}({arguments}) gives {shown(found)}, not {expected}")
    return f"`{_cell(function.name)}({_cell(arguments)})` = `{_cell(shown(found))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
