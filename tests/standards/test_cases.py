"""The shipped standards: their names are the contract, they have no findings, and they pass their own test files."""
from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from engine.ir.findings import check
from engine.policy import load_policy
from engine.policytest.running import run_case
from engine.policytest.suite import read_suite
from tests.standards.oracles import POOLS

DAY = datetime.date(2026, 7, 1)

#: The outcomes of each standard, in order. Their inputs are those of the pools.
OUTPUTS = {
    "cn-sme-size": ["size", "is_sme", "is_small_or_micro"],
    "cn-five-category": ["at_least_en", "non_performing"],
    "cn-five-category-upgrade": ["upgrade_to_normal_or_special_mention_allowed"],
    "cn-renewal-2024": ["renewal_policy_applies", "may_stay_normal"],
    "eu-sme-2003-361": ["category", "is_sme"],
    "eu-accounting-2023-2775": ["category"],
    "ifrs9-staging": ["stage", "ecl_horizon", "interest_on"],
    "crr-sme-supporting-factor": ["supporting_factor"],
    "us-cfpb-1071": ["small_business", "covered_institution"],
    "us-reg-b-notice": ["notice_late", "more_than_commentary_suggests"],
    "complaint-sla": ["breached", "summary_resolution_allowed"],
    "altman-z-prime": ["z_prime", "zone"],
}


def test_twelve_are_shipped(root: Path) -> None:
    files = {p.name for p in (root / "policies" / "standards").iterdir()}
    assert files == {f"{name}{end}" for name in OUTPUTS for end in (".yaml", ".test.yaml")}
    assert OUTPUTS.keys() == POOLS.keys()


@pytest.mark.parametrize("name", OUTPUTS)
def test_names_are_the_contract(root: Path, name: str) -> None:
    policy = load_policy(root / "policies" / "standards" / f"{name}.yaml")
    assert [i.name for i in policy.program.inputs] == list(POOLS[name][1])
    required = [i.name for i in policy.program.inputs if i.required]
    assert required == (["days_overdue"] if name == "cn-five-category" else [])
    assert list(policy.decide({"days_overdue": 0}, as_of=DAY).values) == OUTPUTS[name]


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_findings(root: Path, name: str) -> None:
    assert check(root / "policies" / "standards" / f"{name}.yaml").diagnostics == ()


@pytest.mark.parametrize("name", OUTPUTS)
def test_file_of_cases(root: Path, name: str) -> None:
    suite = read_suite(root / "policies" / "standards" / f"{name}.test.yaml")
    assert suite.diagnostics == ()
    assert suite.policy is not None
    results = [run_case(suite.policy, case) for case in suite.cases]
    assert [(r.case.name, r.differences) for r in results if not r.passed] == []
