"""From the nodes of a policy file to its declarations: every name, with where it stands.

Runs on a document that the schema accepted, so shapes are known; what needs more
than one place to judge (names, types, values) is left to the checker. Expressions
stay scalars here; the vocabulary they are parsed against comes from these names.
"""
from __future__ import annotations

from collections.abc import Iterator

from engine.diagnostics import Diagnostic
from engine.records import Record
from engine.source.nodes import Document, Mapping, Node, Scalar, Sequence, normal

FAMILIES = ("features", "segmentation", "risk", "service")
#: The forms a decision may take; exactly one stands in each.
FORMS = ("value", "rules", "worst", "collect", "table", "scorecard", "lookup", "model")


class Named(Record):
    """A declared name: `key` is the scalar that declares it."""

    name: str
    key: Scalar


class OnMissingSpec(Record):
    """`action` is refer, skip, refuse or then; `outcome` the node under `then`."""

    action: str
    outcome: Node | None
    node: Node


class InputSpec(Named):
    body: Mapping


class HistorySpec(Named):
    body: Mapping
    fields: tuple[InputSpec, ...]


class ParameterSpec(Named):
    """`grid` is the table's scalar, None for the single `value`."""

    grid: Scalar | None
    value: Scalar | None
    body: Mapping | None


class UseSpec(Named):
    policy: Scalar
    each: Scalar | None
    bindings: tuple[tuple[str, Scalar, Scalar], ...]


class ReasonSpec(Named):
    """`texts` are (language, scalar); the first is the default language, `text`. `notices` are the customer's."""

    texts: tuple[tuple[str, Scalar], ...]
    rank: Scalar | None
    notices: tuple[tuple[str, Scalar], ...] = ()


class VocabularySpec(Named):
    """A named list of values, inline or in a file."""

    node: Node


class DecisionSpec(Named):
    family: str
    form: str
    form_key: Scalar
    content: Node
    body: Mapping
    where: tuple[tuple[str, Scalar, Scalar], ...]
    on_missing: OnMissingSpec | None


class AggregateSpec(Named):
    """A value over customers; `value` is its expression."""

    value: Scalar
    description: str


class GroupingSpec(Named):
    """Values of each group of customers; `by` are the expressions about one customer that part the groups."""

    by: tuple[Scalar, ...]
    values: tuple[AggregateSpec, ...]
    description: str


class PolicyFile(Record):
    """One policy file, declared. `problems` are faults found while declaring."""

    document: Document
    root: Mapping
    name: str
    version: str
    owner: str
    currency: str | None
    description: str
    start: Scalar | None
    end: Scalar | None
    supersedes: Scalar | None
    application_date: str | None
    on_missing: OnMissingSpec | None
    on_failure: str
    vocabularies: tuple[VocabularySpec, ...]
    parameters: tuple[ParameterSpec, ...]
    uses: tuple[UseSpec, ...]
    reasons: tuple[ReasonSpec, ...]
    inputs: tuple[InputSpec, ...]
    histories: tuple[HistorySpec, ...]
    decisions: tuple[DecisionSpec, ...]
    problems: tuple[Diagnostic, ...]
    #: The sets of functions beyond the language's own.
    functions: tuple[Scalar, ...] = ()
    portfolio: tuple[AggregateSpec | GroupingSpec, ...] = ()


def declare(document: Document) -> PolicyFile:
    """The declarations of a document; parts of the wrong shape are left out (the schema reported them)."""
    root = document.root
    assert isinstance(root, Mapping)
    problems: list[Diagnostic] = []
    effective = root.get("effective")
    period = effective if isinstance(effective, Mapping) else None
    return PolicyFile(
        document,
        root,
        text(root, "policy"),
        text(root, "version"),
        text(root, "owner"),
        text(root, "currency") or None,
        text(root, "description"),
        scalar(period, "from"),
        scalar(period, "to"),
        scalar(root, "supersedes"),
        normal(text(root, "application date")) or None,
        on_missing(root.get("on missing")),
        text(root, "on failure"),
        tuple(VocabularySpec(normal(k.text), k, v) for k, v in pairs(root.get("vocabularies"))),
        tuple(_parameter(k, v) for k, v in pairs(root.get("parameters")) if isinstance(v, (Scalar, Mapping))),
        tuple(u for u in (_use(k, v) for k, v in pairs(root.get("use"))) if u is not None),
        tuple(_reason(k, v) for k, v in pairs(root.get("reasons"))),
        _inputs(root.get("inputs")),
        tuple(_history(k, v) for k, v in pairs(root.get("history")) if isinstance(v, Mapping)),
        tuple(
            d
            for family in FAMILIES
            for d in (_decision(k, v, family) for k, v in pairs(root.get(family)))
            if d is not None
        ),
        tuple(problems),
        tuple(strings(root.get("functions"))),
        tuple(_portfolio(root.get("portfolio"))),
    )


