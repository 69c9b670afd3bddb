"""Universal Binary JSON, as XGBoost writes its `.ubj` files.

https://ubjson.org and the extensions that XGBoost names: typed arrays and counted strings, numbers big-endian.
"""
from __future__ import annotations

import struct
from typing import Any

#: Nesting of a model is about ten; more is no model.
_DEEPEST = 64
_INTEGERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q"}
_FLOATS = {"d": "f", "D": "d"}
_CONSTANTS = {"Z": None, "T": True, "F": False}
#: Element types of typed arrays as numpy names them.
_ARRAYS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}


def read(content: bytes) -> Any:
    """The value that `content` holds; typed arrays are numpy's. ValueError where it is none."""
    reader = _Reader(content)
    value = reader.value(reader.marker(), 0)
    if reader.at != len(content):
        raise ValueError("something stands behind its end")
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def marker(self) -> str:
        found = "N"
        while found == "N":                             # no operation
            found = chr(self.taken(1)[0])
        return found

    def taken(self, size: int) -> bytes:
        part = self.content[self.at:self.at + size]
        if size < 0 or len(part) < size:
            raise ValueError("it ends too early")
        self.at += size
        return part

    def value(self, marker: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if marker in _INTEGERS or marker in _FLOATS:
            return self.number(marker)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in ("C", "S", "H"):
            return self.taken(1 if marker == "C" else self.length()).decode("utf-8")
        if marker == "[":
            return self.array(depth)
        if marker == "{":
            return self.object(depth)
        raise ValueError("it holds a mark that means nothing")

    def number(self, marker: str) -> int | float:
        form = ">" + (_INTEGERS.get(marker) or _FLOATS[marker])
        (found,) = struct.unpack(form, self.taken(struct.calcsize(form)))
        number: int | float = found
        return number

    def length(self) -> int:
        marker = self.marker()
        if marker not in _INTEGERS:
            raise ValueError("a length is no whole number")
        return int(self.number(marker))

    def array(self, depth: int) -> Any:
        kind, count = self.header()
        if kind is not None and count is not None:
            return self.typed(kind, count)
        if count is not None:
            if count > len(self.content):
                raise ValueError("it ends too early")
            return [self.value(self.marker(), depth + 1) for _ in range(count)]
        found = []
        while (marker := self.marker()) != "]":
            found.append(self.value(marker, depth + 1))
        return found

    def header(self) -> tuple[str | None, int | None]:
        """The element type and the count of a container, where it states them."""
        kind = None
        if self.content[self.at:self.at + 1] == b"$":
            self.at += 1
            kind = self.marker()
        if self.content[self.at:self.at + 1] == b"#":
            self.at += 1
            count = self.length()
            if count < 0:
                raise ValueError("a count is negative")
            return kind, count
        if kind is not None:
            raise ValueError("a typed array without its count")
        return None, None

    def typed(self, kind: str, count: int) -> Any:
        import numpy  # noqa: PLC0415 - comes with xgboost

        if kind not in _ARRAYS:
            raise ValueError("it holds an array of a type that has no meaning here")
        form = numpy.dtype(_ARRAYS[kind])
        return numpy.frombuffer(self.taken(count * form.itemsize), form)

    def object(self, depth: int) -> dict[str, Any]:
        kind, count = self.header()
        if kind is not None:
            raise ValueError("a typed object")
        found: dict[str, Any] = {}
        while count is None or len(found) < count:
            if count is None and self.content[self.at:self.at + 1] == b"}":
                self.at += 1
                break
            key = self.taken(self.length()).decode("utf-8")
            if key in found:
                raise ValueError("a name stands twice in one object")
            found[key] = self.value(self.marker(), depth + 1)
        return found
