"""Types comparisons, `in`, and the unary tests of cells."""
from __future__ import annotations

from engine.check import rules
from engine.check.base import BOOLEAN, CheckerBase
from engine.check.scope import PREVIOUS, Scope, closest
from engine.check.typed import ANY
from engine.semantics import dtypes as dt
from engine.semantics.dtypes import Type
from engine.syntax import ast


class Comparisons(CheckerBase):
    """Comparisons of two values, and tests of one."""

    def _comparison(self, node: ast.Comparison, scope: Scope) -> Type:
        for name, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(name, ast.Name) and isinstance(other, ast.NullLiteral) and node.op in ("=", "!="):
                found = scope.find(name.name)
                if found is not None and found.kind == PREVIOUS:
                    self.typing.bindings[id(name)] = found
                    self.typing.record(other, Type(dt.NULL, True))
                    self.typing.record(name, Type(dt.BOOLEAN, True))
                    return BOOLEAN
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


def _as_text(node: ast.Node, kind: Type) -> Type:
    """A literal's type without its one value, which makes it no enumeration."""
    return kind.replace(values=None) if isinstance(node, ast.StringLiteral) else kind
