"""Shared by all tests: where the given data lie."""
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Tests, and the processes they start, neither read nor write what a person's checks left behind.
os.environ["TIERWISE_CACHE"] = "0"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What checks remember stays within the tests, and never comes from before them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIERWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of given data and cases; tests that need it skip where it is absent."""
    place = Path(os.environ.get("TIERWISE_SHARED") or ROOT.parent / "shared")
    if not place.is_dir():
        pytest.skip(f"shared data is absent ({place.name}); set TIERWISE_SHARED to its folder")
    return place
