"""Other engines under the bench policy, each built as the given harness built it.

The given `peers.py` writes the policy in each engine's language; here the engines take it up.
Those that have no derived names of their own get the ratios and the limit from Python, as in
the given harness, which favours them.
"""
from __future__ import annotations

import bisect
import importlib
import math
import operator
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

from benchmarks.given import Given
from benchmarks.rows import Row

Function = Callable[[Row], dict[str, Any]]

#: By how much a decision with its trace is to be faster.
FASTER = {"ZEN precompiled, expressions": 15.0, "ZEN precompiled, tables": 15.0, "CEL (Rust binding)": 40.0}


def available(given: Given) -> tuple[dict[str, Function], dict[str, str]]:
    """The peers by name, and why the others are absent."""
    texts, policy = given.module("peers"), given.module("policy")
    makers: dict[str, Callable[[], Function]] = {
        "closure interpreter + trace": lambda: _closures(policy),
        "ZEN precompiled, expressions": lambda: _zen(texts, "expr"),
        "ZEN precompiled, tables": lambda: _zen(texts, "tables"),
        "CEL (Rust binding)": lambda: _cel(texts),
        "json-logic": lambda: _json_logic(texts),
        "rule-engine": lambda: _rule_engine(texts),
        "cel-python": lambda: _cel_python(texts),
    }
    found: dict[str, Function] = {}
    absent: dict[str, str] = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError as error:
            absent[name] = f"`{error.name}` is not installed"
    return found, absent


def _derived(row: Row) -> Row:
    loan, collateral, revenue = row["loan"], row["collateral"], row["revenue"]
    return {
        **row,
        "ltv": loan / collateral if loan is not None and collateral else None,
        "loan_to_rev": loan / revenue if loan is not None and revenue else None,
    }


def _limit(row: Row) -> float | None:
    revenue = row["revenue"]
    if revenue is None:
        return None
    least: float = min(revenue * 0.25, (row["collateral"] or 0) * 0.7 + 50000)
    return math.floor(least / 1000) * 1000


def _staged(run: dict[str, Callable[[Row], Any]]) -> Function:
    """One program an outcome, run in the order in which they read one another."""

    def decide(row: Row) -> dict[str, Any]:
        d = _derived(row)
        out: dict[str, Any] = {"segment": run["segment"](d)}
        d["score"] = out["score"] = run["score"](d)
        d["tier"] = out["tier"] = run["tier"](d)
        out["reasons"] = reasons = run["reasons"](d)
        out["eligible"] = not reasons
        product = run["product"](d)
        out["product"] = product if isinstance(product, str) else product[0]
        out["rate"] = run["rate"](d)
        out["limit"] = _limit(d)
        out["actions"] = run["actions"](d)
        return out

    return decide


def _zen(texts: ModuleType, style: str) -> Function:
    zen = importlib.import_module("zen")
    content = zen.ZenDecisionContent(texts.jdm(style))
    engine = zen.ZenEngine({"loader": lambda key: content})

    def decide(row: Row) -> dict[str, Any]:
        out: dict[str, Any] = engine.evaluate("p", row)["result"]
        out.setdefault("limit", None)
        out["reasons"] = [x["code"] if isinstance(x, dict) else x for x in out["ko"]]
        out["actions"] = [x["action"] if isinstance(x, dict) else x for x in out["act"]]
        return out

    return decide


def _cel(texts: ModuleType) -> Function:
    cel = importlib.import_module("cel")

    def runner(text: str) -> Callable[[Row], Any]:
        program = cel.compile(text)
        return lambda d: program.execute(d)

    decide = _staged({name: runner(text) for name, text in texts.cel_programs().items()})
    # CEL keeps whole numbers and doubles apart
    return lambda row: decide({k: float(v) if type(v) is int else v for k, v in row.items()})


