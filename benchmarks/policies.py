"""Policies of a given size, to see what size costs.

A policy of `rules` rules has seven decisions whatever its size, so that ten times the rules are
ten times as many arms, bins and cells, and nothing else.
"""
from __future__ import annotations

from pathlib import Path

_INPUTS = ("revenue", "employees", "years", "dscr", "credit_score", "utilisation", "dpd", "owner_score")

_HEAD = """\
policy: {name}
version: "1"
effective: {{from: 2026-01-01}}
owner: benchmarks
on missing: skip

"""


def _inputs(**types: str) -> str:
    lines = ["inputs:", "  id: {type: string, key: true}"]
    lines += [f"  {name}: {{type: {type_}, optional: true}}" for name, type_ in types.items()]
    return "\n".join(lines) + "\n\n"


def sized(rules: int) -> str:
    """A policy of about `rules` rules: a quarter each in first-match rules, a scorecard, a table and knock-outs
    with collected actions. `rules` is 80 or more."""
    quarter = rules // 4
    half = quarter // 2
    codes = [f"K{n:03d}" for n in range(half)]
    segments = [f"s{n}" for n in range(quarter - 1)]
    lines = [_HEAD.format(name=f"sized {rules}"), "reasons:\n"]
    lines += [f"  {code}: {{text: Knock-out {code}}}\n" for code in codes]
    lines.append("\n" + _inputs(**dict.fromkeys(_INPUTS, "number")))
    lines.append(f"segmentation:\n  segment:\n    values: [{', '.join([*segments, 'other'])}]\n    rules: |\n")
    lines.append("      id | when || then\n")
    lines += [
        f"      S{n:03d} | revenue >= {(quarter - n) * 40000000 // quarter} and {_INPUTS[1 + n % 3]} >= {5 + n % 7}"
        f" || {name}\n"
        for n, name in enumerate(segments)
    ]
    lines.append("      SZ | otherwise || other\n\n")
    lines.append("risk:\n  score:\n    scorecard: |\n      base 100\n      characteristic | bin | points\n")
    for start in (0, 1):                    # two characteristics, half of the bins each
        name = _INPUTS[4 + 3 * start]
        cuts = [300 + (n + 1) * 550 / (half - 1) for n in range(half - 2)]
        bands = [f"[{a!r}..{b!r})" for a, b in zip(cuts, cuts[1:], strict=False)]
        cells = [f"< {cuts[0]!r}", *bands, f">= {cuts[-1]!r}", "null"]
        lines += [f"      {name if n == 0 else ''} | {cell} | {n}\n" for n, cell in enumerate(cells)]
    lines.append("  tier:\n    values: [A, B, C, D, E]\n    order: best first\n    table: |\n")
    lines.append("      first | dscr | dpd | years || tier\n")
    for n in range(quarter - 1):
        tier = "ABCD"[n * 4 // quarter]
        lines.append(f"      T{n:03d} | >= {4.5 - 4 * n / quarter:.6f} | < {5 + n % 10} | >= {n % 3} || {tier}\n")
    lines.append("      TZ | - | - | - || E\n")
    lines.append("  eligibility:\n    values: [eligible, ineligible]\n    order: best first\n    worst: |\n")
    lines.append("      id | when || then | reason\n")
    lines += [
        f"      {code} | {_INPUTS[3 + n % 5]} < {1 + n / half:.6f} and tier = \"{'BCDE'[n % 4]}\""
        f" || ineligible | {code}\n"
        for n, code in enumerate(codes)
    ]
    lines.append("      KZ | otherwise || eligible |\n\n")
    lines.append("service:\n  actions:\n    type: string\n    collect: |\n      id | when || then\n")
    lines += [
        f"      A{n:03d} | dpd >= {n / half * 90:.6f} and utilisation > {0.5 + n / half / 3:.6f} || act {n}\n"
        for n in range(half)
    ]
    lines.append(
        "  limit:\n    value: floor(revenue * 0.25 / 1000) * 1000\n"
        "  rate:\n    value: 0.05 + max(0, 650 - score) * 0.0001 + (if segment = \"other\" then 0.01 else 0)\n"
    )
    return "".join(lines)


def with_lookup(folder: Path, size: int, mode: str) -> Path:
    """A policy file that looks one number up among `size` rows, by equal key (`key`) or lower bound (`band`)."""
    place = folder / f"{mode} {size}"
    place.mkdir()
    key = "code" if mode == "key" else "revenue"
    cells = [f"c{n}" if mode == "key" else str(n * 40_000_000 // size) for n in range(size)]
    rows = "".join(f"{cell},{n % 97}\n" for n, cell in enumerate(cells))
    (place / "rates.csv").write_text(f"{key},rate\n{rows}", "utf-8")
    text = (
        _HEAD.format(name=f"lookup {mode} {size}") + _inputs(**{key: "string" if mode == "key" else "number"})
        + f"service:\n  rate:\n    type: number\n    lookup: {{table: rates.csv, {mode}: {key}, column: rate}}\n"
    )
    path = place / "policy.yaml"
    path.write_text(text, "utf-8")
    return path
