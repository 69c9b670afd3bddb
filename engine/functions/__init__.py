"""The functions of plugins as operations of the language.

A plugin states a function in plain Python (`engine.hookspecs.Function`); `reading` makes an operation of it,
`kernels` holds its body to what it states, and `sets` finds the sets that policies name. Nothing of that, nor any
plugin, is imported before a policy names a set.
"""
from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from engine.semantics.functions import Deferred, FunctionSource

if TYPE_CHECKING:
    from engine.functions.sets import Provider


def functions_of(path: str | Path, plugins: Provider | None = None) -> FunctionSource:
    """The sets that a policy at `path` may name: those of `plugins`, by default of the engine's own, of installed
    packages and of the project file's."""
    def sets() -> FunctionSource:
        provider = import_module("engine.hooks").Plugins.beside(path) if plugins is None else plugins
        source: FunctionSource = import_module("engine.functions.sets").Sets(provider)
        return source

    return Deferred(sets)
