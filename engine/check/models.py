"""Models: a decision that a scorer outside the policy makes from named inputs.

The policy states what it asks and what it expects, the interface; which scorer answers is bound elsewhere, so that the
same policy runs on any.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.check.arms import ArmReader
from engine.check.decisions import Draft
from engine.check.declarations import Declarations
from engine.check.graph import Reading
from engine.check.model import ArmModel, DecisionModel, Expr, ModelModel, PolicyModel, ReasonRef
from engine.check.parsing import ExpressionParser
from engine.check.scope import Report, whole
from engine.semantics.declarations import InputDecl
from engine.semantics.domain import Domain
from engine.semantics.dtypes import Type
from engine.source import nodes
from engine.source.declare import DecisionSpec, flag, pairs, strings, text
from engine.source.nodes import Scalar, normal

#: What a failure of the scorer leads to where neither the decision nor the policy says.
DEFAULT_FAILURE = "missing"
#: The hit policies under which a further rule may refer.
REFERRING = ("first", "worst")


def model_draft(
    spec: DecisionSpec, reader: ArmReader, parser: ExpressionParser, declarations: Declarations,
    where: tuple[tuple[str, Expr], ...], policy_failure: str,
) -> Draft:
    """A model as one arm whose outcome is the scorer's answer; without arms where it cannot be read."""
    empty = Draft(spec, reader, "value", (), 0, (), where)
    content = spec.content
    if not isinstance(content, Scalar):
        return empty
    if not reader.results.stated:
        reader.report.at(
            "E0511", f"the type of the answer of `{normal(content.text)}` is not stated", spec.form_key.span,
            "add `type: number` and, if it has bounds, `range: '[0..1]'`; or `values: [...]`",
        )
        return empty
    args = []
    for key, value in pairs(spec.body.get("inputs")):
        expr = parser.scalar(value) if isinstance(value, Scalar) else None
        if expr is None:
            return empty
        args.append((normal(key.text), expr))
    kind, domain = _answer(spec, reader.results.single, declarations, parser)
    reasons = tuple(_reasons(spec))
    place = whole(spec.form_key)
    outcome = ModelModel(
        normal(content.text), tuple(args), reasons, kind, domain,
        text(spec.body, "on failure") or policy_failure or DEFAULT_FAILURE, flag(spec.body, "ask with missing"), place,
    )
    arm = ArmModel("value", None, (), (("", outcome),), tuple(ref for _, ref in reasons), False, place)
    return Draft(spec, reader, "value", (arm,), 0, (), where)


def _answer(
    spec: DecisionSpec, kind: Type, declarations: Declarations, parser: ExpressionParser
) -> tuple[Type, Domain | None]:
    """The type of the answer, which may always be null, and its range."""
    domain = declarations.domain(spec.body, kind, parser)
    decl = InputDecl(spec.name, declarations.widened(kind.optional()), domain=domain)
    return declarations.bounded(decl).type, domain


def _reasons(spec: DecisionSpec) -> Iterator[tuple[str, ReasonRef]]:
    """The scorer's names of reasons with the policy's codes; in a list both are the same."""
    node = spec.body.get("reasons")
    if isinstance(node, nodes.Mapping):
        for key, value in node.entries:
            if isinstance(value, Scalar):
                yield normal(key.text), ReasonRef(value.text, False, value.span)
        return
    for code in strings(node):
        yield code.text, ReasonRef(code.text, False, code.span)


def unread_failures(report: Report, drafts: Sequence[Draft], readings: Mapping[str, Reading]) -> None:
    """`on failure: refer` needs a decision that can refer and reads the model, itself or through others."""
    reached: set[str] = set()
    for draft in drafts:
        if draft.hit in REFERRING and "refer" in (draft.reader.results.single.values or ()):
            left = [draft.spec.name]
            while left:
                name = left.pop()
                if name not in reached and name in readings:
                    reached.add(name)
                    left.extend(readings[name].names)
    for draft in drafts:
        value = draft.arms[0].outcome[0][1] if draft.arms else None
        if isinstance(value, ModelModel) and value.on_failure == "refer" and draft.spec.name not in reached:
            node = draft.spec.body.get("on failure")
            report.at(
                "E0512", f"nothing that reads `{draft.spec.name}` can refer",
                node.span if node is not None else draft.spec.form_key.span,
                "read it in a decision by `rules` or `worst` that has `refer` among its `values`, or write "
                "`on failure: missing` or `stop`",
            )


def asks_models(policy: PolicyModel) -> bool:
    """Whether a policy, or one that it imports, asks a model."""
    return any(d.form == "model" for d in policy.decisions if isinstance(d, DecisionModel)) or any(
        asks_models(use.policy) for use in policy.uses
    )
