"""Conditions as Python expressions, three-valued.

Null is None. `true` and `false` are real bools, so that a three-valued connective
costs no more than its parts; `unknown` is asked only where openness hangs on it.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.backends.python.known import NOTHING, Known
from engine.backends.python.nullability import INVERSE, Nullability
from engine.ir import nodes as ir

SIGNS = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
COMPARISONS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class Conditions(Nullability):
    """Emits conditions that hold, fail, or are null."""

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
        return parts[0] if len(parts) == 1 else word.join(bracketed(p, " or ") for p in parts)

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
        return parts[0] if len(parts) == 1 else f"({' or '.join(bracketed(p, ' and ') for p in parts)})"

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


def bracketed(text: str, word: str) -> str:
    """Brackets around a part that holds the weaker connective at its top."""
    if word not in text and " if " not in text:
        return text
    return text if _closed(text) else f"({text})"


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
