"""Actions that are given out once a period, however often, late or unluckily a run is repeated."""

from __future__ import annotations

import csv
import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.policy import Policy
from engine.portfolio.ledger import held
from engine.portfolio.problems import DataProblem
from tests.duck import run_sql

POLICY = """\
policy: reminders
version: "1"
effective: {from: 2026-01-01}
owner: tests
on missing: skip
inputs:
  firm: {type: string, key: true}
  late days: {type: number, range: '>= 0'}
  maturity: {type: date, optional: true}
service:
  actions:
    collect:
      - rule: A1
        when: maturity - as of in [duration("P0D")..duration("P30D")]
        do:
          action: renewal call
          channel: phone
          due: = as of + duration("P5D")
          once per: = maturity
      - rule: A2
        when: late days > 5
        do:
          action: reminder
          once per: = as of
      - rule: A3
        when: late days > 5
        do:
          action: log
"""
FIRMS = """\
firm,late days,maturity
F1,8,2026-07-20
F2,0,2026-07-20
"F,3",9,
F4,0,
,9,2026-07-20
F1,8,2026-07-20
F5,x,2026-07-20
"""
ENGINES = ["python", "duckdb"]
ROOT = Path(__file__).parents[2]


def day(number: int) -> datetime.date:
    return datetime.date(2026, 7, number)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY, "utf-8")
    Path("firms.csv").write_text(FIRMS, "utf-8")
    return tmp_path


@pytest.fixture
def policy(folder: Path) -> Policy:
    return engine.load_policy("policy.yaml")


def run(policy: Policy, when: datetime.date, who: str = "python", **options: Any) -> engine.Summary:
    given: dict[str, Any] = {"ledger": "ledger.csv", "actions": "actions.csv", "out": "out.csv", **options}
    data = given.pop("data", "firms.csv")
    return policy.run(data, as_of=when, engine=who, **given)


