"""Bare FEEL over plain Python values: `tierwise.feel` is `engine.feel`."""
from __future__ import annotations

from engine.feel import *  # noqa: F403
from engine.feel import __all__ as __all__
