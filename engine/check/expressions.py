"""Types expressions: every node gets a type, every name a meaning.

The findings of one expression are collected, never raised: a part that has no type
gets `Any`, which fits everywhere, so that one fault gives one message. The result
is a side table keyed by node identity (`Typing`), which lowering reads.

Nullability follows what the text itself rules out: after `x != null and` the name
`x` is known, as it is in the branch of an `if` that its condition settles.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.check import calls, rules
from engine.check.scope import FIELD, LOCAL, USE, Binding, Report, Scope, Slice, closest
from engine.check.typed import Typing
from engine.diagnostics import Label
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast

ANY = Type(dt.ANY)
BOOLEAN = Type(dt.BOOLEAN)


class ExpressionChecker:
    """Types the expressions of one policy. `place` is the text at hand, set by `check`."""

    def __init__(self, report: Report, typing: Typing, currency: str | None) -> None:
        self.report = report
        self.typing = typing
        self.currency = currency
        self.place: Slice
        self._fresh = 0

    # --- entry points ----------------------------------------------------------------

    def check(self, node: ast.Node, scope: Scope, place: Slice) -> Type:
        """The type of an expression that stands at `place`."""
        self.place = place
        return self.type(node, scope)

    def check_tests(self, tests: ast.UnaryTests, operand: Type, scope: Scope, place: Slice) -> bool:
        """Type a cell's tests over a column; gives whether they can be null for a known operand or a null one."""
        self.place = place
        inner = scope.inner({"?": Binding(LOCAL, "?", operand)})
        nullable = False
        for test in tests.tests:
            nullable = self.test(test, operand, inner) or nullable
        return nullable

    # --- plumbing ----------------------------------------------------------------------

    def error(self, code: str, message: str, node: ast.Node, help: str | None = None, **more: Any) -> Type:
        self.report.on(code, message, self.place, node, help, **more)
        return ANY

    def fresh(self, name: str) -> str:
        self._fresh += 1
        return f"{name}~{self._fresh}"

    def type(self, node: ast.Node, scope: Scope) -> Type:
        found = HANDLERS[type(node)](self, node, scope)
        return self.typing.record(node, found)

    def labels(self, *parts: tuple[ast.Node, Type]) -> tuple[Label, ...]:
        """Where each type came from."""
        return tuple(
            Label(self.place.locate(n.start, n.end), f"this is {rules.describe(t)}")
            for n, t in parts
            if t.kind != dt.ANY
        )

    # --- leaves ------------------------------------------------------------------------

    def _number(self, node: ast.NumberLiteral, scope: Scope) -> Type:
        value = float(node.value)
        return Type(dt.NUMBER, whole=isinstance(node.value, int), lower=value, upper=value)

    def _string(self, node: ast.StringLiteral, scope: Scope) -> Type:
        return Type(dt.STRING, values=(node.value,))

    def _boolean(self, node: ast.BooleanLiteral, scope: Scope) -> Type:
        return BOOLEAN

    def _null(self, node: ast.NullLiteral, scope: Scope) -> Type:
        return Type(dt.NULL, True)

    def _name(self, node: ast.Name, scope: Scope) -> Type:
        binding = scope.find(node.name)
        if binding is None:
            return self._unknown_name(node, scope)
        if binding.kind == FIELD:
            outer = self._outer_meaning(node.name, scope)
            if outer is not None:
                return self.error(
                    "E0207",
                    f"`{node.name}` is a field of this history and also a name outside it",
                    node,
                    f"write `item.{node.name}` for the field, or rename the other",
                    labels=(Label(outer.declared, "the other is declared here"),) if outer.declared else (),
                )
        if binding.restriction is not None:
            self.error(binding.restriction.code, binding.restriction.message, node, binding.restriction.help)
        self.typing.bindings[id(node)] = binding
        return binding.type.optional(False) if node.name in scope.facts else binding.type

    def _outer_meaning(self, name: str, scope: Scope) -> Binding | None:
        """A non-field meaning of `name` further out."""
        walk: Scope | None = scope
        while walk is not None:
            found = walk.names.get(name)
            if found is not None and found.kind not in (FIELD, LOCAL):
                return found
            walk = walk.outer
        return None

    def _unknown_name(self, node: ast.Name, scope: Scope) -> Type:
        message = f"unknown name `{node.name}`"
        names = scope.all_names()
        help, replacement = self._meant(node.name, names, scope)
        if help is None:
            near = closest(node.name, names)
            if near is not None:
                return self.error("E0203", message, node, f"did you mean `{near}`?", replacement=near)
            help = "declare it under `inputs`, `features` or `parameters`"
            if " " not in node.name:
                help += '; a text stands in double quotes, as in `"' + node.name + '"`'
        return self.error("E0203", message, node, help, replacement=replacement)

    def _meant(self, name: str, names: list[str], scope: Scope) -> tuple[str | None, str | None]:
        """What a person who wrote an unknown name meant where that is plain, and its replacement."""
        if name in calls.CALLABLE:
            return f"`{name}` is a function: call it as `{name}(...)`", None
        behind = max((n for n in names if name.startswith(n + " ")), key=len, default=None)
        if behind is not None and (name[len(behind) + 1:] in names or closest(name, names) is None):
            return f"an operator is missing behind `{behind}`", None
        for known in names:
            binding = scope.find(known)
            if binding is None:
                continue
            if name in (binding.type.values or ()):
                return f'a text stands in double quotes: `"{name}"`', f'"{name}"'
            if binding.kind == USE and binding.type.field(name) is not None:
                full = f"{known}.{name}"
                return f"write `{full}`, since nothing of another policy is read without its name", full
            row = binding.type.item if binding.type.kind == dt.RELATION else None
            if row is not None and row.field(name) is not None:
                return f"`{name}` is a field of `{known}`: write `{known}.{name}`", None
        return None, None

    # --- operators -----------------------------------------------------------------------

    def _negation(self, node: ast.Negation, scope: Scope) -> Type:
        kind = self.type(node.operand, scope)
        if kind.kind == dt.ANY:
            return ANY
        if kind.kind in dt.NUMERIC:
            lower = None if kind.upper is None else -kind.upper
            upper = None if kind.lower is None else -kind.lower
            return kind.replace(lower=lower, upper=upper, decimals=None)
        if kind.kind in (dt.DAYS_DURATION, dt.MONTHS_DURATION):
            return Type(kind.kind, kind.nullable)
        return self.error(
            "E0301", f"`-` needs a number, this is {rules.describe(kind)}", node.operand,
            "write a number or a duration behind it",
        )

    def _arithmetic(self, node: ast.Arithmetic, scope: Scope) -> Type:
        left, right = self.type(node.left, scope), self.type(node.right, scope)
        if dt.ANY in (left.kind, right.kind):
            return ANY
        if dt.NULL in (left.kind, right.kind):
            way = "leave it out, or test for absence with `= null`"
            return self.error("E0301", f"`{node.op}` over `null` is always null", node, way)
        if node.op in "+-":
            left, right = self.settle_money(node.left, left, node.right, right)
        found = rules.arithmetic(node.op, left, right)
        if found is not None:
            return found
        if dt.MONEY in (left.kind, right.kind) and {left.kind, right.kind} <= dt.NUMERIC:
            return self._money_error(node, left, right)
        help = None
        if node.op == "+" and dt.STRING in (left.kind, right.kind):
            help = "write `string(...)` around the other side to join texts"
        elif {left.kind, right.kind} == {dt.DATE, dt.NUMBER}:
            help = 'a number of days is `duration("P30D")`'
        return self.error(
            "E0301",
            f"`{node.op}` does not work between {rules.describe(left)} and {rules.describe(right)}",
            node,
            help,
            labels=self.labels((node.left, left), (node.right, right)),
        )

    def _money_error(self, node: ast.Arithmetic, left: Type, right: Type) -> Type:
        labels = self.labels((node.left, left), (node.right, right))
        if node.op == "*":
            message, help = "money times money has no meaning", "write `.amount` behind one of them"
        elif node.op in "+-":
            message = f"`{node.op}` mixes money and a plain number"
            help = "declare the number as money, or write `.amount` behind the money"
        elif node.op == "/":
            message, help = "a plain number over money has no meaning", "write `.amount` behind the money"
        else:
            message, help = f"`{node.op}` does not work on money", "write `.amount` behind the money"
        return self.error("E0305", message, node, help, labels=labels)

    def settle_money(self, a: ast.Node, left: Type, b: ast.Node, right: Type) -> tuple[Type, Type]:
        """A bare literal beside money is money."""
        if left.kind == dt.MONEY and right.kind == dt.NUMBER and self.as_money(b):
            right = self.typing.type_of(b)
        elif right.kind == dt.MONEY and left.kind == dt.NUMBER and self.as_money(a):
            left = self.typing.type_of(a)
        return left, right

    def as_money(self, node: ast.Node) -> bool:
        """Make a bare number literal money, through a sign and the branches of `if`; whether it was one."""
        if isinstance(node, ast.NumberLiteral):
            done = True
        elif isinstance(node, ast.Negation):
            done = self.as_money(node.operand)
        elif isinstance(node, ast.If):
            branches = (node.then, node.otherwise)
            done = all(self.typing.type_of(b).kind == dt.MONEY or self.as_money(b) for b in branches)
        elif isinstance(node, ast.NullLiteral):
            return True
        else:
            return self.typing.type_of(node).kind == dt.MONEY
        if done:
            self.typing.record(node, self.typing.type_of(node).replace(kind=dt.MONEY))
        return done

    def _comparison(self, node: ast.Comparison, scope: Scope) -> Type:
        left, right = self.type(node.left, scope), self.type(node.right, scope)
        return self.comparison(node.op, node.left, left, node.right, right, node)

    def comparison(self, op: str, a: ast.Node, left: Type, b: ast.Node, right: Type, whole: ast.Node) -> Type:
        """Type `a op b`; a boolean that is null where an operand is."""
        if dt.NULL in (left.kind, right.kind):
            if op not in ("=", "!="):
                return self.error("E0302", f"`{op}` cannot compare with `null`", whole, "test absence with `= null`")
            return BOOLEAN
        result = BOOLEAN.optional(left.nullable or right.nullable)
        if dt.ANY in (left.kind, right.kind):
            return result
        left, right = self.settle_money(a, left, b, right)
        if left.values is not None and right.values is not None and op in ("=", "!="):
            self.check_values(a, left, b, right)
            return result
        if rules.comparable(op, _as_text(a, left), _as_text(b, right)):
            return result
        return self._comparison_error(op, a, left, b, right, whole)

    def check_values(self, a: ast.Node, left: Type, b: ast.Node, right: Type) -> None:
        """An enumeration against a literal it does not have, or against one it shares nothing with."""
        assert left.values is not None and right.values is not None
        if set(left.values) & set(right.values):
            return
        literal, other = (b, left) if isinstance(b, ast.StringLiteral) else (a, right)
        if isinstance(literal, ast.StringLiteral) and other.values is not None:
            self.unknown_value(literal, literal.value, other.values, f'"{literal.value}"')
        else:
            self.error(
                "E0303", "these two have no value in common", b, "compare with one of its own values",
                labels=self.labels((a, left), (b, right)),
            )

    def unknown_value(self, node: ast.Node, value: str, values: tuple[str, ...], shown: str) -> None:
        near = closest(value, values)
        listing = ", ".join(f'"{v}"' for v in values[:12]) + (", …" if len(values) > 12 else "")
        self.error(
            "E0303",
            f"{shown} is not one of the declared values",
            node,
            f'did you mean "{near}"?' if near is not None else f"the values are {listing}",
            replacement=None if near is None else f'"{near}"',
        )

    def _comparison_error(
        self, op: str, a: ast.Node, left: Type, b: ast.Node, right: Type, whole: ast.Node
    ) -> Type:
        labels = self.labels((a, left), (b, right))
        if left.kind == right.kind == dt.STRING:
            self.error(
                "E0304",
                f"`{op}` does not order an enumeration",
                whole,
                "list the values, as in `x in [\"A\", \"B\"]`, or use `worst`",
                labels=labels,
            )
        elif {left.kind, right.kind} <= dt.NUMERIC:
            help = "declare the number as money, or write `.amount` behind the money"
            if isinstance(a if left.kind == dt.NUMBER else b, ast.Arithmetic):
                help = "a literal beside `*` or `/` stays a plain number: write the amount out, or " + help
            self.error("E0305", f"`{op}` mixes money and a plain number", whole, help, labels=labels)
        else:
            help = None
            literal = b if isinstance(b, ast.StringLiteral) else a if isinstance(a, ast.StringLiteral) else None
            other = left if literal is b else right
            if literal is not None and other.kind in (dt.DATE, dt.TIME, dt.DATE_TIME):
                help = f'write `{other.kind}("{getattr(literal, "value", "")}")`'
            elif literal is not None and other.kind in dt.NUMERIC:
                help = "write the number without quotes"
            elif literal is not None and other.kind == dt.BOOLEAN:
                help = "write `true` or `false` without quotes"
            elif dt.RELATION in (left.kind, right.kind):
                help = "count its rows, as in `count(...) > 0`, or test whether it was supplied with `= null`"
            else:
                help = "compare with a value of the same kind"
            self.error(
                "E0302",
                f"`{op}` compares {rules.describe(left)} with {rules.describe(right)}",
                whole,
                help,
                labels=labels,
            )
        return BOOLEAN

    def boolean(self, node: ast.Node, scope: Scope, what: str) -> Type:
        """Type a node that must be true or false."""
        kind = self.type(node, scope)
        if kind.kind not in (dt.BOOLEAN, dt.ANY):
            help = "compare it with something, as in `... > 0` or `... != null`"
            self.error("E0307", f"{what} must be true or false, this is {rules.describe(kind)}", node, help)
            return BOOLEAN
        return BOOLEAN.optional(kind.nullable)

    def _conjunction(self, node: ast.Conjunction, scope: Scope) -> Type:
        return self._junction(node.operands, scope, True)

    def _disjunction(self, node: ast.Disjunction, scope: Scope) -> Type:
        return self._junction(node.operands, scope, False)

    def _junction(self, operands: tuple[ast.Node, ...], scope: Scope, holds: bool) -> Type:
        """`and` reads its later operands knowing the earlier true, `or` knowing them false."""
        nullable = False
        here = scope
        what = "a part of `and`" if holds else "a part of `or`"
        for operand in operands:
            nullable = self.boolean(operand, here, what).nullable or nullable
            here = here.knowing(facts(operand, holds))
        return BOOLEAN.optional(nullable)

    def _between(self, node: ast.Between, scope: Scope) -> Type:
        operand = self.type(node.operand, scope)
        lower, upper = self.type(node.lower, scope), self.type(node.upper, scope)
        one = self.comparison(">=", node.operand, operand, node.lower, lower, node)
        two = self.comparison("<=", node.operand, operand, node.upper, upper, node)
        return BOOLEAN.optional(one.nullable or two.nullable)

    def _in(self, node: ast.In, scope: Scope) -> Type:
        operand = self.type(node.operand, scope)
        nullable = False
        for test in node.tests:
            nullable = self.test(test, operand, scope, node.operand) or nullable
        return BOOLEAN.optional(nullable)

    def test(self, test: ast.Node, operand: Type, scope: Scope, of: ast.Node | None = None) -> bool:
        """Type one unary test over `operand`; gives whether it can be null. `of` is the operand's own node."""
        node = of if of is not None else ast.Name(test.start, test.end, "?")
        if of is None:
            self.typing.record(node, operand)
        if isinstance(test, ast.AnyTest):
            self.typing.record(test, BOOLEAN)
            return False
        if isinstance(test, ast.NullLiteral):
            self.typing.record(test, Type(dt.NULL, True))
            return False if of is None else True
        if isinstance(test, ast.UnaryTests):
            found = False
            for inner in test.tests:
                found = self.test(inner, operand, scope, of) or found
            return found
        if isinstance(test, ast.Comparator):
            kind = self.type(test.operand, scope)
            self.typing.record(test, BOOLEAN)
            return self.comparison(test.op, node, operand, test.operand, kind, test.operand).nullable
        if isinstance(test, ast.RangeLiteral):
            return self._range_test(test, operand, node, scope)
        if isinstance(test, ast.ListLiteral):
            found = False
            self.typing.record(test, dt.list_of(operand))
            for each in test.items:
                if isinstance(each, ast.NullLiteral):
                    self.typing.record(each, Type(dt.NULL, True))
                    found = True
                else:
                    found = self.test(each, operand, scope, of if of is not None else node) or found
            return found
        kind = self.type(test, scope)
        if kind.kind == dt.LIST and operand.kind != dt.LIST:
            item = kind.item or ANY
            nullable = self.comparison("=", node, operand, test, item, test).nullable
            return kind.nullable or nullable
        if kind.kind == dt.BOOLEAN and operand.kind != dt.BOOLEAN:
            return kind.nullable
        return self.comparison("=", node, operand, test, kind, test).nullable

    def _range_test(self, test: ast.RangeLiteral, operand: Type, node: ast.Node, scope: Scope) -> bool:
        self.typing.record(test, Type(dt.RANGE, item=operand))
        nullable = operand.nullable
        for end, op in ((test.lower, ">="), (test.upper, "<=")):
            if end is not None:
                kind = self.type(end, scope)
                nullable = self.comparison(op, node, operand, end, kind, end).nullable or nullable
        low, high = test.lower, test.upper
        if isinstance(low, ast.NumberLiteral) and isinstance(high, ast.NumberLiteral) and low.value > high.value:
            self.error("E0313", "this range is empty: its lower end lies above its upper end", test, "swap the ends")
        return nullable

    def _range(self, node: ast.RangeLiteral, scope: Scope) -> Type:
        return self.error("E0311", "a range stands only behind `in` or in a cell", node, "write `x in [a..b]`")

    def _instance_of(self, node: ast.InstanceOf, scope: Scope) -> Type:
        self.type(node.operand, scope)
        return BOOLEAN

    def _if(self, node: ast.If, scope: Scope) -> Type:
        test = self.boolean(node.condition, scope, "a condition")
        then = self.type(node.then, scope.knowing(facts(node.condition, True)))
        other = self.type(node.otherwise, scope.knowing(facts(node.condition, False)))
        return self.branches(node.then, then, node.otherwise, other, node, test.nullable)

    def branches(
        self, a: ast.Node, left: Type, b: ast.Node, right: Type, whole: ast.Node, nullable: bool
    ) -> Type:
        """The type of a choice between two values."""
        if dt.ANY in (left.kind, right.kind):
            return ANY
        if left.kind == dt.MONEY and right.kind == dt.NUMBER and self.as_money(b):
            right = self.typing.type_of(b)
        elif right.kind == dt.MONEY and left.kind == dt.NUMBER and self.as_money(a):
            left = self.typing.type_of(a)
        joined = rules.join(left, right)
        if joined is None:
            return self.error(
                "E0309",
                f"one branch is {rules.describe(left)}, the other {rules.describe(right)}",
                whole,
                "give both branches the same type",
                labels=self.labels((a, left), (b, right)),
            )
        return joined.optional(joined.nullable or nullable)

    # --- collections -----------------------------------------------------------------------

    def _list(self, node: ast.ListLiteral, scope: Scope) -> Type:
        item: Type | None = None
        for each in node.items:
            kind = self.type(each, scope)
            item = kind if item is None else rules.join(item, kind)
            if item is None:
                help = "give all items the same type"
                return self.error("E0309", "the items of this list have different types", each, help)
        return dt.list_of(item or ANY)

    def _context(self, node: ast.ContextLiteral, scope: Scope) -> Type:
        inner = scope
        fields: list[tuple[str, Type]] = []
        for entry in node.entries:
            kind = self.type(entry.value, inner)
            self.typing.record(entry, kind)
            fields.append((entry.key, kind))
        return Type(dt.CONTEXT, fields=tuple(fields))

    def _path(self, node: ast.Path, scope: Scope) -> Type:
        base = self.type(node.base, scope)
        if base.kind == dt.ANY:
            return ANY
        found = self._member(base, node)
        return found.optional(False) if path_key(node) in scope.facts else found

    def _member(self, base: Type, node: ast.Path) -> Type:
        if base.kind == dt.MONEY and node.name == "amount":
            return base.replace(kind=dt.NUMBER)
        if base.kind in (dt.CONTEXT, dt.RELATION) or (base.kind == dt.LIST and base.item and base.item.fields):
            row = base if base.kind == dt.CONTEXT else base.item
            assert row is not None
            field = row.field(node.name)
            if field is not None:
                if base.kind == dt.CONTEXT:
                    return field.optional(field.nullable or base.nullable)
                return dt.list_of(field.replace(relation=base.relation or row.relation), base.nullable)
            names = [n for n, _ in row.fields or ()]
            near = closest(node.name, names)
            listing = ", ".join(f"`{n}`" for n in names[:12])
            return self.error(
                "E0205",
                f"`{node.name}` is not among its members",
                ast.Name(node.end - len(node.name), node.end, node.name),
                f"did you mean `{near}`?" if near else f"the members are {listing}",
                replacement=near,
            )
        operation = calls.property_type(base, node.name)
        if operation is not None:
            return operation
        return self.error("E0205", f"{rules.describe(base)} has no `{node.name}`", node, calls.property_help(base))

    def _filter(self, node: ast.Filter, scope: Scope) -> Type:
        base = self.type(node.base, scope)
        if base.kind == dt.ANY:
            return ANY
        if base.kind not in (dt.LIST, dt.RELATION) or base.item is None:
            return self.error(
                "E0301", f"`[...]` filters a history or list, this is {rules.describe(base)}", node.base,
                "put it behind a history, as in `invoices[amount > 0]`",
            )
        position = position_of(node.predicate)
        if position is not None:
            self.typing.record(node.predicate, Type(dt.NUMBER))
            if position not in (1, -1):
                return self.error(
                    "E0311", "only `[1]` and `[-1]` pick an item by place", node.predicate,
                    "filter by a condition, or take the first `[1]` or last `[-1]`",
                )
            return base.item.optional(True)
        variable = self.fresh("item")
        self.typing.variables[id(node)] = variable
        names = {"item": Binding(LOCAL, variable, base.item)}
        for name, kind in base.item.fields or ():
            names.setdefault(name, Binding(FIELD, variable, kind))
        kind = self.boolean(node.predicate, scope.inner(names), "a filter")
        if kind.nullable:
            self.error(
                "E0403",
                "this filter can be null, so a row would be neither in nor out",
                node.predicate,
                self.null_help(node.predicate),
            )
        return base

    def null_help(self, node: ast.Node) -> str:
        """Which names make a condition nullable, and how to settle them."""
        names = self.nullable_names(node)
        if names:
            listed = " and ".join(f"`{n}`" for n in names[:3])
            return f"{listed} can be missing: test `{names[0]} != null and ...` first, or use `get or else(...)`"
        return "a part of it can have no value: guard it with `get or else(...)`"

    def nullable_names(self, node: ast.Node) -> list[str]:
        found: list[str] = []
        if isinstance(node, (ast.Name, ast.Path)) and self.typing.type_of(node).nullable:
            key = path_key(node)
            if key is not None:
                return [key]
        for child in ast.children(node):
            found.extend(n for n in self.nullable_names(child) if n not in found)
        return found

    def _for(self, node: ast.For, scope: Scope) -> Type:
        inner, nullable = self._iterators(node.iterators, scope)
        body = self.type(node.body, inner)
        relation = self.typing.type_of(node.iterators[0].source).relation
        return dt.list_of(body.replace(relation=relation) if body.kind != dt.ANY else body, nullable)

    def _quantified(self, node: ast.Quantified, scope: Scope) -> Type:
        inner, nullable = self._iterators(node.iterators, scope)
        body = self.boolean(node.body, inner, f"the condition of `{node.kind}`")
        return BOOLEAN.optional(nullable or body.nullable)

    def _iterators(self, iterators: tuple[ast.Iterator, ...], scope: Scope) -> tuple[Scope, bool]:
        nullable = False
        for iterator in iterators:
            kind = self.type(iterator.source, scope)
            item: Type = ANY
            if iterator.upper is not None:
                upper = self.type(iterator.upper, scope)
                for part, end in ((iterator.source, kind), (iterator.upper, upper)):
                    if end.kind not in (dt.NUMBER, dt.ANY):
                        message = f"`..` counts numbers, this is {rules.describe(end)}"
                        self.error("E0301", message, part, "write whole numbers")
                nullable = nullable or kind.nullable or upper.nullable
                item = Type(dt.NUMBER, whole=True)
            elif kind.kind in (dt.LIST, dt.RELATION) and kind.item is not None:
                item = kind.item
                nullable = nullable or kind.nullable
            elif kind.kind != dt.ANY:
                self.error(
                    "E0301", f"`for` goes over a history or list, this is {rules.describe(kind)}", iterator.source,
                    "name a history, or count with `for i in 1..n`",
                )
            variable = self.fresh(iterator.name)
            self.typing.variables[id(iterator)] = variable
            self.typing.record(iterator, item)
            scope = scope.inner({iterator.name: Binding(LOCAL, variable, item)})
        return scope, nullable

    def _function(self, node: ast.FunctionLiteral, scope: Scope) -> Type:
        return self.error(
            "E0311", "a function cannot be defined inside a policy", node,
            "name the value as a feature, or write a plugin",
        )

    def _stray_test(self, node: ast.Node, scope: Scope) -> Type:
        return self.error(
            "E0311", "a test such as `< 5` stands only in a cell or behind `in`", node,
            "write `x in (< 5, > 9)`, or `x < 5`",
        )


