"""What is declared and never used. Warnings: such a policy means something, but perhaps not what was meant."""
from __future__ import annotations

from engine.check.model import PolicyModel
from engine.check.reasons import references
from engine.check.scope import DECISION, HISTORY, INPUT, PARAMETER, USE, Report


def lint(model: PolicyModel, report: Report) -> None:
    """Report unused inputs, histories, parameters, imports, features and reasons."""
    if report.has_errors:
        return  # what an unreadable expression would have used is unknown
    used = {(b.kind, b.target) for b in model.typing.bindings.values()}
    of_customers = model.portfolio.reads if model.portfolio is not None else frozenset()
    used |= {(kind, name) for kind in (INPUT, DECISION, USE) for name in of_customers}
    used.add((INPUT, model.file.application_date or ""))           # it picks the version
    history_keys = {h.key for h in model.histories}
    uses_paths = {target.split(".", 1)[0] for kind, target in used if kind == USE}
    for decl in model.inputs:
        if (INPUT, decl.name) not in used and not (decl.key or decl.monitor_only or decl.protected):
            if decl.name not in history_keys:
                report.at(
                    "W0604", f"the input `{decl.name}` is never used", decl.at,
                    "delete it, or mark it `use: monitor only`",
                )
    given = {h.source for use in model.uses for h in use.histories} | {u.each for u in model.uses}
    for history in model.histories:
        if (HISTORY, history.name) not in used and history.name not in given:
            report.at("W0604", f"the history `{history.name}` is never used", history.span, "delete it")
    for parameter in model.parameters:
        if (PARAMETER, parameter.name) not in used:
            report.at("W0604", f"the parameter `{parameter.name}` is never used", parameter.span, "delete it")
    inherited = {r.name.split(".", 1)[0] for r in references(model) if r.inherited}
    for use in model.uses:
        kind = HISTORY if use.each is not None else USE
        named = use.name in uses_paths or use.name in inherited or use.name in given
        if (kind, use.name) not in used and not named:
            report.at("W0604", f"the imported policy `{use.name}` is never used", use.span, "delete it")
    for decision in model.decisions:
        taken = (DECISION, decision.name) in used or decision.name in inherited
        if decision.family == "features" and not taken:
            span = decision.place.locate(0, len(decision.place.text))
            report.at(
                "W0606", f"the feature `{decision.name}` is never used", span,
                "delete it, or move it to a family whose decisions are outputs",
            )
    codes = {r.name for r in references(model) if not r.inherited}
    for reason in model.reasons:
        if reason.code not in codes:
            help = "delete it, or give it in a rule"
            report.at("W0605", f"the reason `{reason.code}` is never given", reason.span, help)
