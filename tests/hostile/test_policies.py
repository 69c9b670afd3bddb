"""Hostile policies through `tierwise check`, and through `tierwise decide` where they are sound."""
from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import policies
from tests.hostile.process import Ran, held, run

DAY = "2026-07-01"


def marked(names: Iterable[str]) -> list[Any]:
    """Names as parameters, those of large policies for the long run."""
    return [pytest.param(name, marks=pytest.mark.real) if name in policies.LARGE else name for name in names]


@pytest.mark.parametrize("name", marked(policies.FILES))
def test_a_policy_is_settled_within_its_bounds(name: str, tmp_path: Path) -> None:
    make, code, part = policies.FILES[name]
    place(tmp_path, make())
    ran = run(["check", "p.yaml"], tmp_path)
    assert (ran.code, part in ran.said) == (code, True), ran.said[-3000:]
    held(ran, name in policies.LARGE)


@pytest.mark.parametrize("name", marked(policies.DECIDED))
def test_a_customer_is_decided_or_refused_within_the_bounds(name: str, tmp_path: Path) -> None:
    make, customer, code, part = policies.DECIDED[name]
    place(tmp_path, make())
    (tmp_path / "c.json").write_text(json.dumps(customer), "utf-8")
    ran = run(["decide", "p.yaml", "c.json", "--as-of", DAY], tmp_path)
    assert (ran.code, part in ran.said) == (code, True), ran.said[-3000:]
    held(ran, name in policies.LARGE)


@pytest.mark.parametrize("form", ["json", "sarif"])
@pytest.mark.parametrize("name", ["2,000 errors", "invalid utf-8", "null character", "alias bomb", "bidi in a name"])
def test_other_forms_stay_whole(name: str, form: str, tmp_path: Path) -> None:
    place(tmp_path, policies.FILES[name][0]())
    ran: Ran = run(["check", "p.yaml", "--format", form], tmp_path)
    assert ran.code == 1
    assert json.loads(ran.out)


def place(folder: Path, text: str | bytes) -> None:
    (folder / "p.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
