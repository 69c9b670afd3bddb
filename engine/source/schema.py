"""The shape of a source file: JSON Schema, with messages for people.

`validate(document, name)` checks nodes against `schemas/NAME.schema.json`, the file that
editors use. The checker here reads the part of JSON Schema (2020-12) that those files
use; tests hold it against the jsonschema library, which refuses and accepts the same. It is our
own for two reasons: a violation needs its place, a name for what was expected and one message
a fault, and importing the library takes longer than checking a policy.

A plain scalar has the type that YAML 1.2's JSON schema gives it (`true`, `false`, `null`, numbers);
everything else is text, quoted scalars too, so `no` and `12:30` stay what was typed. In the schemas
each `title` is a noun phrase, which messages use: "expected a date such as ... for `from`".

How a union is read: the branches that fit the node's kind are tried; if none fits, the union's own title
says what was expected. `oneOf` and `anyOf` over bare `required` are groups of keys.
"""
from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable
from typing import Any

from engine import bundled
from engine.diagnostics import Diagnostic, Edit, Label, Span
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.source.habits import known_key, known_type, whole_form
from engine.source.meant import meant
from engine.source.quoting import quoted
from engine.source.tree import Document, Mapping, Node, Scalar, Sequence, normal

Schema = dict[str, Any]

_NULL = frozenset({"", "null", "~"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TRUTH = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}
_SHOWN = 60
_LISTED = 12

#: The keywords of JSON Schema that are read, and those that only inform editors.
READ = frozenset({
    "$ref", "type", "enum", "pattern", "format", "minimum", "maximum", "properties", "patternProperties",
    "additionalProperties", "required", "items", "minItems", "anyOf", "oneOf", "allOf", "not", "dependentRequired",
})
INFORMS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "defaultSnippets"})

_loaded: dict[str, Schema] = {}


def validate(document: Document, schema_name: str) -> list[Diagnostic]:
    """What of the document does not have the shape of `schemas/SCHEMA_NAME.schema.json`, in the file's order.

    E0030 an unknown key, E0031 a key that is missing, E0032 the wrong kind of value, E0033 a word
    that is none of those allowed, E0034 a value that does not read as what it should be,
    E0035 keys that do not go together.
    """
    schema = _loaded.get(schema_name)
    if schema is None:
        schema = json.loads(bundled.schema(schema_name).read_text("utf-8"))
        _loaded[schema_name] = schema
    checker = _Checker(schema)
    checker.value(document.root, schema, None)
    return sorted(checker.found, key=lambda d: (d.span.line, d.span.column) if d.span else (0, 0))


def kind(node: Node) -> str:
    """The JSON type of a node: object, array, string, boolean, null, integer or number."""
    if not isinstance(node, Scalar):
        return "object" if isinstance(node, Mapping) else "array"
    if node.style != "plain":
        return "string"
    text = node.text
    if text in ("true", "false"):
        return "boolean"
    if text in _NULL:
        return "null"
    if text[0] in "-+.0123456789":
        if _INTEGER.fullmatch(text):
            return "integer"
        if _NUMBER.fullmatch(text):
            return "number"
    return "string"


