"""Programs as plain data and back, so that an unchanged policy need not be read again.

`pack` gives JSON values: the texts that places point into, their places, and every record once, those
that others hold first. `unpack` builds only records of the typed core, from a fixed list of classes.
A value that is neither (a time with a zone of its own, say) raises `Unstorable`; such a program is
read anew each time. `unpack(pack(p)) == p`, but for the locators of its places, which know the
spans of these places alone.

What is unpacked is data: names and texts reach generated code quoted or by look-up only, and the
fields that do not are tested here.
"""
from __future__ import annotations

import datetime
import json
import weakref
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from engine import diagnostics
from engine.diagnostics import Locator, Span
from engine.ir import nodes
from engine.reads import digest
from engine.records import Record
from engine.semantics import declarations, domain, dtypes, values
from engine.semantics.functions import NO_FUNCTIONS, NO_SETS, Functions, FunctionSource

#: How a field that JSON has no form for begins.
_REFERENCE, _TUPLE, _DATE, _DURATION, _CONTEXT, _FUNCTIONS = range(6)
#: Fields that evaluators may write into generated code as they stand.
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_WHOLE = (int, type(None))
_PLAIN = (str, int, float, bool, type(None))


class Unstorable(Exception):
    """A program holds a value that has no stored form."""


class StoredLocator:
    """Knows the spans of the places that a program held when it was stored."""

    def __init__(self, places: Sequence[Sequence[Any]]) -> None:
        self.places = places                # [start, end, a span's fields], made records when asked for

    def locate(self, start: int, end: int) -> Span:
        """The span of [start, end), else of the smallest known stretch around it, else of the longest."""
        around = [place for place in self.places if place[0] <= start and end <= place[1]]
        found = min(around, key=_length) if around else max(self.places, key=_length)
        return Span(*found[2:])


def _length(place: Sequence[Any]) -> int:
    length: int = place[1] - place[0]
    return length


def _classes(*modules: ModuleType) -> dict[str, type[Record]]:
    return {
        name: value for module in modules for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Record) and value.__module__ == module.__name__
    }


_CLASSES = {
    **_classes(nodes, declarations, domain, dtypes, values), "Span": diagnostics.Span,
}


#: Digests of the programs that are in use, by identity: a letter to each customer of a portfolio bears one.
_DIGESTS: dict[int, tuple[weakref.ref[nodes.Program], str | None]] = {}


def pack(program: nodes.Program) -> list[Any]:
    """The program as JSON values."""
    return _Packer().run(program)


def digest_of(program: nodes.Program) -> str | None:
    """A digest of what a program means and says, wherever its files lie; None where it holds what is not stored."""
    known = _DIGESTS.get(id(program))
    if known is None:
        mine = id(program)
        alive = weakref.ref(program, lambda _: _DIGESTS.pop(mine, None))
        known = _DIGESTS[mine] = alive, _digest(program)
    return known[1]


def _digest(program: nodes.Program) -> str | None:
    try:
        texts, _, records = pack(program)
    except Unstorable:
        return None
    meant = [record for record in records if record[0] != "Span"]
    return digest(json.dumps([texts, meant]).encode("utf-8", "surrogatepass"))


def unpack(packed: Sequence[Any], functions: FunctionSource = NO_SETS) -> nodes.Program:
    """The program that was packed, with the same sets of functions. Raises ValueError, KeyError, TypeError, IndexError
    or AttributeError for what never was one, and where a set is no longer there or has become another."""
    texts, places, records = packed
    locators = [StoredLocator(known) for known in places]
    made: list[Any] = []
    sets: dict[tuple[tuple[str, str], ...], Functions] = {(): NO_FUNCTIONS}
    new = object.__new__
    for name, *fields in records:
        if name == "Place":
            locator, start, end, text = fields
            place = new(nodes.Place)
            place.__dict__.update(locator=locators[locator], start=start, end=end, text=texts[text])
            made.append(place)
            continue
        cls: type[Record] = _CLASSES[name]
        if len(fields) != len(cls._fields):
            raise ValueError(f"a stored {name} has {len(fields)} fields")
        record = new(cls)
        held = record.__dict__
        held.update(zip(cls._fields, [_unpacked(f, made) if type(f) is list else f for f in fields], strict=True))
        if cls is nodes.Program:
            held["functions"] = _functions(held["functions"], functions, sets)
        if type(held.get("decimals")) not in _WHOLE or (cls is nodes.Compare and held["op"] not in _COMPARISONS):
            raise ValueError(f"a stored {name} has a field that it cannot have")
        made.append(record)
    program = made[-1]
    if not isinstance(program, nodes.Program):
        raise ValueError("what was stored is no program")
    return program


