"""Files of coefficients: YAML or JSON as plain texts, each place known by its path, so that a message can name it."""
from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from tierwise import PluginFailure

from .opening import ModelFile

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Reading:
    """A mapping of a file of coefficients; `path` is where it stands."""

    def __init__(self, file: ModelFile, found: Any, path: tuple[str, ...] = ()) -> None:
        self.file = file
        self.path = path
        if not isinstance(found, Mapping):
            raise self.refused("", "is no mapping", "write `key: value` there")
        self._found: Mapping[str, Any] = found

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def refused(self, key: str, what: str, way: str) -> PluginFailure:
        place = " > ".join((*self.path, key) if key else self.path)
        return self.file.refused(f"is no file of coefficients: `{place}` {what}" if place else what, way)

    def only(self, *keys: str) -> None:
        for key in self._found:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                way = f"did you mean `{near[0]}`?" if near else "it may be " + ", ".join(f"`{k}`" for k in keys)
                if key.isdigit():
                    way = "a comma within `{...}` ends a value; write numbers with a decimal point"
                raise self.refused(key, "means nothing", way)

    def text(self, key: str) -> str | None:
        value = self._found.get(key)
        if isinstance(value, Mapping | list):
            raise self.refused(key, "is no text", "write one value")
        if isinstance(value, bool):
            return str(value).lower()
        return value or None

    def number(self, key: str, default: float | None = None) -> float:
        value = self.text(key)
        if value is None:
            if default is None:
                raise self.refused(key, "is missing", "write a number")
            return default
        return self._number(key, value)

    def _number(self, key: str, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number) or "_" in str(value):
            shown = f"is `{value}`, no number" if isinstance(value, str) else "is no number"
            raise self.refused(key, shown, "write it with a decimal point, as `-0.25`")
        return number

    def choice(self, key: str, values: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(key) or default
        if value not in values:
            what = "is missing" if value is None else f"is `{value}`"
            raise self.refused(key, what, "write " + " or ".join(f"`{v}`" for v in values))
        return value

    def under(self, key: str) -> Reading:
        if key not in self._found:
            raise self.refused(key, "is missing", "write a mapping there")
        return Reading(self.file, self._found[key], (*self.path, key))

    def items(self, key: str | None = None) -> Any:
        """The mappings below: by name, or those of the list under `key`."""
        if key is None:
            return [(name, Reading(self.file, inner, (*self.path, name))) for name, inner in self._found.items()]
        value = self._found[key]
        if not isinstance(value, list):
            raise self.refused(key, "is no list", "write `[{adds: ...}, {from: ..., adds: ...}]`")
        return [Reading(self.file, inner, (*self.path, key, str(at))) for at, inner in enumerate(value, 1)]

    def numbers(self) -> Iterator[tuple[str, float]]:
        for key, value in self._found.items():
            yield key, self._number(key, value)


def document(file: ModelFile) -> Reading:
    """The file as one mapping, its values texts; a name that stands twice is refused."""
    text = file.text()
    if file.name.lower().endswith(".json"):
        try:
            return Reading(file, json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_Once(file)))
        except (ValueError, RecursionError) as problem:
            raise file.refused(f"is not valid JSON: {problem}") from None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return Reading(file, None if node is None else _plain(node, file, set()))
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise file.refused(f"is not valid YAML{where}", "quote texts with `: ` or `#` in them") from None
    except RecursionError:
        raise file.refused("is nested too deeply") from None
    finally:
        loader.dispose()


def _plain(node: Any, file: ModelFile, seen: set[int], depth: int = 0) -> Any:
    """A node as texts, lists and mappings. A node met twice is an alias, by which a short file may stand for ever."""
    if depth > 8 or id(node) in seen:
        raise file.refused("is nested too deeply" if depth > 8 else "uses an alias", "write each value out")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), _plain(value, file, seen, depth + 1)) for key, value in node.value]
        return _Once(file)(pairs)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, file, seen, depth + 1) for item in node.value]
    return node.value


class _Once:
    def __init__(self, file: ModelFile) -> None:
        self.file = file

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise self.file.refused(f"states `{twice}` twice", "keep one of them")
        return found
