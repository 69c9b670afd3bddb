"""Tierwise: a rules engine for small-business lending policies.

`tierwise` is the name to import; every public name comes from `engine`, when asked for.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import engine as _engine
from engine import __version__ as __version__

if TYPE_CHECKING:
    from engine import *  # noqa: F403


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_engine, name)


def __dir__() -> list[str]:
    return dir(_engine)
