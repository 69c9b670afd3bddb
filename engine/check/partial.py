"""Which parts of a file of the wrong shape can still be checked, so that one run tells as much as it can.

A fault of shape inside a decision says nothing about the others: that decision is left out, its name
keeps the type `Any`, and the rest is checked. A fault anywhere else may change what every expression
means, so nothing more is said.
"""
from __future__ import annotations

from collections.abc import Sequence

from engine.diagnostics import Diagnostic
from engine.source.declare import FAMILIES, Named, PolicyFile, pairs
from engine.source.nodes import Mapping, normal


def faulty_decisions(file: PolicyFile, findings: Sequence[Diagnostic]) -> tuple[Named, ...] | None:
    """The decisions in which all errors among `findings` lie; None where one lies elsewhere."""
    ranges = _ranges(file)
    found: dict[str, Named] = {}
    for finding in findings:
        if not finding.is_error:
            continue
        line = finding.span.line if finding.span is not None else 0
        holder = next((named for named, first, last in ranges if first < line <= last), None)
        if holder is None:
            return None
        found[holder.name] = holder
    return tuple(found.values())


def without(file: PolicyFile, faulty: Sequence[Named]) -> PolicyFile:
    """The file without some of its decisions."""
    names = {named.name for named in faulty}
    return file.replace(decisions=tuple(d for d in file.decisions if d.name not in names))


def _ranges(file: PolicyFile) -> list[tuple[Named, int, int]]:
    """Each decision with the line of its key and its last line."""
    tops = [key.span.line for key, _ in file.root.entries]
    found = []
    for family in FAMILIES:
        entries = pairs(file.root.get(family))
        lines = [key.span.line for key, _ in entries]
        for index, (key, node) in enumerate(entries):
            after = [line for line in (*lines[index + 1:], *tops) if line > lines[index]]
            if isinstance(node, Mapping):
                found.append((Named(normal(key.text), key), lines[index], min(after) - 1 if after else 1 << 60))
    return found
