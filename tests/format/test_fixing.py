"""`check --fix`: what is mechanical is mended, what is not stays, and no meaning changes."""
from __future__ import annotations

import random
import shutil
import warnings
from pathlib import Path

import pytest

from engine.commands import run
from engine.diagnostics import Diagnostic, Edit, Span
from engine.format.edits import applied
from engine.format.fixing import mended
from engine.policy import check_policy, load_policy
from tests.differential.compare import differences
from tests.differential.customers import CustomerMaker, decide

ROOT = Path(__file__).resolve().parents[2]
BAD = ROOT / "tests" / "corpus" / "bad"
#: Bad cases of the corpus that `--fix` alone makes sound; may only grow.
SOUND_AT_LEAST = 51


def errors(path: Path) -> list[Diagnostic]:
    return [d for d in check_policy(path).diagnostics if d.is_error]


def edit(line: int, start: int, end: int, text: str, name: str = "p.yaml") -> Edit:
    return Edit(Span(name, line, start, line, end), text)


def finding(*edits: Edit) -> Diagnostic:
    return Diagnostic("E0203", "something", edits[0].span, None, (), edits)


def test_edits_are_made_from_the_end() -> None:
    assert applied("abc\ndef\n", [edit(1, 1, 2, "AA"), edit(2, 3, 4, ""), edit(2, 1, 1, ">")]) == "AAbc\n>de\n"


def test_edits_that_overlap_wait() -> None:
    assert applied("abcdef", [edit(1, 1, 4, "x"), edit(1, 2, 6, "y")]) == "xdef"


def test_the_edits_of_a_finding_go_together() -> None:
    text = "policy: abcdef\n"
    first, second = finding(edit(1, 9, 12, "x")), finding(edit(1, 10, 11, "y"), edit(1, 14, 15, "z"))
    result = mended(text, "p.yaml", [first, second])
    assert result.text == "policy: xdef\n" and len(result.mends) == 1


def test_an_edit_that_breaks_the_file_is_passed_over() -> None:
    text = "policy: a\nowner: b\n"
    bad, good = finding(edit(1, 9, 10, "{[")), finding(edit(2, 8, 9, "c"))
    assert mended(text, "p.yaml", [bad, good]).text == "policy: a\nowner: c\n"


def test_edits_of_other_files_are_left() -> None:
    assert mended("policy: a\n", "p.yaml", [finding(edit(1, 9, 10, "b", "q.yaml"))]).mends == ()


def test_the_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(BAD, tmp_path / "bad")
    monkeypatch.chdir(tmp_path / "bad")
    sound = []
    for path in sorted(Path().glob("*.yaml")):
        if not errors(path):
            continue
        before = path.read_bytes()
        code = run(["check", "--fix", str(path)])
        talk = capsys.readouterr().err
        assert ("fixed " in talk) == (path.read_bytes() != before), path
        if code == 0:
            sound.append(path.name)
            assert errors(path) == []
            after = path.read_bytes()
            assert run(["check", "--fix", str(path)]) == 0 and path.read_bytes() == after
            capsys.readouterr()
    assert len(sound) >= SOUND_AT_LEAST, sound


def test_sound_policies_are_left_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("policies", "tests/corpus/good"):
        copy = tmp_path / name
        shutil.copytree(ROOT / name, copy)
        texts = {p: p.read_bytes() for p in copy.rglob("*.yaml")}
        run(["check", "--fix", str(copy)])
        assert {p: p.read_bytes() for p in copy.rglob("*.yaml")} == texts
        assert "fixed" not in capsys.readouterr().err


SEEDED = [
    ("annual revenue >= 500万", "anual revenue >= 500万"),
    ("annual revenue >= 500万", "annual revenue ≥ 500万"),
    ("when: years trading >= 1 and", "when: years trading => 1 and"),
    ('when: tier = "C"', 'when: tier == "C"'),
    ('when: tier = "C"', "when: tier = “C”"),
    ('when: tier = "C"', 'when: "tier = \\"C\\""'),
    ("values: [approve, refer, decline]", "valeus: [approve, refer, decline]"),
    ("order: best first\n    worst:", "order: best frist\n    worst:"),
    ("optional: true, protected: true", "optional: yes, protected: true"),
]


@pytest.mark.parametrize(("was", "typed"), SEEDED)
def test_a_mended_policy_decides_as_it_did(was: str, typed: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / "working-capital.yaml"
    text = path.read_text("utf-8")
    assert was in text
    sound = load_policy(path)
    path.write_text(text.replace(was, typed, 1), "utf-8")
    assert run(["check", "--fix", str(path)]) == 0
    again = load_policy(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        maker = CustomerMaker(sound, random.Random(7))
        for _ in range(40):
            customer = maker.make()
            assert differences(decide(sound, customer), decide(again, customer)) == []


def test_pasted_rows_are_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / "working-capital.yaml"
    text = path.read_text("utf-8")
    row = '      T2    | >= 500 | <= 30, null || B    |\n'
    assert row in text
    path.write_text(text.replace(row, "T2\t>= 500\t<= 30, null\tB\t\n"), "utf-8")
    assert errors(path)
    assert run(["check", "--fix", str(path)]) == 0
    assert "rows pasted from a spreadsheet" in capsys.readouterr().err
    assert run(["fmt", str(path)]) == 0 and path.read_text("utf-8") == text


@pytest.mark.parametrize("typed", [
    "T2\t>= 500\t<= 30, null\tB", "T2\t>= 500\t<= 30, null\t||\tB\t", "T2\t>= 500\t<= 30, null\t\tB\t",
    "      T2\t>= 500\t<= 30, null\tB\t",
])
def test_a_pasted_row_may_have_a_column_for_the_bars(typed: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / "working-capital.yaml"
    text = path.read_text("utf-8")
    row = '      T2    | >= 500 | <= 30, null || B    |\n'
    path.write_text(text.replace(row, f"{typed}\n"), "utf-8")
    assert run(["check", "--fix", str(path)]) == 0
    assert run(["fmt", str(path)]) == 0 and path.read_text("utf-8") == text


def test_diff_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "policy: p\nversion: '1'\neffective: {from: 2026-01-01}\ninputs:\n  years: {type: number}\n"
        "risk:\n  x:\n    value: yeers + 1\n")
    before = path.read_text("utf-8")
    assert run(["check", "--fix", "--diff", str(path)]) == 1
    out = capsys.readouterr().out
    assert path.read_text("utf-8") == before and "+    value: years + 1" in out
    assert run(["check", "--diff", str(path)]) == 2