def text(mapping: Mapping | None, key: str) -> str:
    node = mapping.get(key) if mapping is not None else None
    return node.text if isinstance(node, Scalar) else ""


def scalar(mapping: Mapping | None, key: str) -> Scalar | None:
    node = mapping.get(key) if mapping is not None else None
    return node if isinstance(node, Scalar) else None


def flag(mapping: Mapping, key: str) -> bool:
    """A boolean of the file: `true` or `false`, as the schema made sure."""
    return text(mapping, key) == "true"


def pairs(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Mapping) else ()


def strings(node: Node | None) -> list[Scalar]:
    """The scalars of a list, or a single scalar as a list of one."""
    if isinstance(node, Scalar):
        return [] if node.is_empty else [node]
    return [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []


def on_missing(node: Node | None) -> OnMissingSpec | None:
    if isinstance(node, Scalar):
        return OnMissingSpec(node.text, None, node)
    if isinstance(node, Mapping) and "then" in node:
        return OnMissingSpec("then", node.get("then"), node)
    return None


def _inputs(node: Node | None) -> tuple[InputSpec, ...]:
    return tuple(InputSpec(normal(k.text), k, v) for k, v in pairs(node) if isinstance(v, Mapping))


def _history(key: Scalar, node: Mapping) -> HistorySpec:
    return HistorySpec(normal(key.text), key, node, _inputs(node.get("fields")))


def _parameter(key: Scalar, node: Scalar | Mapping) -> ParameterSpec:
    name = normal(key.text)
    if isinstance(node, Scalar):
        if node.style in ("literal", "folded"):
            return ParameterSpec(name, key, node, None, None)
        return ParameterSpec(name, key, None, node, None)
    return ParameterSpec(name, key, scalar(node, "table"), scalar(node, "value"), node)


def _use(key: Scalar, node: Node) -> UseSpec | None:
    policy = scalar(node, "policy") if isinstance(node, Mapping) else None
    if policy is None or not isinstance(node, Mapping):
        return None
    bindings = tuple((normal(k.text), k, v) for k, v in pairs(node.get("with")) if isinstance(v, Scalar))
    return UseSpec(normal(key.text), key, policy, scalar(node, "for each"), bindings)


def _reason(key: Scalar, node: Node) -> ReasonSpec:
    texts: list[tuple[str, Scalar]] = []
    rank = None
    notices: tuple[tuple[str, Scalar], ...] = ()
    for k, v in pairs(node):
        name = normal(k.text)
        if name == "rank" and isinstance(v, Scalar):
            rank = v
        elif name == "notice":
            notices = _notices(v)
        elif name != "description" and isinstance(v, Scalar):
            texts.append(("en" if name == "text" else name, v))
    return ReasonSpec(normal(key.text), key, tuple(texts), rank, notices)


def _notices(node: Node) -> tuple[tuple[str, Scalar], ...]:
    if isinstance(node, Scalar):
        return (("en", node),)
    return tuple((normal(k.text), v) for k, v in pairs(node) if isinstance(v, Scalar))


def _portfolio(node: Node | None) -> Iterator[AggregateSpec | GroupingSpec]:
    for key, body in pairs(node):
        if isinstance(body, Mapping) and "values" in body:
            values = (_aggregate(k, v) for k, v in pairs(body.get("values")))
            found = tuple(value for value in values if value is not None)
            yield GroupingSpec(normal(key.text), key, tuple(strings(body.get("by"))), found, text(body, "description"))
        elif (value := _aggregate(key, body)) is not None:
            yield value


def _aggregate(key: Scalar, node: Node) -> AggregateSpec | None:
    value = node if isinstance(node, Scalar) else scalar(node, "value") if isinstance(node, Mapping) else None
    about = text(node, "description") if isinstance(node, Mapping) else ""
    return None if value is None else AggregateSpec(normal(key.text), key, value, about)


def _decision(key: Scalar, node: Node, family: str) -> DecisionSpec | None:
    if not isinstance(node, Mapping):
        return None
    form = next((f for f in FORMS if f in node), None)
    if form is None:
        return None
    form_key, content = node.key(form), node.get(form)
    assert form_key is not None and content is not None
    where = tuple((normal(k.text), k, v) for k, v in pairs(node.get("where")) if isinstance(v, Scalar))
    return DecisionSpec(
        normal(key.text), key, family, form, form_key, content, node, where, on_missing(node.get("on missing"))
    )
