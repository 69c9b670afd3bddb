"""Cuts a policy and a customer down while a fault still shows.

Candidates delete an entry of a list or mapping, drop an option, or put a part of an expression in
the place of the whole; a candidate that no longer loads is no candidate. Greedy, and bounded in tries.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from tests.differential.expressions import Expr
from tests.differential.policies import Bundle

#: Whether the fault still shows; false too where the policy does not load.
Fault = Callable[[Bundle, dict[str, Any]], bool]
Case = tuple[Bundle, dict[str, Any]]

LEAVES = {
    "number": ("1",),
    "money": ("principal",),
    "text": ('"a"', "string(1)"),
    "bool": ("true", "false"),
    "date": ("as of",),
    "moment": ("now()",),
    "time": ('time("00:00:00")',),
    "days": ('duration("P1D")',),
    "months": ('duration("P1M")',),
    "list:number": ("[1]",),
    "list:text": ('["a"]',),
}
OPTIONS = ("range", "column", "known from", "order by", "visible from", "decimals")
KEPT = frozenset(
    {
        "name",
        "currency",
        "form",
        "family",
        "policy",
        "type",
        "values",
        "hit",
        "key",
        "id",
        "test",
        "points",
        "table",
        "mode",
        "column",
        "base",
        "grid",
        "from",
        "value",
        "each",
        "neutral",
    }
)


def shrink(bundle: Bundle, customer: dict[str, Any], fault: Fault, tries: int = 1500) -> Case:
    """The smallest case found in so many tries."""
    best: Case = (bundle, customer)
    at = 0  # candidates before this one failed since the last round began
    improved = False
    while tries > 0:
        for candidate in itertools.islice(candidates(*best), at, None):
            tries -= 1
            if tries <= 0:
                break
            if fault(*candidate):
                best = candidate
                improved = True
                break
            at += 1
        else:
            if not improved:
                break
            at, improved = 0, False
    return best


def candidates(bundle: Bundle, customer: dict[str, Any]) -> Iterator[Case]:
    """Smaller cases, those that cut most first."""
    for name in bundle:
        if name != "policy.yaml":
            yield {n: c for n, c in bundle.items() if n != name}, customer
    for name, spec in bundle.items():
        if not isinstance(spec, str):
            for path in sorted(deletions(spec, ()), key=len):
                changed = copy.deepcopy(spec)
                delete(changed, path)
                yield {**bundle, name: changed}, customer
    for path in sorted(deletions(customer, ()), key=len):
        if path != ("as_of",) and path[0] != "as_of" and len(path) > 1:
            smaller = copy.deepcopy(customer)
            delete(smaller, path)
            yield bundle, smaller
    for name, spec in bundle.items():
        if not isinstance(spec, str):
            for path, expr in expressions(spec, ()):
                for replacement in replacements(expr):
                    changed = copy.deepcopy(spec)
                    put(changed, path, replacement)
                    yield {**bundle, name: changed}, customer


def deletions(tree: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Paths of entries that may go: children after their parents."""
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield (*path, index)
            yield from deletions(item, (*path, index))
    elif isinstance(tree, dict):
        for key, item in tree.items():
            if key in OPTIONS or key not in KEPT:
                if path or key not in ("reasons", "inputs", "decisions", "history", "use", "parameters", "on missing"):
                    yield (*path, key)
            yield from deletions(item, (*path, key))


def delete(tree: Any, path: tuple[Any, ...]) -> None:
    """Delete an entry; where a writer wants the key, it stays, empty."""
    for step in path[:-1]:
        tree = tree[step]
    last = path[-1]
    if isinstance(tree, dict) and last in EMPTY:
        tree[last] = copy.copy(EMPTY[last])
    else:
        del tree[last]


EMPTY: dict[str, Any] = {"on missing": None, "where": {}, "reasons": [], "reason": "", "with": {}}


def expressions(tree: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Expr]]:
    """Every expression with its path; a number behind an expression picks one of its parts."""
    if isinstance(tree, Expr):
        yield path, tree
        for index, part in enumerate(tree.parts):
            yield from expressions(part, (*path, index))
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from expressions(item, (*path, index))
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield from expressions(item, (*path, key))


def replacements(expr: Expr) -> Iterator[Expr]:
    for inner in expr.inner():
        if inner.kind == expr.kind:
            yield inner
    for text in LEAVES.get(expr.kind, ()):
        if len(text) < len(expr.text):
            yield Expr(expr.kind, [text])


def put(tree: Any, path: tuple[Any, ...], value: Expr) -> None:
    for step in path[:-1]:
        tree = tree.parts[step] if isinstance(tree, Expr) else tree[step]
    if isinstance(tree, Expr):
        tree.parts[path[-1]] = value
    else:
        tree[path[-1]] = value
