"""The sample portfolio is what its script makes."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NAMES = ("firms.csv", "repayments.csv", "invoices.csv", "customer.json")


def test_the_script_makes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(root / "scripts" / "make_samples.py"), str(tmp_path)], check=True)
    for name in NAMES:
        shipped = (root / "policies" / "samples" / name).read_bytes()
        assert (tmp_path / name).read_bytes() == shipped, f"{name} differs; run scripts/make_samples.py"


def test_the_samples_are_small_enough_to_ship(root: Path) -> None:
    size = sum((root / "policies" / "samples" / name).stat().st_size for name in NAMES)
    assert size < 300_000


def test_the_demonstration_shows_the_run_and_a_customer(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/demo.py"], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for part in (
        "201 rows: 179 decided, 10 open, 12 refused", "MISSING  10 ", "What to ask for\n  dscr", "\nscore: 540\n",
        "\ntier: B\n", "\ndecision: refer\n",
    ):
        assert part in done.stdout
