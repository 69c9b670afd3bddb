"""Values as Python expressions, None for null."""
from __future__ import annotations

from typing import Any

from engine.backends.python.conditions import Conditions
from engine.backends.python.known import NOTHING, Known
from engine.backends.python.nullability import is_finite
from engine.backends.python.runtime import listed
from engine.check import rules
from engine.ir import nodes as ir
from engine.ir.labour import labour
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import Operation

LARGEST = "1.7976931348623157e308"


class Values(Conditions):
    """Emits the value of a node."""

    def value(self, node: ir.Node, known: Known = NOTHING) -> str:
        """An expression for the node's value, None for null."""
        variable = self.simple(node)
        if variable is not None:
            return variable
        if isinstance(node, ir.Const):
            return self.literal(node.value)
        if isinstance(node, ir.Call):
            return self._call(node, known)
        if isinstance(node, (ir.Compare, ir.And, ir.Or, ir.Not, ir.IsNull)):
            if not self.may_be_null(node, known):
                return f"({self.true(node, known)})"
            return f"(True if {self.true(node, known)} else False if {self.false(node, known)} else None)"
        if isinstance(node, ir.Cond):
            then = self.value(node.then, self.after(node.test, True, known))
            other = self.value(node.otherwise, self.after(node.test, False, known))
            if not self.may_be_null(node.test, known):
                return f"({then} if {self.true(node.test, known)} else {other})"
            return f"({then} if {self.true(node.test, known)} else {other} if {self.false(node.test, known)} else None)"
        if isinstance(node, ir.Let):
            return self._let(node, known)
        if isinstance(node, ir.Record):
            return "{" + ", ".join(f"{n!r}: {self.value(v, known)}" for n, v in node.fields) + "}"
        if isinstance(node, ir.List):
            return "[" + ", ".join(self.value(i, known) for i in node.items) + "]"
        if isinstance(node, ir.Field):
            return self._field(node, known)
        if isinstance(node, ir.Filter):
            predicate = node.predicate
            return self._over(node.source, known, lambda s: self._comprehension(node, s, predicate, None, known))
        if isinstance(node, ir.Map):
            return self._over(node.source, known, lambda s: self._comprehension(node, s, None, node.body, known))
        if isinstance(node, ir.Fold):
            return self._fold(node, known)
        if isinstance(node, ir.Group):
            return self._over(node.source, known, lambda s: self._group(node, s, known))
        if isinstance(node, ir.Lookup):
            return self._lookup(node, known)
        raise NotImplementedError(f"{type(node).__name__} has no Python form")

    def _let(self, node: ir.Let, known: Known) -> str:
        value = self.value(node.value, known)
        variable = self.simple(node.value)
        if variable is None:
            variable = self.temporary()
            if self.may_be_null(node.value, known):
                self.nullable.add(variable)
        self.variables[("Local", node.name)] = variable
        self.let_by_name[variable] = self.null_by_name(node.value, known)
        body = node.body
        if variable == value:
            return self.value(body, known)
        if isinstance(body, ir.Cond) and isinstance(body.test, ir.IsNull) and self.simple(body.test.arg) == variable:
            then = self.value(body.then, known)
            other = self.value(body.otherwise, known.with_present(variable))
            return f"({then} if ({variable} := {value}) is None else {other})"
        return f"(({variable} := {value}), {self.value(body, known)})[1]"

    def _field(self, node: ir.Field, known: Known) -> str:
        base = self.value(node.base, known)
        in_loop = isinstance(node.base, ir.Local) and not node.base.type.nullable
        if in_loop and (node.base.type.relation is not None or dt.is_group(node.base.type)):
            return f"{base}[{node.name!r}]"
        if self.may_be_null(node.base, known):
            return f"field({base}, {node.name!r})"
        return f"{base}.get({node.name!r})"

    def _lookup(self, node: ir.Lookup, known: Known) -> str:
        table = self.pool_table(node)
        keys = [self.value(k, known) for k in node.keys]
        return f"{table}({', '.join(keys)})"

    def _over(self, source: ir.Node, known: Known, body: Any) -> str:
        """`body` over the name of a source, None where that is null."""
        name = self.simple(source)
        if name is not None:
            if not self.may_be_null(source, known):
                return str(body(name))
            return f"({body(name)} if {name} is not None else None)"
        if isinstance(source, ir.Field) and isinstance(source.base, ir.Local) and not self.may_be_null(source, known):
            return str(body(self.value(source, known)))  # the rows of a group
        name = self.temporary()
        value = self.value(source, known)
        return f"({body(name)} if ({name} := {value}) is not None else None)"

    def _comprehension(
        self, loop: ir.Filter | ir.Map | ir.Fold, source: str, filter: ir.Node | None, value: ir.Node | None,
        known: Known,
    ) -> str:
        """A list comprehension, charged to the customer's allowance of work."""
        item = self.temporary()
        self.variables[("Local", loop.var)] = item
        self.nullable.add(item)
        condition = f" if {self.true(filter, known)}" if filter is not None else ""
        shown = self.value(value, known) if value is not None else item
        return f"[{shown} for {item} in each({source}, {labour(loop)}){condition}]"

    def _group(self, node: ir.Group, source: str, known: Known) -> str:
        item = self.temporary()
        self.variables[("Local", node.var)] = item
        self.nullable.add(item)
        return f"grouped([({self.value(node.key, known)}, {item}) for {item} in each({source}, {labour(node)})])"

    def _fold(self, node: ir.Fold, known: Known) -> str:
        if node.op == "count":
            if node.filter is None and node.value is None:
                return self._over(node.source, known, lambda s: f"len({s})")
            return self._over(
                node.source, known, lambda s: f"len({self._comprehension(node, s, node.filter, None, known)})"
            )
        value_type = node.value.type if node.value is not None else node.source.type.item
        scale = scale_of(value_type)
        more = f", {node.decimals}" if node.decimals is not None or scale is not None else ""
        more += f", {self.pooled(scale)}" if scale is not None else ""

        def folded(source: str) -> str:
            return f"fold({node.op!r}, {self._comprehension(node, source, node.filter, node.value, known)}{more})"

        return self._over(node.source, known, folded)

    def _call(self, node: ir.Call, known: Known) -> str:
        operation = self.catalogue.get(node.op)
        leaves = self.strict_leaves(node, known)
        if leaves and any(self.simple(a) is None and self.may_be_null(a, known) for a in node.args):
            # one test of the leaves instead of one at every operation between them and the root
            body = self._call(node, known.with_present(*leaves))
            return f"({body} if {' and '.join(f'{n} is not None' for n in leaves)} else None)"
        if operation.nulls != "strict":
            kernel = self.kernel(operation, node)
            return f"{kernel}({', '.join(self.value(a, known) for a in node.args)})"
        checks: list[str] = []
        args: list[str] = []
        for arg in node.args:
            name = self.simple(arg)
            if not self.may_be_null(arg, known):
                args.append(self.value(arg, known))
            elif name is not None:
                checks.append(f"{name} is not None")
                args.append(name)
                known = known.with_present(name)
            else:
                name = self.temporary()
                checks.append(f"({name} := {self.value(arg, known)}) is not None")
                args.append(name)
        body, guard = self._operation(node, operation, args)
        if guard is not None:
            checks.append(guard)
        return f"({body} if {' and '.join(checks)} else None)" if checks else body

    def _operation(self, node: ir.Call, operation: Operation, args: list[str]) -> tuple[str, str | None]:
        """The operation over known arguments, and a further condition without which it is null."""
        numeric = all(a.type.kind in dt.NUMERIC for a in node.args)
        if numeric and any(not a.type.whole for a in node.args):
            args = [_float(a, t) for a, t in zip(node.args, args, strict=True)]
        if numeric and node.op in ("+", "-", "*"):
            text = f"({args[0]} {node.op} {args[1]})"
            if is_finite(node):
                return text, None
            name = self.temporary()
            return name, f"-{LARGEST} <= ({name} := {text}) <= {LARGEST}"
        if numeric and node.op == "/":
            return self._division(node, args)
        if numeric and node.op == "neg":
            return f"(-{args[0]})", None
        if numeric and node.op in ("min", "max") and len(args) == 2:
            return self._extreme(node.op, args), None
        if numeric and node.op == "floor" and len(args) == 1:
            return self._floor(args[0]), None
        if numeric and node.op == "abs":
            return f"abs({args[0]})", None
        if self._plain_days(node):
            return (f"({args[0]} - {args[1]})" if node.op == "-" else f"{args[0]}.days"), None
        if operation.spread:
            args = [self._spread(node, args)]
        return f"{self.kernel(operation, node)}({', '.join(args)})", None

    def _spread(self, node: ir.Call, args: list[str]) -> str:
        """The items of an operation over one list, or over its arguments; what one of an unknown type is, its value
        tells."""
        kind = node.args[0].type.kind if len(args) == 1 else None
        if kind == dt.LIST:
            return args[0]
        if kind == dt.ANY:
            return f"{self.pooled(listed, 'f')}({args[0]})"
        return "[" + ", ".join(args) + "]"

    def _division(self, node: ir.Call, args: list[str]) -> tuple[str, str | None]:
        divisor = node.args[1].type
        text = f"({args[0]} / {args[1]})"
        nonzero = rules.excludes_zero(divisor)
        name = self.temporary()
        finite = f"-{LARGEST} <= ({name} := {text}) <= {LARGEST}"
        if nonzero and is_finite(node):
            return text, None
        if nonzero:
            return name, finite
        return name, f"{args[1]} and {finite}"

    def _extreme(self, op: str, args: list[str]) -> str:
        """min or max of two numbers, the first where they are equal; the test comes first and names them."""
        names, tested = [], []
        for arg in args:
            if arg.isidentifier() or _is_number(arg):
                names.append(arg)
                tested.append(arg)
            else:
                name = self.temporary()
                names.append(name)
                tested.append(f"({name} := {arg})")
        sign = "<=" if op == "min" else ">="
        return f"({names[0]} if {tested[0]} {sign} {tested[1]} else {names[1]})"

    def _floor(self, arg: str) -> str:
        """Floor with tolerance: clear of a whole number and not vast, the plain floor is it."""
        name, test = (arg, arg) if arg.isidentifier() else (self.temporary(), "")
        floored = self.temporary()
        first = test or f"({name} := {arg})"
        return (
            f"({floored} if -1e9 < {first} < 1e9 and {name} - ({floored} := floor({name})) < 0.99"
            f" else whole_floor({name}))"
        )

    def kernel(self, operation: Operation, node: ir.Call) -> str:
        """The global that holds an operation's kernel, guarded where it may have no value."""
        untyped = any(a.type.kind == dt.ANY for a in node.args)
        return self.pooled(self.guarded(operation, untyped), "f")


def _float(node: ir.Node, text: str) -> str:
    """A whole literal beside floats as a float, since mixed arithmetic is slow."""
    if isinstance(node, ir.Const) and isinstance(node.value, int) and abs(node.value) < 2**53:
        return repr(float(node.value)) if node.value >= 0 else f"({float(node.value)!r})"
    return text


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def scale_of(kind: Any) -> tuple[str, ...] | None:
    """An ordered enumeration's values from best to worst."""
    if kind is None or kind.values is None or kind.order is None:
        return None
    values: tuple[str, ...] = kind.values
    return values if kind.order == "best first" else tuple(reversed(values))
