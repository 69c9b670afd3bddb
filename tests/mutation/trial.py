"""A mutant in place of its policy, and whether the policy's own cases notice."""
from __future__ import annotations

import shutil
from pathlib import Path

from engine.policytest.running import run_case
from engine.policytest.suite import read_suite
from tests.mutation.mutants import Mutant

#: How a mutant is noticed: by a case that fails, or since policy and cases no longer fit together. Else it survives.
FAILED, REFUSED, SURVIVED = "failed", "refused", "survived"


class Bench:
    """A copy of the policies in which mutants take their turn."""

    def __init__(self, policies: Path, work: Path) -> None:
        self.folder = work / "policies"
        shutil.copytree(policies, self.folder)
        self.standards = self.folder / "standards"

    def paths(self) -> list[Path]:
        """The policies that have cases."""
        return sorted(p for p in self.standards.glob("*.yaml") if p.with_suffix(".test.yaml").exists())

    def outcome(self, mutant: Mutant) -> str:
        """Decide the cases until one fails."""
        path = self.standards / f"{mutant.policy}.yaml"
        kept = path.read_text(encoding="utf-8")
        path.write_text(mutant.text, encoding="utf-8")
        try:
            suite = read_suite(path.with_suffix(".test.yaml"))
        finally:
            path.write_text(kept, encoding="utf-8")
        if not suite.is_valid or suite.policy is None:
            return REFUSED
        policy = suite.policy
        return SURVIVED if all(run_case(policy, case).passed for case in suite.cases) else FAILED
