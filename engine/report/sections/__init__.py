"""The parts of a report in their order; each gives a section, or None where the description does not ask for it."""
from __future__ import annotations

from collections.abc import Callable

from engine.report.blocks import Section
from engine.report.context import Context
from engine.report.sections import (
    book,
    complaints,
    exposure,
    fairness,
    missing,
    outcome,
    overview,
    reasons,
    stability,
    surveys,
    team,
    warnings,
    whatif,
)

SECTIONS: tuple[Callable[[Context], Section | None], ...] = (
    overview.section, exposure.section, reasons.section, missing.section, outcome.section, stability.section,
    book.section, warnings.section, team.section, surveys.section, complaints.section, fairness.section, whatif.section,
)
