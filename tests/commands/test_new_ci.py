"""The CI files that `tierwise new ci` writes: their own commands, run in a repository as the service runs them."""
from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.commands.conftest import Tierwise
from tests.docs.following import command
from tests.services import SERVICES, begin

TESTS = """\
test: loans
as of: 2026-07-01
cases:
  - case: weak
    given: {firm id: F1, annual revenue: 100万, years trading: 5, dscr: 0.9}
    expect: {decision: decline}
portfolios:
  sample:
    data: firms.csv
    expectations:
      - expect: a half is approved
        that: share(decision = "approve") >= 50%
"""
FIRMS = """\
firm id,annual revenue,years trading,dscr
F1,1000000,5,0.9
F2,1000000,5,1.05
F3,1000000,5,2
F4,1000000,5,3
"""


@pytest.fixture
def repository(tierwise: Tierwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone on the branch `change`, of a repository whose branch `main` holds a policy and both CI files."""
    monkeypatch.setenv("PATH", command(tmp_path))
    clone = tmp_path / "clone"
    clone.mkdir()
    monkeypatch.chdir(clone)
    for arguments in (("policy", "loans.yaml"), ("ci", "github"), ("ci", "gitlab")):
        assert tierwise("new", *arguments).code == 0
    (clone / "loans.test.yaml").write_text(TESTS, encoding="utf-8")
    (clone / "firms.csv").write_text(FIRMS, encoding="utf-8")
    begin(clone, tmp_path / "origin.git")
    return clone


services = pytest.mark.parametrize("service", SERVICES)


def change(old: str, new: str, name: str = "loans.yaml") -> None:
    text = Path(name).read_text("utf-8")
    assert text.count(old) == 1
    Path(name).write_text(text.replace(old, new), encoding="utf-8")


@services
def test_nothing_wrong(repository: Path, service: str) -> None:
    job = SERVICES[service]()
    assert job.code == 0, job.out
    told = "".join(job.ran)
    for part in ("check --strict .", "fmt --check .", "test --junit junit.xml .", "diff .before ."):
        assert f"tierwise {part}" in told
    assert "0 of 4 customers decided otherwise" in (repository / "change.txt").read_text("utf-8")
    assert ElementTree.parse(repository / "junit.xml").getroot().get("failures") == "0"


@services
def test_a_misspelt_name(repository: Path, service: str) -> None:
    change("when: dscr < 1", "when: dcsr < 1")
    job = SERVICES[service]()
    assert job.code == 1 and "did you mean `dscr`?" in job.out and "tierwise test" not in job.out
    if service == "github":
        (found,) = json.loads((repository / "tierwise.sarif").read_text("utf-8"))["runs"][0]["results"]
        assert found["ruleId"] == "E0203"


@services
def test_a_warning(repository: Path, service: str) -> None:
    change("annual revenue >= 500万 and years trading >= 3", "years trading < 0.5")
    job = SERVICES[service]()
    assert job.code == 1 and "warning[" in job.out


@services
def test_another_form(repository: Path, service: str) -> None:
    change("    type: money\n    value:", "    type:   money\n    value:")
    job = SERVICES[service]()
    assert job.code == 1 and "would format loans.yaml" in job.out


@services
def test_a_case_that_fails(repository: Path, service: str) -> None:
    change("when: dscr < 1", "when: dscr < 0.5")
    job = SERVICES[service]()
    assert job.code == 1 and "loans.test.yaml:4: weak" in job.out
    junit = ElementTree.parse(repository / "junit.xml").getroot()
    assert junit.get("failures") == "1"


@services
def test_a_portfolio_out_of_bounds(repository: Path, service: str) -> None:
    change("when: dscr < 1", "when: dscr < 2.5")
    job = SERVICES[service]()
    assert job.code == 1 and 'share(decision = "approve")  expected >= 50%  got 25% (1 of 4)' in job.out


@services
def test_a_test_file_that_is_no_good(repository: Path, service: str) -> None:
    change("expect: {decision: decline}", "expect: {decision: declined}", "loans.test.yaml")
    job = SERVICES[service]()
    assert job.code == 2 and "did you mean" in job.out


@services
def test_a_sound_change_is_told(repository: Path, service: str) -> None:
    change("when: dscr < 1", "when: dscr < 1.1")
    job = SERVICES[service]()
    assert job.code == 0, job.out
    for text in (job.out, (repository / "change.txt").read_text("utf-8")):
        assert "1 of 4 customers decided otherwise" in text and "approve -> decline  1  F2" in text
    if service == "github":
        assert "approve -> decline  1  F2" in (repository / "summary.md").read_text("utf-8")


@services
def test_what_is_pushed_to_main(repository: Path, service: str) -> None:
    """There is nothing to compare with; all else is run."""
    job = SERVICES[service]("push")
    assert job.code == 0 and not any("diff" in line for line in job.ran) and any("test" in line for line in job.ran)


def test_a_file_that_is_there(tierwise: Tierwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = tierwise("new", "ci", "gitlab")
    assert (first.code, first.err) == (0, "wrote .gitlab-ci.yml; next: commit it\n")
    Path(".gitlab-ci.yml").write_text("ours: {}\n")
    again = tierwise("new", "ci", "gitlab")
    assert again.code == 2 and "put its steps into yours" in again.err
    assert Path(".gitlab-ci.yml").read_text() == "ours: {}\n"
    assert tierwise("new", "ci", "gitlab", "--force").code == 0
    assert tierwise("new", "ci", "jenkins").code == 2


def test_below_the_top_of_a_repository(tierwise: Tierwise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path / "policies")
    assert f"at the top of the repository, {tmp_path}" in tierwise("new", "ci", "github").err
