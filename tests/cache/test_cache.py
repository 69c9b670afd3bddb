"""Findings are remembered while nothing that they hang on has changed, and no longer."""
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import cache
from engine.cache import recall
from engine.checking import findings
from engine.ir.findings import check

POLICY = """\
policy: remembered
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: skip
vocabularies:
  sectors: words/sectors.yaml
use:
  other:
    policy: parts/other
    with:
      amount: amount
inputs:
  id: {type: string, key: true}
  sector: {type: string, values: sectors, optional: true}
  amount: {type: number, optional: true}
  spare: {type: number, optional: true}
risk:
  tier:
    values: [A, B]
    order: best first
    rules: |
      id | when                            || then
      T1 | sector = "a" and other.size > 1 || A
      T2 | otherwise                       || B
service:
  rate:
    type: number
    lookup:
      table: rates.csv
      band: amount
      column: rate
"""
OTHER = """\
policy: other
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: skip
inputs:
  amount: {type: number, optional: true}
service:
  size:
    value: amount * 2
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own; the working folder is that of its policy."""
    place = tmp_path / "cache"
    monkeypatch.setenv("TIERWISE_CACHE", str(place))
    work = tmp_path / "work"
    for name, text in {
        "policy.yaml": POLICY, "parts/other.yaml": OTHER, "words/sectors.yaml": "[a, b]\n",
        "rates.csv": "amount,rate\n0,1\n10,2\n",
    }.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text, "utf-8")
    monkeypatch.chdir(work)
    return place / "checks"


def codes(path: str = "policy.yaml") -> list[str]:
    return [d.code for d in findings(path).diagnostics]


def test_what_was_found_is_found_again() -> None:
    first = findings("policy.yaml")
    assert [d.code for d in first.diagnostics] == ["W0604"]
    assert first.diagnostics == check(Path("policy.yaml")).diagnostics
    again = recall("policy.yaml")
    assert again is not None
    assert again.diagnostics == first.diagnostics
    assert again.sources == {"policy.yaml": POLICY}


def test_an_unchanged_policy_needs_no_checker(folder: Path, root: Path) -> None:
    code = "from engine.commands import run; run(['check', 'policy.yaml']); import sys; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        outputs.append(done.stdout.rsplit("\n", 2))
    assert outputs[0][0] == outputs[1][0]
    assert "W0604" in outputs[0][0]
    assert "engine.check.load" in outputs[0][1].split()
    loaded = set(outputs[1][1].split())
    assert not loaded & {"engine.check.load", "engine.syntax.lexer", "yaml", "lark", "jsonschema"}


def rewrite(name: str, old: str, new: str) -> Callable[[], None]:
    def change() -> None:
        path = Path(name)
        state = path.stat()
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))      # neither time nor size tells
    return change


def make(name: str, text: str) -> Callable[[], None]:
    return lambda: Path(name).write_text(text, "utf-8") and None


@pytest.mark.parametrize(("change", "told"), [
    (rewrite("policy.yaml", "spare", "amoun"), ["W0604"]),
    (rewrite("policy.yaml", 'sector = "a"', 'sector = "c"'), ["E0303"]),
    (rewrite("parts/other.yaml", "amount * 2", "amuont * 2"), ["E0203"]),
    (rewrite("words/sectors.yaml", "[a, b]", "[d, b]"), ["E0303"]),
    (rewrite("rates.csv", "10,2", "00,2"), ["E0708"]),
    (lambda: Path("rates.csv").unlink(), ["E0701"]),
    (lambda: Path("parts/other.yaml").rename("parts/another.yaml"), ["E0701"]),
], ids=["itself", "a value", "an import", "a vocabulary", "a table", "a table gone", "an import gone"])
def test_a_change_in_any_file_is_seen(change: Callable[[], None], told: list[str]) -> None:
    assert codes() == ["W0604"]
    change()
    assert recall("policy.yaml") is None
    now = check(Path("policy.yaml")).diagnostics
    assert findings("policy.yaml").diagnostics == now
    assert set(told) <= {d.code for d in now}


