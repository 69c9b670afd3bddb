"""A small share of the fuzzing; `python -m tests.fuzz --seconds N` runs more."""
from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_only_what_is_promised_comes_out(name: str, chance: random.Random) -> None:
    assert TARGETS[name](chance) != "fault"
