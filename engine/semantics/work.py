"""How much work one customer may take.

A policy is short, and yet a list of pairs of pairs, or a text that doubles in each of sixty features, has no end.
So whoever decides a customer grants an allowance; loops spend some steps an item, operations that make lists and
texts spend by their length, and searches that took too long spend much. Where it is used up, `Exhausted` ends the
decision and the customer is refused: a null would be a value to go on with.

Outside an allowance nothing is counted; bare FEEL counts its own steps.
"""
from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from engine.semantics.values import LimitExceeded

#: Steps that deciding one customer may take.
MAX_STEPS = 10_000_000
#: Steps of a search that was broken off.
SEARCH = MAX_STEPS // 4
#: Steps that an item of a new list costs, and characters of a new text that cost one step: room counts, not time alone.
_ITEM = 2
_CHARACTERS = 4

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)

S = TypeVar("S", bound=Sized)


class Exhausted(Exception):
    """The allowance is used up; not a `LimitExceeded`, which operations turn into null."""


@contextmanager
def allowance(steps: int = MAX_STEPS) -> Iterator[None]:
    """What is done within may take so many steps; an allowance around this one is neither used nor lessened."""
    token = _left.set([steps])
    try:
        yield
    finally:
        _left.reset(token)


def spend(steps: int) -> None:
    """Count steps; raises `Exhausted`."""
    left = _left.get()
    if left is not None:
        left[0] -= steps
        if left[0] < 0:
            raise Exhausted(f"deciding takes more than {MAX_STEPS:,} steps")


def each(items: S, cost: int = 1) -> S:
    """The items of a loop, which cost so many steps each (`engine.ir.labour`)."""
    spend(len(items) * cost)
    return items


def made(size: int, most: int, what: str, of: str) -> None:
    """A `what` of `size` `of` is about to be made; raises LimitExceeded beyond `most`."""
    if size > most:
        raise LimitExceeded(f"a {what} has at most {most:,} {of}")
    spend(size // _CHARACTERS if what == "text" else size * _ITEM)
