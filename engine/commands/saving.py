"""`tierwise decide --save-test`: a decision kept as a case, once a person has confirmed it."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from engine.commands.common import INVALID, Failure, talk
from engine.commands.reading import data_failure
from engine.policy import Decision, Policy
from engine.policytest.keep import NotKept, keep
from engine.portfolio.problems import DataProblem
from engine.portfolio.writing import output
from engine.render import visible


def save(
    file: str, policy_path: str, policy: Policy, decision: Decision, inputs: Mapping[str, Any],
    history: Mapping[str, Any] | None, name: str | None, yes: bool,
) -> None:
    """Show the case, ask unless `yes`, and append it to the test file."""
    try:
        kept = keep(Path(file), Path(policy_path), policy, decision, inputs, history, name)
    except NotKept as problem:
        raise Failure(problem.message, code=INVALID, help=problem.help) from None
    talk(f"\nto be kept in {visible(file)}:\n")
    for line in kept.case.splitlines():
        talk(f"  {visible(line)}")
    talk("")
    personal = [d.name for d in decision.program.inputs if d.personal and f"    {d.name}:" in kept.case]
    if personal:
        talk(f"it holds personal data: {', '.join(f'`{n}`' for n in personal)}")
    if not yes and not click.confirm("is this decision right, and to be kept?", default=False, err=True):
        talk("nothing was kept")
        return
    try:
        with output(file) as stream:
            stream.write(kept.text)
    except DataProblem as problem:
        raise data_failure(problem) from None
    talk(f"kept; next: tierwise test {visible(file)}")
