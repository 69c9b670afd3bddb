"""Shared by all tests: where the given data lie."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Tests, and the processes they start, neither read nor write what a person's checks left behind.
os.environ["TIERWISE_CACHE"] = "0"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of given data and cases; tests that need it skip where it is absent."""
    place = Path(os.environ.get("TIERWISE_SHARED") or ROOT.parent / "shared")
    if not place.is_dir():
        pytest.skip(f"shared data is absent ({place.name}); set TIERWISE_SHARED to its folder")
    return place
