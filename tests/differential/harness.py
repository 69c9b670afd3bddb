"""One random policy and its customers through two evaluators; faults are shrunk and kept as files."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from engine.policy import Policy, PolicyError, load_policy
from engine.records import Record
from tests.differential import counters
from tests.differential.compare import differences, shown
from tests.differential.customers import Customer, CustomerMaker, decide
from tests.differential.policies import Bundle, generate, write
from tests.differential.shrink import shrink

FOUND = Path(__file__).parent / "found"
ENGINES = ("reference", "python")


class Fault(Record):
    """`kind` tells faults apart while shrinking: `differ`, or what was raised and by which evaluator."""

    kind: str
    detail: str


class Report(Record):
    """`policies` counts those that hold an item, `pairs` their customers."""

    policies: Counter[str]
    pairs: Counter[str]
    faults: list[tuple[int, Fault]]
    outcomes: Counter[str]


def load(bundle: Bundle) -> Policy:
    """The policy of a bundle, by way of files; raises PolicyError."""
    with tempfile.TemporaryDirectory() as folder:
        return load_policy(write(bundle, Path(folder)))


def fault_of(policy: Policy, customer: Customer) -> Fault | None:
    """What is wrong with the evaluators on this customer, None where nothing is."""
    decisions = []
    for engine in ENGINES:
        try:
            decision = decide(policy, customer, engine)
            shown(decision)
            decisions.append(decision)
        except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
            return Fault(f"{engine} raises {type(error).__name__}", str(error))
    found = differences(*decisions)
    return Fault("differ", "; ".join(found)) if found else None


def fault_of_bundle(bundle: Bundle, customer: Customer) -> Fault | None:
    try:
        policy = load(bundle)
    except (PolicyError, KeyError, IndexError, TypeError, AttributeError):
        return None  # a cut that leaves no policy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fault_of(policy, customer)


def minimal(bundle: Bundle, customer: Customer, kind: str, tries: int = 1500) -> tuple[Bundle, Customer]:
    def shows(smaller: Bundle, fewer: Customer) -> bool:
        found = fault_of_bundle(smaller, fewer)
        return found is not None and found.kind == kind

    return shrink(bundle, customer, shows, tries)


def keep(name: str, bundle: Bundle, customer: Customer, fault: Fault) -> Path:
    """Write a case for ever: a folder with the policy's files and the customer."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    write(bundle, folder)
    (folder / "customer.json").write_text(json.dumps(customer, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "fault.txt").write_text(f"{fault.kind}\n{fault.detail}\n", "utf-8")
    return folder


def run(
    seeds: range, customers: int, keep_faults: int = 0, say: Callable[[str], None] | None = None, per_policy: int = 1
) -> Report:
    """Decide `customers` customers of the policy of each seed; `keep_faults` of the faults are shrunk and written."""
    policies: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    faults: list[tuple[int, Fault]] = []
    kept: Counter[str] = Counter()
    for seed in seeds:
        bundle = generate(seed)
        try:
            policy = load(bundle)
        except PolicyError as error:
            faults.append((seed, Fault("does not load", "; ".join(d.message for d in error.diagnostics if d.is_error))))
            continue
        held = counters.items(policy.program)
        policies.update(dict.fromkeys((i for i, n in held.items() if n), 1))
        maker = CustomerMaker(policy, Random(seed))
        own = 0
        for _ in range(customers):
            customer = maker.make()
            fault = fault_of(policy, customer)
            outcomes["pairs"] += 1
            if fault is None:
                continue
            own += 1
            if own > per_policy:
                continue
            faults.append((seed, fault))
            if sum(kept.values()) < keep_faults and kept[fault.kind] < max(3, keep_faults // 2):
                kept[fault.kind] += 1
                small, few = minimal(bundle, customer, fault.kind)
                now = fault_of_bundle(small, few) or fault
                folder = keep(f"seed-{seed}", small, few, now)
                if say is not None:
                    say(f"seed {seed}: {now.kind}: {now.detail[:300]}\n  kept as {folder.name}")
        outcomes["faulty pairs"] += own
        pairs.update({i: customers for i, n in held.items() if n})
    return Report(policies, pairs, faults, outcomes)


def replay(folder: Path) -> Fault | None:
    """Decide a kept case again."""
    policy = load_policy(folder / "policy.yaml")
    customer: dict[str, Any] = json.loads((folder / "customer.json").read_text("utf-8"))
    return fault_of(policy, customer)