class _Checker:
    def __init__(self, root: Schema) -> None:
        self.defs: dict[str, Schema] = root.get("$defs", {})
        self.found: list[Diagnostic] = []

    def value(self, node: Node, schema: Schema, key: Scalar | None) -> None:
        """Check `node`, which stands under `key` (None for the root and for items of a list)."""
        if isinstance(node, Scalar) and node.style == "alias":
            return                                      # refused when it was loaded
        schema = self.resolve(schema)
        union = schema.get("anyOf")
        if union is not None and not _is_group(union):
            self.union(node, schema, union, key)
            return
        actual = kind(node)
        types = schema.get("type")
        if types is not None and not _fits(actual, node, types):
            self.mismatch(node, schema, key, (types,))
        elif "enum" in schema and not _in_enum(node, actual, schema["enum"]):
            self.not_among(node, schema, key, schema["enum"])
        elif isinstance(node, Scalar):
            self.scalar(node, schema, key, actual)
        elif isinstance(node, Mapping):
            self.mapping(node, schema, key)
        elif isinstance(node, Sequence):
            self.sequence(node, schema, key)

    def resolve(self, schema: Schema) -> Schema:
        """The schema with `$ref` followed; what stands beside the reference informs and goes before."""
        while "$ref" in schema:
            target = self.defs[schema["$ref"].removeprefix("#/$defs/")]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema

    def union(self, node: Node, schema: Schema, union: list[Schema], key: Scalar | None) -> None:
        branches = [self.resolve(branch) for branch in union]
        branches = [inner for branch in branches for inner in self.flattened(branch)]
        actual = kind(node)
        fitting = [b for b in branches if _fits(actual, node, _types(b))]
        before = len(self.found)
        for branch in fitting:
            self.value(node, branch, key)
            if len(self.found) == before:
                return
            if len(fitting) > 1:
                del self.found[before:]
        if not fitting:
            self.mismatch(node, schema, key, [_types(b) for b in branches])
        elif len(fitting) > 1:
            words = [word for b in fitting for word in b.get("enum", ())]
            self.not_among(node, schema, key, words)

    def flattened(self, branch: Schema) -> Iterable[Schema]:
        union = branch.get("anyOf")
        if union is None or _is_group(union):
            return (branch,)
        return (inner for part in union for inner in self.flattened(self.resolve(part)))

    # --- scalars -------------------------------------------------------------------

    def scalar(self, node: Scalar, schema: Schema, key: Scalar | None, actual: str) -> None:
        if actual == "string":
            pattern = schema.get("pattern")
            if pattern is not None and not re.search(pattern, node.text):
                self.malformed(node, schema, key)
            elif schema.get("format") == "date" and not _is_date(node.text):
                self.add("E0034", f"`{node.text}` is no day of the calendar", node.span,
                         "check the month and the day; dates are written year-month-day")
        elif actual in ("integer", "number"):
            low, high = schema.get("minimum"), schema.get("maximum")
            if low is not None or high is not None:
                number = float(node.text)
                if (low is not None and number < low) or (high is not None and number > high):
                    self.malformed(node, schema, key)

    def malformed(self, node: Scalar, schema: Schema, key: Scalar | None) -> None:
        day = meant(node.text, Type(dt.DATE)) if schema.get("format") == "date" else None
        self.add("E0034", f"expected {_expected(schema, key)}, found `{_short(node.text)}`", node.span,
                 f"write `{day}`" if day is not None else None, edits=() if day is None else (Edit(node.span, day),))

    def not_among(self, node: Node, schema: Schema, key: Scalar | None, words: list[Any]) -> None:
        texts = [w for w in words if isinstance(w, str)]
        text = node.text if isinstance(node, Scalar) else ""
        near = _near(text, texts)
        edits: tuple[Edit, ...] = ()
        known, way = known_type(text) if "boolean" in texts else (None, None)
        if way is not None:
            help_ = way
            edits = () if known is None else (Edit(node.span, known),)
        elif near is not None:
            help_ = f"did you mean `{near}`?"
            edits = (Edit(node.span, near),)
        else:
            help_ = "it may be " + _one_of(texts)
        self.add("E0033", f"expected {_expected(schema, key)}, found {_found(node)}", node.span, help_, edits=edits)

    def mismatch(self, node: Node, schema: Schema, key: Scalar | None, types: Iterable[Any]) -> None:
        """The node is of a kind that the schema does not take."""
        wanted = {t for one in types for t in ([one] if isinstance(one, str) else one)}
        expected = _expected(schema, key)
        if isinstance(node, Scalar) and kind(node) == "null":
            where = key.span if key is not None and node.is_empty else node.span
            message = f"`{key.text}` has no value" if key is not None and node.is_empty else f"expected {expected}"
            below = ", below and indented" if wanted <= {"object", "array"} else ""
            self.add("E0032", message, where, f"give it {schema.get('title', 'a value')}{below}, or delete the key"
                     if key is not None else None)
            return
        message = f"expected {expected}, found {_found(node)}"
        if isinstance(node, Scalar):
            self.add(*self.wrong_scalar(node, schema, wanted, message))
            return
        help_ = None
        edits: tuple[Edit, ...] = ()
        raw = node.document.text[node.start:node.end]
        if raw[:1] in ("[", "{") and schema.get("format") == "feel":
            help_ = f"YAML takes `{raw[:1]}` for the start of a {node.what}"
            if "\n" not in raw and "\r" not in raw:
                edits = (Edit(node.span, quoted(raw)),)
                help_ += f"; put it in single quotes: `{_short(quoted(raw))}`"
        elif schema.get("format") == "grid":
            help_ = "write the grid as text, in a block that starts with `|`"
        elif wanted & {"array"}:
            help_ = "write a list: one line with `- ` for each item"
        elif wanted <= {"string", "number", "integer", "boolean", "null"}:
            help_ = "write a single value"
        elif "object" in wanted and isinstance(node, Sequence):
            single = "a single value, or " if wanted & {"string", "number", "boolean"} else ""
            help_ = f"write {single}`name: ...` on a line of its own for each part, without `- `"
        self.add("E0032", message, _first_line(node), help_, edits=edits)

    def wrong_scalar(self, node: Scalar, schema: Schema, wanted: set[str],
                     message: str) -> tuple[str, str, Span, str | None, tuple[Label, ...], tuple[Edit, ...]]:
        text = node.text.strip()
        if "boolean" in wanted:
            word = _TRUTH.get(text.lower(), text.lower())
            if word in ("true", "false"):
                bare = "" if node.style == "plain" else " without quotes"
                return "E0034", message, node.span, f"write `{word}`{bare}", (), (Edit(node.span, word),)
            return "E0034", message, node.span, None, (), ()
        if wanted & {"integer", "number"}:
            help_ = "write it without quotes" if _NUMBER.fullmatch(text) and node.style != "plain" else None
            edits = (Edit(node.span, text),) if help_ else ()
            return "E0034", message, node.span, help_, (), edits
        if "string" in wanted:                          # a number or boolean where only text is taken
            return "E0034", message, node.span, None, (), ()
        help_ = None
        whole = whole_form(text, schema.get("properties", {})) if "object" in wanted and node.style == "plain" else None
        if whole is not None:
            return "E0032", message, node.span, f"write `{whole}`", (), (Edit(node.span, whole),)
        if re.match(r"[^\s:：]+[:：]\S", text) and "object" in wanted:
            help_ = "a key is followed by `:` and a space"
        elif schema.get("title") == "a decision":
            help_ = "an expression stands under the decision's `value`"
        elif schema.get("title") == "a rule":
            help_ = f"write `- otherwise: {_short(text)}` for what holds where no other rule does"
        elif "array" in wanted and "," in text:
            help_ = f"write a list in brackets: `[{_short(text)}]`"
        elif "object" in wanted and schema.get("properties"):
            help_ = "it holds " + _one_of(list(schema["properties"]))
        elif wanted == {"object"}:
            help_ = "write one `name: ...` on each line below, indented"
        return "E0032", message, node.span, help_, (), ()

    # --- mappings and lists -----------------------------------------------------------

    def mapping(self, node: Mapping, schema: Schema, key: Scalar | None) -> None:
        properties: dict[str, Schema] = schema.get("properties", {})
        patterns: dict[str, Schema] = schema.get("patternProperties", {})
        rest = schema.get("additionalProperties", True)
        title = schema.get("title", "this mapping")
        meant: set[str] = set()                         # keys that an unknown key seems to stand for
        for entry, value in node.entries:
            name = normal(entry.text)
            inner = properties.get(name)
            if inner is None:
                inner = next((s for p, s in patterns.items() if re.search(p, name)), None)
            if inner is None and isinstance(rest, dict):
                inner = rest
            if inner is not None:
                self.value(value, inner, entry)
            elif rest is False:
                near = self.unknown(node, entry, value, title, properties)
                if near is not None:
                    meant.add(near)
        here = _anchor(node, key)
        for name in schema.get("required", ()):
            if name not in node and name not in meant:
                self.add("E0031", f"{title} needs `{name}`", here, self.says(properties.get(name)))
        groups = schema.get("allOf", [])
        self.groups(node, [*groups, schema] if "oneOf" in schema or "anyOf" in schema else groups, schema, here, meant)
        forbidden = schema.get("not", {}).get("required", ())
        if forbidden and all(name in node for name in forbidden):
            self.exclusive(node, list(forbidden), title)
        for given, needed in schema.get("dependentRequired", {}).items():
            for name in needed:
                if given in node and name not in node and name not in meant:
                    self.add("E0031", f"{title} with `{given}` needs `{name}`", here,
                             self.says(properties.get(name)))

    def says(self, schema: Schema | None) -> str | None:
        """The first sentence of a property's description, as a help text."""
        text = self.resolve(schema).get("description") if schema is not None else None
        if not text:
            return None
        first = text.split(". ")[0].rstrip(".")
        return str(first[0].lower() + first[1:])

    def unknown(self, node: Mapping, entry: Scalar, value: Node, title: str, properties: Schema) -> str | None:
        """Report a key that the mapping does not know; the known key it seems to stand for, if any."""
        name = entry.text
        other, way, alike = known_key(normal(name), properties, [key.text for key, _ in node.entries])
        near = other or _near(name, [k for k in properties if k not in node])
        edits: tuple[Edit, ...] = ()
        if way is not None:
            help_ = way
            edits = (Edit(entry.span, str(other)),) if alike else ()
        elif near is not None:
            help_ = f"did you mean `{near}`?"
            edits = (Edit(entry.span, near),)
        elif node.in_flow or node.document.text[node.start:node.start + 1] == "{":
            empty = isinstance(value, Scalar) and value.is_empty
            if empty and ":" not in name:
                help_ = "YAML cuts plain text at commas inside `{...}`; put a text that holds commas in quotes"
            elif empty:
                help_ = "a space belongs after the colon"
            else:
                help_ = "it may have " + _one_of(list(properties))
        else:
            help_ = "it may have " + _one_of(list(properties))
        self.add("E0030", f"{title} has no key `{_short(name)}`", entry.span, help_, edits=edits)
        return near

    def groups(self, node: Mapping, groups: list[Schema], schema: Schema, here: Span, meant: set[str]) -> None:
        """Groups of keys of which one must stand (`oneOf`: no more than one); the first fault is reported."""
        title = schema.get("title", "this mapping")
        excluded: set[str] = set()
        for group in groups:
            exactly = "oneOf" in group
            names = [part["required"][0] for part in group["oneOf" if exactly else "anyOf"]]
            given = [n for n in names if n in node]
            if not given:
                if not meant & set(names):
                    left = [n for n in names if n not in excluded]
                    help_ = self.says(schema.get("properties", {}).get(left[0])) if len(left) == 1 else None
                    self.add("E0035", f"{title} needs {_one_of(left)}", here,
                             help_ or f"{'exactly' if exactly else 'at least'} one of them belongs here")
                return
            if exactly and len(given) > 1:
                self.exclusive(node, given, title)
                return
            excluded |= set(names) - set(given)

    def exclusive(self, node: Mapping, names: list[str], title: str) -> None:
        keys = sorted((k for k in (node.key(n) for n in names) if k is not None), key=lambda k: k.start)
        both = "both " if len(keys) == 2 else ""
        self.add("E0035", f"{title} has {both}{' and '.join(f'`{normal(k.text)}`' for k in keys)}", keys[1].span,
                 "keep one of them", labels=(Label(keys[0].span, "the first is here"),))

    def sequence(self, node: Sequence, schema: Schema, key: Scalar | None) -> None:
        if len(node.items) < schema.get("minItems", 0):
            self.add("E0032", f"expected {_expected(schema, key)}, found an empty list", node.span,
                     "give it at least one item" + (", or delete the key" if key is not None else ""))
        inner = schema.get("items")
        if inner is not None:
            for item in node.items:
                self.value(item, inner, None)

    def add(self, code: str, message: str, span: Span, help_: str | None = None,
            labels: tuple[Label, ...] = (), edits: tuple[Edit, ...] = ()) -> None:
        self.found.append(Diagnostic(code, message, span, help_, labels, edits))