def _cel_python(texts: ModuleType) -> Function:
    celpy = importlib.import_module("celpy")
    types = importlib.import_module("celpy.celtypes")
    environment = celpy.Environment(runner_class=getattr(celpy, "CompiledRunner", None) or celpy.InterpretedRunner)
    missing = types.DoubleType("nan")       # null does not compare; NaN fails every comparison, as missing should

    def into(value: Any) -> Any:
        if value is None:
            return missing
        return types.StringType(value) if isinstance(value, str) else types.DoubleType(value)

    def back(value: Any) -> Any:
        if isinstance(value, list):
            return [str(v) for v in value]
        return str(value) if isinstance(value, str) else float(value)

    def runner(text: str) -> Callable[[Row], Any]:
        plain = re.sub(r"(\w+) == null", r"\1 != \1", re.sub(r"\w+ != null && ", "", text))
        program = environment.program(environment.compile(plain))
        return lambda d: back(program.evaluate({k: into(v) for k, v in d.items()}))

    decide = _staged({name: runner(text) for name, text in texts.cel_programs().items()})
    return lambda row: decide({**row, "industry": row["industry"] or "", "region": row["region"] or ""})


def _json_logic(texts: ModuleType) -> Function:
    apply = importlib.import_module("json_logic").jsonLogic

    def runner(program: Any) -> Callable[[Row], Any]:
        return lambda d: apply(program, d)

    return _staged({name: runner(program) for name, program in texts.jl_programs().items()})


def _rule_engine(texts: ModuleType) -> Function:
    library = importlib.import_module("rule_engine")
    context = library.Context(default_value=None)

    def runner(program: Any) -> Callable[[Row], Any]:
        if isinstance(program, list):
            rules = [(code, library.Rule(text, context=context)) for code, text in program]
            return lambda d: [code for code, rule in rules if rule.matches(d)]
        rule = library.Rule(program, context=context)

        def run(d: Row) -> Any:
            found = rule.evaluate(d)
            return found if isinstance(found, str) else float(found)

        return run

    return _staged({name: runner(program) for name, program in texts.re_programs().items()})


def _closures(policy: ModuleType) -> Function:
    """The best that interpretation reaches in Python: a closure for each comparison."""
    compare = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}

    def atom(parts: Any) -> Callable[[Row], bool]:
        name, op = parts[0], parts[1]
        if name == "or":
            choices = [atom(part) for part in op]
            return lambda d: any(choice(d) for choice in choices)
        if op == "null":
            return lambda d: d[name] is None
        if op == "in":
            members = frozenset(parts[2])
            return lambda d: d[name] in members
        holds, limit = compare[op], parts[2]

        def test(d: Row) -> bool:
            value = d[name]
            return value is not None and holds(value, limit)

        return test

    def guard(atoms: Any) -> Callable[[Row], bool]:
        tests = [atom(a) for a in atoms]

        def hold(d: Row) -> bool:
            for test in tests:            # `all` over a generator is slower
                if not test(d):
                    return False
            return True

        return hold

    tables = {
        name: [(row[0], guard(row[1]), row[2] if len(row) > 2 else row[0]) for row in rows]
        for name, rows in {
            "segment": policy.SEGMENT, "tier": policy.TIER, "reasons": policy.KNOCKOUT, "product": policy.PRODUCT,
            "actions": policy.ACTION,
        }.items()
    }

    def decide(row: Row) -> dict[str, Any]:
        d = _derived(row)
        fired: list[str] = []

        def first(name: str) -> Any:
            for rule, holds, value in tables[name]:
                if holds(d):
                    fired.append(rule)
                    return value
            return None

        def every(name: str) -> list[Any]:
            found = []
            for rule, holds, value in tables[name]:
                if holds(d):
                    fired.append(rule)
                    found.append(value)
            return found

        out: dict[str, Any] = {"segment": first("segment")}
        score = policy.BASE_SCORE
        for rule, name, cuts, points, missing in policy.SCORECARD:
            value = d[name]
            score += missing if value is None else points[bisect.bisect_right(cuts, value)]
            fired.append(rule)
        d["score"] = out["score"] = score
        d["tier"] = out["tier"] = first("tier")
        out["reasons"] = reasons = every("reasons")
        out["eligible"] = not reasons
        out["product"], base = first("product")
        usage = d["utilisation"]
        out["rate"] = base + max(0, 650 - score) * 0.0001 + (0.005 if usage is not None and usage > 0.8 else 0)
        out["limit"] = _limit(d)
        out["actions"] = every("actions")
        out["fired"] = fired
        return out

    return decide
