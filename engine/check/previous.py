"""Types what is read of `previous`, the last logged decision of the same customer."""
from __future__ import annotations

from typing import TYPE_CHECKING

from engine.check.scope import DECISION, PREVIOUS, Binding, Scope, closest
from engine.check.typed import ANY, Typing
from engine.semantics import dtypes as dt
from engine.semantics.declarations import InputDecl
from engine.semantics.dtypes import Type
from engine.syntax import ast

if TYPE_CHECKING:
    from engine.check.base import CheckerBase

#: The date of the previous decision.
DATE = "as of"


def read(checker: CheckerBase, node: ast.Path, base: Binding, scope: Scope) -> Type:
    """`previous.tier`; the path is bound to the leaf that it reads."""
    kind = base.type.field(node.name)
    if kind is not None and kind.kind == dt.NULL:
        return ANY  # what is wrong with the decision is told where it stands
    if kind is None or kind.kind in (dt.ANY, dt.LIST):
        return _unreadable(checker, node, base, scope)
    if f"{PREVIOUS}.{node.name}" in scope.facts or (node.name == DATE and PREVIOUS in scope.facts):
        kind = kind.optional(False)
    checker.typing.bindings[id(node)] = Binding(PREVIOUS, f"{PREVIOUS}.{node.name}", kind)
    return kind


def member(checker: CheckerBase, node: ast.Path, base: Binding, kind: Type) -> None:
    """`previous.offer.base`: a member of several outputs."""
    checker.typing.bindings[id(node)] = Binding(PREVIOUS, f"{base.target}.{node.name}", kind)


def _unreadable(checker: CheckerBase, node: ast.Path, base: Binding, scope: Scope) -> Type:
    place = ast.Name(node.end - len(node.name), node.end, node.name)
    found, kind = scope.find(node.name), base.type.field(node.name)
    if kind is not None and kind.kind == dt.ANY:
        return checker.error(
            "E0714", f"the type of `{node.name}` hangs on its expression, so that of its previous outcome is not known",
            place, f"state the `type` or `values` of `{node.name}`",
        )
    if kind is not None:
        return checker.error(
            "E0714", f"`{node.name}` gives a list, which `previous` does not hold", place,
            "read a decision that counts it, or what it hangs on",
        )
    if found is not None and found.kind == DECISION:
        return checker.error(
            "E0714", f"`{node.name}` is a feature, which is not logged", place,
            "move it to a family whose decisions are outputs, and state its type",
        )
    names = [n for n, t in base.type.fields or () if t.kind not in (dt.ANY, dt.LIST)]
    near = closest(node.name, names)
    listing = ", ".join(f"`{n}`" for n in names[:12])
    return checker.error(
        "E0205", f"`{node.name}` is not among the decisions of this policy", place,
        f"did you mean `{near}`?" if near else f"the previous decision has {listing}", replacement=near,
    )


def bare(checker: CheckerBase, node: ast.Name) -> Type:
    return checker.error(
        "E0714", "`previous` is read by its members, or tested with `= null`", node,
        "write `previous.` and the name of a decision, as in `previous.tier`",
    )


def leaves(typing: Typing) -> tuple[InputDecl, ...]:
    """The outcomes of the previous decision that are read, as inputs that never refuse."""
    found: dict[str, Type] = {}
    for bound in typing.bindings.values():
        if bound.kind != PREVIOUS:
            continue
        if bound.target == PREVIOUS:
            found[PREVIOUS] = Type(dt.BOOLEAN, True)
        elif bound.type.kind == dt.CONTEXT:
            found.update({f"{bound.target}.{n}": t.optional() for n, t in bound.type.fields or ()})
        else:
            found[bound.target] = bound.type.optional()
    return tuple(InputDecl(name, found[name], previous=True) for name in sorted(found))
