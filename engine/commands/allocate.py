"""`tierwise allocate`: share a limited budget over decided customers."""
from __future__ import annotations

import sys
import time
from decimal import Decimal
from importlib import import_module
from typing import Any

import click

from engine.commands.common import INVALID, Failure, talk
from engine.commands.policies import invalid
from engine.commands.reading import data_failure
from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Options
from engine.portfolio.writing import json_text
from engine.render import visible

#: Caps that the summary names.
_SHOWN = 12


@click.command()
@click.argument("customers", metavar="RESULTS")
@click.option("--plan", required=True, metavar="FILE", help="The allocation plan: budget, columns and caps.")
@click.option("-o", "--output", default="-", metavar="FILE", help="CSV, .jsonl or .parquet; `-` is standard output.")
@click.option("--gap", type=click.FloatRange(0, 1), default=0.001, show_default=True,
              help="The share of the best value that may be lost before the solver is asked.")
@click.option("--time-limit", type=click.FloatRange(1), default=100.0, show_default=True, metavar="SECONDS",
              help="How long the solver may take.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Of the summary, on standard error or, where results go to a file, on standard output.")
def command(customers: str, plan: str, output: str, gap: float, time_limit: float, form: str) -> int:
    """Share a limited budget over decided customers.

    RESULTS are rows that `tierwise run` wrote, with the columns that the plan names. Each customer whom the plan
    counts gets what it asked for as far as the budget and its caps allow, the most valuable first, in whole steps;
    a row says what it got, what it lacks and what it was limited by. The summary tells how near that comes to
    the best there is.
    """
    begun = time.monotonic()
    try:
        share: Any = import_module("engine.allocation.share")
        tables: Any = import_module("engine.allocation.tables")
        planning: Any = import_module("engine.allocation.plan")
        told: Any = import_module("engine.allocation.told")
        solver: Any = import_module("engine.allocation.solver")
        session: Any = import_module("engine.portfolio.columnar.session")
    except ImportError as problem:
        raise Failure(f"sharing a budget needs `{problem.name}`", code=INVALID,
                      help='pip install "tierwise[allocate]"') from None
    try:
        wanted = planning.read_plan(plan)
        with session.Session() as opened, session.guarded(customers, customers):
            found = tables.candidates(opened, customers, wanted, Options())
        shared = share.allocate(found.problem, gap, time_limit)
        tables.write(found, shared, wanted, output)
    except planning.PlanError as problem:
        raise invalid(problem.diagnostics, problem.sources) from None
    except DataProblem as problem:
        raise data_failure(problem) from None
    except (solver.SolverMissing, solver.Unsolved) as problem:
        raise Failure(str(problem), code=INVALID) from None
    summary = _summary(found, shared, wanted, told.caps(found.problem, shared), time.monotonic() - begun)
    if form == "json":
        click.echo(json_text(summary, indent=2), file=sys.stderr if output == "-" else sys.stdout)
    else:
        for line in _lines(summary, wanted):
            talk(visible(line))
    return 0


def _summary(found: Any, shared: Any, plan: Any, caps: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """The figures of the summary; amounts in the currency's unit."""
    problem, step = found.problem, plan.step

    def amount(steps: int) -> float:
        return float(Decimal(steps) * step)

    whole = int((shared.given == problem.most).sum())
    return {
        "allocation": plan.name, "customers": problem.customers, "passed_over": found.passed_over,
        "left_out": found.others, "budget": float(plan.budget), "asked": amount(int(problem.most.sum())),
        "allocated": amount(int(shared.given.sum())), "in_full": whole,
        "in_part": int(((shared.given > 0) & (shared.given < problem.most)).sum()),
        "nothing": int(((shared.given == 0) & (problem.most > 0)).sum()), "value": shared.value,
        "best_at_most": shared.bound, "gap": shared.gap, "method": shared.method,
        "price_of_budget": shared.price / float(step),
        "caps_used_up": [
            {**c, "limit": amount(c["limit"]), "used": amount(c["used"]), "asked": amount(c["asked"]),
             "price": c["price"] / float(step)} for c in caps
        ],
        "seconds": round(seconds, 3),
    }


def _lines(told: dict[str, Any], plan: Any) -> list[str]:
    lines = [
        f"{plan.name}: {told['allocated']:,.2f} of a budget of {told['budget']:,.2f} shared over {told['customers']:,} "
        f"customers, who asked for {told['asked']:,.2f}",
        f"{told['in_full']:,} got all, {told['in_part']:,} a part, {told['nothing']:,} nothing",
        f"worth {told['value']:,.2f}, at most {told['gap']:.4%} below the best there is (by {told['method']})",
    ]
    if told["passed_over"]:
        lines.append(f"{told['passed_over']:,} rows without an amount or a value got nothing")
    if told["price_of_budget"] > 0:
        lines.append(f"one more of the budget would be worth {told['price_of_budget']:.4f}")
    if told["caps_used_up"]:
        lines.append("caps used up, and what one more would be worth:")
        lines.extend(
            f"  {c['by']} {c['group']}: {c['used']:,.2f} of {c['limit']:,.2f}, asked for {c['asked']:,.2f}, "
            f"{c['price']:.4f}" for c in told["caps_used_up"][:_SHOWN]
        )
        if len(told["caps_used_up"]) > _SHOWN:
            lines.append(f"  and {len(told['caps_used_up']) - _SHOWN:,} more")
    return lines
