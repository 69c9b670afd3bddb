"""From a description to a report."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.hookspecs import ReportSection
from engine.ir import nodes as ir
from engine.policy import load_policy
from engine.portfolio.columnar.session import Session
from engine.report.blocks import Report, plain
from engine.report.context import Context
from engine.report.frame import Frame
from engine.report.further import Asked
from engine.report.sections import SECTIONS
from engine.report.spec import Spec

__all__ = ["make", "plain"]


def make(spec: Spec, language: str = "en", kinds: Mapping[str, ReportSection] | None = None) -> Report:
    """The report; `kinds` are the sections that plugins bring. Raises SpecError, DataProblem and PolicyError."""
    orders, texts, facts = _policy(spec, language)
    further = Asked(spec, {} if kinds is None else kinds)
    with Session() as session:
        context = Context(Frame(session, spec), language, orders, texts)
        sections = tuple(s for make_section in SECTIONS if (s := make_section(context)) is not None)
        sections = (*sections, *further.sections(context))
    top = spec.top
    chinese = language.split("-")[0] == "zh"
    title = (top.name("zh") if chinese else None) or top.name("report") or ""
    day = top.name("as of")
    dated = [("截至" if chinese else "as of", day)] if day is not None else []
    return Report(title, top.name("description") or "", language, (*facts, *dated), sections)


def _policy(
    spec: Spec, language: str
) -> tuple[Mapping[str, Sequence[str]], Mapping[str, str], tuple[tuple[str, str], ...]]:
    """The values of decisions in order, the best first, the texts of reasons, and what to call the policy."""
    place = spec.top.one.get("policy")
    if place is None:
        return {}, {}, ()
    program = load_policy(spec.file(place)).program
    orders: dict[str, Sequence[str]] = {}
    for decision in program.decisions:
        if not decision.internal and decision.type.values is not None:
            values = decision.type.values
            orders[decision.name] = tuple(reversed(values)) if decision.type.order == "worst first" else values
    facts = (("政策" if language.split("-")[0] == "zh" else "policy", f"{program.name} {program.version}"),)
    return orders, {r.code: _text(r, language) for r in program.reasons}, facts


def _text(reason: ir.ReasonDecl, language: str) -> str:
    """A reason's text with the names where values stand."""
    texts = dict(reason.texts)
    parts = texts.get(language) or texts.get(language.split("-")[0]) or next(iter(texts.values()), ())
    return "".join(p if isinstance(p, str) else f"{{{p.at.snippet if p.at is not None else ''}}}" for p in parts)
