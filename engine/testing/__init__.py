"""Contract tests: what a plugin must hold to, as test classes and as one call.

    import tierwise.testing
    from acme import KIND

    class TestMine(tierwise.testing.ScorerContract):
        kind = KIND
        settings = {"file": "model.yaml"}

or, without a class, `tierwise.testing.check(tierwise.testing.ScorerContract, kind=KIND, settings={...})`. A failure
says what was asked, what came, and the way out. Values are made up from the types that a plugin declares, from a
fixed seed, so that a test that failed fails again; `rows`, `keys` and the like give data of your own.
"""
from __future__ import annotations

from engine.testing.contract import Broken, Contract, check, settings
from engine.testing.functions import FunctionContract
from engine.testing.plugins import PluginContract
from engine.testing.scorers import ScorerContract
from engine.testing.sources import SourceContract

__all__ = [
    "Broken", "Contract", "FunctionContract", "PluginContract", "ScorerContract", "SourceContract", "check", "settings",
]
