"""Commands given every file of a folder, as a shell's `*.yaml` gives them."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.commands.conftest import Tierwise

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    found = sorted(str(p) for p in Path("policies").glob("*.yaml"))
    assert "policies/tierwise.yaml" in found
    return found


@pytest.mark.parametrize("command", [("check",), ("fmt", "--check"), ("test",)], ids=lambda c: c[0])
def test_the_marker_of_the_root_is_no_policy(tierwise: Tierwise, files: list[str], command: tuple[str, ...]) -> None:
    result = tierwise(*command, *files)
    assert result.code == 0, result.err + result.out
    assert "tierwise.yaml" not in result.err + result.out


@pytest.mark.parametrize("command", ["fmt", "test"])
def test_the_marker_alone_is_told(tierwise: Tierwise, files: list[str], command: str) -> None:
    result = tierwise(command, "policies/tierwise.yaml")
    assert result.code == 2 and "marks the root of policies" in result.err


def test_a_policy_of_that_name_is_one(tierwise: Tierwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert tierwise("new", "policy", "tierwise.yaml").code == 0
    assert "1 policy: no problems" in tierwise("check", "tierwise.yaml").err


def test_the_project_file_is_checked(tierwise: Tierwise, files: list[str]) -> None:
    marker = Path("policies/tierwise.yaml")
    assert "policies/tierwise.yaml: no problems" in tierwise("check", str(marker)).err
    marker.write_text("plugin: []\n")
    for named in (str(marker), "policies"):
        result = tierwise("check", named)
        assert result.code == 1
        assert "error[E0030]: a project file has no key `plugin`" in result.out
        assert "policies/tierwise.yaml:1:1" in result.out and "did you mean `plugins`?" in result.out


def test_the_plugins_of_a_project_file_are_looked_for_and_not_imported(tierwise: Tierwise, tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text("raise SystemExit('imported')\n")
    marker = tmp_path / "tierwise.yaml"
    marker.write_text("plugins: [./loud.py]\n")
    assert tierwise("check", str(marker)).code == 0
    marker.write_text("plugins: [./loud.py, acme-bank]\n")
    result = tierwise("check", str(marker))
    assert result.code == 1 and "error[E1002]: no installed plugin is called `acme-bank`" in result.out


def test_the_project_file_of_a_folder_without_policies(tierwise: Tierwise, tmp_path: Path) -> None:
    (tmp_path / "tierwise.yaml").write_text("")
    assert "there is no policy" in tierwise("check", str(tmp_path)).err


def test_a_report_names_a_policy_and_is_none(tierwise: Tierwise, folder: Path) -> None:
    (folder / "report.yaml").write_text("report: July\npolicy: policy.yaml\nresults: out.csv\n", encoding="utf-8")
    assert tierwise("check", ".") == (0, "", "1 policy: no problems\n")