def _unpacked(field: list[Any], made: list[Any]) -> Any:
    kind = field[0]
    if kind == _REFERENCE:
        return made[field[1]]
    if kind == _TUPLE:
        return tuple([_unpacked(f, made) if type(f) is list else f for f in field[1:]])
    if kind == _DATE:
        return datetime.date.fromisoformat(field[1])
    if kind == _DURATION:
        return datetime.timedelta(*field[1:])
    if kind == _FUNCTIONS:
        return field
    if kind == _CONTEXT:
        return {name: _unpacked(f, made) if type(f) is list else f for name, f in field[1].items()}
    raise ValueError(f"no stored form is called {kind}")


def _functions(
    packed: list[Any], source: FunctionSource, made: dict[tuple[tuple[str, str], ...], Functions]
) -> Functions:
    """The sets that were packed, each in its version; a program that names none asks for none."""
    kind, *versions = packed
    if kind != _FUNCTIONS:
        raise ValueError("a stored program has no sets of functions")
    key = tuple((str(name), str(version)) for name, version in versions)
    if key not in made:
        found = []
        for name, version in key:
            held = source.find(name)
            if held is None or held.version != version:
                raise ValueError(f"the functions `{name}` are not those that the program was stored with")
            found.append(held)
        made[key] = Functions(found)
    return made[key]


class _Packer:
    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        self.locators: dict[int, tuple[int, Locator, dict[tuple[int, int], Span]]] = {}
        self.records: list[list[Any]] = []
        self.index: dict[int, int] = {}
        self.types: dict[dtypes.Type, int] = {}

    def run(self, program: nodes.Program) -> list[Any]:
        self.record(program)
        places = [
            [[start, end, *(getattr(span, name) for name in Span._fields)] for (start, end), span in known.items()]
            for _, _, known in self.locators.values()
        ]
        return [list(self.texts), places, self.records]

    def record(self, value: Record) -> int:
        """The index of a record, packed where it was not yet."""
        known = self.types.get(value) if isinstance(value, dtypes.Type) else self.index.get(id(value))
        if known is not None:
            return known
        name = type(value).__name__
        if isinstance(value, nodes.Place):
            packed: list[Any] = [name, self.locator(value), value.start, value.end, self.text(value.text)]
        elif _CLASSES.get(name) is type(value):
            packed = [name, *self.fields(getattr(value, field) for field in value._fields)]
        else:
            raise Unstorable(name)
        self.records.append(packed)
        number = len(self.records) - 1
        if isinstance(value, dtypes.Type):
            self.types[value] = number
        else:
            self.index[id(value)] = number
        return number

    def locator(self, place: nodes.Place) -> int:
        number, _, known = self.locators.setdefault(id(place.locator), (len(self.locators), place.locator, {}))
        known[place.start, place.end] = place.span
        return number

    def text(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def fields(self, values: Iterable[Any]) -> list[Any]:
        return [v if type(v) in _PLAIN else self.field(v) for v in values]

    def field(self, value: Any) -> list[Any]:
        if isinstance(value, Record):
            return [_REFERENCE, self.record(value)]
        if type(value) is tuple:
            return [_TUPLE, *self.fields(value)]
        if type(value) is datetime.date:
            return [_DATE, value.isoformat()]
        if type(value) is datetime.timedelta:
            return [_DURATION, value.days, value.seconds, value.microseconds]
        if type(value) is dict and all(type(name) is str for name in value):
            return [_CONTEXT, dict(zip(value, self.fields(value.values()), strict=True))]
        if type(value) is Functions:
            return [_FUNCTIONS, *map(list, value.versions())]
        raise Unstorable(type(value).__name__)
