"""Values of the case files: reading them, and comparing results with them."""
from __future__ import annotations

from typing import Any

from engine.semantics import equality, temporal
from engine.semantics.number import is_number
from engine.semantics.text import to_number, to_string

#: Numbers of two engines may differ by so much, as in other engines' runners.
TOLERANCE = 1e-8


def read(typed: dict[str, Any]) -> Any:
    """The value of {"type": ..., "value": ...}."""
    kind, value = typed["type"], typed["value"]
    if value is None:
        return None
    if kind == "list":
        return [read(item) for item in value]
    if kind == "context":
        return {name: read(item) for name, item in value.items()}
    if kind == "number":
        return to_number(str(value))
    if kind == "date":
        return temporal.parse_date(value)
    if kind == "time":
        return temporal.parse_time(value)
    if kind == "dateTime":
        return temporal.parse_date_time(value)
    if kind == "duration":
        return temporal.parse_duration(value)
    return value


def untyped(text: Any, kind: str) -> Any:
    """An input whose file gives no type, by the type that the model declares."""
    if not isinstance(text, str):
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text)
    return read({"type": {"date and time": "dateTime"}.get(kind, kind), "value": text})


def same(got: Any, expected: dict[str, Any]) -> bool:
    """Whether a result is what the case expects."""
    kind, value = expected["type"], expected["value"]
    if value is None:
        return got is None
    if kind == "list":
        return isinstance(got, list) and len(got) == len(value) and all(map(same, got, value))
    if kind == "context":
        return isinstance(got, dict) and got.keys() == value.keys() and all(same(got[k], v) for k, v in value.items())
    if kind == "untyped":
        return got is not None and to_string(got) == str(value)
    wanted = read(expected)
    if wanted is None:
        return False
    if is_number(wanted):
        return is_number(got) and abs(got - wanted) <= TOLERANCE
    if equality.kind_of(got) != equality.kind_of(wanted):
        return False
    if isinstance(wanted, (str, bool)):
        return bool(got == wanted)
    return equality.equals(got, wanted) is True


def shown(typed: dict[str, Any]) -> str:
    """An expected value as FEEL writes it."""
    value = read(typed)
    return value if isinstance(value, str) and typed["type"] == "untyped" else written(value)


def written(value: Any) -> str:
    """A value as FEEL writes it, texts quoted."""
    text = to_string([value])[1:-1]
    return text if len(text) <= 200 else text[:197] + "..."
