"""What is not open stays as it is, whatever the missing data turn out to be; see `promise`."""

from __future__ import annotations

import pytest

from tests.differential.promise import sample


@pytest.mark.parametrize("block", range(3))
def test_settled_outcomes_outlast_every_completion(block: int) -> None:
    assert sample(range(50_000 + 12 * block, 50_000 + 12 * (block + 1)), customers=6) == []
