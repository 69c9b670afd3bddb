"""Which version of a policy decides which rows."""
from __future__ import annotations

from collections.abc import Sequence

from engine.ir import nodes as ir
from engine.portfolio.columnar.binding import Relation
from engine.portfolio.columnar.session import Session
from engine.portfolio.request import Policy, Request
from engine.semantics import dtypes as dt

#: A decision that reads the date by which a row picks its version, so that a bad one refuses the row.
DATED = "~application date"


def parts_of(
    session: Session, policy: Policy, programs: Sequence[ir.Program], customers: Relation, relation: str,
    request: Request,
) -> list[tuple[ir.Program, str]]:
    """Programs with the views of the rows that each decides."""
    name = programs[0].application_date
    if name is None:
        return [(programs[0], relation)]
    column = customers.columns.get(name)
    usual = policy.program_at(request.as_of)
    if column is None:
        return [(usual, relation)]
    day = f"CAST({column.name} AS DATE)"
    found = []
    before: str | None = None
    for at, version in enumerate(policy.versions):
        last = at == len(policy.versions) - 1
        end = session.variable(version.end)
        within = " AND ".join(
            [*([f"{day} > {before}"] if before is not None else []), *([f"{day} <= {end}"] if not last else [])]
        ) or "true"
        if version.program is usual:
            within = f"({within}) OR {day} IS NULL"
        before = end
        view = session.name("version")
        session.run(f"CREATE TEMP VIEW {view} AS SELECT * FROM {relation} WHERE {within}")
        found.append((reading_date(version.program, name), view))
    return found


def reading_date(program: ir.Program, name: str) -> ir.Program:
    """The program with a hidden feature that reads the date and that its shown decisions come after."""
    decl = next(i for i in program.inputs if i.name == name)
    node = ir.Input(f"{DATED}/1", decl.type, None, name)
    true = ir.Const(f"{DATED}/guard", node.type.replace(kind=dt.BOOLEAN, nullable=False), None, True)
    arm = ir.Arm(f"{DATED}/value", "value", true, (), (("", node),), (), False, None)
    dated = ir.Decide(
        DATED, "features", "value", node.type, (), (), (arm,), ir.OnMissing("skip"), True, None, form="value"
    )
    return program.replace(decisions=(dated, *program.decisions))
