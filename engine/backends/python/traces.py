"""How the trace of generated code reads: which rules fired, from indexes, masks or the outcome itself."""
from __future__ import annotations

from engine.records import Record

NONE = "none"
#: The outcome names its rule.
DISTINCT = "distinct"
#: The index of the rule that won, the number of rules for none.
INDEX = "index"
#: A bit for each rule that fired.
MASK = "mask"
#: Each item of the list names its rule.
LISTED = "listed"
SCORE = "score"


class TraceSpec(Record):
    """Where a decision's trace stands: `parts` are the locals (a scorecard's: the bin of each
    characteristic), `flag` a scorecard's local that is not 0 where it gave no score."""

    decision: str
    kind: str
    parts: tuple[str, ...]
    flag: str = ""
