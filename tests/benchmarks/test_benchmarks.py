"""The benchmarks run, and what they time agrees with the oracle. No figure is asserted: a test machine is shared."""
from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import allocation, history, ours, policies, reporting, timing
from benchmarks.__main__ import main
from benchmarks.alone import alone
from benchmarks.given import Absent, Given
from benchmarks.one import agreement
from benchmarks.report import Goal, Line, Section, table
from benchmarks.rows import draw
from benchmarks.timing import Series
from engine.ir.nodes import Decide, Score
from engine.policy import load_policy


@pytest.fixture
def given(shared: Path) -> Given:
    return Given()


def test_outcomes_agree_with_the_oracle_on_every_evaluator(given: Given) -> None:
    rows, _ = draw(given, 400)
    expected = [given.hand()(row) for row in rows]
    keyed = [ours.keyed(row, number) for number, row in enumerate(rows)]
    for name, decide in ours.Ours().outcomes().items():
        assert agreement(decide, keyed, expected) == (400, {}), name


def test_a_difference_is_counted(given: Given) -> None:
    rows, _ = draw(given, 10)
    hand = given.hand()
    expected = [hand(row) for row in rows]
    count, faults = agreement(lambda row: {**hand(row), "score": -1}, rows, expected)
    assert (count, faults) == (10, {"score": 10})


@pytest.mark.parametrize("section", ["one", "growth", "start", "portfolio", "columns", "history"])
def test_a_section_is_measured_and_told_as_json(
    given: Given, section: str, capsys: pytest.CaptureFixture[str]
) -> None:
    short = ["--rounds", "1", "--rows", "40", "--part", "0.001", "--customers", "3000", "--no-peers"]
    assert main([section, "--json", *short]) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = told["sections"]
    assert found["name"] == section
    assert found["mismatches"] == 0
    assert section == "history" or any(line["goals"] for line in found["lines"])
    for line in found["lines"]:
        assert line["seconds"]["median"] > 0


def test_a_history_is_decided_within_less_memory_than_it_has_bytes() -> None:
    found = history.limited(size=4_000_000, limit=200)
    seconds, memory = found.lines
    assert seconds.series.median > 0
    assert memory.series.median > 10
    assert "250,000 invoices" in found.notes[0] and "5,050 firms decided" in found.notes[0]


@pytest.mark.real
def test_scorers_are_measured_beside_their_libraries(given: Given, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scorers", "--json", "--rounds", "1", "--part", "0.001", "--customers", "5000"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["sections"]
    assert found["mismatches"] == 0
    if not found["lines"]:
        pytest.skip("the data set sba_case/loans.csv is absent")
    assert sum(bool(line["goals"]) for line in found["lines"]) == 5


def test_the_memory_of_a_process_is_its_own(root: Path) -> None:
    held = bytearray(400_000_000)
    held[::4096] = bytes([1]) * len(held[::4096])
    ran = alone([sys.executable, "-c", "print(len(bytearray(60_000_000).replace(b'a', b'')))"], root)
    assert ran.output == "60000000\n"
    assert 50 < ran.megabytes < 300
    assert ran.seconds > 0
    with pytest.raises(RuntimeError, match="ended with 3: no such thing"):
        alone([sys.executable, "-c", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"], root)


def test_the_table_tells_what_was_missed() -> None:
    slow, fast = Series((2.0, 3.0, 4.0)), Series((1.0, 1.0, 1.0))
    line = Line("slow", "s", slow, slow.ratio(fast), (Goal(2, "x", slow.ratio(fast), "fast"),))
    text = table(Section("s", "Title", "fast", (Line("fast", "s", fast), line), ("a note",)))
    assert "3.00 x fast (goal <= 2): MISSED" in text
    assert "2.50..3.50" in text
    assert "a note" in text


def test_baselines_that_are_absent_or_changed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shared: Path
) -> None:
    monkeypatch.setenv("TIERWISE_SHARED", str(tmp_path))
    assert main(["one"]) == 2
    assert "TIERWISE_SHARED" in capsys.readouterr().err
    shutil.copytree(shared / "bench", tmp_path / "bench")
    changed = tmp_path / "bench" / "baseline_python.py"
    changed.chmod(0o644)
    changed.write_text(changed.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(Absent, match="digest differs"):
        Given()


@pytest.mark.parametrize("rules", [80, 100, 160])
def test_policies_have_the_rules_they_are_said_to_have(rules: int, tmp_path: Path) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(policies.sized(rules), "utf-8")
    policy = load_policy(path)
    assert not policy.diagnostics
    decisions = policy.program.decisions
    arms = sum(len(d.arms) for d in decisions if isinstance(d, Decide))
    bins = sum(len(c.bins) for d in decisions if isinstance(d, Score) for c in d.characteristics)
    assert rules * 0.9 <= arms + bins <= rules * 1.1 + 8


@pytest.mark.parametrize("mode", ["key", "band"])
def test_lookups_find_what_they_should(mode: str, tmp_path: Path) -> None:
    policy = load_policy(policies.with_lookup(tmp_path, 50, mode))
    found = [
        policy.decide({"id": "1", "code": code, "revenue": revenue}, as_of=ours.AS_OF).values["rate"]
        for code, revenue in [("c7", 5_600_001.0), ("c49", 40e6), ("c50", -1.0)]
    ]
    assert found == [7, 49, None]


def test_rounds_are_interleaved() -> None:
    calls: list[str] = []
    found = timing.per_call({"a": lambda row: calls.append("a"), "b": lambda row: calls.append("b")},
                            {"a": [1], "b": [1]}, rounds=3, part=0.0)
    assert calls[2:] == ["a", "b"] * 3          # one call each to warm up
    assert {name: len(series.rounds) for name, series in found.items()} == {"a": 3, "b": 3}


def test_a_budget_is_shared_and_its_caps_are_added_up_anew() -> None:
    section = allocation.measure(3_000, 6_000)
    assert section.mismatches == 0, section.notes
    goals = [goal for line in section.lines for goal in line.goals if goal.unit == "%"]
    assert len(goals) == 1 and all(goal.met for goal in goals)
    assert section.notes[1].startswith("the same answer twice: yes")


def test_a_cap_that_is_exceeded_is_counted(tmp_path: Path) -> None:
    """The check of the benchmark itself: rows to which somebody gave more are found."""
    customers = allocation._customers(tmp_path, 2_000)
    allocation._shared(tmp_path, "parts", customers)
    assert allocation._broken(tmp_path, "parts", customers, "parts") == 0
    lines = (tmp_path / "parts.csv").read_text("utf-8").splitlines()
    name = lines[0].split(",")
    cells = [line.split(",") for line in lines[1:]]
    for row in cells:
        if row[name.index("tier")] == "D":
            row[name.index("allocated")] = row[name.index("asked")]
    text = [lines[0], *map(",".join, cells)]
    (tmp_path / "parts.csv").write_text("\n".join(text) + "\n", encoding="utf-8")
    assert allocation._broken(tmp_path, "parts", customers, "parts") >= 2      # tier D, and the budget


def test_a_report_is_measured() -> None:
    section = reporting.measure(2_000)
    assert all(goal.met for line in section.lines for goal in line.goals)
    assert section.title == "A report of 2,000 decided customers"
