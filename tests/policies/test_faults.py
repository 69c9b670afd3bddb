"""Each fault planted into a shipped policy or its workbook is mended without a change of meaning, or its place named.

A seeded share of the faults; all kinds at more places by `python -m tests.policies`.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from tests.policies.__main__ import imported, tried
from tests.policies.books import BOOKS, BookTrial
from tests.policies.faults import KINDS, planted
from tests.policies.meaning import meaning
from tests.policies.planting import Fault
from tests.policies.trial import DAMAGED, FIXED, HARMLESS, NAMED, UNNAMED, UNSEEN, Trial

#: Kinds of damage that leave what a policy says as it was, so that there is nothing to find.
MEANS_THE_SAME = {
    "misspelt result column", "number as 1E3", "percent as a fraction", "blank that is no space", "octal",
    "a space less", "full-width digits",
}
BOOKS_MEAN_THE_SAME = {"number as a number", "number as 1E3", "blanks around"}


def drawn(faults: Iterable[tuple[str, Path, Fault]]) -> Iterator[tuple[str, Path, Fault]]:
    """Of each kind those in three policies."""
    kinds: dict[str, list[tuple[str, Path, Fault]]] = {}
    for fault in faults:
        kinds.setdefault(fault[0], []).append(fault)
    for kind, found in kinds.items():
        yield from Random(kind).sample(found, min(3, len(found)))


def test_faults_in_policies(root: Path, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    kinds, bad = set(), []
    for kind, where, outcome in tried(Trial(root, tmp_path), drawn(planted(root, 1))):
        counts[outcome.what] += 1
        kinds.add(kind)
        if not outcome.is_good or outcome.what == HARMLESS and kind not in MEANS_THE_SAME:
            bad.append((kind, where, outcome))
    assert bad == []
    assert kinds == set(KINDS)
    assert counts[FIXED] >= 100 and counts[NAMED] >= 150


def test_faults_in_workbooks(root: Path, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    kinds, bad = set(), []
    trial = BookTrial(root, tmp_path)
    for kind, where, outcome in imported(trial, 1, policies=("working-capital", "cn-sme-size", "cn-five-category")):
        counts[outcome.what] += 1
        kinds.add(kind)
        if not outcome.is_good or outcome.what == HARMLESS and kind not in BOOKS_MEAN_THE_SAME:
            bad.append((kind, where, outcome))
    assert bad == []
    assert kinds == set(BOOKS)
    assert counts[FIXED] >= 30 and counts[NAMED] >= 10


POLICY = """\
policy: p
version: "1"
effective: {from: 2026-01-01}
inputs:
  years: {type: number}
segmentation:
  size:
    values: [low, high]
    rules:
      - rule: R1
        when: years < 2
        then: low
      - otherwise: high
"""


def outcome(tmp_path: Path, before: str, after: str, line: int) -> str:
    """What the trial says of a fault that replaces a text of the policy above."""
    folder = tmp_path / "policies"
    folder.mkdir(exist_ok=True)
    path = folder / "p.yaml"
    path.write_text(POLICY, "utf-8")
    assert before in POLICY
    work = tmp_path / f"work {len(list(tmp_path.iterdir()))}"
    return Trial(tmp_path, work).outcome(path, Fault(POLICY.replace(before, after), line, line)).what


def test_the_trial_tells_outcomes_apart(tmp_path: Path) -> None:
    assert outcome(tmp_path, "years < 2", "yeers < 2", 11) == FIXED
    assert outcome(tmp_path, "years < 2", "years < ", 11) == NAMED
    assert outcome(tmp_path, "years < 2", "years < ", 12) == UNNAMED
    assert outcome(tmp_path, "years < 2", "years < 3", 11) == UNSEEN
    assert outcome(tmp_path, "years < 2", "years < 2.0", 11) == HARMLESS
    assert outcome(tmp_path, "years < 2", "2 > yeers", 11) == DAMAGED       # sound, and not the policy that was


def test_meaning_is_what_decides(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(POLICY, "utf-8")
    meant = meaning(path)
    for before, after, same in (("years < 2", "years  <  2.0", True), ("  size:", "  # a comment\n  size:", True),
                                ("years < 2", "years <= 2", False), ("otherwise: high", "otherwise: low", False),
                                ("rule: R1", "rule: R2", False)):
        path.write_text(POLICY.replace(before, after), "utf-8")
        assert (meaning(path) == meant) is same, after
