"""`tierwise test`, and the reports."""
from __future__ import annotations

import json
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.commands.conftest import Tierwise, tierwise
from tests.policytest.conftest import HEAD, SOUND

__all__ = ["tierwise"]

CASES = """\
cases:
  - {case: good, base: sound, expect: {decision: approve}}
  - {case: 坏 <b>, why: a slip, base: sound, expect: {decision: decline}}
  - {case: worse, base: sound, expect: {segment: new}}
"""


@pytest.fixture
def cases(folder: Path) -> Path:
    path = folder / "small.test.yaml"
    path.write_text(HEAD + SOUND + CASES, encoding="utf-8")
    return path


def test_text(tierwise: Tierwise, cases: Path) -> None:
    result = tierwise("test", ".")
    assert result.code == 1
    assert result.out.startswith("failed small.test.yaml:7: 坏 <b> (a slip)\n  decision  expected decline  got ap")
    assert "failed small.test.yaml:8: worse" in result.out
    assert result.err.startswith("2 of 3 cases failed in 1 file, ")
    assert tierwise("test").out == tierwise("test", "small.yaml", cases).out == result.out


def test_choosing(tierwise: Tierwise, cases: Path) -> None:
    good = tierwise("test", "-k", "GOOD")
    assert (good.code, good.out) == (0, "") and "1 case passed" in good.err and "2 left out" in good.err
    assert tierwise("test", "-k", "small.test").code == 1
    assert tierwise("test", "-k", "nothing such").code == 2
    fast = tierwise("test", "--fail-fast")
    assert fast.out.count("failed ") == 1 and "1 left out" in fast.err


def test_languages(tierwise: Tierwise, cases: Path) -> None:
    told = tierwise("test", "--language", "zh")
    assert told.code == 1 and told.out != tierwise("test").out
    assert tierwise("test", "--language", "tlh").code == 2


def test_json(tierwise: Tierwise, cases: Path) -> None:
    told = json.loads(tierwise("test", "--format", "json").out)
    assert (told["cases"], told["failed"], told["invalid"]) == (3, 2, 0)
    good, bad, _ = told["files"][0]["cases"]
    assert good == {"case": "good", "line": 6, "as_of": "2026-07-01", "passed": True}
    assert bad["differences"] == [{"what": "decision", "expected": "decline", "got": "approve"}]
    assert bad["explanation"].startswith("decision: approve")


def test_junit(tierwise: Tierwise, cases: Path, folder: Path) -> None:
    (folder / "odd.test.yaml").write_text(HEAD + "policy: small\ncases: [{case: x, expect: {drsc: 1}}]\n")
    result = tierwise("test", "--format", "junit", "--junit", "out.xml")
    assert result.code == 2
    root = ElementTree.fromstring(result.out)
    assert root.attrib == {"name": "tierwise", "tests": "4", "failures": "2", "errors": "1"}
    assert [c.attrib["name"] for c in root.iter("testcase")] == ["odd.test.yaml", "good", "坏 <b>", "worse"]
    (failure, _) = root.iter("failure")
    assert failure.attrib["message"] == "decision: expected decline, got approve" and "dscr < 1" in (failure.text or "")
    (error,) = root.iter("error")
    assert "E0902" in (error.text or "")
    assert ElementTree.parse(folder / "out.xml").getroot().attrib == root.attrib


def test_invalid_files_and_paths(tierwise: Tierwise, cases: Path, folder: Path) -> None:
    (folder / "odd.test.yaml").write_text(HEAD + "policy: small\ncases: [{case: x, expect: {drsc: 1}}]\n")
    result = tierwise("test", "odd.test.yaml")
    assert result.code == 2 and "error[E0902]" in result.err and "1 file is invalid" in result.err
    assert tierwise("check", "odd.test.yaml").code == 1
    assert tierwise("check", "small.test.yaml").code == 0
    assert "no policy" not in tierwise("check", ".").err and tierwise("check", ".").code == 0
    assert tierwise("test", "gone.test.yaml").code == 2
    (folder / "empty").mkdir()
    assert tierwise("test", "empty").code == 2
    (folder / "alone.yaml").write_text("policy: x\n")
    assert "there is no `alone.test.yaml`" in tierwise("test", "alone.yaml").err
    assert tierwise("test", "--junit", "gone/out.xml").code == 3


def test_a_thousand_cases_take_seconds(tierwise: Tierwise, folder: Path) -> None:
    rows = "".join(f"    c{n} | {n / 500} || {'decline' if n < 500 else 'approve'}\n" for n in range(1000))
    text = f"{HEAD}{SOUND}tables:\n  t:\n    base: sound\n    grid: |\n      case | dscr || decision\n"
    (folder / "small.test.yaml").write_text(text + rows.replace("    c", "      c"), encoding="utf-8")
    start = time.perf_counter()
    result = tierwise("test")
    assert (result.code, result.out) == (0, "") and "1,000 cases passed" in result.err
    assert time.perf_counter() - start < 20             # some 1.5 s; a bound for a loaded machine


def test_reasons_that_were_not_stated_are_explained(tierwise: Tierwise, folder: Path) -> None:
    """By the decision that gave the first of them; one that is only lacking has none."""
    cases = "cases:\n  - {case: a, base: sound, given: {dscr: 0.5}, reasons: [R1]}\n"
    (folder / "small.test.yaml").write_text(HEAD + SOUND + cases, encoding="utf-8")
    told = tierwise("test").out
    assert "reasons  expected R1  got R2" in told.replace("    ", "  ") and "decision: decline" in told
    (folder / "small.test.yaml").write_text(HEAD + SOUND + cases.replace("0.5", "2"), encoding="utf-8")
    told = tierwise("test").out
    assert "got none" in told and "decision: " not in told
