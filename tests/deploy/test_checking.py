"""`tierwise check` of a deployment file by itself: form, kinds and settings, without sources or secrets."""
from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Tierwise, tierwise
from tests.deploy.test_files import DEPLOYMENT, place

__all__ = ["place", "tierwise"]


def test_a_good_one(tierwise: Tierwise, place: Path) -> None:
    secret = "  bureau: {kind: http, url: {secret: A_VARIABLE_THAT_NOBODY_SETS}, tables: {}}\n"
    text = DEPLOYMENT.replace("customers:", f"{secret}customers:") + "output: {kind: files, file: out.csv}\n"
    (place / "deployment.yaml").write_text(text, "utf-8")
    (place / "firms.csv").unlink()                      # nothing is opened
    assert tierwise("check", "deployment.yaml") == (0, "", "deployment.yaml: no problems\n")
    assert tierwise("check", "policy.yaml", "deployment.yaml").err == "1 policy: no problems\n"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("kind: files", "kind: file", "E0951"), ("stamp:", "stmp:", "E0952"),
        ("file: firms.csv", "file: ../x.csv", "E0952"),
        ("customers: core", "customers: cor", "E0954"), ("sources:", "source:", "E0030"),
        ("deployment: testing", "deployment: testing\nmodels:\n  pd: {kind: linea}", "E0951"),
        ("deployment: testing", "deployment: testing\noutput: {kind: file}", "E0951"),
    ],
)
def test_a_bad_one(tierwise: Tierwise, place: Path, old: str, new: str, code: str) -> None:
    (place / "deployment.yaml").write_text(DEPLOYMENT.replace(old, new, 1), "utf-8")
    found = tierwise("check", "deployment.yaml")
    assert found.code == 1
    assert f"error[{code}]" in found.out


def test_those_of_a_folder(tierwise: Tierwise, place: Path) -> None:
    """A folder's deployment files are checked with its policies, as CI checks them."""
    (place / "policies").mkdir()
    (place / "deployment.yaml").rename(place / "policies" / "deployment.yaml")
    (place / "policy.yaml").rename(place / "policies" / "policy.yaml")
    assert tierwise("check", "policies") == (0, "", "1 policy: no problems\n")
    text = DEPLOYMENT.replace("kind: files", "kind: file", 1)
    (place / "policies" / "deployment.yaml").write_text(text, "utf-8")
    found = tierwise("check", "policies")
    assert found.code == 1 and "policies/deployment.yaml" in found.out and "error[E0951]" in found.out
    (place / "policies" / "policy.yaml").unlink()
    assert "there is no policy in" in tierwise("check", "policies").err
