"""The forms of expressions that columns carry out, found by compiling each over plain operands.

A policy made of these alone is decided in columns nearly whole, where one of all forms seldom is.
"""

from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path
from random import Random

from engine.backends.sql.memory import source_of
from engine.backends.sql.program import compile_program
from engine.backends.support import Unsupported
from engine.policy import load_policy
from tests.differential.expressions import FORMS, NEVER_LITERAL, Expr, Forms, Maker, Name, searched
from tests.differential.policies import TYPES, Spec, write

#: Tries of each form, over other operands.
TRIES = 2


@functools.cache
def columnar_forms() -> Forms:
    """Every form that columns carry out, by kind."""
    random = Random(5)
    names = [Name(f"{kind} {n}", kind) for kind in NEVER_LITERAL for n in (1, 2)]
    maker = Maker(random, [*names, Name("principal", "money")], (), False)
    tried = [(kind, form, n) for kind, forms in FORMS.items() for form in forms for n in range(TRIES)]
    expressions = []
    for kind, form, _ in tried:
        made = maker.fill(kind, form.lstrip("~"), 1)
        expressions.append(searched(made, maker.leaf(kind[5:])) if kind.startswith("list:") else made)
    out = carried_out(names, expressions)
    found: Forms = {kind: [] for kind in FORMS}
    for kind, forms in FORMS.items():
        for form in forms:
            if all(ok for (k, f, _), ok in zip(tried, out, strict=True) if (k, f) == (kind, form)):
                found[kind].append(form)
    return found


def carried_out(names: list[Name], expressions: list[Expr]) -> list[bool]:
    """Which expressions columns carry out."""
    inputs = {n.text: {"type": TYPES.get(n.kind, n.kind), "optional": True} for n in names}
    decisions: list[Spec] = []
    for place, made in enumerate(expressions):
        decision: Spec = {"name": f"e{place}", "family": "risk", "form": "value", "where": {}, "on missing": None}
        decisions.append({**decision, "type": TYPES.get(made.kind, made.kind), "expr": made})
    spec: Spec = dict.fromkeys(("parameters", "use", "reasons", "history"), {})
    spec |= {"name": "forms", "currency": "CNY", "on missing": "skip", "decisions": decisions}
    spec["inputs"] = {"principal": {"type": "money", "optional": True}, **inputs}
    lacking = lacks(spec)
    return [f"e{place}" not in lacking for place in range(len(expressions))]


def lacks(spec: Spec) -> set[str]:
    """The decisions of a policy that columns do not carry out; none reads another."""
    with tempfile.TemporaryDirectory() as folder:
        path = write({"policy.yaml": spec}, Path(folder))
        lines = path.read_text("utf-8").splitlines()
        program = load_policy(path).program
        owners: list[str] = []
        for line in lines:
            head = re.fullmatch(r"  (e\d+):", line)
            owners.append(head[1] if head else owners[-1] if owners else "")
        found: set[str] = set()
        while True:
            try:
                compile_program(program, [n for n in program.declared if n not in found], source_of(program))
            except Unsupported as told:
                more = {owners[d.span.line - 1] for d in told.diagnostics if d.span is not None} - found
                assert more, told.diagnostics
                found |= more
            else:
                return found
