"""All findings about a policy: the checker's, and, where there are no errors, those of the analyses."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engine.check.load import Checked, check_path
from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses import analyse
from engine.ir.lower import lower
from engine.semantics.functions import NO_SETS, FunctionSource


def check(path: Path, functions: FunctionSource = NO_SETS) -> Checked:
    """Check the policy, or folder of versions, at `path`, analyses included; `functions` has the sets it may name."""
    checked = check_path(path, functions)
    if checked.has_errors:
        return checked
    programs = [lower(s.model) for s in checked.stretches]
    return checked.replace(diagnostics=with_analyses(checked.diagnostics, programs, checked.sources))


def with_analyses(
    diagnostics: Sequence[Diagnostic], programs: Iterable[ir.Program], sources: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    """Findings of the checker and the analyses in the order of files and lines, each once."""
    order = {name: index for index, name in enumerate(sources)}
    found = dict.fromkeys([*diagnostics, *(d for program in programs for d in analyse(program))])

    def place(diagnostic: Diagnostic) -> tuple[int, int, int]:
        span = diagnostic.span
        return (-1, 0, 0) if span is None else (order.get(span.file, len(order)), span.line, span.column)

    return tuple(sorted(found, key=place))
