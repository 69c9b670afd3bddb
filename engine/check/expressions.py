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

from engine.check import calls, previous, rules
from engine.check.base import BOOLEAN
from engine.check.collections import Collections
from engine.check.facts import facts
from engine.check.instances import holds
from engine.check.scope import FIELD, LOCAL, PREVIOUS, USE, Binding, Scope, Slice, closest
from engine.check.typed import ANY
from engine.diagnostics import Label
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast
from engine.syntax.phrases import word


class ExpressionChecker(Collections):
    """Types the expressions of one policy."""

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
            if not self._in_words(test, operand, scope):
                nullable = self.test(test, operand, inner) or nullable
        return nullable

    def _in_words(self, test: ast.Node, operand: Type, scope: Scope) -> bool:
        """Whether a test is a word such as `any` that is no name and no value; it is reported."""
        said = word(test.name) if isinstance(test, ast.Name) and scope.find(test.name) is None else None
        if not isinstance(test, ast.Name) or said is None or test.name in (operand.values or ()):
            return False
        if said.meant in ("true", "false") and operand.kind != dt.BOOLEAN:
            return False
        self.error("E0134", f"`{test.name}` is no test", test, said.help, replacement=said.meant)
        return True

    def type(self, node: ast.Node, scope: Scope) -> Type:
        found = HANDLERS[type(node)](self, node, scope)
        return self.typing.record(node, found)

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
        if binding.kind == PREVIOUS:
            return previous.bare(self, node)
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
        if name == "otherwise":
            return "write `otherwise:` with the outcome in place of `when` and `then`", None
        if name in calls.CALLABLE or name in calls.OVER_ROWS or self.functions.called(name) is not None:
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

    def _range(self, node: ast.RangeLiteral, scope: Scope) -> Type:
        return self.error("E0311", "a range stands only behind `in` or in a cell", node, "write `x in [a..b]`")

    def _instance_of(self, node: ast.InstanceOf, scope: Scope) -> Type:
        kind = self.type(node.operand, scope)
        parted = bool(node.type.arguments) or node.type.result is not None
        if parted and holds(node.operand, kind, node.type, self.typing.type_of) is None:
            return self.error(
                "E0311", f"what this `{node.type.name}` holds hangs on data, which `instance of` does not look at here",
                node, f"write `instance of {node.type.name}`; what it holds is known from its declaration",
            )
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
