"""Which expressions may be null, and what a condition makes known of the data it reads."""
from __future__ import annotations

from engine.backends.python.known import Known
from engine.backends.python.names import Names
from engine.check import rules
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.folds import TOTAL as TOTAL_FOLDS

#: Operations over numbers that always have a value.
TOTAL = frozenset(
    "floor,ceiling,round up,round down,round half up,round half down,decimal,abs,min,max,odd,even".split(",")
)
TEMPORAL_TOTAL = frozenset({"-", ".days"})
INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


class Nullability(Names):
    """What may be null, and facts learnt on the way."""

    def may_be_null(self, node: ir.Node, known: Known) -> bool:
        variable = self.simple(node)
        if variable is not None:
            return variable in self.nullable and variable not in known.present
        if isinstance(node, ir.Const):
            return node.value is None
        if isinstance(node, ir.Call):
            return self.partial(node) or any(self.may_be_null(a, known) for a in node.args)
        if isinstance(node, (ir.Compare, ir.Not)):
            return any(self.may_be_null(c, known) for c in ir.children(node))
        if isinstance(node, (ir.And, ir.Or)):
            # an earlier part settles the whole, or the later ones are read knowing it did not
            for arg in node.args:
                if self.may_be_null(arg, known):
                    return True
                known = self.after(arg, isinstance(node, ir.And), known)
            return False
        if isinstance(node, ir.Cond):
            return (
                self.may_be_null(node.test, known)
                or self.may_be_null(node.then, self.after(node.test, True, known))
                or self.may_be_null(node.otherwise, self.after(node.test, False, known))
            )
        if isinstance(node, (ir.IsNull, ir.Record, ir.List)):
            return False
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.may_be_null(node.source, known)
        if isinstance(node, ir.Fold):
            return self._fold_may_be_null(node, known)
        if isinstance(node, ir.Field) and node.base.type.relation is not None:
            return node.type.nullable
        if isinstance(node, ir.Field) and dt.is_group(node.base.type):
            return False
        return True

    def _fold_may_be_null(self, node: ir.Fold, known: Known) -> bool:
        if self.may_be_null(node.source, known):
            return True
        if node.op in TOTAL_FOLDS:
            return False
        return node.op not in ("some", "every") or self.item_may_be_null(node, known)

    def item_may_be_null(self, node: ir.Fold, known: Known) -> bool:
        """Whether a null may be among what is folded. Rows are there; an item of a list, and what a value reads, may
        be null though its type is not: a parameter on a day before its first row."""
        nullable = node.source.type.kind != dt.RELATION
        if node.value is None:
            return nullable
        row, place = self.temporary(), ("Local", node.var)
        held = self.variables.get(place)
        self.variables[place] = row
        if nullable:
            self.nullable.add(row)
        found = node.value.type.nullable or self.may_be_null(node.value, known)
        if held is None:
            del self.variables[place]
        else:
            self.variables[place] = held
        return found

    def partial(self, node: ir.Call) -> bool:
        """Whether an operation may have no value for known operands."""
        if node.op in ("+", "-", "*") and all(a.type.kind in dt.NUMERIC for a in node.args):
            return not is_finite(node)
        if node.op == "/" and all(a.type.kind in dt.NUMERIC for a in node.args):
            return not (rules.excludes_zero(node.args[1].type) and is_finite(node))
        if node.op == "neg" and node.type.kind in dt.NUMERIC:
            return False
        if node.op in TEMPORAL_TOTAL:
            return not self._plain_days(node)
        operation = self.catalogue.get(node.op)
        constant_scale = all(isinstance(a, ir.Const) for a in node.args[1:]) or operation.spread
        return not (operation.name in TOTAL and constant_scale and all(a.type.kind in dt.NUMERIC for a in node.args))

    def _plain_days(self, node: ir.Call) -> bool:
        """A difference of two dates of the data, or the days of one: plain datetime arithmetic."""
        if node.op == "-":
            return all(a.type.kind == dt.DATE and isinstance(a, (ir.Input, ir.AsOf, ir.Field)) for a in node.args)
        if node.op == ".days":
            inner = node.args[0]
            return isinstance(inner, ir.Call) and self._plain_days(inner)
        return False

    def strict_leaves(self, node: ir.Node, known: Known) -> list[str] | None:
        """The locals whose nulls are the only ones behind a null of `node`; None where it has other causes."""
        name = self.simple(node)
        if not self.may_be_null(node, known):
            return []
        if name is not None:
            return [name]
        if isinstance(node, ir.Call):
            if self.catalogue.get(node.op).nulls != "strict" or self.partial(node):
                return None
        elif not isinstance(node, ir.Compare):
            return None
        found: list[str] = []
        for child in ir.children(node):
            leaves = self.strict_leaves(child, known)
            if leaves is None:
                return None
            found.extend(n for n in leaves if n not in found)
        return found

    def after(self, node: ir.Node, holds: bool, known: Known) -> Known:
        """What is known once the node is true (or false)."""
        if isinstance(node, ir.Not):
            return self.after(node.arg, not holds, known)
        if isinstance(node, ir.Or) and holds:
            chosen = self._chosen(node)
            return known if chosen is None else known.with_present(chosen[0]).with_choice(*chosen)
        if isinstance(node, (ir.And, ir.Or)) and isinstance(node, ir.And) == holds:
            for arg in node.args:
                known = self.after(arg, holds, known)
            return known
        if isinstance(node, ir.IsNull):
            variable = self.simple(node.arg)
            return known if holds or variable is None else known.with_present(variable)
        if isinstance(node, ir.Compare):
            for side in (node.left, node.right):
                variable = self.simple(side)
                if variable is not None:
                    known = known.with_present(variable)
            return self.bound(node, node.op if holds else INVERSE[node.op], known)
        variable = self.simple(node)
        return known.with_present(variable) if variable is not None else known

    def _chosen(self, node: ir.Node) -> tuple[str, frozenset[str]] | None:
        """The text variable and its values that `x = "A"`, or alternatives of it, allow."""
        if isinstance(node, ir.Or):
            found = [self._chosen(arg) for arg in node.args]
            names = {f[0] for f in found if f is not None}
            if None in found or len(names) != 1:
                return None
            return names.pop(), frozenset().union(*(f[1] for f in found if f is not None))
        if isinstance(node, ir.Compare) and node.op == "=" and isinstance(node.right, ir.Const):
            variable = self.simple(node.left)
            if variable is not None and isinstance(node.right.value, str):
                return variable, frozenset({node.right.value})
        return None

    def unmatched(self, node: ir.Node, known: Known) -> Known:
        """What is known where the node was not true: it was false, or null for want of a value."""
        if isinstance(node, ir.Compare):
            variable = self.simple(node.left)
            nullable = self.may_be_null(node.left, known) or self.may_be_null(node.right, known)
            if variable is not None and not nullable:
                return self.bound(node, INVERSE[node.op], known)
        if isinstance(node, ir.IsNull):
            variable = self.simple(node.arg)
            return known.with_present(variable) if variable is not None else known
        return known

    def bound(self, node: ir.Compare, op: str, known: Known) -> Known:
        variable = self.simple(node.left)
        value = node.right.value if isinstance(node.right, ir.Const) else None
        if variable is not None and isinstance(value, str) and op == "=":
            return known.with_choice(variable, frozenset({value}))
        if variable is None or node.mode != "plain" or isinstance(value, bool) or not isinstance(value, (int, float)):
            return known
        return known.with_bound(variable, op, float(value))


def is_finite(node: ir.Call) -> bool:
    """Whether arithmetic of two numbers cannot overflow."""
    low, high = rules.bounds(node.op, node.args[0].type, node.args[1].type)
    return float("-inf") < low and high < float("inf")
