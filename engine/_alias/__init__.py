"""Tierwise: a rules engine for small-business lending policies.

`tierwise` is the name to import. Every public name comes from `engine`, when first asked for.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import engine as _engine
from engine import __all__ as __all__
from engine import __version__ as __version__

if TYPE_CHECKING:
    from engine import *  # noqa: F403


def __getattr__(name: str) -> object:
    if name not in _engine.__all__:
        raise AttributeError(f"module 'tierwise' has no attribute {name!r}")
    return getattr(_engine, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_engine.__all__})
