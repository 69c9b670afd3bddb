"""Faults as people make them, planted one at a time into the shipped policies."""
from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random

from tests.policies.planting import Fault, Plant
from tests.policies.sheets import SHEETS
from tests.policies.slips import SLIPS
from tests.policies.traps import TRAPS

KINDS: dict[str, Plant] = {**SLIPS, **TRAPS, **SHEETS}


def shipped(root: Path) -> list[Path]:
    """The policies that ship."""
    folder = root / "policies"
    found = [folder / "working-capital.yaml", *sorted((folder / "standards").glob("*.yaml"))]
    return [path for path in found if not path.name.endswith(".test.yaml")]


def planted(root: Path, most: int | None, kinds: Collection[str] = ()) -> Iterator[tuple[str, Path, Fault]]:
    """Every kind of fault (or those named) in every shipped policy that has a place for it, at `most` seeded places
    of each."""
    assert len(KINDS) == len(SLIPS) + len(TRAPS) + len(SHEETS)
    for path in shipped(root):
        text = path.read_text("utf-8")
        for kind, plant in KINDS.items():
            if kinds and kind not in kinds:
                continue
            places = list(dict.fromkeys(plant(text)))
            if most is not None and len(places) > most:
                places = sorted(Random(f"{kind} in {path.stem}").sample(places, most), key=lambda f: f.first)
            for fault in places:
                yield kind, path, fault
