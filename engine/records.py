"""Immutable records with typed fields, cheap to import.

A policy's tokens, trees, types and diagnostics are all small immutable values.
The standard dataclass decorator compiles several methods for each class, which
costs a third of a millisecond a class at import; a hundred classes would eat
the start-up budget of the command line. `Record` gives the same surface
(positional and keyword construction, equality, repr, `replace`) from one
generic implementation, and type checkers see it as a dataclass.
"""
from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True, eq_default=True)
class Record:
    """Base of immutable records; fields are the class annotations, in order."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = tuple(n for n, a in cls.__dict__.get("__annotations__", {}).items() if "ClassVar" not in str(a))
        cls._fields = cls._fields + own
        cls._defaults = {**cls._defaults, **{n: cls.__dict__[n] for n in own if n in cls.__dict__}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = self._fields
        target = self.__dict__
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__} takes {len(fields)} fields, got {len(args)}")
        for name, value in zip(fields, args, strict=False):
            target[name] = value
        if len(args) < len(fields):
            defaults = self._defaults
            for name in fields[len(args):]:
                if name in kwargs:
                    target[name] = kwargs.pop(name)
                elif name in defaults:
                    target[name] = defaults[name]
                else:
                    raise TypeError(f"{type(self).__name__} needs the field {name!r}")
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no field {next(iter(kwargs))!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, n) for n in self._fields)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self._fields)})"

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        copy = object.__new__(type(self))
        held = copy.__dict__
        held.update(self.__dict__)
        for name, value in changes.items():
            if name not in held:
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
            held[name] = value
        return copy
