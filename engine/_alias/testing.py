"""Contract tests for plugins: `tierwise.testing` is `engine.testing`."""
from __future__ import annotations

from engine.testing import *  # noqa: F403
from engine.testing import __all__ as __all__
