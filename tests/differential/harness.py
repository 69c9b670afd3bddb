"""One random policy and its customers through every evaluator; faults are shrunk and kept as files."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from engine.decision import Decision
from engine.policy import Policy, PolicyError, load_policy
from engine.records import Record
from tests.differential import counters
from tests.differential.columnar import Columnar
from tests.differential.compare import between, brief, differences, shown, shown_of_columns
from tests.differential.customers import Customer, CustomerMaker, decide
from tests.differential.narrowed import columnar_forms
from tests.differential.policies import Bundle, generate, render, write
from tests.differential.shrink import shrink

#: Policies after which what they left behind is collected.
COLLECTED = 5
FOUND = Path(__file__).parent / "found"
REFERENCE, PYTHON, DUCKDB = "reference", "python", "duckdb"
ENGINES = (REFERENCE, PYTHON, DUCKDB)


class Fault(Record):
    """`kind` tells faults apart while shrinking: who differs, or what was raised and by which evaluator."""

    kind: str
    detail: str


class Setting(Record):
    """Customers of each policy, and the dates that they share. Every `thorough`-th is compared in all that a decision
    shows and in all outcomes, where columns carry out some of them only, the others in what each engine works out by
    itself."""

    customers: int
    days: int = 2
    thorough: int = 1
    keep: int = 0
    per_policy: int = 1


@dataclasses.dataclass
class Report:
    """`policies` counts by engine those that hold an item, `pairs` their customers."""

    policies: dict[str, Counter[str]] = dataclasses.field(default_factory=lambda: {e: Counter() for e in ENGINES})
    pairs: dict[str, Counter[str]] = dataclasses.field(default_factory=lambda: {e: Counter() for e in ENGINES})
    outcomes: Counter[str] = dataclasses.field(default_factory=Counter)
    lacks: Counter[str] = dataclasses.field(default_factory=Counter)
    faults: list[tuple[int, Fault]] = dataclasses.field(default_factory=list)
    distinct: set[bytes] = dataclasses.field(default_factory=set)
    said: list[str] = dataclasses.field(default_factory=list)

    def add(self, other: Report) -> None:
        for engine in ENGINES:
            self.policies[engine].update(other.policies[engine])
            self.pairs[engine].update(other.pairs[engine])
        self.outcomes.update(other.outcomes)
        self.lacks.update(other.lacks)
        self.faults += other.faults
        self.distinct |= other.distinct
        self.said += other.said

    def count(self, engine: str, items: Iterable[str], pairs: int) -> None:
        held = list(items)
        self.policies[engine].update(held)
        self.pairs[engine].update(dict.fromkeys(held, pairs))


def load(bundle: Bundle) -> Policy:
    """The policy of a bundle, by way of files; raises PolicyError."""
    with tempfile.TemporaryDirectory() as folder:
        return load_policy(write(bundle, Path(folder)))


# --- one policy -------------------------------------------------------------------------------------


def run(seeds: Iterable[int], setting: Setting, until: float | None = None) -> Report:
    """Decide the customers of the policies of some seeds; no policy is begun after `until`, by the clock that does
    not go back."""
    report = Report()
    # Trees of thousands of nodes are made and dropped; looking for circles meanwhile takes as long as making them.
    with uncollected():
        _run(seeds, setting, until, report)
    return report


@contextmanager
def uncollected() -> Iterator[None]:
    was = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was:
            gc.enable()


def _run(seeds: Iterable[int], setting: Setting, until: float | None, report: Report) -> None:
    for seed in seeds:
        if until is not None and time.monotonic() > until:
            report.outcomes["policies left out for want of time"] += 1
            continue
        one(seed, setting, report)
        if report.outcomes["policies"] % COLLECTED == 0:
            gc.collect()


def bundle_of(seed: int) -> Bundle:
    """One policy in four may hold whatever there is, the others what columns carry out."""
    return generate(seed) if seed % 4 == 0 else generate(seed, forms=columnar_forms())


def one(seed: int, setting: Setting, report: Report) -> None:
    bundle = bundle_of(seed)
    report.distinct.add(hashlib.blake2b(repr(sorted(texts(bundle).items())).encode(), digest_size=12).digest())
    report.outcomes["policies"] += 1
    try:
        policy = load(bundle)
    except PolicyError as error:
        report.faults.append(
            (seed, Fault("does not load", "; ".join(d.message for d in error.diagnostics if d.is_error)))
        )
        return
    try:
        columnar = Columnar(policy.program)
    except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
        report.faults.append((seed, Fault(f"duckdb raises {type(error).__name__}", f"while compiling: {error}")))
        return
    report.lacks.update(columnar.lacks)
    report.outcomes["outcomes"] += len(columnar.shown)
    report.outcomes["outcomes in columns"] += len(columnar.outcomes)
    maker = CustomerMaker(policy, Random(seed), days=setting.days)
    customers = maker.many(setting.customers, seed)
    found = faults_of(policy, columnar, customers, setting.thorough)
    pairs = len(customers)
    held = [i for i, n in counters.items(policy.program).items() if n]
    for engine in (REFERENCE, PYTHON):
        report.count(engine, held, pairs)
    report.outcomes["pairs"] += pairs
    if columnar.outcomes:
        report.outcomes["policies in columns"] += 1
        report.outcomes["pairs in columns"] += pairs
        report.count(DUCKDB, [i for i, n in counters.items(policy.program, columnar.reach).items() if n], pairs)
    report.outcomes["faulty pairs"] += len({place for place, _ in found})
    seen: Counter[str] = Counter()
    for place, fault in found:
        seen[fault.kind] += 1
        if seen[fault.kind] > setting.per_policy:
            continue
        report.faults.append((seed, fault))
        if place is not None and len(report.said) < setting.keep:
            report.said.append(kept(seed, bundle, customers[place], fault))


def texts(bundle: Bundle) -> dict[str, str]:
    return {n: c if isinstance(c, str) else render(c) for n, c in bundle.items()}


def faults_of(
    policy: Policy, columnar: Columnar, customers: Sequence[Customer], thorough: int = 1
) -> list[tuple[int | None, Fault]]:
    """The faults by customer; None where one shows in many customers together alone."""
    found: list[tuple[int | None, Fault]] = []
    if not columnar.whole:
        # All outcomes, those that columns lack among them.
        every = thorough if columnar.outcomes else 1
        for place in range(0, len(customers), every):
            fault = one_by_one(policy, customers[place])
            if fault is not None:
                found.append((place, fault))
    if columnar.outcomes:
        found += in_columns(policy, columnar, customers, thorough)
    return found


def one_by_one(policy: Policy, customer: Customer) -> Fault | None:
    """What is wrong with the evaluators of single customers, over all outcomes."""
    try:
        reference = decide(policy, customer, REFERENCE)
        shown(reference)
    except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
        return Fault(f"reference raises {type(error).__name__}", str(error))
    return against_python(policy, customer, reference, None, True)


def against_python(
    policy: Policy, customer: Customer, reference: Decision, only: list[str] | None, thorough: bool
) -> Fault | None:
    try:
        python = decide(policy, customer, PYTHON, only)
        if thorough:
            found = differences(reference, python)
        else:
            # What generated code leaves to the reference is not worked out twice.
            python._trace = reference.trace
            found = list(between(brief(reference), brief(python)))
    except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
        return Fault(f"python raises {type(error).__name__}", str(error))
    return Fault("differ", "; ".join(found)) if found else None


def in_columns(
    policy: Policy, columnar: Columnar, customers: Sequence[Customer], thorough: int
) -> list[tuple[int | None, Fault]]:
    """The outcomes that columns carry out, by every engine."""
    try:
        rows = columnar.decide(customers)
    except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
        fault = Fault(f"duckdb raises {type(error).__name__}", str(error))
        return [(culprit(columnar, customers, fault.kind), fault)]
    found: list[tuple[int | None, Fault]] = []
    for place, (customer, row) in enumerate(zip(customers, rows, strict=True)):
        try:
            reference = decide(policy, customer, REFERENCE, columnar.outcomes)
            expected = shown_of_columns(reference, columnar.outcomes)
        except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
            found.append((place, Fault(f"reference raises {type(error).__name__}", str(error))))
            continue
        differing = list(between(expected, shown_of_columns(row, columnar.outcomes)))
        if differing:
            found.append((place, Fault("duckdb differs", "; ".join(differing))))
        fault = against_python(policy, customer, reference, columnar.outcomes, place % thorough == 0)
        if fault is not None:
            found.append((place, fault))
    return found


def culprit(columnar: Columnar, customers: Sequence[Customer], kind: str) -> int | None:
    """A customer with whom alone the engine raises; halves until one is left."""
    places = list(range(len(customers)))
    while len(places) > 1:
        half = places[: len(places) // 2]
        if raises(columnar, [customers[p] for p in half], kind):
            places = half
        else:
            places = places[len(half) :]
    return places[0] if places and raises(columnar, [customers[places[0]]], kind) else None


def raises(columnar: Columnar, customers: Sequence[Customer], kind: str) -> bool:
    try:
        columnar.decide(customers)
    except Exception as error:  # noqa: BLE001 - told apart by its class
        return kind == f"duckdb raises {type(error).__name__}"
    return False


# --- one customer --------------------------------------------------------------------------------------


def fault_of(policy: Policy, customer: Customer, kind: str = "") -> Fault | None:
    """What is wrong with the evaluators on this customer, None where nothing is; `kind` says what is looked for."""
    if not kind.startswith(DUCKDB):
        fault = one_by_one(policy, customer)
        if fault is not None or kind:
            return fault
    try:
        columnar = Columnar(policy.program)
    except Exception as error:  # noqa: BLE001 - whatever is raised is the fault to report
        return Fault(f"duckdb raises {type(error).__name__}", str(error))
    if not columnar.outcomes:
        return None
    found = in_columns(policy, columnar, [customer], 1)
    return found[0][1] if found else None


def fault_of_bundle(bundle: Bundle, customer: Customer, kind: str = "") -> Fault | None:
    try:
        policy = load(bundle)
    except (PolicyError, KeyError, IndexError, TypeError, AttributeError):
        return None  # a cut that leaves no policy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fault_of(policy, customer, kind)


def minimal(bundle: Bundle, customer: Customer, kind: str, tries: int = 1500) -> tuple[Bundle, Customer]:
    def shows(smaller: Bundle, fewer: Customer) -> bool:
        found = fault_of_bundle(smaller, fewer, kind)
        return found is not None and found.kind == kind

    return shrink(bundle, customer, shows, tries)


def kept(seed: int, bundle: Bundle, customer: Customer, fault: Fault) -> str:
    """Shrink a case and write it; says where it is."""
    small, few = minimal(bundle, customer, fault.kind)
    now = fault_of_bundle(small, few, fault.kind) or fault
    folder = keep(f"seed-{seed}", small, few, now)
    return f"seed {seed}: {now.kind}: {now.detail[:300]}\n  kept as {folder.name}"


def keep(name: str, bundle: Bundle, customer: Customer, fault: Fault) -> Path:
    """Write a case for ever: a folder with the policy's files and the customer."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    write(bundle, folder)
    (folder / "customer.json").write_text(json.dumps(customer, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "fault.txt").write_text(f"{fault.kind}\n{fault.detail}\n", "utf-8")
    return folder


def replay(folder: Path) -> Fault | None:
    """Decide a kept case again."""
    policy = load_policy(folder / "policy.yaml")
    customer: dict[str, Any] = json.loads((folder / "customer.json").read_text("utf-8"))
    return fault_of(policy, customer)
