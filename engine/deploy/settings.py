"""What an entry of a deployment file sets, read by what its kind takes.

A secret is written as `{secret: NAME}`, the name of an environment variable, wherever a text may stand; a password in
the file itself is refused.
"""
from __future__ import annotations

import os
import re
from collections.abc import Mapping as Map
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.calling import Secrets, SecretText
from engine.check.scope import closest
from engine.deploy.document import COMMON, Entry, seconds
from engine.diagnostics import Diagnostic, Edit, Span
from engine.hookspecs import Setting, Settings
from engine.source.nodes import Mapping, Node, Scalar, Sequence, normal
from engine.source.schema import kind as kind_of

#: Names of settings that hold what must not be read.
_TELLING = re.compile(
    r"\b(pass(word|phrase|wd)|pwd|(\w+_)?token|secret|api[ _-]?key|authorization|credentials?)\b", re.IGNORECASE
)
_WHATS = {
    "text": "a text", "number": "a number", "boolean": "`true` or `false`", "duration": "a time such as `2s`",
    "path": "a path", "secret": "`{secret: NAME}`", "list": "a list", "map": "a mapping", "any": "a value",
}
_MISSING = object()


class Reader:
    """Reads the settings of entries. `secrets` are told every secret; `found` gets what is wrong. Without `look_up`
    nothing is asked of the environment, whose variables a check elsewhere may not have."""

    def __init__(self, folder: Path, secrets: Secrets, found: list[Diagnostic], look_up: bool = True) -> None:
        self.folder = folder
        self.secrets = secrets
        self.found = found
        self.look_up = look_up

    def settings(self, entry: Entry, takes: Map[str, Setting]) -> Settings:
        """All settings of an entry, absent ones by default."""
        what = f"`{entry.name}`, of kind `{entry.kind}`,"
        values = self.mapping(entry.settings, takes, what, entry.at, entry.name, COMMON)
        return Settings(entry.name, values, self.folder)

    def mapping(
        self, node: Mapping, takes: Map[str, Setting], what: str, at: Span, path: str, also: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.entries:
            name = normal(key.text)
            setting = takes.get(name)
            if setting is not None:
                found = self.value(value, setting, name)
                if found is not _MISSING:
                    values[name] = found
            elif name not in also:
                self.unknown(key, name, [*takes, *also], what)
        for name, setting in takes.items():
            if name in values:
                continue
            if setting.required and name not in node:
                self.add("E0952", f"{what} needs `{name}`", at, setting.help or f"add `{name}: ...`")
            values[name] = setting.default
        return values

    def unknown(self, key: Scalar, name: str, names: list[str], what: str) -> None:
        near = closest(name, names)
        listed = ", ".join(f"`{n}`" for n in names if n != "kind")
        help = f"did you mean `{near}`?" if near else f"it may have {listed}"
        edits = (Edit(key.span, near),) if near else ()
        self.found.append(Diagnostic("E0952", f"{what} has no setting `{name}`", key.span, help, edits=edits))

    def value(self, node: Node, setting: Setting, name: str) -> Any:
        """A value of a setting's kind, `_MISSING` where it is none."""
        kind = setting.kind
        if kind in ("text", "secret") and isinstance(node, Mapping) and "secret" in node:
            return self.secret(node)
        if kind == "secret":
            self.add("E0953", f"`{name}` is a secret, which no file should hold", node.span,
                     f"put it into an environment variable and write `{name}: {{secret: NAME_OF_THE_VARIABLE}}`")
            return _MISSING
        if kind == "map":
            return self.map(node, setting, name)
        if kind == "list":
            if not isinstance(node, Sequence):
                return self.wrong(node, setting, name)
            return [self.plain(item, name) for item in node.items]
        if kind == "any":
            return self.plain(node, name)
        if not isinstance(node, Scalar) or node.is_empty:
            return self.wrong(node, setting, name)
        return self.scalar(node, setting, name)

    def scalar(self, node: Scalar, setting: Setting, name: str) -> Any:
        text = node.text.strip()
        if setting.kind == "number":
            return float(text) if kind_of(node) in ("number", "integer") else self.wrong(node, setting, name)
        if setting.kind == "boolean":
            return text == "true" if kind_of(node) == "boolean" else self.wrong(node, setting, name)
        if setting.kind == "duration":
            found = seconds(text)
            return self.wrong(node, setting, name) if found is None else found
        if setting.kind == "path":
            return self.path(node, name)
        if setting.values and text not in setting.values:
            near = closest(text, setting.values)
            listed = ", ".join(f"`{value}`" for value in setting.values)
            help = f"did you mean `{near}`?" if near else f"it may be {listed}"
            edits = (Edit(node.span, near),) if near else ()
            self.found.append(
                Diagnostic("E0952", f"`{text}` is no value of `{name}`", node.span, help, edits=edits)
            )
            return _MISSING
        self.bare(node, name)
        return text

    def bare(self, node: Scalar, name: str) -> None:
        """Refuse a text that holds a secret."""
        text = node.text
        help = f"put the whole into an environment variable and write `{name}: {{secret: NAME_OF_THE_VARIABLE}}`"
        if _password(text):
            self.add("E0953", f"`{name}` holds a password, which no file should", node.span, help)
        elif _TELLING.search(name):
            self.add("E0953", f"`{name}` seems to be a secret, which no file should hold", node.span, help)

    def path(self, node: Scalar, name: str) -> Any:
        """A path within the deployment's folder."""
        text = node.text.strip()
        root = self.folder.resolve()
        if "\0" in text:
            self.add("E0952", f"`{name}` holds a NUL character", node.span, "write a path")
            return _MISSING
        place = (root / text).resolve()
        if not place.is_relative_to(root):
            self.add("E0952", f"`{text}` leads out of the deployment's folder", node.span,
                     "keep the file beside the deployment, or in a folder below it")
            return _MISSING
        return place

    def map(self, node: Node, setting: Setting, name: str) -> Any:
        if not isinstance(node, Mapping):
            return self.wrong(node, setting, name)
        if setting.of is None:
            return {normal(key.text): self.plain(value, normal(key.text)) for key, value in node.entries}
        found = {}
        for key, value in node.entries:
            inner = normal(key.text)
            if not isinstance(value, Mapping):
                self.add("E0952", f"`{inner}` of `{name}` is no mapping", value.span,
                         "it may have " + ", ".join(f"`{n}`" for n in setting.of))
                continue
            found[inner] = self.mapping(value, setting.of, f"`{inner}` of `{name}`", key.span, inner)
        return found

    def plain(self, node: Node, name: str) -> Any:
        """Plain data, secrets within put in."""
        if isinstance(node, Mapping):
            if "secret" in node and len(node.entries) == 1:
                return self.secret(node)
            return {normal(key.text): self.plain(value, normal(key.text)) for key, value in node.entries}
        if isinstance(node, Sequence):
            return [self.plain(item, name) for item in node.items]
        assert isinstance(node, Scalar)
        kind = kind_of(node)
        if kind == "null":
            return None
        if kind == "boolean":
            return node.text == "true"
        if kind == "integer":
            return int(node.text)
        if kind == "number":
            return float(node.text)
        self.bare(node, name)
        return node.text

    def secret(self, node: Mapping) -> Any:
        """The value of an environment variable."""
        name = node.get("secret")
        if len(node.entries) != 1 or not isinstance(name, Scalar) or not name.text.strip():
            self.add("E0953", "a secret is written as `{secret: NAME}`", node.span,
                     "NAME is an environment variable that holds it")
            return _MISSING
        variable = name.text.strip()
        if not self.look_up:
            return ""
        value = os.environ.get(variable)
        if not value:
            is_set = "is empty" if value is not None else "is not set"
            self.add("E0953", f"the environment variable `{variable}` {is_set}", name.span,
                     "export it before the command, or name another one")
            return _MISSING
        self.secrets.add(value)
        return SecretText(value)

    def wrong(self, node: Node, setting: Setting, name: str) -> Any:
        shown = f"`{node.text}`" if isinstance(node, Scalar) and node.text.strip() else (
            "nothing" if isinstance(node, Scalar) else f"a {node.what}"
        )
        self.add("E0952", f"expected {_WHATS.get(setting.kind, setting.kind)} for `{name}`, found {shown}", node.span,
                 setting.help or f"write {_WHATS.get(setting.kind, setting.kind)}")
        return _MISSING

    def add(self, code: str, message: str, at: Span, help: str) -> None:
        self.found.append(Diagnostic(code, message, at, help))


def _password(text: str) -> bool:
    """Whether a connection string holds a password."""
    if re.search(r"\b(password|pwd)\s*=\s*\S", text, re.IGNORECASE):
        return True
    try:
        return "://" in text and bool(urlsplit(text).password)
    except ValueError:
        return False