def sent(path: str = "actions.csv") -> list[tuple[str, str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return [(r["firm"], r["action"], r["once per"]) for r in csv.DictReader(stream) if r["once per"]]


FIRST = [
    ("F1", "renewal call", "2026-07-20"), ("F1", "reminder", "2026-07-01"), ("F2", "renewal call", "2026-07-20"),
    ("F,3", "reminder", "2026-07-01"),
]


@pytest.mark.parametrize("who", ENGINES)
def test_each_action_is_given_out_once_a_period(policy: Policy, who: str) -> None:
    found = run(policy, day(1), who)
    assert sent() == FIRST
    assert "8 actions given out, 2 left out that `ledger.csv` has" in found.notes
    assert "2 actions left out of rows without a key, by which the ledger would know them" in found.notes
    run(policy, day(1), who)
    assert sent() == []
    run(policy, day(4), who)                            # whose days before were missed
    assert sent() == [("F1", "reminder", "2026-07-04"), ("F,3", "reminder", "2026-07-04")]
    run(policy, day(1), who)                            # late
    assert sent() == []


def test_engines_keep_and_give_out_the_same(policy: Policy, folder: Path) -> None:
    for when in (day(1), day(1), day(3)):
        files = []
        for who in ENGINES:
            run(policy, when, who, ledger=f"{who}.csv", actions=f"{who}-list.csv", out=f"{who}-out.csv")
            files.append([Path(f"{who}{name}.csv").read_bytes() for name in ("", "-list", "-out")])
        assert files[0] == files[1]
    assert Path("python.csv").read_text("utf-8").splitlines()[0] == (
        "as of,policy,version,digest,key,decision,action,period"
    )


def test_one_engine_goes_on_where_another_ended(policy: Policy) -> None:
    run(policy, day(1), "python")
    run(policy, day(1), "duckdb")
    assert sent() == []


@pytest.mark.parametrize("who", ENGINES)
def test_results_hold_what_is_given_out(policy: Policy, who: str) -> None:
    run(policy, day(1), who, actions=None)
    first = Path("out.csv").read_text("utf-8")
    run(policy, day(1), who, actions=None)
    assert first.count("renewal call") == 2
    again = Path("out.csv").read_text("utf-8")
    assert "once per" not in again
    assert again.count('""action"": ""log""') == 4
    run(policy, day(1), who, actions=None, ledger=None)
    assert Path("out.csv").read_text("utf-8").count("renewal call") == 4


def test_results_in_parquet_hold_together_with_the_ledger(policy: Policy) -> None:
    count = "SELECT sum(len(actions))::INT FROM 'out.parquet'"
    run(policy, day(1), "duckdb", actions=None, out="out.parquet")
    assert run_sql(count) == [(8,)]
    run(policy, day(1), "duckdb", actions=None, out="out.parquet")
    assert run_sql(count) == [(4,)]


@pytest.mark.parametrize("who", ENGINES)
def test_a_list_needs_no_ledger(policy: Policy, who: str) -> None:
    for _ in range(2):
        run(policy, day(1), who, ledger=None)
        assert [row[0] for row in sent()] == ["F1", "F1", "F2", "F,3", "", "", "F1", "F1"]
    assert not Path("ledger.csv").exists()


def test_a_list_is_json_lines_by_its_name(policy: Policy) -> None:
    run(policy, day(1), ledger=None, actions="actions.jsonl")
    first = Path("actions.jsonl").read_text("utf-8").splitlines()[0]
    assert first == (
        '{"firm": "F1", "decision": "actions", "action": "renewal call", "channel": "phone", "due": "2026-07-06", '
        '"once per": "2026-07-20"}'
    )


def test_policies_share_a_ledger_and_not_their_actions(policy: Policy) -> None:
    run(policy, day(1))
    Path("other.yaml").write_text(POLICY.replace("policy: reminders", "policy: others"), "utf-8")
    run(engine.load_policy("other.yaml"), day(1))
    assert sent() == FIRST
    run(policy, day(1))
    assert sent() == []


# --- what ends a run ----------------------------------------------------------------------------

_KILLED = """\
import datetime, os, sys
import engine
from engine.portfolio import ledger, writing
at, who = sys.argv[1:]
def die(*_):
    os._exit(9)
append = ledger.Ledger._append
def half(self, rows, first):
    append(self, rows, first)
    os.truncate(self.path, os.path.getsize(self.path) - 100)
    die()
def after(self, rows, first):
    append(self, rows, first)
    die()
undo = ledger.Ledger._undo
if at == "before the journal": ledger.Ledger.keeping = die
if at == "before the ledger": ledger.Ledger._append = die
if at == "within the ledger": ledger.Ledger._append = half
if at == "behind the ledger": ledger.Ledger._append = after
if at == "behind the list": ledger.Ledger._undo = die
policy = engine.load_policy("policy.yaml")
policy.run("firms.csv", as_of=datetime.date(2026, 7, 1), engine=who, out="out.csv", ledger="ledger.csv",
           actions="actions.csv")
"""


@pytest.mark.parametrize("who", ENGINES)
@pytest.mark.parametrize("begun", [False, True], ids=["a new ledger", "a ledger"])
@pytest.mark.parametrize(
    "at", ["before the journal", "before the ledger", "within the ledger", "behind the ledger", "behind the list"]
)
def test_a_killed_run_neither_loses_nor_doubles(policy: Policy, at: str, begun: bool, who: str) -> None:
    if begun:
        Path("one.csv").write_text("firm,late days,maturity\nF2,0,2026-07-20\n", "utf-8")
        run(policy, day(1), data="one.csv")
        os.unlink("actions.csv")
    ended = subprocess.run([sys.executable, "-c", _KILLED, at, who], env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ended.returncode == 9
    given = sent() if Path("actions.csv").exists() else []
    run(policy, day(1), who, actions="later.csv")
    both = given + sent("later.csv")
    assert sorted(both) == sorted(row for row in FIRST if not begun or row[0] != "F2")
    assert (at == "behind the list") == bool(given)
    assert not Path("ledger.csv.journal").exists()
    with open("ledger.csv", encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 4


@pytest.mark.parametrize("who", ENGINES)
def test_a_list_that_cannot_take_its_place_is_not_kept(
    policy: Policy, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    replace = os.replace

    def full(source: str, target: str) -> None:
        if str(target).endswith("actions.csv"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(DataProblem, match="`actions.csv` cannot be written: no space left"):
        run(policy, day(1), who)
    monkeypatch.setattr("os.replace", replace)
    assert not [name for name in os.listdir() if name.endswith((".part", ".journal"))]
    run(policy, day(1), who)
    assert sent() == FIRST


@pytest.mark.parametrize("who", ENGINES)
def test_a_run_without_result_keeps_nothing(policy: Policy, who: str) -> None:
    with pytest.raises(DataProblem, match="there is no result"):
        run(policy, day(1), who, max_refused=0.01)
    assert not Path("ledger.csv").exists()
    run(policy, day(1), who)
    assert sent() == FIRST


@pytest.mark.parametrize("who", ENGINES)
def test_of_two_runs_at_once_one_is_refused(policy: Policy, who: str) -> None:
    with held("ledger.csv"), pytest.raises(DataProblem, match="another run keeps its actions in `ledger.csv` now"):
        run(policy, day(1), who)
    assert not Path("actions.csv").exists()
    run(policy, day(1), who)
    assert sent() == FIRST


# --- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ENGINES)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("firm,late days\nF1,8\n", "`ledger.csv` is no ledger of actions"),
        ("as of,policy,version,digest,key,decision,action,period\n2026-07-01,reminders\n", "is damaged"),
        ('as of,policy,version,digest,key,decision,action,period\n"2026-07-01,rem', "is damaged"),
    ],
)
def test_what_is_no_ledger_is_left_alone(policy: Policy, who: str, text: str, told: str) -> None:
    Path("ledger.csv").write_text(text, "utf-8")
    with pytest.raises(DataProblem, match=told):
        run(policy, day(1), who)
    assert Path("ledger.csv").read_text("utf-8") == text


@pytest.mark.parametrize("who", ENGINES)
@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        ((), {"actions": None, "out": "-"}, "name one with `--actions` or `--output`"),
        ((), {"actions": "-"}, "the list of actions is CSV or JSON lines"),
        ((), {"actions": "a.parquet"}, "the list of actions is CSV or JSON lines"),
        ((), {"ledger": "ledger.parquet"}, "name a file such as `ledger.csv`"),
        ((), {"only": ("label",)}, "no decision collects actions"),
        ((", key: true", ""), {}, "no input of the policy is one: `key: true`"),
        (("action: ", "what: "), {}, "`actions` has `once per` and no `action`"),
    ],
)
def test_what_a_run_is_not_asked(
    folder: Path, who: str, change: tuple[str, ...], options: dict[str, Any], told: str
) -> None:
    text = POLICY + "  label:\n    value: '\"x\"'\n"
    Path("policy.yaml").write_text(text.replace(*change) if change else text, "utf-8")
    with pytest.raises(ValueError, match=told):
        run(engine.load_policy("policy.yaml"), day(1), who, **options)
    assert not Path("out.csv").exists()


def test_a_run_in_parts_has_no_ledger(policy: Policy) -> None:
    with pytest.raises(ValueError, match="leave `--run-id` out"):
        run(policy, day(1), "duckdb", run_id="r", out="parts")
