"""The commands over policies that call functions: where sets come from, what is remembered, and what a set is."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.keeping import kept

PLUGIN = """\
import engine as tierwise

tierwise_hooks = 1


@tierwise.hookimpl
def register_functions():
    return [tierwise.Function("acme", "doubled up", {"x": "amount"}, "amount", lambda x: x * 2,
                              tierwise.sql_form("x * 2", "x"))]
"""
POLICY = """\
policy: example
version: "1"
effective: {from: 2026-01-01}
owner: tests
currency: CNY
on missing: refer
functions: [SETS]
inputs:
  id: {type: string, key: true}
  amount: {type: money, range: '>= 0', optional: true}
  bad: {type: boolean}
service:
  result:
    type: money
    value: VALUE
"""
CUSTOMERS = "id,amount,bad\na,10,true\nb,,false\nc,2.5,false\n"


class Done(NamedTuple):
    code: int
    out: str
    err: str


Tierwise = Callable[..., Done]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIERWISE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    _write("acme", "doubled up(amount)")
    Path("acme.py").write_text(PLUGIN, "utf-8")
    Path("firms.csv").write_text(CUSTOMERS, "utf-8")
    return folder


def _write(sets: str, value: str, name: str = "policy.yaml") -> None:
    Path(name).write_text(POLICY.replace("SETS", sets).replace("VALUE", value), "utf-8")


@pytest.fixture
def tierwise(root: Path) -> Tierwise:
    """A process for each command: Python imports a plugin once."""
    def call(*args: str, given: str | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-c", "from engine.commands import main; main()", *args], capture_output=True, text=True,
            input=given, timeout=120, env={**os.environ, "PYTHONPATH": str(root)}, check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call


def _results() -> dict[str, tuple[str, float | None]]:
    """Status and result by customer."""
    rows = [line.split(",")[1:4] for line in Path("out.csv").read_text("utf-8").splitlines()[1:]]
    return {key: (status, float(result) if result else None) for key, status, result in rows}


def test_each_command_takes_the_plugin(work: Path, tierwise: Tierwise) -> None:
    plugin = ("--plugin", "acme.py")
    missing = tierwise("check", "policy.yaml")
    assert missing.code == 1
    assert "there is no set of functions `acme`" in missing.out
    assert tierwise("check", "policy.yaml", *plugin).code == 0
    assert tierwise(*plugin, "check", "policy.yaml").code == 0
    decided = tierwise("decide", "policy.yaml", *plugin, "--no-explain", given='{"id": "a", "amount": 4, "bad": true}')
    assert decided.out == "result  8\n"
    for engine in ("python", "duckdb"):
        ran = tierwise("run", "policy.yaml", "firms.csv", *plugin, "--engine", engine, "-o", "out.csv")
        assert ran.code == 0, ran.err
        assert _results() == {"a": ("decided", 20), "b": ("open", None), "c": ("decided", 5)}, engine
    assert "* 2" in tierwise("sql", "policy.yaml", *plugin).out


def test_what_a_body_prints_is_no_data(work: Path, tierwise: Tierwise) -> None:
    loud = PLUGIN.replace("lambda x: x * 2", "lambda x: print('noise') or x * 2")
    Path("acme.py").write_text(loud, "utf-8")
    decided = tierwise("decide", "policy.yaml", "--plugin", "acme.py", "--no-explain", "--format", "json",
                       given='{"id": "a", "amount": 4, "bad": true}')
    assert json.loads(decided.out)["values"] == {"result": 8}
    assert "noise" in decided.err
    ran = tierwise("run", "policy.yaml", "firms.csv", "--plugin", "acme.py", "--engine", "python", "-o", "-")
    assert "noise" not in ran.out
    assert "noise" in ran.err


def test_a_run_tells_what_failed(work: Path, tierwise: Tierwise) -> None:
    Path("acme.py").write_text(PLUGIN.replace("lambda x: x * 2", "lambda x: {10: x}[x]"), "utf-8")
    ran = tierwise("run", "policy.yaml", "firms.csv", "--plugin", "acme.py", "--engine", "python", "-o", "out.csv")
    assert _results() == {"a": ("decided", 10), "b": ("open", None), "c": ("open", None)}
    assert "`doubled up` of `acme` failed with KeyError, for 1 row" in ran.err


def test_a_project_file_names_the_plugin(work: Path, tierwise: Tierwise) -> None:
    Path("tierwise.yaml").write_text("plugins:\n  - ./acme.py\n", "utf-8")
    assert tierwise("check", "policy.yaml").code == 0
    Path("tierwise.yaml").write_text("plugins:\n  - ./gone.py\n", "utf-8")
    broken = tierwise("check", "policy.yaml")
    assert broken.code == 1
    assert "there is no `./gone.py`" in broken.out
    assert "tierwise.yaml:2:" in broken.out


def test_findings_about_plugins_are_not_remembered(work: Path, tierwise: Tierwise) -> None:
    assert tierwise("check", "policy.yaml", "--plugin", "acme.py").code == 0
    assert tierwise("check", "policy.yaml").code == 1
    Path("acme.py").write_text(PLUGIN.replace("doubled up", "twice"), "utf-8")
    assert "doubled up" in tierwise("check", "policy.yaml", "--plugin", "acme.py").out
    Path("acme.py").write_text(PLUGIN, "utf-8")
    assert tierwise("check", "policy.yaml", "--plugin", "acme.py").code == 0


def test_an_edited_body_is_another_function(work: Path, tierwise: Tierwise) -> None:
    plugin = ("--plugin", "acme.py", "-o", "out.csv", "--only", "result")
    for factor in ("2", "3"):
        Path("acme.py").write_text(PLUGIN.replace("* 2", f"* {factor}"), "utf-8")
        for engine in ("duckdb", "python", "duckdb"):
            assert tierwise("run", "policy.yaml", "firms.csv", *plugin, "--engine", engine).code == 0
            assert _results()["a"] == ("decided", 10 * int(factor))


def test_a_policy_of_built_in_sets_is_kept(work: Path, tierwise: Tierwise) -> None:
    _write("finance", "instalment(amount, 0.01, 12)")
    given = '{"id": "a", "amount": 1200, "bad": true}'
    first = tierwise("decide", "policy.yaml", "--no-explain", given=given)
    found = kept("policy.yaml")
    assert found is not None
    assert [name for name, _ in found.program.functions.versions()] == ["finance"]
    assert tierwise("decide", "policy.yaml", "--no-explain", given=given) == first
    _write("acme", "doubled up(amount)")
    tierwise("decide", "policy.yaml", "--plugin", "acme.py", "--no-explain", given=given)
    assert kept("policy.yaml") is None


def test_the_digest_hangs_on_the_version_of_a_set(work: Path, tierwise: Tierwise) -> None:
    def digest() -> str:
        found = tierwise("sql", "policy.yaml", "--plugin", "acme.py").out
        return next(line for line in found.splitlines() if line.startswith("-- digest"))

    first = digest()
    assert digest() == first
    Path("acme.py").write_text(PLUGIN + "\n# edited\n", "utf-8")
    assert digest() != first


def test_imports_with_sets_of_their_own(work: Path, tierwise: Tierwise) -> None:
    _write("acme", "doubled up(amount)", "part.yaml")
    other = PLUGIN.replace('"acme"', '"other"').replace("* 2", "* 10")
    Path("other.py").write_text(other, "utf-8")
    Path("policy.yaml").write_text(POLICY.replace("SETS", "other").replace("VALUE", "doubled up(amount) + part.result")
                                   + "use:\n  part:\n    policy: part\n    with:\n      id: id\n      amount: amount\n"
                                     "      bad: bad\n", "utf-8")
    plugins = ("--plugin", "acme.py", "--plugin", "other.py")
    given = '{"id": "a", "amount": 4, "bad": true}'
    decided = tierwise("decide", "policy.yaml", *plugins, "--no-explain", given=given)
    assert decided.out == "result  48\n"
    both = POLICY.replace("SETS", "acme, other").replace("VALUE", "doubled up(amount)")
    Path("policy.yaml").write_text(both, "utf-8")
    found = tierwise("check", "policy.yaml", *plugins)
    assert "both `acme` and `other` have a function `doubled up`" in found.out


def test_conditions_may_call_the_functions_of_the_policy(work: Path, tierwise: Tierwise) -> None:
    _write("finance", "instalment(amount, 0.01, 12)")
    asked = tierwise("run", "policy.yaml", "firms.csv", "-o", "-", "--where", "instalment(amount, 0, 10) >= 1")
    assert [line.split(",")[1] for line in asked.out.splitlines()] == ["id", "a"]
    Path("policy.test.yaml").write_text("""\
test: example
as of: 2026-07-01
portfolios:
  firms:
    data: firms.csv
    expectations:
      - expect: results tell goods from bads
        that: gini(customers[result != null].result, customers[result != null].bad) = -1
""", "utf-8")
    tested = tierwise("test", "policy.yaml")
    assert "2 expectations passed" in tested.out + tested.err, tested
    Path("policy.test.yaml").write_text(Path("policy.test.yaml").read_text("utf-8").replace("= -1", "> 0"), "utf-8")
    assert tierwise("test", "policy.yaml").code == 1


def test_a_bad_plugin_is_told_where_its_set_is_named(work: Path, tierwise: Tierwise) -> None:
    Path("acme.py").write_text(PLUGIN.replace('{"x": "amount"}', '{"x": "amounts"}'), "utf-8")
    found = tierwise("check", "policy.yaml", "--plugin", "acme.py")
    assert "error[E1030]" in found.out
    assert "policy.yaml:7:" in found.out
    Path("acme.py").write_text("tierwise_hooks = 1\nraise KeyError('s3cret')\n", "utf-8")
    found = tierwise("check", "policy.yaml", "--plugin", "acme.py")
    assert "error[E1003]" in found.out
    assert "s3cret" not in found.out
