"""Expression nodes as Python source.

Null is None. A condition has three emissions: `true`, `false` and `unknown`, each a
Python expression that is a real bool, so that a three-valued connective costs no
more than its parts. `null_by_name` emits whether a null came from a name that was
read, which is what leaves a decision open.

Only literals of the policy reach the source, through `repr`; names become numbered
locals, and every other constant goes to the pool that the function's globals hold.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.backends.python.known import NOTHING, Known
from engine.backends.python.runtime import holds_null
from engine.check import rules
from engine.ir import nodes as ir
from engine.semantics import dtypes as dt
from engine.semantics.catalogue import Catalogue, Operation

INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
SIGNS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
LARGEST = "1.7976931348623157e308"


class ExpressionEmitter:
    """Emits expressions. `variables` maps what a node reads to its local; `nullable` holds those that may be None."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.pool: dict[str, Any] = {}
        self.variables: dict[tuple[str, str], str] = {}
        self.nullable: set[str] = set()
        #: Locals that stand for an expression (`Let`): whether their null came from a name.
        self.let_by_name: dict[str, str] = {}
        self._temporaries = 0
        self._pooled: dict[int, str] = {}

    # --- names and constants -------------------------------------------------------

    def temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def pooled(self, value: Any, kind: str = "k") -> str:
        """The global that holds a constant."""
        name = self._pooled.get(id(value))
        if name is None:
            name = f"{kind}{len(self.pool)}"
            self.pool[name] = value
            self._pooled[id(value)] = name
        return name

    def literal(self, value: Any) -> str:
        if value is None or isinstance(value, (bool, str)):
            return repr(value)
        if isinstance(value, (int, float)):
            return repr(value) if value >= 0 else f"({value!r})"
        return self.pooled(value)

    def simple(self, node: ir.Node) -> str | None:
        """The local that a leaf reads, None for anything else."""
        if isinstance(node, ir.AsOf):
            return "as_of"
        if isinstance(node, ir.Field) and isinstance(node.base, ir.Ref):
            return self.variables.get(("member", f"{node.base.name}.{node.name}"))
        if isinstance(node, (ir.Input, ir.Ref, ir.Parameter, ir.Local, ir.Relation)):
            return self.variables[(type(node).__name__, node.name)]
        return None

    # --- nullability -----------------------------------------------------------------

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
        if isinstance(node, (ir.Filter, ir.Map)):
            return self.may_be_null(node.source, known)
        if isinstance(node, ir.Fold):
            return self._fold_may_be_null(node, known)
        if isinstance(node, ir.Field) and node.base.type.relation is not None:
            return node.type.nullable
        return True

    def _fold_may_be_null(self, node: ir.Fold, known: Known) -> bool:
        if self.may_be_null(node.source, known):
            return True
        if node.op == "count":
            return False
        if node.op in ("sum", "some", "every"):
            item = node.value.type if node.value is not None else node.source.type.item
            return item is None or item.nullable or node.op == "sum"
        return True

    def partial(self, node: ir.Call) -> bool:
        """Whether an operation may have no value for known operands."""
        if node.op in ("+", "-", "*") and all(a.type.kind in dt.NUMERIC for a in node.args):
            return not _finite(node)
        if node.op == "/" and all(a.type.kind in dt.NUMERIC for a in node.args):
            return not (rules.excludes_zero(node.args[1].type) and _finite(node))
        if node.op == "neg" and node.type.kind in dt.NUMERIC:
            return False
        if node.op in TEMPORAL_TOTAL:
            return not self._plain_days(node)
        operation = self.catalogue.get(node.op)
        constant_scale = all(isinstance(a, ir.Const) for a in node.args[1:]) or operation.spread
        return not (operation.name in TOTAL and constant_scale and all(a.type.kind in dt.NUMERIC for a in node.args))

    # --- values -----------------------------------------------------------------------

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
            return self._over(node.source, known, lambda s: self._comprehension(node.var, s, node.predicate, None, known))
        if isinstance(node, ir.Map):
            return self._over(node.source, known, lambda s: self._comprehension(node.var, s, None, node.body, known))
        if isinstance(node, ir.Fold):
            return self._fold(node, known)
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
        if node.base.type.relation is not None and in_loop:
            return f"{base}[{node.name!r}]"
        if self.may_be_null(node.base, known):
            return f"field({base}, {node.name!r})"
        return f"{base}.get({node.name!r})"

    def _lookup(self, node: ir.Lookup, known: Known) -> str:
        table = self.pool_table(node)
        keys = [self.value(k, known) for k in node.keys]
        return f"{table}({', '.join(keys)})"

    def pool_table(self, node: ir.Lookup) -> str:
        raise NotImplementedError

    def _over(self, source: ir.Node, known: Known, body: Any) -> str:
        """`body` over the name of a source, None where that is null."""
        name = self.simple(source)
        if name is not None:
            return f"({body(name)} if {name} is not None else None)" if self.may_be_null(source, known) else str(body(name))
        name = self.temporary()
        value = self.value(source, known)
        return f"({body(name)} if ({name} := {value}) is not None else None)"

    def _comprehension(
        self, var: str, source: str, filter: ir.Node | None, value: ir.Node | None, known: Known
    ) -> str:
        item = self.temporary()
        self.variables[("Local", var)] = item
        self.nullable.add(item)
        condition = f" if {self.true(filter, known)}" if filter is not None else ""
        shown = self.value(value, known) if value is not None else item
        return f"[{shown} for {item} in {source}{condition}]"

    def _fold(self, node: ir.Fold, known: Known) -> str:
        if node.op == "count":
            if node.filter is None and node.value is None:
                return self._over(node.source, known, lambda s: f"len({s})")
            return self._over(
                node.source, known, lambda s: f"len({self._comprehension(node.var, s, node.filter, None, known)})"
            )
        value_type = node.value.type if node.value is not None else node.source.type.item
        scale = scale_of(value_type)
        more = f", {node.decimals}" if node.decimals is not None or scale is not None else ""
        more += f", {self.pooled(scale)}" if scale is not None else ""

        def folded(source: str) -> str:
            return f"fold({node.op!r}, {self._comprehension(node.var, source, node.filter, node.value, known)}{more})"

        return self._over(node.source, known, folded)

    # --- calls -----------------------------------------------------------------------------

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
            if _finite(node):
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
        if operation.spread and not (len(args) == 1 and node.args[0].type.kind == dt.LIST):
            args = ["[" + ", ".join(args) + "]"]
        return f"{self.kernel(operation, node)}({', '.join(args)})", None

    def _division(self, node: ir.Call, args: list[str]) -> tuple[str, str | None]:
        divisor = node.args[1].type
        text = f"({args[0]} / {args[1]})"
        nonzero = rules.excludes_zero(divisor)
        name = self.temporary()
        finite = f"-{LARGEST} <= ({name} := {text}) <= {LARGEST}"
        if nonzero and _finite(node):
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

    def _plain_days(self, node: ir.Call) -> bool:
        """A difference of two dates of the data, or the days of one: plain datetime arithmetic."""
        if node.op == "-":
            return all(a.type.kind == dt.DATE and isinstance(a, (ir.Input, ir.AsOf, ir.Field)) for a in node.args)
        if node.op == ".days":
            inner = node.args[0]
            return isinstance(inner, ir.Call) and self._plain_days(inner)
        return False

    def kernel(self, operation: Operation, node: ir.Call) -> str:
        """The global that holds an operation's kernel, guarded where it may have no value."""
        return self.pooled(self.guarded(operation), "f")

    def guarded(self, operation: Operation) -> Any:
        raise NotImplementedError

    # --- conditions ---------------------------------------------------------------------------

    def true(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: the node is true."""
        if isinstance(node, ir.Const):
            return "True" if node.value is True else "False"
        if isinstance(node, ir.And):
            return self._joined(node.args, " and ", True, known)
        if isinstance(node, ir.Or):
            member = self._membership(node, known)
            return member if member is not None else self._alternatives(node.args, True, known)
        if isinstance(node, ir.Not):
            return self.false(node.arg, known)
        if isinstance(node, ir.IsNull):
            return f"{self._tested(node.arg, known)} is None" if self.may_be_null(node.arg, known) else "False"
        if isinstance(node, ir.Compare):
            return self._compare(node, node.op, known)
        if not self.may_be_null(node, known):
            return self.value(node, known)
        return f"{self._tested(node, known)} is True"

    def false(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: the node is false."""
        if isinstance(node, ir.Const):
            return "True" if node.value is False else "False"
        if isinstance(node, ir.And):
            return self._alternatives(node.args, False, known)
        if isinstance(node, ir.Or):
            return self._joined(node.args, " and ", False, known)
        if isinstance(node, ir.Not):
            return self.true(node.arg, known)
        if isinstance(node, ir.IsNull):
            return f"{self._tested(node.arg, known)} is not None" if self.may_be_null(node.arg, known) else "True"
        if isinstance(node, ir.Compare):
            return self._compare(node, INVERSE[node.op], known)
        if not self.may_be_null(node, known):
            return f"not {self.value(node, known)}"
        return f"{self._tested(node, known)} is False"

    def unknown(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: the node is null."""
        if not self.may_be_null(node, known):
            return "False"
        if isinstance(node, ir.Not):
            return self.unknown(node.arg, known)
        if isinstance(node, ir.Compare):
            parts = [f"{self._tested(s, known)} is None" for s in (node.left, node.right) if self.may_be_null(s, known)]
            return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
        if isinstance(node, (ir.And, ir.Or)):
            first, second = (self.false, self.true) if isinstance(node, ir.And) else (self.true, self.false)
            return f"not ({first(node, known)} or {second(node, known)})"
        return f"{self._tested(node, known)} is None"

    def not_false(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: the node is true or null. Of a guard that is known not to be true: it is null."""
        if not self.may_be_null(node, known):
            return self.true(node, known)
        if isinstance(node, ir.And):
            return self._not_settled(node.args, " and ", self.not_false, True, known)
        if isinstance(node, ir.Or):
            member, chosen = self._membership(node, known), self._chosen(node)
            if member is not None and chosen is not None and member not in ("True", "False"):
                return f"{chosen[0]} is None or {member}"
            return self._not_settled(node.args, " or ", self.not_false, False, known)
        if isinstance(node, ir.Not):
            return self.not_true(node.arg, known)
        if isinstance(node, ir.Compare):
            return self._compare_or_null(node, node.op, known)
        return f"{self._tested(node, known)} is not False"

    def null_if_unmatched(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: of a guard that is known not to be true, whether it is null."""
        if isinstance(node, ir.Compare):
            return self.unknown(node, known)
        if isinstance(node, ir.Or):
            found = dict.fromkeys(self.null_if_unmatched(arg, known) for arg in node.args)
            return " or ".join(f"({f})" for f in found if f != "False") or "False"
        return self.not_false(node, known)

    def not_true(self, node: ir.Node, known: Known = NOTHING) -> str:
        """A bool expression: the node is false or null."""
        if not self.may_be_null(node, known):
            return self.false(node, known)
        if isinstance(node, ir.And):
            return self._not_settled(node.args, " or ", self.not_true, True, known)
        if isinstance(node, ir.Or):
            return self._not_settled(node.args, " and ", self.not_true, False, known)
        if isinstance(node, ir.Not):
            return self.not_false(node.arg, known)
        if isinstance(node, ir.Compare):
            return self._compare_or_null(node, INVERSE[node.op], known)
        return f"{self._tested(node, known)} is not True"

    def _not_settled(
        self, args: tuple[ir.Node, ...], word: str, part: Callable[[ir.Node, Known], str], holds: bool, known: Known
    ) -> str:
        parts = []
        for arg in args:
            parts.append(f"({part(arg, known)})")
            if not self.may_be_null(arg, known):
                # past it, it settled nothing, so it was true under `and`, false under `or`
                known = self.after(arg, holds, known)
        return word.join(parts)

    def _compare_or_null(self, node: ir.Compare, op: str, known: Known) -> str:
        """The comparison holds or an operand is null."""
        nulls, names = [], []
        for side in (node.left, node.right):
            name = self.simple(side)
            if not self.may_be_null(side, known):
                names.append(self.value(side, known))
                continue
            if name is None:
                name = self.temporary()
                nulls.append(f"({name} := {self.value(side, known)}) is None")
            else:
                nulls.append(f"{name} is None")
            names.append(name)
        if node.mode == "tolerant":
            nulls.append(f"{COMPARISONS[op]}({names[0]}, {names[1]}, {node.floor!r})")
        else:
            nulls.append(f"{names[0]} {SIGNS[op]} {names[1]}")
        return " or ".join(nulls)

    def _tested(self, node: ir.Node, known: Known) -> str:
        name = self.simple(node)
        return name if name is not None else f"({self.value(node, known)})"

    def _joined(self, args: tuple[ir.Node, ...], word: str, holds: bool, known: Known) -> str:
        """Every part holds (or fails); each part reads what the earlier ones made known."""
        parts = []
        for arg in args:
            part = self.true(arg, known) if holds else self.false(arg, known)
            if part == "False":
                return "False"
            if part != "True":
                parts.append(part)
            known = self.after(arg, holds, known)
        if not parts:
            return "True"
        return parts[0] if len(parts) == 1 else word.join(_bracketed(p, " or ") for p in parts)

    def _alternatives(self, args: tuple[ir.Node, ...], holds: bool, known: Known) -> str:
        parts = []
        for arg in args:
            part = self.true(arg, known) if holds else self.false(arg, known)
            if part == "True":
                return "True"
            if part != "False":
                parts.append(part)
        if not parts:
            return "False"
        return parts[0] if len(parts) == 1 else f"({' or '.join(_bracketed(p, ' and ') for p in parts)})"

    def _membership(self, node: ir.Or, known: Known) -> str | None:
        """`x in ("A", "B")` for alternatives that compare one leaf with constants."""
        name: str | None = None
        values = []
        for arg in node.args:
            if not (isinstance(arg, ir.Compare) and arg.op == "=" and isinstance(arg.right, ir.Const)):
                return None
            variable = self.simple(arg.left)
            if variable is None or (name is not None and variable != name) or not isinstance(arg.right.value, str):
                return None
            name = variable
            values.append(arg.right.value)
        if name is None or len(values) < 2:
            return None
        choice = known.choice(name)
        if choice is not None:
            if not choice & set(values):
                return "False"
            if choice <= set(values):
                return "True"
        return f"{name} in {tuple(values)!r}" if len(values) < 5 else f"{name} in {self.pooled(frozenset(values))}"

    def _compare(self, node: ir.Compare, op: str, known: Known) -> str:
        """The comparison `op` of two known operands; false where one is null."""
        left, right = node.left, node.right
        variable = self.simple(left)
        if variable is not None and isinstance(right, ir.Const) and right.value is not None:
            return self._compare_constant(node, variable, op, right, known)
        checks: list[str] = []
        names = []
        for side in (left, right):
            name = self.simple(side)
            if not self.may_be_null(side, known):
                names.append(self.value(side, known))
                continue
            leaves = self.strict_leaves(side, known) if name is None else None
            if leaves is not None:
                checks.extend(f"{n} is not None" for n in leaves)
                known = known.with_present(*leaves)
                names.append(self.value(side, known))
                continue
            if name is None:
                name = self.temporary()
                checks.append(f"({name} := {self.value(side, known)}) is not None")
            else:
                checks.append(f"{name} is not None")
                known = known.with_present(name)
            names.append(name)
        if node.mode == "tolerant":
            checks.append(f"{COMPARISONS[op]}({names[0]}, {names[1]}, {node.floor!r})")
        else:
            checks.append(f"{names[0]} {SIGNS[op]} {names[1]}")
        return " and ".join(checks)

    def _compare_constant(self, node: ir.Compare, variable: str, op: str, right: ir.Const, known: Known) -> str:
        value: Any = right.value
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        check = f"{variable} is not None and " if self.may_be_null(node.left, known) else ""
        if node.mode == "tolerant":
            return f"{check}{COMPARISONS[op]}({variable}, {value!r}, {node.floor!r})"
        if numeric and op not in ("=", "!="):
            settled = known.decides(variable, op, float(value))
            if settled is not None and not check:
                return "True" if settled else "False"
            if settled is True:
                return check.removesuffix(" and ")
        choice = known.choice(variable) if isinstance(value, str) and op in ("=", "!=") else None
        if choice is not None and (value not in choice or choice == {value}):
            return "True" if (value in choice) == (op == "=") else "False"
        if op == "=":
            return f"{variable} == {self.literal(value)}"
        return f"{check}{variable} {SIGNS[op]} {self.literal(value)}"

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
            if variable is not None and not self.may_be_null(node.left, known) and not self.may_be_null(node.right, known):
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

    # --- where a null comes from ------------------------------------------------------------------

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
            return (
                f"(({then}) if {self.true(node.test, known)} else ({other}) if {self.false(node.test, known)} else ({test}))"
            )
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
        if isinstance(node, (ir.Filter, ir.Map)):
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
            inner = f"any([{body} for {item} in {name}])"
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
        if node.op == "count":
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
        kind = node.value.type if node.value is not None else node.source.type.item
        if kind is not None and not kind.nullable:
            return "False"
        item = self.temporary()
        self.variables[("Local", node.var)] = item
        self.nullable.add(item)
        found = f"{item} is None"
        if node.value is not None:
            found = f"{self._tested(node.value, known)} is None and ({self.null_by_name(node.value, known)})"
        condition = f" if {self.true(node.filter, known)}" if node.filter is not None else ""
        return f"any([{found} for {item} in {rows}{condition}])"


CONTAINERS = frozenset({dt.LIST, dt.CONTEXT})
#: Operations over numbers that always have a value.
TOTAL = frozenset(
    {"floor", "ceiling", "round up", "round down", "round half up", "round half down", "decimal", "abs", "min", "max", "odd", "even"}
)
TEMPORAL_TOTAL = frozenset({"-", ".days"})
COMPARISONS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _any_of(parts: list[str]) -> str:
    """One of these bool expressions holds."""
    parts = [p for p in parts if p != "False"]
    return "False" if not parts else parts[0] if len(parts) == 1 else f"({' or '.join(_bracketed(p, ' and ') for p in parts)})"


def _finite(node: ir.Call) -> bool:
    """Whether arithmetic of two numbers cannot overflow."""
    low, high = rules.bounds(node.op, node.args[0].type, node.args[1].type)
    return float("-inf") < low and high < float("inf")


def _bracketed(text: str, word: str) -> str:
    """Brackets around a part that holds the weaker connective at its top."""
    if word not in text and " if " not in text:
        return text
    return text if _closed(text) else f"({text})"


def _float(node: ir.Node, text: str) -> str:
    """A whole literal beside floats as a float, since mixed arithmetic is slow."""
    if isinstance(node, ir.Const) and isinstance(node.value, int) and abs(node.value) < 2**53:
        return repr(float(node.value)) if node.value >= 0 else f"({float(node.value)!r})"
    return text


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _closed(text: str) -> bool:
    """Whether one pair of brackets holds the whole text."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    quote = ""
    for index, character in enumerate(text):
        if quote:
            if character == quote and text[index - 1] != "\\":
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0 and index < len(text) - 1:
                return False
    return True


def scale_of(kind: Any) -> tuple[str, ...] | None:
    """An ordered enumeration's values from best to worst."""
    if kind is None or kind.values is None or kind.order is None:
        return None
    values: tuple[str, ...] = kind.values
    return values if kind.order == "best first" else tuple(reversed(values))
