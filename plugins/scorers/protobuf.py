"""The few fields of an ONNX file that onnxruntime does not tell: which operators the model is made of."""
from __future__ import annotations

from collections.abc import Iterator

#: Numbers of fields in onnx.proto: a model's graph, a graph's nodes, a node's operator.
_GRAPH, _NODE, _OPERATOR = 7, 1, 4


def operators(model: bytes) -> frozenset[str] | None:
    """The operators at the top of a model's graph; None where the bytes do not read."""
    try:
        return frozenset(
            bytes(name).decode("utf-8")
            for graph in _fields(memoryview(model), _GRAPH)
            for node in _fields(graph, _NODE)
            for name in _fields(node, _OPERATOR)
        )
    except (ValueError, IndexError):
        return None


def _fields(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """The parts of a message that stand under a number."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(message, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("a part is longer than its message")
            if tag >> 3 == wanted:
                yield message[at:at + size]
            at += size
        else:
            raise ValueError("no kind of field")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