def _as_text(node: ast.Node, kind: Type) -> Type:
    """A literal's type without its one value, which makes it no enumeration."""
    return kind.replace(values=None) if isinstance(node, ast.StringLiteral) else kind


def position_of(predicate: ast.Node) -> int | None:
    """The place in a filter such as `[1]` or `[-1]`."""
    if isinstance(predicate, ast.NumberLiteral) and isinstance(predicate.value, int):
        return predicate.value
    if isinstance(predicate, ast.Negation) and isinstance(predicate.operand, ast.NumberLiteral):
        value = predicate.operand.value
        return -value if isinstance(value, int) else None
    return None


def path_key(node: ast.Node) -> str | None:
    """A name or path as a key for facts."""
    if isinstance(node, ast.Name):
        return node.name
    if isinstance(node, ast.Path):
        base = path_key(node.base)
        return None if base is None else f"{base}.{node.name}"
    return None


def facts(node: ast.Node, holds: bool) -> frozenset[str]:
    """Names and paths that are not null where `node` is true (or false): a comparison of a null is neither."""
    if isinstance(node, ast.Conjunction):
        return frozenset().union(*(facts(o, True) for o in node.operands)) if holds else frozenset()
    if isinstance(node, ast.Disjunction):
        return frozenset() if holds else frozenset().union(*(facts(o, False) for o in node.operands))
    if isinstance(node, ast.Comparison):
        null_side = isinstance(node.right, ast.NullLiteral) or isinstance(node.left, ast.NullLiteral)
        if null_side:
            if (node.op == "!=") != holds:
                return frozenset()
            return settled(node.left) | settled(node.right)
        return settled(node.left) | settled(node.right)
    if isinstance(node, ast.Between):
        return settled(node.operand)
    if isinstance(node, ast.In):
        return settled(node.operand) if holds else frozenset()
    if isinstance(node, ast.Invocation) and isinstance(node.function, ast.Name) and node.function.name == "not":
        if len(node.arguments) == 1:
            return facts(node.arguments[0].value, not holds)
        return frozenset()
    if holds or isinstance(node, (ast.Name, ast.Path)):
        key = path_key(node)
        return frozenset() if key is None else frozenset({key})
    return frozenset()


