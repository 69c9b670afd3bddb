"""What the modules of the set share: how a function of it is declared."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine import Function

NUMBERS = "list of number"


def function(
    name: str, parameters: dict[str, str], result: str, body: Callable[..., Any], help: str,
    *examples: tuple[str, str], sql: Callable[..., Any] | None = None, optional: tuple[str, ...] = (),
) -> Function:
    """A function of the set."""
    return Function("finance", name, parameters, result, body, sql, optional, False, help, examples)
