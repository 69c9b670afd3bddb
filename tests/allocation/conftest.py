"""The command line, as its own tests call it."""
from __future__ import annotations

from tests.commands.conftest import tierwise

__all__ = ["tierwise"]