def _is_group(branches: list[Schema]) -> bool:
    return all(set(b) == {"required"} and len(b["required"]) == 1 for b in branches)


def _types(schema: Schema) -> Any:
    """The types that a branch of a union takes; an enumeration takes text unless it says otherwise."""
    return schema.get("type", ("string", "integer", "number", "boolean", "null") if "enum" in schema else ())


def _fits(actual: str, node: Node, types: Any) -> bool:
    allowed = (types,) if isinstance(types, str) else types
    if actual in allowed:
        return True
    if actual == "integer":
        return "number" in allowed
    return actual == "number" and "integer" in allowed and isinstance(node, Scalar) and float(node.text).is_integer()


def _in_enum(node: Node, actual: str, allowed: list[Any]) -> bool:
    return actual == "string" and isinstance(node, Scalar) and node.text in allowed


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _expected(schema: Schema, key: Scalar | None) -> str:
    title = schema.get("title", "another value")
    return f"{title} for `{_short(normal(key.text))}`" if key is not None else str(title)


def _found(node: Node) -> str:
    if isinstance(node, Scalar):
        return f"`{_short(node.text)}`" if node.text.strip() else "nothing"
    return f"a {node.what}"


def _short(text: str) -> str:
    """Text for a message: its first line, cut."""
    first = text.strip().split("\n", 1)[0].rstrip("\r")
    return first if first == text.strip() and len(first) <= _SHOWN else first[:_SHOWN] + "…"


def _one_of(words: list[str]) -> str:
    shown = [f"`{w}`" for w in words[:_LISTED]]
    if len(words) > _LISTED:
        return ", ".join(shown) + ", …"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" or {shown[-1]}"


def _near(text: str, words: list[str]) -> str | None:
    if len(text) > _SHOWN:
        return None
    import difflib  # noqa: PLC0415 - wanted only where something is misspelt

    found = difflib.get_close_matches(normal(text).lower().replace("_", " "), words, 1, 0.7)
    return found[0] if found else None


def _anchor(node: Mapping, key: Scalar | None) -> Span:
    """Where to point for something that a mapping lacks: its own key, or its first entry."""
    if key is not None:
        return key.span
    return node.entries[0][0].span if node.entries else node.span


def _first_line(node: Node) -> Span:
    """The node's span, cut to its first line."""
    span = node.span
    if span.end_line == span.line:
        return span
    document = node.document
    return document.span(node.start, document.line_end(node.start))
