"""`tierwise check --deployment`: whether a deployment fits policies, told before anybody is decided."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import POLICY, Tierwise, tierwise

__all__ = ["tierwise"]

DEPLOYMENT = """\
deployment: testing
sources:
  core:
    kind: files
    tables:
      firms: {file: firms.csv, key: id}
customers: core.firms
inputs:
  annual revenue: core.firms.revenue
  founded: core.firms.founded
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY, "utf-8")
    Path("firms.csv").write_text("id,revenue,founded\nF1,1000,2020-01-01\n", "utf-8")
    Path("deployment.yaml").write_text(DEPLOYMENT, "utf-8")
    return tmp_path


def test_one_that_fits(place: Path, tierwise: Tierwise) -> None:
    found = tierwise("check", "policy.yaml", "--deployment", "deployment.yaml")
    assert (found.code, found.out, found.err) == (0, "", "1 policy: no problems\n")


@pytest.mark.parametrize(
    ("old", "new", "code", "text"),
    [
        ("core.firms.revenue", "core.firms.revenu", "E0954", "`core.firms` has no field `revenu`"),
        ("core.firms.revenue", "core.firms.founded", "E0956", "`core.firms.founded` is of type date"),
        ("founded: ", "foundd: ", "E0955", "the policy has no input `foundd`"),
        ("customers: core.firms", "customers: core.firm", "E0954", "source `core` has no table `firm`"),
        ("kind: files", "kind: file", "E0951", "no kind of source is called `file`"),
    ],
)
def test_what_does_not_fit(place: Path, tierwise: Tierwise, old: str, new: str, code: str, text: str) -> None:
    Path("deployment.yaml").write_text(DEPLOYMENT.replace(old, new), "utf-8")
    found = tierwise("check", "policy.yaml", "--deployment", "deployment.yaml")
    assert found.code == 1
    assert f"error[{code}]: {text}" in found.out
    assert found.out.count("error[") == 1


def test_names_that_may_be_bound_are_the_policys_own(place: Path, tierwise: Tierwise) -> None:
    """What the engine adds to a policy for `on failure` is no input of it."""
    policy = POLICY.replace("on missing: refer\n", "on missing: refer\non failure: refer\n")
    Path("policy.yaml").write_text(policy, "utf-8")
    Path("deployment.yaml").write_text(DEPLOYMENT.replace("founded: ", "zzz: "), "utf-8")
    found = tierwise("check", "policy.yaml", "--deployment", "deployment.yaml")
    assert "`annual revenue`" in found.out and "sources.failed" not in found.out
    Path("deployment.yaml").write_text(DEPLOYMENT.replace("founded: ", "sources.failed: "), "utf-8")
    found = tierwise("check", "policy.yaml", "--deployment", "deployment.yaml")
    assert "error[E0955]: the policy has no input `sources.failed`" in found.out


def test_a_source_that_cannot_be_opened(place: Path, tierwise: Tierwise) -> None:
    Path("firms.csv").unlink()
    found = tierwise("check", "policy.yaml", "--deployment", "deployment.yaml")
    assert found.code == 3 and "source `core` cannot be opened" in found.err


def test_a_policy_that_is_wrong_is_told_by_itself(place: Path, tierwise: Tierwise) -> None:
    Path("policy.yaml").write_text(POLICY.replace("on missing: refer", "on missing: refr"), "utf-8")
    found = tierwise("check", "policy.yaml", "--deployment", "deployment.yaml")
    assert found.code == 1 and "refr" in found.out and "E095" not in found.out


def test_without_a_policy(place: Path, tierwise: Tierwise) -> None:
    found = tierwise("check", "deployment.yaml", "--deployment", "deployment.yaml")
    assert found.code == 2 and "no PATH is a policy" in found.err
