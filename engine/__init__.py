"""Tierwise: a rules engine for small-business lending policies.

The public names, imported when first asked for: a program that only decides never pays
for what checks, and the other way round.
"""
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import feel as feel
    from engine.decision import Decision as Decision
    from engine.diagnostics import Diagnostic as Diagnostic
    from engine.policy import Policy as Policy
    from engine.policy import PolicyError as PolicyError
    from engine.policy import check_policy as check_policy
    from engine.policy import load_policy as load_policy
    from engine.runs import DataProblem as DataProblem

__version__ = "0.1.0"

__all__ = ["DataProblem", "Decision", "Diagnostic", "Policy", "PolicyError", "check_policy", "feel", "load_policy"]

#: Where each public name is defined; a module stands for itself.
_HOMES = {
    "DataProblem": "engine.runs",
    "Decision": "engine.decision",
    "Diagnostic": "engine.diagnostics",
    "Policy": "engine.policy",
    "PolicyError": "engine.policy",
    "check_policy": "engine.policy",
    "feel": "engine.feel",
    "load_policy": "engine.policy",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(home)
    value = module if home == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