@pytest.mark.parametrize("change", [
    make("parts/other", "not a policy"),
    make("tierwise.yaml", ""),
    make("../tierwise.yaml", ""),
    make("rates", "amount,rate\n"),
], ids=["beside an import", "a project file", "a project file above", "a table of the shorter name"])
def test_a_file_that_appears_is_seen(change: Callable[[], None]) -> None:
    Path("policy.yaml").write_text(POLICY.replace("rates.csv", "rates"), "utf-8")
    codes()
    assert recall("policy.yaml") is not None
    change()
    now = check(Path("policy.yaml")).diagnostics
    assert findings("policy.yaml").diagnostics == now


def test_an_import_that_appears_is_seen() -> None:
    Path("policy.yaml").write_text(POLICY.replace("parts/other", "parts/later"), "utf-8")
    assert "E0701" in codes()
    assert recall("policy.yaml") is not None
    Path("parts/later.yaml").write_text(OTHER, "utf-8")
    assert codes() == ["W0604"]


def test_a_link_that_leads_elsewhere_is_seen() -> None:
    Path("parts/copy.yaml").write_text(OTHER.replace("size", "siez"), "utf-8")
    Path("parts/other.yaml").rename("parts/first.yaml")
    Path("parts/other.yaml").symlink_to("first.yaml")
    assert codes() == ["W0604"]
    Path("parts/other.yaml").unlink()
    Path("parts/other.yaml").symlink_to("copy.yaml")
    assert "E0205" in codes()


def test_a_version_that_joins_a_folder_is_seen() -> None:
    assert codes("parts") == []
    later = OTHER.replace('"1"', '"2"').replace("2026-01-01", "2026-06-01").replace("amount *", "amuont *")
    Path("parts/later.yaml").write_text(later, "utf-8")
    assert codes("parts") != []


def test_names_are_those_of_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    findings("policy.yaml")
    monkeypatch.chdir("parts")
    assert {d.span.file for d in findings("../policy.yaml").diagnostics if d.span} == {"../policy.yaml"} or (
        findings("../policy.yaml").diagnostics == check(Path("../policy.yaml")).diagnostics
    )


def test_another_engine_checks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    findings("policy.yaml")
    monkeypatch.setattr(cache, "_engine", lambda: "another")
    assert recall("policy.yaml") is None


def test_what_cannot_be_read_is_not_remembered(folder: Path) -> None:
    assert codes("absent.yaml") == ["E0001"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: b"", lambda data: data.replace(b"W0604", b"W0605"),
    lambda data: data[:60] + b"\xff" + data[61:], lambda data: b"x\n{}",
], ids=["cut", "empty", "changed", "not text", "another form"])
def test_a_damaged_entry_is_ignored(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    findings("policy.yaml")
    (entry,) = folder.iterdir()
    entry.write_bytes(damage(entry.read_bytes()))
    assert recall("policy.yaml") is None
    assert codes() == ["W0604"]
    assert recall("policy.yaml") is not None


def test_it_can_be_turned_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERWISE_CACHE", "0")
    assert codes() == ["W0604"]
    assert not folder.exists()
    assert recall("policy.yaml") is None


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_folder_that_others_may_write_into_is_not_used(folder: Path) -> None:
    findings("policy.yaml")
    folder.chmod(0o777)
    assert recall("policy.yaml") is None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("TIERWISE_CACHE", str(tmp_path / "file"))
    assert codes() == ["W0604"]


def test_the_oldest_entries_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRIES", 3)
    for n in range(5):
        Path(f"p{n}.yaml").write_text(OTHER, "utf-8")
        findings(f"p{n}.yaml")
        newest = max(folder.iterdir(), key=lambda entry: entry.stat().st_mtime_ns)
        os.utime(newest, (n, n))
    assert [recall(f"p{n}.yaml") is not None for n in range(5)] == [False, False, True, True, True]


def test_a_large_result_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_ENTRY", 100)
    assert codes() == ["W0604"]
    assert list(folder.iterdir()) == []
