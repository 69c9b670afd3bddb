"""The reference part of the page on the API: what is public, with its signature and its docstring."""
from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import engine
from engine import feel
from engine.decision import OpenDecision
from engine.explain.supply import Origin, Passed
from engine.runs import Summary

#: Heading and the objects under it, in the order of reading.
_GROUPS: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = (
    ("Policies", (
        ("tierwise.load_policy", engine.load_policy),
        ("tierwise.check_policy", engine.check_policy),
        ("tierwise.Policy", engine.Policy),
        ("tierwise.PolicyError", engine.PolicyError),
        ("tierwise.Diagnostic", engine.Diagnostic),
    )),
    ("Portfolios", (("Summary", Summary), ("tierwise.DataProblem", engine.DataProblem))),
    ("Decisions", (("tierwise.Decision", engine.Decision), ("OpenDecision", OpenDecision))),
    ("Deployments", (
        ("tierwise.open_deployment", engine.open_deployment),
        ("tierwise.OpenDeployment", engine.OpenDeployment),
        ("tierwise.DeploymentError", engine.DeploymentError),
        ("Origin", Origin),
        ("Passed", Passed),
    )),
    ("Plugins", (("tierwise.Plugins", engine.Plugins), ("tierwise.PluginProblem", engine.PluginProblem))),
    ("FEEL", tuple((f"tierwise.feel.{name}", getattr(feel, name)) for name in (
        "evaluate", "unary_test", "ask", "explain_null", "Answer", "Reason", "YearsMonths", "Range",
        "FeelError", "FeelSyntaxError", "FeelLimitError",
    ))),
)
#: Members that serve the engine's own modules.
_INTERNAL = frozenset({
    "Policy.cone", "Policy.compiled", "Policy.trace", "Policy.program", "Policy.program_at",
    "Decision.trace", "Decision.summary", "Decision.program", "Decision.supplied",
    "OpenDeployment.delivery", "OpenDeployment.supply",
    "Plugins.owner", "Plugins.candidate", "Plugins.made", "Plugins.find", "Plugins.gifts",
})


def reference() -> str:
    parts = []
    for heading, members in _GROUPS:
        parts.append(f"## {heading}\n")
        parts += (part for name, item in members for part in _described(name, item))
    return "\n".join(parts)


def _described(name: str, item: Any) -> Iterator[str]:
    if not inspect.isclass(item):
        yield f"### `{_signature(name, item)}`\n\n{_doc(item)}\n"
        return
    yield f"### `{name}`\n\n{_doc(item)}\n"
    fields = [f for f in vars(item).get("__annotations__", {}) if not f.startswith("_")]
    if fields:
        yield f"Fields: {', '.join(f'`{f}`' for f in fields)}.\n"
    rows = [row for member, value in vars(item).items() for row in _member(item.__name__, member, value)]
    if rows:
        yield "| | |\n|---|---|\n" + "\n".join(rows) + "\n"


def _member(owner: str, name: str, value: Any) -> Iterator[str]:
    if name.startswith("_") or f"{owner}.{name}" in _INTERNAL:
        return
    if isinstance(value, property):
        yield f"| `.{name}` | {_cell(_doc(value))} |"
    elif inspect.isfunction(value):
        yield f"| `.{_signature(name, value)}` | {_cell(_doc(value))} |"


def _signature(name: str, function: Any) -> str:
    parameters = inspect.signature(function).parameters.values()
    kept = [p.replace(annotation=inspect.Parameter.empty) for p in parameters if p.name != "self"]
    return name + str(inspect.Signature(kept))


def _doc(item: Any) -> str:
    """The docstring as Markdown; paragraphs are joined into lines."""
    text = inspect.cleandoc(item.__doc__ or "")
    return "\n\n".join(re.sub(r"\s+", " ", part) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return text.replace("\n\n", " ").replace("|", "\\|")
