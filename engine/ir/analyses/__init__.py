"""What is odd in a program that means something: warnings that need the arms' conditions side by side.

Each analysis is one file with one public function from the study of a program to its
findings; `ANALYSES` is their order. They run over lowered programs, so only where a
policy has no errors.
"""
from __future__ import annotations

from collections.abc import Callable

from engine.diagnostics import Diagnostic
from engine.ir import nodes as ir
from engine.ir.analyses.bins import bins
from engine.ir.analyses.coverage import coverage
from engine.ir.analyses.guards import guards
from engine.ir.analyses.overlaps import overlaps
from engine.ir.analyses.shadows import shadows
from engine.ir.analyses.study import Study
from engine.ir.portfolio import gaps

ANALYSES: tuple[Callable[[Study], list[Diagnostic]], ...] = (guards, shadows, overlaps, coverage, bins)


def analyse(program: ir.Program) -> list[Diagnostic]:
    """All findings about a program's own decisions, in the order of `ANALYSES`, and errors in its portfolio values."""
    study = Study(program)
    found = [finding for analysis in ANALYSES for finding in analysis(study)]
    return [*found, *gaps(program)]
