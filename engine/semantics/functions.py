"""Functions beyond the language's own: sets of them that a policy names, and the operations that they become.

An operation of a set is called `set.name`, so that sets which have a name in common can meet in one program. A
program holds its sets by name and version; whoever stores it stores these alone, and must find the same again.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from engine.records import Record
from engine.semantics.catalogue import BUILTINS, Catalogue, Operation


class PluginFunction(Record):
    """A function by its plain name. `sql`, if there is one, makes of the trees of its operands (None for one that
    is left out) the tree of the result."""

    name: str
    operation: Operation
    sql: Callable[..., Any] | None = None


class FunctionSet(Record):
    """`version` tells two sets of one name apart wherever a function could give something else."""

    name: str
    version: str
    functions: tuple[PluginFunction, ...]


class FunctionSource(Protocol):
    """Where the sets come from that policies name."""

    def find(self, name: str) -> FunctionSet | None:
        """The set of that name; raises `Problem` where there is one that cannot be used."""

    def names(self) -> Iterable[str]:
        """The names of all sets."""

    def lasting(self, name: str) -> bool:
        """Whether a set changes with the engine alone, so that what was found about it may be remembered."""


class Functions:
    """The sets of one program, those of its own file first. Equal where names and versions are."""

    __slots__ = ("_by_operation", "catalogue", "sets")

    def __init__(self, sets: Iterable[FunctionSet] = ()) -> None:
        self.sets = tuple(sets)
        self._by_operation = {f.operation.name: f for held in self.sets for f in held.functions}
        rows = [f.operation for f in self._by_operation.values()]
        self.catalogue: Catalogue = BUILTINS.extended(rows) if rows else BUILTINS

    def __iter__(self) -> Iterator[PluginFunction]:
        return iter(self._by_operation.values())

    def __bool__(self) -> bool:
        return bool(self.sets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Functions) and self.versions() == other.versions()

    def __hash__(self) -> int:
        return hash(self.versions())

    def __repr__(self) -> str:
        return f"Functions({self.versions()!r})"

    def versions(self) -> tuple[tuple[str, str], ...]:
        return tuple((held.name, held.version) for held in self.sets)

    def of(self, operation: str) -> PluginFunction | None:
        """The function that an operation's name stands for; None for one of the language."""
        return self._by_operation.get(operation)

    def called(self, name: str) -> PluginFunction | None:
        """The function of that plain name."""
        return next((f for f in self if f.name == name), None)

    def joined(self, other: Functions) -> Functions:
        """These and the sets of another that are not among them."""
        known = {held.name for held in self.sets}
        more = [held for held in other.sets if held.name not in known]
        return Functions((*self.sets, *more)) if more else self


NO_FUNCTIONS = Functions()


class _NoSets:
    def find(self, name: str) -> FunctionSet | None:
        return None

    def names(self) -> Iterable[str]:
        return ()

    def lasting(self, name: str) -> bool:
        return False


NO_SETS: FunctionSource = _NoSets()


class Deferred:
    """A source that is made when a policy first names a set: plugins are looked for then alone."""

    def __init__(self, make: Callable[[], FunctionSource]) -> None:
        self._make = make
        self._made: FunctionSource | None = None

    @property
    def _source(self) -> FunctionSource:
        if self._made is None:
            self._made = self._make()
        return self._made

    def find(self, name: str) -> FunctionSet | None:
        return self._source.find(name)

    def names(self) -> Iterable[str]:
        return self._source.names()

    def lasting(self, name: str) -> bool:
        return self._source.lasting(name)
