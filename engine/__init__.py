"""Tierwise: a rules engine for small-business lending policies.

The public names, imported when first asked for: a program that only decides never pays
for what checks, and the other way round.
"""
from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import feel as feel
    from engine import testing as testing
    from engine.decision import Decision as Decision
    from engine.deploy.deployment import OpenDeployment as OpenDeployment
    from engine.deploy.deployment import open_deployment as open_deployment
    from engine.deploy.document import DeploymentError as DeploymentError
    from engine.diagnostics import Diagnostic as Diagnostic
    from engine.hooks import PluginProblem as PluginProblem
    from engine.hooks import Plugins as Plugins
    from engine.hookspecs import Command as Command
    from engine.hookspecs import Field as Field
    from engine.hookspecs import Function as Function
    from engine.hookspecs import PluginFailure as PluginFailure
    from engine.hookspecs import ReportChart as ReportChart
    from engine.hookspecs import ReportNote as ReportNote
    from engine.hookspecs import ReportSection as ReportSection
    from engine.hookspecs import ReportTable as ReportTable
    from engine.hookspecs import Score as Score
    from engine.hookspecs import Scorer as Scorer
    from engine.hookspecs import ScorerDescription as ScorerDescription
    from engine.hookspecs import ScorerKind as ScorerKind
    from engine.hookspecs import Setting as Setting
    from engine.hookspecs import Settings as Settings
    from engine.hookspecs import Sink as Sink
    from engine.hookspecs import SinkKind as SinkKind
    from engine.hookspecs import Source as Source
    from engine.hookspecs import SourceKind as SourceKind
    from engine.hookspecs import Table as Table
    from engine.hookspecs import hookimpl as hookimpl
    from engine.hookspecs import sql_form as sql_form
    from engine.policy import Policy as Policy
    from engine.policy import PolicyError as PolicyError
    from engine.policy import check_policy as check_policy
    from engine.policy import load_policy as load_policy
    from engine.runs import DataProblem as DataProblem

__version__ = "0.1.0"

__all__ = [
    "Command", "DataProblem", "Decision", "DeploymentError", "Diagnostic", "Field", "Function", "OpenDeployment",
    "PluginFailure", "PluginProblem", "Plugins", "Policy", "PolicyError", "ReportChart", "ReportNote",
    "ReportSection", "ReportTable", "Score", "Scorer", "ScorerDescription", "ScorerKind", "Setting", "Settings",
    "Sink", "SinkKind", "Source", "SourceKind", "Table", "check_policy", "feel", "hookimpl", "load_policy",
    "open_deployment", "sql_form", "testing",
]

#: Where each public name is defined; a module stands for itself.
_HOMES = {
    "Command": "engine.hookspecs",
    "DataProblem": "engine.runs",
    "Decision": "engine.decision",
    "DeploymentError": "engine.deploy.document",
    "Diagnostic": "engine.diagnostics",
    "Field": "engine.hookspecs",
    "Function": "engine.hookspecs",
    "OpenDeployment": "engine.deploy.deployment",
    "PluginFailure": "engine.hookspecs",
    "PluginProblem": "engine.hooks",
    "Plugins": "engine.hooks",
    "Policy": "engine.policy",
    "PolicyError": "engine.policy",
    "ReportChart": "engine.hookspecs",
    "ReportNote": "engine.hookspecs",
    "ReportSection": "engine.hookspecs",
    "ReportTable": "engine.hookspecs",
    "Score": "engine.hookspecs",
    "Scorer": "engine.hookspecs",
    "ScorerDescription": "engine.hookspecs",
    "ScorerKind": "engine.hookspecs",
    "Setting": "engine.hookspecs",
    "Settings": "engine.hookspecs",
    "Sink": "engine.hookspecs",
    "SinkKind": "engine.hookspecs",
    "Source": "engine.hookspecs",
    "SourceKind": "engine.hookspecs",
    "Table": "engine.hookspecs",
    "check_policy": "engine.policy",
    "feel": "engine.feel",
    "hookimpl": "engine.hookspecs",
    "load_policy": "engine.policy",
    "open_deployment": "engine.deploy.deployment",
    "sql_form": "engine.hookspecs",
    "testing": "engine.testing",
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
