"""Each snippet, its placeholders filled by their defaults and by every choice, checks clean where it belongs."""
from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.diagnostics import Diagnostic
from engine.policy import check_policy
from engine.policytest.running import run_case
from engine.policytest.suite import read_suite
from engine.render import render_text

SNIPPETS = Path(__file__).resolve().parents[2] / "editors" / "vscode" / "snippets"
POLICY = json.loads((SNIPPETS / "policy.json").read_text("utf-8"))
TEST = json.loads((SNIPPETS / "test.json").read_text("utf-8"))

# What a frame declares for the snippet to use, or the snippet for the frame, need not be used by both.
UNUSED = {"W0604", "W0605", "W0606"}

HEAD = """\
policy: frame
version: "1"
effective: {from: 2026-01-01}
owner: tests
currency: CNY
on missing: refer
"""
REASONS = "reasons:\n  R1: {text: A reason, rank: 1}\n"
INPUTS = """\
inputs:
  firm id: {type: string, key: true}
  years trading: {type: number, range: '>= 0'}
  annual revenue: {type: money, range: '>= 0', optional: true}
  employees: {type: number, range: '>= 0', optional: true}
  region: {type: string, values: [SH, BJ], optional: true}
"""
VALUE = "service:\n  whole:\n    type: money\n    value: annual revenue\n"
SIZE = HEAD + """\
inputs:
  employees: {type: number, optional: true}
service:
  small:
    value: employees < 100
"""
DECISION = """\
service:
  decision:
    values: [approve, refer, decline]
    order: best first
    worst:
      - rule: D1
        when: years trading < 1
        then: decline
        reason: R1
"""

#: Where a snippet that is no decision stands: the text before it, its indentation, the text behind it.
FRAMES: dict[str, tuple[str, int, str]] = {
    "policy": ("", 0, ""),
    "input number": (HEAD + "inputs:", 2, ""),
    "input money": (HEAD + "inputs:", 2, ""),
    "input values": (HEAD + "inputs:", 2, ""),
    "input date": (HEAD + "inputs:", 2, ""),
    "history": (HEAD + INPUTS + "history:", 2, ""),
    "reason": (HEAD + "reasons:", 2, ""),
    "parameter": (HEAD + INPUTS + "parameters:", 2, ""),
    "use": (HEAD + INPUTS + "use:", 2, ""),
    "rule": (HEAD + REASONS + INPUTS + DECISION, 6, "      - otherwise: approve\n"),
    "otherwise": (HEAD + REASONS + INPUTS + DECISION, 6, ""),
    "where": (HEAD + INPUTS + VALUE, 4, ""),
}
TESTED = HEAD + REASONS + INPUTS + DECISION.replace("then: decline", "then: refer") + "      - otherwise: approve\n"
FIXTURES = """\
test: frame
as of: 2026-07-01
fixtures:
  sound: {firm id: F1, years trading: 5}
"""
TEST_FRAMES: dict[str, tuple[str, int]] = {
    "test file": ("", 0),
    "case": (FIXTURES + "cases:", 2),
    "case of missing data": (FIXTURES + "cases:", 2),
    "table of cases": (FIXTURES + "tables:", 2),
}

_PLACE = re.compile(r"\$\{\d+:([^}]*)\}|\$\{\d+\|([^|]*)\|\}|\$\d+")


def expansions(body: list[str]) -> Iterator[str]:
    """The body with defaults and first choices, then with each further choice of each placeholder alone."""
    text = "\n".join(body)
    widths = [len(m[2].split(",")) if m[2] else 1 for m in _PLACE.finditer(text)]

    def filled(at: int, choice: int) -> str:
        count = iter(range(len(widths)))

        def one(match: re.Match[str]) -> str:
            here = next(count)
            if match[2]:
                return match[2].split(",")[choice if here == at else 0]
            return match[1] or ""

        return _PLACE.sub(one, text)

    yield filled(-1, 0)
    for at, width in enumerate(widths):
        for choice in range(1, width):
            yield filled(at, choice)


def findings(path: Path) -> tuple[list[Diagnostic], str]:
    checked = check_policy(path)
    kept = [d for d in checked.diagnostics if d.code not in UNUSED]
    return kept, render_text(kept, checked.sources)


@pytest.mark.parametrize("name", POLICY)
def test_policy_snippet(name: str, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("area,rate\nSH,0.04\nBJ,0.05\n", encoding="utf-8")
    (tmp_path / "size.yaml").write_text(SIZE, encoding="utf-8")
    before, indentation, behind = FRAMES.get(name, (HEAD + REASONS + INPUTS + "service:", 2, ""))
    for number, text in enumerate(expansions(POLICY[name]["body"])):
        path = tmp_path / f"frame{number}.yaml"
        whole = before.rstrip("\n") + "\n" + textwrap.indent(text, " " * indentation).rstrip() + "\n" + behind
        path.write_text(whole.lstrip("\n"), encoding="utf-8")
        kept, told = findings(path)
        assert not kept, f"{whole}\n{told}"


@pytest.mark.parametrize("name", TEST)
def test_test_snippet(name: str, tmp_path: Path) -> None:
    (tmp_path / "frame.yaml").write_text(TESTED, encoding="utf-8")
    before, indentation = TEST_FRAMES[name]
    for text in expansions(TEST[name]["body"]):
        path = tmp_path / "frame.test.yaml"
        path.write_text((before + "\n" + textwrap.indent(text, " " * indentation)).strip() + "\n", encoding="utf-8")
        suite = read_suite(path)
        assert suite.diagnostics == () and suite.policy is not None
        assert suite.cases
        for case in suite.cases:
            done = run_case(suite.policy, case)
            assert done.passed, (case, done)


def test_prefixes_are_unlike_each_other() -> None:
    prefixes = [snippet["prefix"] for snippet in (*POLICY.values(), *TEST.values())]
    assert len(set(prefixes)) == len(prefixes)
    assert all(re.fullmatch("tw-[a-z-]+", prefix) for prefix in prefixes)


def test_each_form_has_a_snippet() -> None:
    schema = json.loads((SNIPPETS.parents[2] / "schemas" / "policy.schema.json").read_text("utf-8"))
    forms = {choice["required"][0] for choice in schema["$defs"]["decision"]["oneOf"]}
    bodies = "\n".join("\n".join(snippet["body"]) for snippet in POLICY.values())
    # A scorer has to be registered by a plugin before any policy that names one checks clean.
    assert {form for form in forms if not re.search(rf"^  {form}:", bodies, re.MULTILINE)} == {"model"}


def test_expansions_try_each_choice() -> None:
    assert list(expansions(["${1|a,b|} ${2:c} $0"])) == ["a c ", "b c "]
