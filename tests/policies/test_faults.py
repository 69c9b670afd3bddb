"""Each fault planted into a shipped policy is found where it is."""
from __future__ import annotations

import shutil
from pathlib import Path

from engine.policy import check_policy
from tests.policies.faults import KINDS, planted


def test_every_planted_fault_is_found_at_its_line(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "policies"
    shutil.copytree(root / "policies", place)
    count, kinds, missed = 0, set(), []
    for kind, path, (text, line) in planted(root):
        copy = place / path.relative_to(root / "policies")
        copy.write_text(text, "utf-8")
        found = check_policy(copy).diagnostics
        spans = [s for d in found for s in (d.span, *(label.span for label in d.labels)) if s is not None]
        if not any(d.is_error for d in found) or not any(s.line <= line <= s.end_line for s in spans):
            missed.append(f"{path.name}:{line} {kind}: {[(d.code, d.span and d.span.line) for d in found]}")
        copy.write_text(path.read_text("utf-8"), "utf-8")
        count += 1
        kinds.add(kind)
    assert missed == []
    assert count >= 60
    assert kinds == set(KINDS)
