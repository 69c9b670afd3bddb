"""Whether a null came from a name that was read, which is what leaves a decision open."""
from __future__ import annotations

from engine.backends.python.conditions import bracketed
from engine.backends.python.known import NOTHING, Known
from engine.backends.python.runtime import holds_null
from engine.backends.python.values import Values
from engine.ir import nodes as ir
from engine.ir.labour import labour
from engine.semantics import dtypes as dt
from engine.semantics.folds import TOTAL

CONTAINERS = frozenset({dt.LIST, dt.CONTEXT})


class NullOrigins(Values):
    """Emits, for a node known to be null, whether a name was null."""

    def null_by_name(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: given that the node is null, a name it read was null."""
        variable = self.simple(node)
        if isinstance(node, ir.Local) and variable in self.let_by_name:
            return self.let_by_name[variable]
        if variable is not None:
            return f"{variable} is None" if self.may_be_null(node, known) else "False"
        leaves = self.strict_leaves(node, known)
        if leaves and not any(n in self.let_by_name for n in leaves):
            return "True"
        if isinstance(node, (ir.Const, ir.IsNull, ir.Record, ir.List)):
            return "False"
        if isinstance(node, ir.Field):
            return self._field_null_by_name(node, known)
        if isinstance(node, ir.Cond):
            then = self.null_by_name(node.then, self.after(node.test, True, known))
            other = self.null_by_name(node.otherwise, self.after(node.test, False, known))
            test = self.null_by_name(node.test, known)
            if then == other == test == "False":
                return "False"
            holds, fails = self.true(node.test, known), self.false(node.test, known)
            return f"(({then}) if {holds} else ({other}) if {fails} else ({test}))"
        if isinstance(node, ir.Let):
            value = self.value(node.value, known)
            variable = self.simple(node.value) or self.temporary()
            self.variables[("Local", node.name)] = variable
            self.let_by_name[variable] = self.null_by_name(node.value, known)
            if self.may_be_null(node.value, known):
                self.nullable.add(variable)
            body = self.null_by_name(node.body, known)
            return body if variable == value or body == "False" else f"(({variable} := {value}), {body})[1]"
        if isinstance(node, ir.Fold):
            return self._fold_null_by_name(node, known)
        if isinstance(node, (ir.Filter, ir.Map, ir.Group)):
            return self.null_by_name(node.source, known)
        return _any_of([self._within(child, known) for child in ir.children(node)])

    def _within(self, node: ir.Node, known: Known) -> str:
        """A bool expression: an operand's null came from a name, or it is a list or context that holds such a null."""
        inside = self.hidden(node, known) if node.type.kind in CONTAINERS else "False"
        if not self.may_be_null(node, known):
            return inside
        found = self.null_by_name(node, known)
        if inside != "False":
            return f"(({found}) if {self._tested(node, known)} is None else ({inside}))"
        if found == "True":
            return f"{self._tested(node, known)} is None"
        if found != "False" and self.simple(node) is None:
            return f"({self._tested(node, known)} is None and {found})"
        return found

    def hidden(self, node: ir.Node, known: Known) -> str:
        """A bool expression: a known list or context holds a null that came from a name."""
        if isinstance(node, (ir.List, ir.Record, ir.Call)):
            return _any_of([self._within(child, known) for child in ir.children(node)])
        if isinstance(node, ir.Filter):
            return self.hidden(node.source, known)
        if isinstance(node, ir.Cond):
            then, other = self.hidden(node.then, known), self.hidden(node.otherwise, known)
            return then if then == other else f"(({then}) if {self.true(node.test, known)} else ({other}))"
        if isinstance(node, ir.Map):
            name = self.temporary()
            value = self.value(node.source, known)
            item = self.temporary()
            self.variables[("Local", node.var)] = item
            self.nullable.add(item)
            body = self._within(node.body, known)
            inner = f"any([{body} for {item} in each({name}, {labour(node)})])"
            bodies = "False" if body == "False" else f"({inner} if ({name} := {value}) is not None else False)"
            return _any_of([self.hidden(node.source, known), bodies])
        if isinstance(node, (ir.Ref, ir.Local)):
            return f"{self.pooled(holds_null, 'f')}({self.value(node, known)})"
        return "False"

    def _field_null_by_name(self, node: ir.Field, known: Known) -> str:
        if isinstance(node.base, ir.Record):
            return self._within(dict(node.base.fields)[node.name], known)
        if isinstance(node.base, (ir.Ref, ir.Local)) or not self.may_be_null(node.base, known):
            return "True"
        base = self.null_by_name(node.base, known)
        return "True" if base == "True" else f"(({base}) if {self._tested(node.base, known)} is None else True)"

    def _fold_null_by_name(self, node: ir.Fold, known: Known) -> str:
        """The source's own null, that of an item, or one that the items were made of."""
        source = self.null_by_name(node.source, known)
        if node.op in TOTAL:
            return source
        name = self.simple(node.source)
        rows = name or self.temporary()
        inside = _any_of([self._item_null_by_name(node, rows, known), self.hidden(node.source, known)])
        if not self.may_be_null(node.source, known) and (name is not None or inside == "False"):
            return inside
        tested = f"{name} is None" if name is not None else f"({rows} := {self.value(node.source, known)}) is None"
        return f"(({source}) if {tested} else ({inside}))"

    def _item_null_by_name(self, node: ir.Fold, rows: str, known: Known) -> str:
        """Among the items that are folded stands a null that came from a name."""
        if not self.item_may_be_null(node, known):
            return "False"
        item = self.temporary()
        self.variables[("Local", node.var)] = item
        self.nullable.add(item)
        found = f"{item} is None"
        if node.value is not None:
            found = f"{self._tested(node.value, known)} is None and ({self.null_by_name(node.value, known)})"
        condition = f" if {self.true(node.filter, known)}" if node.filter is not None else ""
        return f"any([{found} for {item} in each({rows}, {labour(node)}){condition}])"


def _any_of(parts: list[str]) -> str:
    """One of these bool expressions holds."""
    parts = [p for p in parts if p != "False"]
    if len(parts) < 2:
        return parts[0] if parts else "False"
    return f"({' or '.join(bracketed(p, ' and ') for p in parts)})"
