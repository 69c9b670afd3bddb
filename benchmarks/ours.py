"""Tierwise under the bench policy, at each depth of work that is measured."""
from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.rows import Row
from engine.policy import Decision, load_policy

POLICY = Path(__file__).with_name("bench.yaml")
AS_OF = datetime.date(2026, 7, 1)

#: Outcomes compared with the oracle's.
KEYS = ("segment", "score", "tier", "eligible", "reasons", "product", "limit", "rate", "actions")

TRUSTED = "ours, generated, with trace, unchecked"
DECIDED = "ours, `policy.decide`: input checks, open test"
REFERENCE = "ours, reference evaluator"
EXPLAINED = "ours, explained in full"


class Ours:
    """The bench policy as given (`skip`), where a missing operand does not match, and with the open
    test (`refer`)."""

    def __init__(self) -> None:
        text = POLICY.read_text("utf-8")
        assert text.count("on missing: skip\n") == 1
        self.skip = load_policy(POLICY)
        with TemporaryDirectory() as folder:
            variant = Path(folder) / "bench.yaml"
            variant.write_text(text.replace("on missing: skip\n", "on missing: refer\n"), "utf-8")
            self.refer = load_policy(variant)

    def timed(self) -> dict[str, Callable[[Row], Any]]:
        """What is measured, least work first."""
        refer = self.refer
        return {
            DECIDED: lambda row: refer.decide(row, as_of=AS_OF),
            REFERENCE: lambda row: refer.decide(row, as_of=AS_OF, engine="reference"),
            EXPLAINED: lambda row: refer.decide(row, as_of=AS_OF).explain(format="text"),
        }

    def outcomes(self) -> dict[str, Callable[[Row], dict[str, Any]]]:
        """What is compared with the oracle: the policy as given, on each evaluator."""
        return {
            DECIDED: lambda row: flat(self.skip.decide(row, as_of=AS_OF)),
            REFERENCE: lambda row: flat(self.skip.decide(row, as_of=AS_OF, engine="reference")),
        }


def flat(decision: Decision) -> dict[str, Any]:
    """A decision in the oracle's shape."""
    values = decision.values
    found = {name: values[name] for name in ("segment", "score", "tier", "eligible", "limit", "rate", "actions")}
    return {**found, "reasons": list(decision.reasons_of("eligibility")), "product": values["offer"]["product"]}


def keyed(row: Row, number: int) -> Row:
    """A row with the key that the policy asks for."""
    return {**row, "id": str(number)}
