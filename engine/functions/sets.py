"""The sets of functions that plugins bring, by name."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from engine.functions.reading import function_set
from engine.hookspecs import Function
from engine.semantics.functions import FunctionSet

#: Where the plugins of the engine itself are from.
BUILT_IN = "built-in"


class Provider(Protocol):
    """What finds plugins, as far as their functions are asked for: `engine.hooks.Plugins`. Each raises `Problem` for
    a plugin that cannot be used."""

    def function_sets(self) -> tuple[str, ...]:
        """The names of all sets."""

    def owner(self, hook: str, name: str) -> Any:
        """The plugin that gives something of a name through a hook, None where none does."""

    def functions(self, set_: str) -> tuple[Function, ...]:
        """The functions of a set."""


class Sets:
    """The sets of a provider, each read once."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._read: dict[str, FunctionSet | None] = {}

    def names(self) -> Iterable[str]:
        return self.provider.function_sets()

    def lasting(self, name: str) -> bool:
        owner = self._owner(name)
        return owner is not None and owner.origin.value == BUILT_IN

    def find(self, name: str) -> FunctionSet | None:
        if name not in self._read:
            owner, found = self._owner(name), None
            if owner is not None:
                strange = owner.origin.value != BUILT_IN
                found = function_set(name, owner.version, self.provider.functions(name), strange)
            self._read[name] = found
        return self._read[name]

    def _owner(self, name: str) -> Any:
        return self.provider.owner("register_functions", name)
