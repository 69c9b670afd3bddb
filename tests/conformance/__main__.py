"""`python -m tests.conformance [--sql] CASES...`: rates, a table by directory, and each failure.

Three rates are printed: of all cases, of those that expect a value (many expect null), and the mean over
directories. With `--sql` the cases whose types are static run as SQL in DuckDB instead (`columnar`). The
exit code is 0 when all pass, 1 otherwise, 2 for bad usage.
"""
from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from engine.feel import deep_recursion
from tests.conformance import typed
from tests.conformance.model import Model


class Result(NamedTuple):
    case: dict[str, Any]
    passed: bool
    got: str
    reason: str
    converted: bool = False


def run(case: dict[str, Any]) -> Result:
    """One case; an exception is a failure."""
    try:
        model = Model(case)
        with deep_recursion():
            value = model.run()
    except Exception as error:  # noqa: BLE001 - whatever escapes is this case's failure, named in the report
        return Result(case, False, "an exception", f"{type(error).__name__}: {error}")
    if typed.same(value, case["expected"]):
        return Result(case, True, "", "")
    one = isinstance(value, list) and len(value) == 1
    if one and lost_return_type(case) and typed.same(value[0], case["expected"]):
        return Result(case, True, "", "", converted=True)
    notes = model.evaluator.notes
    return Result(case, False, typed.written(value), notes[0].message if notes else "")


def lost_return_type(case: dict[str, Any]) -> bool:
    """Whether the case calls a function of the model whose declared return type the conversion of the
    suite dropped; a one-element list and its element convert there, as the model has it."""
    return any(node["kind"] == "bkm" and "type_ref" not in node for node in case["nodes"])


def load(paths: list[str]) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    for path in paths:
        files = sorted(Path(path).glob("*.jsonl")) if Path(path).is_dir() else [Path(path)]
        for file in files:
            with file.open(encoding="utf-8") as lines:
                cases.extend(json.loads(line) for line in lines if line.strip())
    return cases


def rate(results: list[Result]) -> float:
    return 100 * sum(r.passed for r in results) / len(results) if results else 100.0


def report(results: list[Result]) -> None:
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[result.case["dir"]].append(result)
    for result in results:
        if not result.passed:
            case = result.case
            print(f"FAILED {case['id']} ({case['typing']})")
            print(f"    expression  {' '.join(str(case['expression']).split())[:300]}")
            print(f"    expected    {typed.shown(case['expected'])}")
            print(f"    got         {result.got}")
            if result.reason:
                print(f"    reason      {result.reason}")
    for result in results:
        if result.converted:
            print(f"passed by converting a one-element list: {result.case['id']}")
    print(f"\n{'directory':48} {'passed':>7} {'of':>5}")
    for name in sorted(groups):
        passed = sum(r.passed for r in groups[name])
        mark = "" if passed == len(groups[name]) else "  *"
        print(f"{name:48} {passed:7} {len(groups[name]):5}{mark}")
    valued = [r for r in results if r.case["expected"]["value"] is not None]
    mean = sum(map(rate, groups.values())) / len(groups)
    print(f"\nall cases              {rate(results):6.2f}%  {sum(r.passed for r in results)} of {len(results)}")
    print(f"expecting a value      {rate(valued):6.2f}%  {sum(r.passed for r in valued)} of {len(valued)}")
    print(f"mean over directories  {mean:6.2f}%  {len(groups)} directories")


def main(paths: list[str]) -> int:
    columnar = "--sql" in paths
    paths = [p for p in paths if p != "--sql"]
    if not paths:
        print("usage: python -m tests.conformance [--sql] CASES...", file=sys.stderr)
        return 2
    try:
        cases = load(paths)
    except (OSError, ValueError) as error:
        print(f"cannot read the cases: {error}", file=sys.stderr)
        return 2
    if not cases:
        print("there are no cases", file=sys.stderr)
        return 2
    if columnar:
        from tests.conformance.columnar import report as report_columnar  # noqa: PLC0415 - it needs DuckDB

        return report_columnar(cases)
    results = [run(case) for case in cases]
    report(results)
    return 0 if all(r.passed for r in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
