"""What hangs on nothing but the date of the decision: it is the same for every customer and every row."""
from __future__ import annotations

from collections.abc import Mapping

from engine.backends.sql.expressions import TYPES
from engine.ir import nodes as ir
from engine.ir.reads import walk


def is_of_the_date(
    node: ir.Node, parameters: Mapping[str, ir.ParameterDecl], dates: Mapping[str, ir.Node]
) -> bool:
    """Whether a node hangs on nothing but the date of the decision; `dates` are the decisions that do."""
    for each in walk(node):
        if isinstance(each, (ir.Input, ir.Relation, ir.Local)) or (isinstance(each, ir.Ref) and each.name not in dates):
            return False
        if isinstance(each, ir.Parameter):
            rows = parameters[each.name].rows
            if not all(is_of_the_date(row.guard, parameters, dates) for row in rows):
                return False
    return True


def of_the_date(program: ir.Program) -> dict[str, ir.Node]:
    """What gives the decisions that hang on nothing but the date, by their names: rows may be compared with such a
    value where they stand, as with the date itself. One whose null would give another value is left out."""
    parameters = {p.name: p for p in program.parameters}
    found: dict[str, ir.Node] = {}
    for decision in program.decisions:
        if isinstance(decision, ir.Score) or decision.hit != "value" or decision.members or decision.where:
            continue
        if decision.on_missing.action == "then" or "refer" in (decision.type.values or ()):
            continue
        value = decision.arms[0].outcome[0][1]
        if value.type.kind not in TYPES or not is_of_the_date(value, parameters, found):
            continue
        found[decision.name] = value
    return found
