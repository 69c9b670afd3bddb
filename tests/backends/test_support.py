"""The table of what each backend carries out: complete by construction, and the page that shows it."""
from __future__ import annotations

from pathlib import Path

import pytest

from engine.backends import support
from engine.backends.python.supported import SUPPORT as PYTHON
from engine.backends.reference.supported import SUPPORT as REFERENCE
from engine.backends.smt.expressions import SmtExpressions
from engine.backends.sql.dialects import lacking
from engine.backends.sql.expressions import SqlExpressions
from engine.backends.sql.program import compile_program
from engine.backends.sql.relations import Expressions
from engine.backends.support import DYNAMIC, Unsupported, page
from engine.ir import nodes as ir
from engine.policy import load_policy

SUPPORTS = (REFERENCE, PYTHON, Expressions.support(), SmtExpressions.support())


def test_the_page_is_up_to_date(root: Path) -> None:
    assert (root / "docs" / "support.md").read_text("utf-8") == page(SUPPORTS, lacking()), "run `make docs`"


def test_a_new_node_breaks_a_backend_that_has_not_thought_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Novel(ir.Node):
        pass

    monkeypatch.setattr(support, "NODES", (*support.NODES, Novel))
    with pytest.raises(TypeError, match="sql: nodes neither: Novel"):

        class Later(SqlExpressions):
            pass


def test_a_primitive_that_is_neither_carried_out_nor_left_out_breaks_a_backend() -> None:
    with pytest.raises(TypeError, match="smt: operations neither: count"):

        class Later(SmtExpressions):
            operations_left_out = SmtExpressions.operations_left_out - {"count"}


def test_what_is_no_operation_breaks_a_backend() -> None:
    with pytest.raises(TypeError, match="sql: operations unknown: cuont"):

        class Later(SqlExpressions):
            operations_left_out = SqlExpressions.operations_left_out | {"cuont"}


def test_the_fast_path_carries_out_what_the_reference_does_in_policies() -> None:
    assert REFERENCE.nodes - DYNAMIC == PYTHON.nodes
    assert set(REFERENCE.operations) == set(PYTHON.operations) and REFERENCE.hits == PYTHON.hits


def test_every_gap_of_a_policy_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("""policy: gaps
version: "1"
effective: {from: 2020-01-01}
owner: tests
on missing: refer
inputs:
  s: {type: string}
service:
  alike: {type: boolean, value: 'matches(s, s)'}
  unlike: {type: boolean, value: 'not(alike)'}
  parts: {type: number, value: 'count(split(s, s))'}
""", "utf-8")
    with pytest.raises(Unsupported) as caught:
        compile_program(load_policy(path).program)
    found = [(d.code, d.message, d.span.line if d.span else None) for d in caught.value.diagnostics]
    assert found == [
        ("E0801", "the SQL backend does not carry out `matches` by a pattern that is computed", 9),
        ("E0801", "the SQL backend does not carry out `split`", 11),
    ]
    assert all(d.help for d in caught.value.diagnostics)
