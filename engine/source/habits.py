"""What people write where another form belongs: short forms of mappings, keys of other languages, lists as types.

Each is told with the form that was meant, and where nothing else can have been, with the edit.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.semantics.lazy import Lazy
from engine.source.meant import meant

#: Keys by the names that other languages and plain speech have for them.
_KEYS = {
    "else": "otherwise", "default": "otherwise", "if": "when", "condition": "when", "result": "then", "outcome": "then",
    "id": "rule", "name": "policy", "reason code": "reason", "required": "optional", "enum": "values",
    "allowed": "values", "formula": "value", "expression": "value", "minimum": "range", "maximum": "range",
}
#: Those whose value means something else under that key.
_OTHER = frozenset({"required", "minimum", "maximum"})
_FAMILIES = "decisions stand under `features`, `segmentation`, `risk` or `service`"
_WORDS = {"decisions": _FAMILIES, "decision": _FAMILIES, "rules": _FAMILIES, "outputs": _FAMILIES}
_DAY = Lazy(r"\d{4}-\d\d-\d\d")


def known_key(name: str, properties: Iterable[str], given: Iterable[str]) -> tuple[str | None, str | None, bool]:
    """For an unknown key: the key that was meant, the help, and whether the one may simply replace the other."""
    other = _KEYS.get(name)
    if other is not None and other in properties and other not in given:
        alike = name not in _OTHER
        return other, f"write `{other}`" if alike else f"it is told by `{other}`", alike
    return None, _WORDS.get(name) if "service" in properties else None, False


def whole_form(text: str, properties: dict[str, Any]) -> str | None:
    """A mapping that was cut to its one value: `number` for `{type: number}`, a day for `{from: ...}`."""
    if "type" in properties and text in dt.DECLARABLE:
        return f"{{type: {text}}}"
    if "from" in properties and "to" in properties:
        day = text if _DAY.fullmatch(text) else meant(text, Type(dt.DATE))
        return None if day is None else f"{{from: {day}}}"
    return None


_TYPES = {
    "number": ("float", "decimal", "double", "numeric", "percent", "percentage", "数字", "数值"),
    "string": ("text", "str", "varchar", "char", "文本", "字符串"),
    "boolean": ("bool", "yes/no", "logical", "布尔"),
    "money": ("currency", "amount", "金额"),
    "date": ("day", "日期"),
    "date and time": ("datetime", "timestamp"),
}


def known_type(text: str) -> tuple[str | None, str | None]:
    """For an unknown type: the one that was meant, and the help."""
    word = text.strip().lower()
    if word.startswith(("list", "array")):
        return None, ("a list is not declared: leave `type` out of a formula, state the type of one item of a "
                      "collection, or declare a history for many rows a customer")
    if word in ("integer", "int", "整数"):
        return None, "write `number`, and `decimals: 0` where only whole numbers may come"
    known = next((known for known, others in _TYPES.items() if word in others), None)
    return known, None if known is None else f"write `{known}`"
