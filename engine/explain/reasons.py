"""Reasons in words: the policy's texts with the customer's values in them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.backends.reference.decide import Outcome, in_order
from engine.backends.reference.program import ProgramEvaluator, Trace
from engine.explain.phrases import DEFAULT, LANGUAGES, Phrases, phrases_of, speaks
from engine.explain.plan import Plan, describe, part_text, plan_of
from engine.explain.values import plain, show
from engine.ir import nodes as ir
from engine.ir.reads import cone, reads, reason_sources

#: Plain text and the expressions whose values stand in it.
Template = tuple[str | ir.Node, ...]


def check_language(plan: Plan, language: str) -> None:
    """ValueError where neither the phrases nor the policy's reasons have `language`."""
    if not speaks(language) and language not in plan.languages:
        known = ", ".join(f"`{name}`" for name in dict.fromkeys((*LANGUAGES, *plan.languages)))
        raise ValueError(f"there is no explanation in `{language}`, choose one of {known}")


def told(
    plan: Plan, trace: Trace, evaluator: ProgramEvaluator, outcomes: Sequence[Outcome], language: str, personal: bool
) -> list[dict[str, Any]]:
    """The reasons of `outcomes` in order, each code once, reserved ones last, with their texts.

    `language` of a reason is that of its text, which is the policy's first where it lacks the one asked for.
    """
    writer = _Writer(plan, trace, evaluator, language, personal)
    found = []
    for code in in_order(code for outcome in outcomes for code in outcome.reasons):
        text, spoken = writer.reserved(code, outcomes) if code in ir.RESERVED else writer.text(code)
        givers = [o.decision.name for o in outcomes if code in o.reasons]
        found.append({
            "code": code, "text": text, "language": spoken, "reserved": code in ir.RESERVED, "decisions": givers,
        })
    return found


class _Writer:
    def __init__(self, plan: Plan, trace: Trace, evaluator: ProgramEvaluator, language: str, personal: bool) -> None:
        self.plan = plan
        self.trace = trace
        self.evaluator = evaluator
        self.language = language
        self.personal = personal

    def text(self, code: str) -> tuple[str, str]:
        """The text and its language."""
        declared = self.plan.reasons.get(code)
        if declared is None or not declared.texts:
            return code, self.language
        texts = dict(declared.texts)
        spoken = _spoken(texts, self.language) or declared.texts[0][0]
        return self.filled(texts[spoken], spoken), spoken

    def filled(self, parts: Template, language: str) -> str:
        phrases = phrases_of(language)
        return "".join(p if isinstance(p, str) else self.hole(p, phrases) for p in parts)

    def hole(self, node: ir.Node, phrases: Phrases) -> str:
        """A value within a text. Data that were not needed to decide, and so were never read, are "not given"."""
        evaluator = self.knowing(node)
        if evaluator is None:
            return phrases["not given"]
        if self.plan.is_hidden(node) and not self.personal:
            return phrases["hidden"]
        evaluator.locals.clear()
        value = plain(evaluator.evaluate(node))
        percent = self.plan.is_percent(node, {})
        return show(value, describe(node.type), phrases, self.plan.program.currency, percent)

    def knowing(self, node: ir.Node) -> ProgramEvaluator | None:
        """The evaluator that can answer for an expression; None where it reads data that were never read."""
        direct = reads([node])
        outcomes, admitted = self.trace.outcomes, self.trace.admitted
        unknown = [name for name in direct.refs if name not in outcomes]
        reach = cone(self.plan.program, unknown) if unknown else None
        inputs = direct.inputs if reach is None else direct.inputs | reach.inputs
        relations = direct.relations if reach is None else direct.relations | reach.relations
        if not inputs <= admitted.inputs.keys() or any(
            n not in admitted.relations and n not in self.evaluator.derived for n in relations
        ):
            return None
        as_of = self.evaluator.as_of
        if reach is None or as_of is None:
            return self.evaluator
        # A fact that only the text reads: worked out beside the decision, of which it is no part.
        beside = ProgramEvaluator(self.plan.program, admitted, as_of)
        beside.outcomes.update(outcomes)
        beside.run([d for d in reach.decisions if d.name not in outcomes])
        return beside

    def reserved(self, code: str, outcomes: Sequence[Outcome]) -> tuple[str, str]:
        spoken = self.language if speaks(self.language) else DEFAULT
        phrases = phrases_of(spoken)
        names: dict[str, None] = {}
        seen: set[str] = set()
        for outcome in outcomes:
            if code in outcome.reasons:
                collect(self.trace, code, outcome, names, seen)
        if not names:
            return phrases[f"{code} unnamed"], spoken
        if code == ir.MISSING:
            order = [*(i.name for i in self.plan.program.inputs), *(h.name for h in self.plan.program.histories)]
            shown = [n for n in order if n in names] + [n for n in names if n not in order]
        else:
            shown = [f"`{n}`" for n in names]
        return phrases[code].format(phrases["comma"].join(shown)), spoken


def collect(trace: Trace, code: str, outcome: Outcome, names: dict[str, None], seen: set[str]) -> None:
    """Add to `names` what stands behind a reserved reason, in the decision itself or in those it inherits reasons
    from."""
    if outcome.decision.name in seen:
        return
    seen.add(outcome.decision.name)
    if outcome.open:
        if code == ir.MISSING:
            names.update(dict.fromkeys(sorted(outcome.behind.missing)))
        elif not outcome.behind.missing:
            names.update((part_text(n), None) for n in outcome.behind.undefined)
    for source in reason_sources(outcome.decision):
        inner = trace.outcomes.get(source.name) if source.inherited else None
        if inner is not None and code in inner.reasons:
            collect(trace, code, inner, names, seen)


def customer_template(reason: ir.ReasonDecl, language: str) -> Template | None:
    """What a letter in `language` says for a reason: its `notice`, else its text; None where it has neither."""
    for texts in (dict(reason.notices), dict(reason.texts)):
        spoken = _spoken(texts, language)
        if spoken is not None:
            return texts[spoken]
    return None


def for_customer(program: ir.Program, trace: Trace, codes: Sequence[str], language: str) -> list[str]:
    """The texts of `codes` as a letter says them; personal data are hidden. KeyError for a code without a text."""
    plan = plan_of(program)
    assert trace.evaluator is not None, "a refused customer has no reasons"
    writer = _Writer(plan, trace, trace.evaluator, language, personal=False)
    found = []
    for code in codes:
        template = customer_template(plan.reasons[code], language)
        if template is None:
            raise KeyError(code)
        found.append(writer.filled(template, language))
    return found


def _spoken(texts: Mapping[str, Template], language: str) -> str | None:
    """The language among those of `texts` that comes nearest to the one asked for."""
    return next((name for name in (language, language.split("-")[0]) if name in texts), None)
