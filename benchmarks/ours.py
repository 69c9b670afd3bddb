"""Tierwise under the bench policy, at each depth of work that is measured."""
from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.rows import Row
from engine.backends.python.program import Compiled
from engine.policy import Decision, load_policy

POLICY = Path(__file__).with_name("bench.yaml")
AS_OF = datetime.date(2026, 7, 1)

#: Outcomes compared with the oracle's.
KEYS = ("segment", "score", "tier", "eligible", "reasons", "product", "limit", "rate", "actions")

TRUSTED = "ours, with trace, input trusted"
CHECKED = "ours, with trace, input checks and open test"
DECIDED = "ours, the same through `policy.decide`"
READ = "ours, the same, then `reasons` and `fired` read"
REFERENCE = "ours, reference evaluator"
EXPLAINED = "ours, decided and explained in full, as data"
TOLD = "ours, decided and explained in full, as text"


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
            TRUSTED: self.skip.compiled(self.skip.program).at(AS_OF),
            CHECKED: refer.compiled(refer.program).at(AS_OF, checks=True),
            DECIDED: lambda row: refer.decide(row, as_of=AS_OF),
            READ: lambda row: _read(refer.decide(row, as_of=AS_OF)),
            REFERENCE: lambda row: refer.decide(row, as_of=AS_OF, engine="reference"),
            EXPLAINED: lambda row: refer.decide(row, as_of=AS_OF).explain(format="json"),
            TOLD: lambda row: refer.decide(row, as_of=AS_OF).explain(format="text"),
        }

    def outcomes(self) -> dict[str, Callable[[Row], dict[str, Any]]]:
        """What is compared with the oracle: the policy as given, on each evaluator."""
        compiled = self.skip.compiled(self.skip.program)
        return {
            TRUSTED: lambda row: _decoded(compiled, row),
            DECIDED: lambda row: flat(self.skip.decide(row, as_of=AS_OF)),
            REFERENCE: lambda row: flat(self.skip.decide(row, as_of=AS_OF, engine="reference")),
        }


def flat(decision: Decision) -> dict[str, Any]:
    """A decision in the oracle's shape."""
    return _flat(decision.values, decision.reasons_of("eligibility"))


def _decoded(compiled: Compiled, row: Row) -> dict[str, Any]:
    result = compiled.trusted(row, AS_OF)
    assert result is not None
    values, trace = result
    reasons = compiled.decoder.reasons(compiled.decoder.winners(trace, values))
    return _flat(values, reasons["eligibility"])


def _flat(values: Mapping[str, Any], reasons: Sequence[str]) -> dict[str, Any]:
    found = {name: values[name] for name in ("segment", "score", "tier", "eligible", "limit", "rate", "actions")}
    return {**found, "reasons": list(reasons), "product": values["offer"]["product"]}


def _read(decision: Decision) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    return decision.reasons, decision.fired


def keyed(row: Row, number: int) -> Row:
    """A row with the key that the policy asks for."""
    return {**row, "id": str(number)}
