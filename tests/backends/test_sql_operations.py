"""Every operation of the columnar backend in DuckDB against the reference evaluator, over generated operands."""
from __future__ import annotations

import collections
import datetime
import json
import os
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import ErrorLevel

from engine.backends.sql.dialects import DIALECTS
from engine.backends.sql.expressions import SqlExpressions
from engine.backends.support import Gap
from engine.ir import nodes as ir
from engine.policy import Policy, load_policy
from engine.semantics import dtypes as dt
from tests.backends.columnar import Columns, agree, in_duckdb, one_by_one
from tests.backends.operands import DECLARED, INPUTS, rows

AS_OF = datetime.date(2024, 2, 29)
ROWS = 400


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """Each expression of columnar.yaml as a feature."""
    groups = yaml.safe_load(Path(__file__).with_name("columnar.yaml").read_text("utf-8"))
    texts = [text for group in groups.values() for text in group]
    inputs = [
        f"  {name}: {{{DECLARED[kind]}, optional: true}}" for kind, names in INPUTS.items() for name in names.split()
    ]
    features = [f"  v{n}:\n    value: |-\n      {text}" for n, text in enumerate(texts)]
    path = tmp_path_factory.mktemp("columnar") / "policy.yaml"
    path.write_text("\n".join([
        "policy: columnar", 'version: "1"', "effective: {from: 2020-01-01}", "owner: tests", "currency: CNY",
        "on missing: refer", "inputs:", *inputs, "features:", *features, "service:",
        "  out: {type: number, value: '1'}", "",
    ]), "utf-8")
    return load_policy(path)


def expressions(policy: Policy) -> list[tuple[str, ir.Node]]:
    """The features' texts and nodes."""
    found = []
    for decision in policy.program.decisions:
        if decision.family == "features":
            assert isinstance(decision, ir.Decide)
            node = decision.arms[0].outcome[0][1]
            assert node.at is not None
            found.append((node.at.text, node))
    return found


def kinds(policy: Policy) -> dict[str, dt.Type]:
    return {d.name: d.type for d in policy.program.inputs}


def operations(node: ir.Node) -> list[str]:
    found = [node.op] if isinstance(node, ir.Call) else []
    return found + [op for child in ir.children(node) for op in operations(child)]


def test_every_operation_agrees_with_its_kernel(policy: Policy, capsys: pytest.CaptureFixture[str]) -> None:
    given = rows("operations", ROWS)
    held = expressions(policy)
    nodes = [node for _, node in held]
    columnar = []
    for start in range(0, len(nodes), 60):
        part = in_duckdb(policy.program, kinds(policy), nodes[start:start + 60], given, AS_OF)
        columnar = part if not columnar else [[*a, *b] for a, b in zip(columnar, part, strict=True)]
    single = one_by_one(nodes, given, AS_OF)
    faults: dict[str, str] = {}
    counts: collections.Counter[str] = collections.Counter()
    known = 0
    for row, one, other in zip(given, columnar, single, strict=True):
        for (text, node), a, b in zip(held, one, other, strict=True):
            counts.update(set(operations(node)))
            known += b is not None
            if not agree(a, b):
                read = {i.name: row[i.name] for i in inputs(node)}
                faults.setdefault(text, f"{text} over {read}: sql {a!r}, reference {b!r}")
    with capsys.disabled():
        print(f"\nsql operations: {len(held)} expressions over {ROWS} rows, {len(held) * ROWS:,} values of which "
              f"{known:,} not null, {len(counts)} operations, each at least {min(counts.values()):,} times")
    assert not faults, "\n".join(faults.values())
    assert set(SqlExpressions.operations) <= set(counts), set(SqlExpressions.operations) - set(counts)


def inputs(node: ir.Node) -> list[ir.Input]:
    found = [node] if isinstance(node, ir.Input) else []
    return found + [i for child in ir.children(node) for i in inputs(child)]


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_operation_is_written_or_refused_by_name(policy: Policy, dialect: str) -> None:
    """Whatever an engine lacks is said when a policy is compiled for it, and the rest reads back as SQL. With
    TIERWISE_UPDATE=1 what is refused is written anew, to be reviewed as a change."""
    held, refused = [], set()
    for _, node in expressions(policy):
        try:
            Columns(policy.program, kinds(policy), dialect).query([node])
            held.append(node)
        except Gap as gap:
            refused.add(gap.what)
    for start in range(0, len(held), 40):
        query = Columns(policy.program, kinds(policy), dialect).query(held[start:start + 40])
        sqlglot.parse_one(query.sql(dialect, unsupported_level=ErrorLevel.RAISE), dialect=dialect)
    path = Path(__file__).with_name("columnar_refused.json")
    expected = json.loads(path.read_text("utf-8"))
    if os.environ.get("TIERWISE_UPDATE"):
        expected[dialect] = sorted(refused)
        path.write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n", "utf-8")
    assert sorted(refused) == expected[dialect]
    assert len(held) > 250