def settled(node: ast.Node) -> frozenset[str]:
    """Names that cannot be null where the value of `node` is not."""
    key = path_key(node)
    if key is not None:
        return frozenset({key})
    if isinstance(node, (ast.Negation, ast.Arithmetic)):
        return frozenset().union(*(settled(c) for c in ast.children(node)))
    return frozenset()


Handler = Callable[[ExpressionChecker, Any, Scope], Type]

HANDLERS: dict[type[ast.Node], Handler] = {
    ast.NumberLiteral: ExpressionChecker._number,
    ast.StringLiteral: ExpressionChecker._string,
    ast.BooleanLiteral: ExpressionChecker._boolean,
    ast.NullLiteral: ExpressionChecker._null,
    ast.AtLiteral: calls.at_literal,
    ast.Name: ExpressionChecker._name,
    ast.Negation: ExpressionChecker._negation,
    ast.Arithmetic: ExpressionChecker._arithmetic,
    ast.Comparison: ExpressionChecker._comparison,
    ast.Conjunction: ExpressionChecker._conjunction,
    ast.Disjunction: ExpressionChecker._disjunction,
    ast.Between: ExpressionChecker._between,
    ast.In: ExpressionChecker._in,
    ast.InstanceOf: ExpressionChecker._instance_of,
    ast.If: ExpressionChecker._if,
    ast.For: ExpressionChecker._for,
    ast.Quantified: ExpressionChecker._quantified,
    ast.Filter: ExpressionChecker._filter,
    ast.Path: ExpressionChecker._path,
    ast.Invocation: calls.invocation,
    ast.ContextLiteral: ExpressionChecker._context,
    ast.ListLiteral: ExpressionChecker._list,
    ast.RangeLiteral: ExpressionChecker._range,
    ast.FunctionLiteral: ExpressionChecker._function,
    ast.Comparator: ExpressionChecker._stray_test,
    ast.AnyTest: ExpressionChecker._stray_test,
    ast.UnaryTests: ExpressionChecker._stray_test,
}
